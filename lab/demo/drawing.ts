/** The picture of the lab: EC2 above, two routers, their links, and what floats on its holder. */
import { findInstance } from '../ec2-emulator/model';
import type { AnyLab } from '../topology/topology';
import { routerNames, type RouterName } from '../topology/plan';
import type { TargetPlan } from '../topology/targets';
import type { Paint, Style } from './screen';
import { heldWords, targetWords } from './targets';

/** What a router is right now; `off` is without power, `starting` without a role so far. */
export type RouterLook = 'ACTIVE' | 'STANDBY' | 'starting' | 'off';

export const lookStyles: Readonly<Record<RouterLook, readonly Style[]>> = {
  ACTIVE: ['green', 'bold'],
  STANDBY: ['cyan', 'bold'],
  starting: ['yellow'],
  off: ['red'],
};

/** Inside of a router's box, and the gap between the two boxes. */
const INNER = 32;
const GAP = 12;
const WIDTH_OF_BOX = INNER + 2;
/** Where EC2's stem meets the lid of the left box, counted from its corner; on the right it is mirrored. */
const STEM = 17;

type Cell = { readonly text: string; readonly styles?: readonly Style[] };

export function drawTopology(
  lab: AnyLab,
  looks: Readonly<Record<RouterName, RouterLook>>,
  ec2LatencyMs: number,
  paint: Paint,
): readonly string[] {
  const frame = (text: string) => paint(text, 'dim');
  const blank = ' '.repeat(GAP);
  const row = (left: Cell, right: Cell, link = blank) => {
    const [a, b] = link === blank ? ['│', '│'] : ['├', '┤'];
    const cells = [left, right].map((cell) => inside(cell, paint));
    return `${frame('│')}${cells[0]}${frame(a)}${link}${frame(b)}${cells[1]}${frame('│')}`;
  };
  const lid = (name: RouterName, stem: number) =>
    `${frame('┌─')} ${paint(name, 'bold')} ` +
    frame(`${'─'.repeat(stem - name.length - 4)}┴${'─'.repeat(INNER - stem)}┐`);
  return [
    ...cloud(`EC2, emulated: ${ec2LatencyMs} ms per call`, paint),
    `${lid('rtr1', STEM)}${blank}${lid('rtr2', WIDTH_OF_BOX - 1 - STEM)}`,
    row(roleCell(looks.rtr1), roleCell(looks.rtr2)),
    row(instanceCell(lab, 'rtr1'), instanceCell(lab, 'rtr2')),
    row(simulatorCell(lab, 'rtr1'), simulatorCell(lab, 'rtr2')),
    ...portsOf(lab).flatMap((port) => [
      row({ text: '' }, { text: '' }),
      row(portCell(port, 'rtr1'), portCell(port, 'rtr2'), linkBetween(lab, port, paint)),
      ...port.targets.map((target) => row(holderCell(lab, target, 'rtr1'), holderCell(lab, target, 'rtr2'))),
    ]),
    frame(`└${'─'.repeat(INNER)}┘${blank}└${'─'.repeat(INNER)}┘`),
  ];
}

/** One line: both routers, what they are and what they have. */
export function drawHolders(
  lab: AnyLab,
  looks: Readonly<Record<RouterName, RouterLook>>,
  paint: Paint,
): readonly string[] {
  return routerNames.map((name) => {
    const look = looks[name];
    const marks = heldWords(lab, name)
      .map((words) => paint(`◆ ${words}`, 'magenta'))
      .join('  ');
    return `  ${paint(name, 'bold')}  ${paint((look === 'off' ? 'power off' : look).padEnd(10), ...lookStyles[look])} ${marks}`;
  });
}

/** The box of EC2 with a stem down to the lid of each router. */
function cloud(title: string, paint: Paint): readonly string[] {
  const frame = (text: string) => paint(text, 'dim');
  const inner = title.length + 4;
  const width = 2 * WIDTH_OF_BOX + GAP;
  const edge = Math.floor((width - inner - 2) / 2);
  const before = edge - STEM - 1;
  const after = width - STEM - edge - inner - 3;
  const indent = ' '.repeat(STEM);
  return [
    `${' '.repeat(edge)}${frame(`┌${'─'.repeat(inner)}┐`)}`,
    `${indent}${frame(`┌${'─'.repeat(before)}┤`)}  ${paint(title, 'blue', 'bold')}  ${frame(`├${'─'.repeat(after)}┐`)}`,
    `${indent}${frame('│')}${' '.repeat(before)}${frame(`└${'─'.repeat(inner)}┘`)}${' '.repeat(after)}${frame('│')}`,
  ];
}

const roleCell = (look: RouterLook): Cell => ({
  text: look === 'off' ? 'power off' : look,
  styles: lookStyles[look],
});
const instanceCell = (lab: AnyLab, name: RouterName): Cell => {
  const instanceId = lab.plan.instanceId[name];
  const zone = findInstance(lab.world.model, instanceId)?.availabilityZone ?? '';
  return { text: `${instanceId} ${zone}`, styles: ['dim'] };
};
const simulatorCell = (lab: AnyLab, name: RouterName): Cell => ({
  text: `IOS-XR simulated, SL-API ${lab.routers[name].sim.generation}`,
  styles: ['dim'],
});

type Port = {
  readonly name: string;
  readonly address: Readonly<Record<RouterName, string>>;
  readonly targets: readonly TargetPlan[];
};

/** The interfaces that forward, and the tunnels. */
function portsOf({ plan }: AnyLab): readonly Port[] {
  const interfaces = plan.interfaces.map(({ name, primaryAddress, deviceIndex }) => ({
    name,
    address: primaryAddress,
    targets: plan.targets.filter((target) => target.deviceIndex === deviceIndex),
  }));
  const tunnels = plan.links.filter(({ name }) => interfaces.every((each) => each.name !== name));
  return [...tunnels.map((tunnel) => ({ ...tunnel, targets: [] })), ...interfaces].filter(
    ({ name, targets }) => targets.length > 0 || plan.paths.some((path) => path.name === name),
  );
}

/** Addresses stand next to the link, so rtr2's row is rtr1's in the mirror. */
const portCell = ({ name, address }: Port, router: RouterName): Cell => ({
  text: router === 'rtr1' ? `${name}  ${address.rtr1}` : `${address.rtr2}  ${name}`,
});

function holderCell(lab: AnyLab, target: TargetPlan, router: RouterName): Cell {
  const mark = `◆ ${targetWords(target)}`;
  if (lab.ownerOfTarget(target) !== router) return { text: '' };
  return { text: router === 'rtr1' ? mark.padStart(INNER - 2) : mark, styles: ['magenta', 'bold'] };
}

/** Nothing where no session watches. */
function linkBetween(lab: AnyLab, { name }: Port, paint: Paint): string | undefined {
  if (lab.plan.paths.every((path) => path.name !== name)) return undefined;
  const isUp = routerNames.every((router) =>
    lab.routers[router].sim
      .state()
      .sessions.some((session) => session.interface === name && session.status === 'UP'),
  );
  return isUp
    ? `${paint('──', 'dim')} ${paint('BFD UP', 'green')} ${paint('──', 'dim')}`
    : `${paint('─ ─ ─ ─ ─ ─', 'dim')} `;
}

/** One cell with a blank at each end, filled up to the inside of a box. */
const inside = ({ text, styles = [] }: Cell, paint: Paint): string =>
  ` ${paint(text, ...styles)}${' '.repeat(Math.max(INNER - 2 - text.length, 0))} `;
