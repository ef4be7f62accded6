/**
 * The built daemon with its target in EC2 and with its target in Neutron, in turn: what the other cloud costs between the
 * BFD event and the first write. Both emulators are in this process, and both daemons take over one target of one session.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { DaemonProcess } from '../lab/daemonProcess';
import type { NeutronRequest } from '../lab/neutron-emulator/emulator';
import { startEmulatedPair, type EmulatedPair } from '../lab/openstack/emulated';
import { startOpenstackLab, type LabTarget, type OpenstackLab } from '../lab/openstack/lab';
import { PAIR } from '../lab/openstack/pair';
import { routerNames, type RouterName } from '../lab/topology/plan';
import { nowMs, peerDies, peerLives } from './event';
import { openStandby } from './standby';
import type { Count } from './statistics';
import { takeOverOnce } from './takeovers';

/** Milliseconds since the first BFD DOWN was written, but for the counts. */
export type CloudTakeover = {
  readonly firstWriteMs: number;
  readonly callsBeforeFirstWrite: number;
  readonly writes: number;
};

export type CloudRows = {
  readonly ec2: readonly CloudTakeover[];
  readonly neutron: readonly CloudTakeover[];
  /** In Neutron, by the collection that is read: in each keepalive of a router that has all kinds of targets. */
  readonly reads: Readonly<Record<Collection, readonly number[]>>;
};

type Collection = 'ports' | 'floatingips' | 'routers';

const KEEPALIVE_S = 0.5;
const EVENTS_APART_MS = 1_000;
const DEADLINE_MS = 30_000;
const NEVER_MS = 2 ** 31 - 1;
const RESTING_KEEPALIVES = 10;

export async function measureClouds(takeovers: number): Promise<CloudRows> {
  const standby = await openStandby({ generation: 'gen1', interfaces: 1, keepaliveS: KEEPALIVE_S });
  const other = await NeutronStandby.open().catch(async (error: unknown) => {
    await standby.stop();
    throw error;
  });
  const [ec2, neutron]: [CloudTakeover[], CloudTakeover[]] = [[], []];
  try {
    // The first takeover of a process has a table of its own.
    await takeOverOnce(standby);
    await other.takeOver();
    for (let count = 0; count < takeovers; count += 1) {
      ec2.push(await takeOverOnce(standby));
      neutron.push(await other.takeOver());
    }
  } finally {
    await Promise.all([standby.stop(), other.stop()]);
  }
  return { ec2, neutron, reads: await readsAtRest() };
}

export function cloudCounts({ ec2, neutron, reads }: CloudRows): readonly Count[] {
  const counts = (cloud: string, takeovers: readonly CloudTakeover[]): readonly Count[] => [
    {
      what: `calls to ${cloud} between the event and the first write`,
      expected: 0,
      seen: takeovers.map(({ callsBeforeFirstWrite }) => callsBeforeFirstWrite),
    },
    { what: `writes to ${cloud}`, expected: 1, seen: takeovers.map(({ writes }) => writes) },
  ];
  return [
    ...counts('EC2', ec2),
    ...counts('Neutron', neutron),
    ...Object.entries(reads).map(([collection, seen]) => ({
      what: `lists of ${collection} in a keepalive`,
      expected: 1,
      seen,
    })),
  ];
}

const isWrite = ({ action }: NeutronRequest): boolean => action.startsWith('PUT ');
/** Of Neutron: Keystone is asked in the background. */
const isCall = ({ path }: NeutronRequest): boolean => path.startsWith('/v2.0/');

/** The daemon of rtr2; its peer is a script, and an operator gives the floating IP back behind its back. */
class NeutronStandby {
  readonly #pair: EmulatedPair;
  readonly #lab: OpenstackLab;
  readonly #daemon: DaemonProcess;
  #lastEventMs = -Infinity;

  private constructor(pair: EmulatedPair, lab: OpenstackLab, daemon: DaemonProcess) {
    this.#pair = pair;
    this.#lab = lab;
    this.#daemon = daemon;
  }

  static async open(targets: readonly LabTarget[] = ['floatingIp']): Promise<NeutronStandby> {
    const pair = await startEmulatedPair();
    const lab = await startOpenstackLab(pair, {
      targets,
      config: { keepalive_s: KEEPALIVE_S, damping_half_life_s: 1 },
      fabric: { bringUpMs: NEVER_MS, detectTimeMs: NEVER_MS },
    });
    give(pair, 'rtr1');
    const daemon = lab.startDaemon('rtr2');
    const standby = new NeutronStandby(pair, lab, daemon);
    try {
      await Promise.all([
        daemon.waitFor(({ event }) => event === 'streamsSynchronized', { deadlineMs: DEADLINE_MS }),
        daemon.waitFor(({ ha }) => ha === 'STANDBY', { deadlineMs: DEADLINE_MS }),
      ]);
      await standby.#watch();
      return standby;
    } catch (error: unknown) {
      await standby.stop();
      throw error;
    }
  }

  async takeOver(): Promise<CloudTakeover> {
    await this.#untilNextEvent();
    const { neutron } = this.#pair;
    const since = { record: this.#daemon.mark(), request: neutron.requests().length };
    const eventMs = peerDies(this.#lab.routers.rtr2, NEIGHBORS);
    this.#lastEventMs = eventMs;
    await this.#daemon.waitFor(({ event }) => event === 'takeoverTimeline', {
      since: since.record,
      deadlineMs: DEADLINE_MS,
    });
    const calls = neutron.requests().slice(since.request).filter(isCall);
    const first = calls.find(isWrite);
    if (first === undefined) throw new Error(`nothing was written:\n${this.#daemon.tail()}`);
    await this.#watch();
    return {
      firstWriteMs: first.receivedAt - eventMs,
      callsBeforeFirstWrite: calls.indexOf(first),
      writes: calls.filter(isWrite).length,
    };
  }

  /** The lists of one keepalive are asked for together. */
  async readsAtRest(): Promise<CloudRows['reads']> {
    const { neutron } = this.#pair;
    await delay(KEEPALIVE_S * 4_000);
    const from = neutron.requests().length;
    await delay(KEEPALIVE_S * 1_000 * RESTING_KEEPALIVES);
    const keepalives: NeutronRequest[][] = [];
    let last = -Infinity;
    for (const each of neutron.requests().slice(from).filter(isCall)) {
      if (each.receivedAt - last > (KEEPALIVE_S * 1000) / 2) keepalives.push([]);
      keepalives.at(-1)?.push(each);
      last = each.receivedAt;
    }
    // The first and the last one may be cut.
    const whole = keepalives.slice(1, -1);
    const of = (collection: Collection) =>
      whole.map((each) => each.filter(({ action }) => action === `GET ${collection}`).length);
    return { ports: of('ports'), floatingips: of('floatingips'), routers: of('routers') };
  }

  async stop(): Promise<void> {
    await this.#lab.stop();
    await this.#pair.neutron.stop();
  }

  async #watch(): Promise<void> {
    const since = this.#daemon.mark();
    give(this.#pair, 'rtr1');
    peerLives(this.#lab.routers.rtr2, NEIGHBORS);
    const watches = /this router is STANDBY and watches: all sessions are UP/i;
    await this.#daemon.waitFor(({ reason }) => watches.test(reason ?? ''), {
      since,
      deadlineMs: DEADLINE_MS,
    });
  }

  /** As with EC2: apart from the last event, and in the middle of a keepalive interval. */
  async #untilNextEvent(): Promise<void> {
    await delay(Math.max(this.#lastEventMs + EVENTS_APART_MS - nowMs(), 0));
    const isMiddle = () => {
      const last = this.#pair.neutron.requests().findLast(isCall)?.receivedAt ?? 0;
      const age = (nowMs() - last) / (KEEPALIVE_S * 1000);
      return age > 0.3 && age < 0.6;
    };
    const giveUpAt = nowMs() + DEADLINE_MS;
    do {
      if (nowMs() > giveUpAt) throw new Error(`no keepalives:\n${this.#daemon.tail()}`);
      await delay(10 + Math.random() * 40);
    } while (!isMiddle());
  }
}

const NEIGHBORS = [PAIR.address.rtr1];

function give({ neutron, portId }: EmulatedPair, name: RouterName): void {
  const { model } = neutron;
  const [subnet] = model.subnets;
  const changed = <T extends { readonly revision_number: number }>(each: T): T => ({
    ...each,
    revision_number: each.revision_number + 1,
  });
  const addressesOf = (owner: RouterName) =>
    owner === name ? [PAIR.address[owner], PAIR.fixedAddress] : [PAIR.address[owner]];
  neutron.model = {
    ...model,
    floatingips: model.floatingips.map((each) => ({
      ...changed(each),
      port_id: portId[name],
      fixed_ip_address: PAIR.address[name],
    })),
    routers: model.routers.map((each) => ({
      ...changed(each),
      routes: [{ destination: PAIR.destination, nexthop: PAIR.address[name] }],
    })),
    ports: model.ports.map((each) => {
      const owner = routerNames.find((router) => portId[router] === each.id);
      const addresses = owner === undefined ? [] : addressesOf(owner);
      return {
        ...changed(each),
        fixed_ips: addresses.map((address) => ({ ip_address: address, subnet_id: subnet?.id ?? '' })),
      };
    }),
  };
}

/** Of a router that stands by and watches, with a target of each kind. */
async function readsAtRest(): Promise<CloudRows['reads']> {
  const standby = await NeutronStandby.open(['floatingIp', 'extraRoute', 'fixedAddress']);
  try {
    return await standby.readsAtRest();
  } finally {
    await standby.stop();
  }
}
