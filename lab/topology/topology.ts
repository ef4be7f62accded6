/**
 * The whole lab in one process: two simulated routers on their links, EC2 and a metadata service for each
 * router, and the failure stories told in a word each. Everything listens on 127.0.0.1 and free ports and
 * ends with `stop()`. Finer faults are asked of the parts themselves: `routers.rtr1.sim`, `.imds`, `ec2`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bootedAs, newBootId } from '../bootId';
import { startDaemon, type DaemonOptions, type DaemonProcess } from '../daemonProcess';
import { CredentialRegistry } from '../ec2-emulator/credentials';
import { startEc2Emulator, type Ec2Emulator } from '../ec2-emulator/emulator';
import { findInstance, findInterface, type Ec2Region, type InstanceState } from '../ec2-emulator/model';
import { Ec2World } from '../ec2-emulator/world';
import { Fabric } from '../slapi-sim/fabric';
import type { GrpcRestart, SimRouter } from '../slapi-sim/router';
import type { StreamName } from '../slapi-sim/faults';
import type { Generation } from '../slapi-sim/wire';
import { planCrossAz, type CrossAzPlan } from './crossAz';
import { crossAzRegion } from './crossAzEc2';
import type { CommonLabOptions, CrossAzLabOptions, LabOptions } from './options';
import { emptyStateDirectory, writeConfig, type ExtraKeys } from './config';
import { labRole, startRouter, type LabRouter } from './router';
import {
  ec2Model,
  planTopology,
  routerNames,
  withBystander,
  type LabPlan,
  type RouterName,
  type TopologyPlan,
} from './plan';
import { holderOfTarget, type TargetPlan } from './targets';

export type { CrossAzLabOptions, LabOptions } from './options';

/** What EC2 says of the instance of a router that was powered off. */
export type KilledInstance = 'running' | 'stopping' | 'stopped' | 'terminated';
export const killedInstances: readonly KilledInstance[] = ['running', 'stopping', 'stopped', 'terminated'];

/** Two routers in one zone, with secondary addresses. @throws RangeError for a number of interfaces that no instance has. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const plan = planTopology(options.interfaces ?? 2, options);
  const region = ec2Model(plan, ownerIn(options));
  return startPlannedLab(plan, options.bystander === true ? withBystander(region, plan) : region, options);
}

/** Two routers in two zones, with routes and Elastic IPs. @throws RangeError for numbers that cannot be. */
export async function startCrossAzLab(options: CrossAzLabOptions = {}): Promise<Lab<CrossAzPlan>> {
  const plan = planCrossAz(options);
  const sim = { ...(options.multiHop === true ? { multiHop: 'works' as const } : {}), ...options.sim };
  return startPlannedLab(plan, crossAzRegion(plan, ownerIn(options)), { ...options, sim });
}

const ownerIn = ({ owner = 'rtr1' }: CommonLabOptions): RouterName | null => owner;

/** Two routers as planned by the caller, who says what EC2 has of them. */
export async function startPlannedLab<Plan extends LabPlan>(
  planned: Plan,
  region: Ec2Region,
  options: CommonLabOptions,
): Promise<Lab<Plan>> {
  const credentials = new CredentialRegistry();
  const instanceIds = { ...planned.instanceId };
  const plan: Plan = { ...planned, instanceId: instanceIds };
  const world = new Ec2World(region, options.pace === undefined ? {} : { pace: options.pace });
  const { tokenBuckets } = options;
  const throttle = tokenBuckets === undefined ? {} : { tokenBuckets };
  const ec2 = await startEc2Emulator({
    world,
    credentials,
    services: options.services?.(world) ?? [],
    callers: { routers: plan.instanceId, roles: [options.credentials?.role ?? labRole] },
    ...throttle,
  });
  const directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-lab-'));
  const start = (name: RouterName) => startRouter(name, { options, plan, world, credentials, directory });
  const routers = { rtr1: await start('rtr1'), rtr2: await start('rtr2') };
  return new Lab({ options, plan, instanceIds, credentials, world, ec2, directory, routers });
}

type LabParts<Plan> = {
  readonly options: CommonLabOptions;
  readonly plan: Plan;
  /** That of the plan. */
  readonly instanceIds: Record<RouterName, string>;
  readonly credentials: CredentialRegistry;
  readonly world: Ec2World;
  readonly ec2: Ec2Emulator;
  readonly directory: string;
  readonly routers: Readonly<Record<RouterName, LabRouter>>;
};

/** A lab of whatever topology. */
export type AnyLab = Lab<LabPlan>;

export class Lab<Plan extends LabPlan = TopologyPlan> {
  readonly plan: Plan;
  readonly credentials: CredentialRegistry;
  readonly world: Ec2World;
  readonly ec2: Ec2Emulator;
  readonly fabric: Fabric;
  readonly directory: string;
  readonly routers: Readonly<Record<RouterName, LabRouter>>;
  readonly #options: CommonLabOptions;
  readonly #instanceIds: Record<RouterName, string>;
  readonly #grpcPorts: Readonly<Record<RouterName, number>>;
  /** The links that end with an interface. */
  readonly #links = new Map<string, readonly string[]>();
  readonly #daemons = new Map<RouterName, DaemonProcess>();
  /** Of the routers that have been booted with what they had. */
  readonly #bootIds = new Map<RouterName, string>();

  constructor(parts: LabParts<Plan>) {
    this.plan = parts.plan;
    this.credentials = parts.credentials;
    this.world = parts.world;
    this.ec2 = parts.ec2;
    this.directory = parts.directory;
    this.routers = parts.routers;
    this.#options = parts.options;
    this.#instanceIds = parts.instanceIds;
    const { rtr1, rtr2 } = parts.routers;
    this.#grpcPorts = { rtr1: rtr1.sim.port, rtr2: rtr2.sim.port };
    this.fabric = new Fabric(parts.options.fabric);
    for (const { over, name, address } of parts.plan.links) {
      const link = this.fabric.link(rtr1.sim, name, address.rtr1, rtr2.sim, name, address.rtr2);
      this.#links.set(over, [...(this.#links.get(over) ?? []), link]);
    }
    for (const name of routerNames) this.writeConfig(name);
  }

  /** In the order of the interfaces. */
  get floatingAddresses(): readonly string[] {
    return this.plan.targets.flatMap((target) =>
      target.kind === 'secondaryAddress' ? [target.address] : [],
    );
  }

  /** Who EC2 says holds an address; null: neither router. */
  ownerOf(address: string): RouterName | null {
    return this.#routerOf(this.world.ownerOf(address));
  }

  /** Who EC2 says has a target: holds it, or is where it leads to; null: neither router. */
  ownerOfTarget(target: TargetPlan): RouterName | null {
    return this.#routerOf(holderOfTarget(this.world, target));
  }

  /** Whether the router has everything that moves. */
  ownsAll(name: RouterName): boolean {
    return this.plan.targets.every((target) => this.ownerOfTarget(target) === name);
  }

  /** What EC2 says of the router's instance. */
  instanceState(name: RouterName): InstanceState | null {
    return findInstance(this.world.model, this.plan.instanceId[name])?.state ?? null;
  }

  routerOfInstance(instanceId: string | null): RouterName | null {
    return routerNames.find((name) => this.plan.instanceId[name] === instanceId) ?? null;
  }

  /** Writes the router's config.json anew, with `extra` merged in for it alone; returns the content. */
  writeConfig(name: RouterName, extra: ExtraKeys = {}): object {
    const { store = 'file', config = {} } = this.#options;
    const { plan, ec2 } = this;
    const { directory } = this.routers[name];
    const places = { plan, grpcPort: this.#grpcPorts[name], ec2Url: ec2.url, store, directory };
    return writeConfig(name, places, { ...config, ...extra });
  }

  // ---- Daemons ----

  /** Starts the built daemon on a router, which must be up. @throws Error when it has one already. */
  startDaemon(name: RouterName, options: Pick<DaemonOptions, 'env' | 'command'> = {}): DaemonProcess {
    if (this.daemon(name) !== null) throw new Error(`${name} runs a daemon already`);
    const { configPath, imdsUrl, sim } = this.routers[name];
    if (!sim.alive) throw new Error(`${name} is powered off`);
    const bootId = this.#bootIds.get(name);
    const env = bootId === undefined ? options.env : bootedAs(bootId, options.env ?? {});
    const daemon = startDaemon({
      ...options,
      ...(env === undefined ? {} : { env }),
      name,
      configPath,
      imdsUrl,
    });
    this.#daemons.set(name, daemon);
    return daemon;
  }

  /** The one that runs on the router now. */
  daemon(name: RouterName): DaemonProcess | null {
    const daemon = this.#daemons.get(name);
    return daemon === undefined || daemon.exit !== null ? null : daemon;
  }

  /** Whether one has run on the router, now or before. */
  hasHadDaemon(name: RouterName): boolean {
    return this.#daemons.has(name);
  }

  // ---- Failure stories ----

  /**
   * Power off: BFD goes silent, the API, the metadata service and the daemon are gone. EC2 goes on saying
   * that the instance runs, unless told otherwise. A terminated one loses its interfaces, which keep their
   * addresses, and cannot be booted again.
   */
  async killRouter(
    name: RouterName,
    { instance = 'running' }: { readonly instance?: KilledInstance } = {},
  ): Promise<void> {
    const { sim, imds, instanceId } = this.routers[name];
    const daemonGone = this.daemon(name)?.kill();
    sim.kill();
    if (instance !== 'running') this.world.setInstanceState(instanceId, instance);
    await Promise.all([daemonGone, imds.stop()]);
  }

  /**
   * Power on: the same addresses and ports, nothing programmed, no daemon. What the daemon's state directory
   * held is gone, unless the lab keeps it (`keepState`); then a daemon finds that this is another boot.
   * @throws Error when the router runs, or its instance was terminated.
   */
  async bootRouter(name: RouterName): Promise<void> {
    const { sim, instanceId, directory } = this.routers[name];
    if (sim.alive) throw new Error(`${name} runs already`);
    this.world.setInstanceState(instanceId, 'running');
    if (this.#options.keepState === true) this.#bootIds.set(name, newBootId());
    else emptyStateDirectory(directory);
    await sim.boot();
    await this.startImds(name);
  }

  /** The router, which is powered off, is this instance from now on: its next boot is there. */
  becomesInstance(name: RouterName, instanceId: string): void {
    if (this.routers[name].sim.alive) throw new Error(`${name} runs`);
    this.#instanceIds[name] = instanceId;
    this.routers[name].imds.rotateCredentials();
  }

  /** Other software on the router, which runs or is powered off; its daemon, if it has one, lives on. */
  upgradeRouter(name: RouterName, generation: Generation): Promise<void> {
    return this.routers[name].sim.upgrade(generation);
  }

  stopImds(name: RouterName): Promise<void> {
    return this.routers[name].imds.stop();
  }

  async startImds(name: RouterName): Promise<void> {
    const { imds, imdsUrl } = this.routers[name];
    await imds.stop();
    await whenPortIsFree(() => imds.open(Number(new URL(imdsUrl).port)));
  }

  /** Nothing passes either way, on one link or on all; the interfaces stay up, as in a cloud network. */
  cutLink(interfaceName?: string): void {
    for (const id of this.#linkIds(interfaceName)) this.fabric.cutLink(id);
  }

  /** What the router sends is lost; what it is sent arrives. */
  loseFrom(name: RouterName, interfaceName?: string): void {
    for (const id of this.#linkIds(interfaceName)) this.fabric.loseFrom(id, name);
  }

  healLink(interfaceName?: string): void {
    for (const id of this.#linkIds(interfaceName)) this.fabric.restoreLink(id);
  }

  interfaceDown(
    name: RouterName,
    interfaceName: string,
    report: Parameters<SimRouter['setInterface']>[2] = {},
  ): void {
    this.routers[name].sim.setInterface(interfaceName, 'down', report);
  }

  interfaceUp(name: RouterName, interfaceName: string): void {
    this.routers[name].sim.setInterface(interfaceName, 'up');
  }

  restartGrpc(name: RouterName, restart: GrpcRestart): Promise<void> {
    return this.routers[name].sim.restartGrpc(restart);
  }

  cutStream(name: RouterName, stream: StreamName, how: 'end' | 'error' = 'error'): void {
    this.routers[name].sim.cutStream(stream, how);
  }

  /** Another client takes the stream on the router: its daemon gets NOTIF_TERM. */
  hijackStream(name: RouterName, stream: StreamName): void {
    this.routers[name].sim.hijack(stream);
  }

  /** Ends the daemons (by SIGKILL), closes every port and removes the directory. */
  async stop(): Promise<void> {
    await Promise.all(routerNames.map(async (name) => this.daemon(name)?.kill()));
    this.fabric.close();
    for (const { sim } of Object.values(this.routers)) sim.close();
    await Promise.all([this.ec2.stop(), ...routerNames.map((name) => this.stopImds(name))]);
    rmSync(this.directory, { recursive: true, force: true });
  }

  #routerOf(networkInterfaceId: string | null): RouterName | null {
    const eni = findInterface(this.world.model, networkInterfaceId ?? '');
    return this.routerOfInstance(eni?.attachment?.instanceId ?? null);
  }

  #linkIds(interfaceName: string | undefined): readonly string[] {
    if (interfaceName === undefined) return [...this.#links.values()].flat();
    const ids = this.#links.get(interfaceName);
    if (ids === undefined) throw new Error(`no link ${interfaceName}`);
    return ids;
  }
}

/** While nobody listened on our port, a client on this machine may have got it as its own end. */
async function whenPortIsFree(listen: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await listen();
    } catch (error: unknown) {
      if (tries === 50 || !/EADDRINUSE|address already in use/i.test(String(error))) throw error;
      await delay(100);
    }
  }
}
