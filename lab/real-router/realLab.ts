/**
 * The lab with routers of real parts: EC2, metadata and the Service-Layer API as in every lab, but BFD by FRR's bfdd,
 * packets by the kernel, a VPC that forwards, and a user whose packets are counted. Works inside the enclosure only.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { mainPath, type DaemonProcess } from '../daemonProcess';
import type { Ec2Region } from '../ec2-emulator/model';
import { startPlannedLab, type Lab } from '../topology/topology';
import type { ExtraKeys } from '../topology/config';
import { planCrossAz } from '../topology/crossAz';
import { crossAzRegion } from '../topology/crossAzEc2';
import { ec2Model, peerOf, planTopology, routerNames, type LabPlan, type RouterName } from '../topology/plan';
import type { LabGeneration } from '../topology/router';
import type { DrawMs } from './distribution';
import { isEnclosed } from './enclosure';
import { layoutOf, type Layout, type Side } from './layout';
import { Namespace } from './namespace';
import { RealRouter } from './realRouter';
import { User } from './user';
import { Vpc } from './vpc';

/** One zone: secondary addresses and single-hop BFD. Two zones: a route, an Elastic IP and multi-hop BFD. */
export type RealTopology = 'one-zone' | 'two-zones';
export const realTopologies: readonly RealTopology[] = ['one-zone', 'two-zones'];

export type BfdTimers = { readonly intervalMs: number; readonly multiplier: number };
export const detectionMs = ({ intervalMs, multiplier }: BfdTimers): number => intervalMs * multiplier;

export type RealLabOptions = {
  readonly topology?: RealTopology;
  readonly generation?: LabGeneration;
  /** Default 50 ms x 3. */
  readonly bfd?: BfdTimers;
  /** From a change in EC2 to its effect in the VPC. Default: none. */
  readonly propagation?: DrawMs;
  /** For the config.json of both routers. */
  readonly config?: ExtraKeys;
};

const DEADLINE_MS = 60_000;
const POLL_MS = 10;

/** @throws Error outside of the enclosure, or where the machine lacks something; then it leaves nothing running. */
export async function startRealLab(options: RealLabOptions = {}): Promise<RealLab> {
  if (!isEnclosed()) throw new Error('the real-router lab works in namespaces of its own only: runEnclosed');
  const parts = new Parts();
  try {
    return await build(options, parts);
  } catch (error: unknown) {
    await parts.stop();
    throw error;
  }
}

async function build(options: RealLabOptions, parts: Parts): Promise<RealLab> {
  const { topology = 'one-zone', generation = 'gen1', propagation } = options;
  const { plan, region, serverPrefix } = planned(topology);
  const lab = await startPlannedLab<LabPlan>(plan, region, { generation, sim: { multiHop: 'works' } });
  parts.add(lab);
  const layout = layoutOf(plan, region, serverPrefix);
  const host = (side: Side): Namespace => {
    const namespace = new Namespace(side);
    parts.add({ stop: async () => namespace.remove() });
    return namespace;
  };
  const hosts = { user: host('user'), server: host('server') };
  const vpc = parts.add(new Vpc(layout, lab.world, hosts));
  if (propagation !== undefined) vpc.propagation = propagation;
  const router = (name: RouterName) =>
    parts.add(new RealRouter({ name, layout, vpc, sim: lab.routers[name].sim }));
  const routers = { rtr1: router('rtr1'), rtr2: router('rtr2') };
  await vpc.open();
  await Promise.all(routerNames.map((name) => routers[name].startBfdd()));
  const { address } = layout.hosts.server;
  const user = parts.add(await User.start(hosts.user, { namespace: hosts.server, address }));
  // Daemons and emulators first: their connections end while there is still a way for the last packets.
  const stop = () => lab.stop().then(() => parts.stop());
  return new RealLab({ options, lab, layout, vpc, routers, user, stop });
}

type Stoppable = { stop(): Promise<void> };

/** What runs, to be stopped in the opposite order. */
class Parts {
  readonly #all: Stoppable[] = [];

  add<Part extends Stoppable>(part: Part): Part {
    this.#all.push(part);
    return part;
  }

  async stop(): Promise<void> {
    for (const part of this.#all.splice(0).reverse()) await part.stop();
  }
}

type Planned = { readonly plan: LabPlan; readonly region: Ec2Region; readonly serverPrefix?: string };

/** Without links: packets find their way by themselves. A tunnel (GRE) is left out, which not every kernel has. */
function planned(topology: RealTopology): Planned {
  if (topology === 'one-zone') {
    const plan = planTopology(2);
    return { plan: { ...plan, links: [] }, region: ec2Model(plan, 'rtr1') };
  }
  const plan = planCrossAz({ routes: 1, elasticIps: 1, multiHop: true });
  const paths = plan.paths.filter(({ sessionType }) => sessionType === 'MULTI_HOP');
  return { plan: { ...plan, paths, links: [] }, region: crossAzRegion(plan, 'rtr1'), serverPrefix: '10.9.1' };
}

type RealLabParts = {
  readonly options: RealLabOptions;
  readonly lab: Lab<LabPlan>;
  readonly layout: Layout;
  readonly vpc: Vpc;
  readonly routers: Readonly<Record<RouterName, RealRouter>>;
  readonly user: User;
  readonly stop: () => Promise<void>;
};

export class RealLab {
  readonly lab: Lab<LabPlan>;
  readonly layout: Layout;
  readonly vpc: Vpc;
  readonly routers: Readonly<Record<RouterName, RealRouter>>;
  readonly user: User;
  readonly bfd: BfdTimers;
  readonly stop: () => Promise<void>;

  constructor({ options, lab, layout, vpc, routers, user, stop }: RealLabParts) {
    this.stop = stop;
    this.lab = lab;
    this.layout = layout;
    this.vpc = vpc;
    this.routers = routers;
    this.user = user;
    this.bfd = options.bfd ?? { intervalMs: 50, multiplier: 3 };
    for (const name of routerNames) this.#writeConfig(name, options.config);
  }

  /** Who EC2 says has everything that moves; null: neither router has all of it. */
  get owner(): RouterName | null {
    return routerNames.find((name) => this.lab.ownsAll(name)) ?? null;
  }

  // ---- Daemons ----

  startDaemon(name: RouterName): DaemonProcess {
    const { configPath } = this.lab.routers[name];
    const { namespace } = this.routers[name];
    return this.lab.startDaemon(name, {
      command: [...namespace.enter, process.execPath, mainPath, 'run', '-c', configPath],
      env: this.environment(name),
    });
  }

  /** What programs on the router need to find AWS. */
  environment(name: RouterName): Readonly<Record<string, string>> {
    return { AWS_EC2_METADATA_SERVICE_ENDPOINT: this.#seenFrom(name, this.lab.routers[name].imdsUrl) };
  }

  ec2Url(name: RouterName): string {
    return this.#seenFrom(name, this.lab.ec2.url);
  }

  /** Both daemons run, and the standby watches: a failure would be seen. */
  async startPair(): Promise<void> {
    for (const name of routerNames) this.startDaemon(name);
    await this.settled();
  }

  /** The pair has one ACTIVE router, and the other watches it, in words of after `since`. */
  async settled(marks: Readonly<Partial<Record<RouterName, number>>> = {}): Promise<void> {
    await this.until('one router to hold everything', () => this.owner !== null);
    const active = this.owner ?? 'rtr1';
    const watches = /this router is STANDBY and watches: all sessions are UP/i;
    const latest = (name: RouterName, words: RegExp) =>
      this.lab
        .daemon(name)
        ?.recordsSince(marks[name] ?? 0)
        .findLast(({ reason }) => words.test(reason ?? ''));
    await this.until(
      `${peerOf(active)} to watch ${active}`,
      () =>
        this.lab.daemon(active)?.records.findLast(({ ha }) => ha !== undefined)?.ha === 'ACTIVE' &&
        latest(peerOf(active), watches) !== undefined &&
        this.lab.daemon(peerOf(active))?.records.findLast(({ ha }) => ha !== undefined)?.ha === 'STANDBY',
    );
  }

  // ---- Failures beyond those of packets (`vpc.addFault`) ----

  /** Everything stops at one moment: interfaces, bfdd, the API, the daemon. */
  async powerOff(name: RouterName): Promise<void> {
    await Promise.all([this.routers[name].powerOff(), this.lab.killRouter(name)]);
  }

  /** As after a boot, with its daemon. */
  async powerOn(name: RouterName): Promise<void> {
    await this.lab.bootRouter(name);
    await this.routers[name].powerOn();
    this.startDaemon(name);
  }

  /** @throws Error with the daemons' last words when it does not come to hold in time. */
  async until(what: string, holds: () => boolean, deadlineMs = DEADLINE_MS): Promise<void> {
    for (const end = Date.now() + deadlineMs; Date.now() < end; await delay(POLL_MS)) if (holds()) return;
    throw this.failure(`waited ${deadlineMs / 1000} s for ${what}`);
  }

  /** With the daemons' last words. */
  failure(what: string): Error {
    const words = routerNames.map((name) => `${name}: ${this.lab.daemon(name)?.tail() ?? 'no daemon'}`);
    return new Error([what, ...words].join('\n'));
  }

  #writeConfig(name: RouterName, extra: ExtraKeys = {}): void {
    const written = this.lab.writeConfig(name) as { config: { bfd_sessions: readonly object[] } };
    this.lab.writeConfig(name, {
      grpc_server: this.routers[name].managementGateway,
      ec2_private_endpoint_url: this.ec2Url(name),
      bfd_sessions: written.config.bfd_sessions.map((session) => ({
        ...session,
        bfd_desired_tx_int_usec: this.bfd.intervalMs * 1000,
        detect_multiplier: this.bfd.multiplier,
      })),
      ...extra,
    });
  }

  #seenFrom(name: RouterName, url: string): string {
    return url.replace('127.0.0.1', this.routers[name].managementGateway);
  }
}
