/** The picture of the lab: EC2 above, two routers, their links, and the floating addresses on their holder. */
import type { Lab } from '../topology';
import { routerNames, type InterfacePlan, type RouterName } from '../topologyPlan';
import type { Paint, Style } from './screen';

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
  lab: Lab,
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
    ...lab.plan.interfaces.flatMap((each) => [
      row({ text: '' }, { text: '' }),
      row(portCell(each, 'rtr1'), portCell(each, 'rtr2'), linkBetween(lab, each, paint)),
      row(holderCell(lab, each, 'rtr1'), holderCell(lab, each, 'rtr2')),
    ]),
    frame(`└${'─'.repeat(INNER)}┘${blank}└${'─'.repeat(INNER)}┘`),
  ];
}

/** One line: both routers, what they are and what they hold. */
export function drawHolders(
  lab: Lab,
  looks: Readonly<Record<RouterName, RouterLook>>,
  paint: Paint,
): readonly string[] {
  return routerNames.map((name) => {
    const look = looks[name];
    const held = lab.floatingAddresses.filter((address) => lab.ownerOf(address) === name);
    const marks = held.map((address) => paint(`◆ ${address}`, 'magenta')).join('  ');
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
const instanceCell = (lab: Lab, name: RouterName): Cell => ({
  text: lab.plan.instanceId[name],
  styles: ['dim'],
});
const simulatorCell = (lab: Lab, name: RouterName): Cell => ({
  text: `IOS-XR simulated, SL-API ${lab.routers[name].sim.generation}`,
  styles: ['dim'],
});

/** Addresses stand next to the link, so rtr2's row is rtr1's in the mirror. */
const portCell = ({ name, primaryAddress }: InterfacePlan, router: RouterName): Cell => ({
  text: router === 'rtr1' ? `${name}  ${primaryAddress.rtr1}` : `${primaryAddress.rtr2}  ${name}`,
});

function holderCell(lab: Lab, { floatingAddress }: InterfacePlan, router: RouterName): Cell {
  const mark = `◆ ${floatingAddress}`;
  if (lab.ownerOf(floatingAddress) !== router) return { text: '' };
  return { text: router === 'rtr1' ? mark.padStart(INNER - 2) : mark, styles: ['magenta', 'bold'] };
}

function linkBetween(lab: Lab, { name }: InterfacePlan, paint: Paint): string {
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
