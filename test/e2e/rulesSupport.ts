/**
 * What the stories about the rules share beyond support.ts: alarms, the operator's command line, addresses
 * moved by hand, and how a pair looks that has come to rest.
 */
import type { DaemonProcess, DaemonRecord } from '../../lab/daemonProcess';
import type { LoggedRequest } from '../../lab/ec2-emulator/requestLog';
import type { Lab } from '../../lab/topology/topology';
import { peerOf, routerNames, type InterfacePlan, type RouterName } from '../../lab/topology/plan';
import { eventually } from '../support/eventually';
import {
  daemonOf,
  moreObservations,
  moveOf,
  record,
  requestMark,
  role,
  roleOf,
  runCommand,
  show,
  shownState,
  writes,
  type CommandResult,
} from './support';

export const MOVE = 'AssignPrivateIpAddresses';

/** EC2 is believed soon after a change: the stories move addresses by hand, and often. */
export const soon = { staleness_s: 0.5 } as const;

// ---- Alarms ----

/** Waits for the alarm, whose sentence has these words. */
export async function alarm(
  daemon: DaemonProcess,
  code: string,
  words: RegExp,
  since = 0,
): Promise<DaemonRecord> {
  const found = await record(daemon, new RegExp(`"alarms":\\[[^\\]]*"${code}"`), since);
  expect(found.level).toBe('error');
  expect(found.reason).toMatch(words);
  return found;
}

/** The codes of all alarms, in order. */
export function alarmsOf(daemon: DaemonProcess, since = 0): readonly string[] {
  return daemon
    .recordsSince(since)
    .flatMap(({ alarms }) => (Array.isArray(alarms) ? alarms.map(String) : []));
}

// ---- The command line ----

export const ha = (lab: Lab, name: RouterName, ...words: readonly string[]): Promise<CommandResult> =>
  runCommand(['ha', ...words, '-c', lab.routers[name].configPath]);

export async function shownReason(lab: Lab, name: RouterName, words: RegExp): Promise<void> {
  await eventually(async () => {
    const { stdout } = await show(lab, name, 'ha_reason');
    if (!words.test(stdout)) throw new Error(`show ha_reason on ${name}: ${stdout}, not ${words}`);
  });
}

// ---- Addresses ----

/** The interface, and with it the address, in this place of the canonical order; 0 is the lowest. */
export function placeOf(lab: Lab, place: number): InterfacePlan {
  const found = lab.plan.interfaces[place];
  if (found === undefined) throw new Error(`the lab has no interface ${place}`);
  return found;
}

/** An operator moves an address to the router by hand. */
export function moveByHand(lab: Lab, place: number, to: RouterName): void {
  const { networkInterfaceId, floatingAddress } = placeOf(lab, place);
  lab.world.assign(networkInterfaceId[to], [floatingAddress]);
}

/** The move of the address in this place to the router, as `moveOf` words it. */
export function moveTo(lab: Lab, place: number, to: RouterName): string {
  const { networkInterfaceId, floatingAddress } = placeOf(lab, place);
  return `${floatingAddress} -> ${networkInterfaceId[to]}`;
}

export function owners(lab: Lab): readonly (RouterName | null)[] {
  return lab.floatingAddresses.map((address) => lab.ownerOf(address));
}

export const mayReassign = ({ params }: LoggedRequest): boolean => params['AllowReassignment'] === 'true';

/** Each change of the owner of a floating address since the start, the first owner not counted. */
export function changesOfOwner(lab: Lab): number {
  return lab.world
    .ownershipHistory()
    .filter(({ ip, origin }) => lab.floatingAddresses.includes(ip) && origin.by !== 'start').length;
}

// ---- A pair at rest ----

/** Waits until the daemon has no request under way: one that lost a race may still be asking again. */
async function idle(daemon: DaemonProcess): Promise<void> {
  await eventually(() => {
    const last = daemon.records.findLast(({ event }) => event === 'decision')?.reason ?? '';
    if (/asked of EC2|sending it again|moving \d|claiming \d/i.test(last))
      throw new Error(`${daemon.name}: ${last}`);
  });
}

/**
 * Waits until a race is over. Who was asked before the winner's call was done may still ask on that answer; what is
 * asked from now on shows the winner, and with the observation after it the older answer has been decided on.
 */
export async function decided(lab: Lab): Promise<void> {
  await Promise.all(routerNames.map((name) => moreObservations(lab, name, 2)));
  await Promise.all(routerNames.map((name) => idle(daemonOf(lab, name))));
}

/**
 * Waits until one router is ACTIVE and the other STANDBY, in EC2, the log and `show`, and sees that it stays so:
 * two observations of each later nobody has moved anything.
 */
export async function settled(lab: Lab, active: RouterName): Promise<void> {
  const standby = peerOf(active);
  await role(daemonOf(lab, active), 'ACTIVE');
  await role(daemonOf(lab, standby), 'STANDBY');
  await decided(lab);
  const since = requestMark(lab);
  await Promise.all(routerNames.map((name) => moreObservations(lab, name, 2)));
  expect(writes(lab, since).map(moveOf)).toEqual([]);
  expect(owners(lab)).toEqual(lab.floatingAddresses.map(() => active));
  expect(roleOf(daemonOf(lab, active))).toBe('ACTIVE');
  expect(roleOf(daemonOf(lab, standby))).toBe('STANDBY');
  const shown = [shownState(lab, active, 'ACTIVE'), shownState(lab, standby, 'STANDBY')];
  expect(await Promise.all(shown)).toEqual(['ACTIVE', 'STANDBY']);
}

/** The router that holds all addresses, as soon as one does. */
export function soleOwner(lab: Lab): Promise<RouterName> {
  return eventually(() => {
    const owner = routerNames.find((name) => lab.ownsAll(name));
    if (owner === undefined) throw new Error(`the addresses are on ${owners(lab).join(', ')}`);
    return owner;
  });
}
