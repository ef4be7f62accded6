/**
 * The emulated region over time: the present model, the recent past (for stale reads) and the record of who
 * owned which address when. It outlives the HTTP server, so that an endpoint can go down and come back.
 * Times are monotonic milliseconds of its clock: that of the machine, where it has been given no other.
 */
import { checkOf, withCheck, type CheckResult } from './applicationChecks';
import {
  attachInterface,
  deleteInterface,
  detachInterface,
  handToService,
  replaceInterface,
  setInstanceState,
  setSourceDestCheck,
  setScheduledEvents,
  setStatusChecks,
} from './changes';
import { checkModel } from './checkModel';
import type { Outcome } from './ec2Error';
import { associateAddress, disassociateAddress, setServiceManaged } from './elasticIps';
import type { AssociateRequest } from './elasticIps';
import { History } from './history';
import type { ChangeOrigin, OwnershipChange, TargetChange } from './history';
import { assignIpv6Addresses, unassignIpv6Addresses } from './ipv6Addresses';
import { addressesOf, completeModel, ipv6AddressesOf } from './model';
import type {
  AccountSettings,
  Attachment,
  Ec2Model,
  Ec2Region,
  Instance,
  InstanceState,
  NetworkInterface,
  RouteTarget,
  ScheduledEvent,
  ElasticIp,
  Tags,
} from './model';
import { Endings, atOnce } from './pace';
import type { Pace } from './pace';
import { assignAddresses, unassignAddresses } from './privateAddresses';
import { deleteRoute, setRoute, tagRouteTable } from './routes';
import type { RouteRequest } from './routes';
import { SlowChanges } from './slowChanges';
import { machineClock } from '../labClock';
import type { LabClock } from '../labClock';

const VERSIONS_KEPT = 1000;

type ChangeListener = (before: Ec2Model, after: Ec2Model) => void;

export const nowMs = (): number => machineClock.nowMs();

export class Ec2World {
  /** Oldest first; the last one is the present. Never empty. */
  #versions: { readonly sinceMs: number; readonly model: Ec2Model }[];
  #present: Ec2Model;
  readonly #history = new History();
  readonly #listeners = new Set<ChangeListener>();
  #idsMade = 0;
  /** How long things take here. */
  readonly pace: Pace;
  /** For changes that are to be stuck. */
  readonly endings: Endings;
  readonly clock: LabClock;
  /** What the API and Auto Scaling ask for and takes its time. */
  readonly slow = new SlowChanges(this);

  /** @throws Error when the model could not exist in EC2. */
  constructor(
    region: Ec2Region,
    { pace = atOnce, clock = machineClock }: { readonly pace?: Pace; readonly clock?: LabClock } = {},
  ) {
    this.pace = pace;
    this.clock = clock;
    this.endings = new Endings(clock);
    const model = completeModel(region);
    checkModel(model);
    this.#present = model;
    const atMs = this.clock.nowMs();
    this.#versions = [{ sinceMs: atMs, model }];
    this.#history.record(null, model, { atMs, origin: { by: 'start' } });
  }

  get model(): Ec2Model {
    return this.#present;
  }

  /** The model as it was `ageMs` ago; the oldest one kept when that is before its time. */
  modelAgo(ageMs: number): Ec2Model {
    const then = this.clock.nowMs() - ageMs;
    const version = this.#versions.findLast(({ sinceMs }) => sinceMs <= then) ?? this.#versions[0];
    return version?.model ?? this.#present;
  }

  /** The interface that holds an address now, in any VPC; null when nobody does. */
  ownerOf(ip: string): string | null {
    return (
      this.#present.networkInterfaces.find(
        (eni) => addressesOf(eni).includes(ip) || ipv6AddressesOf(eni).includes(ip),
      )?.networkInterfaceId ?? null
    );
  }

  /** Every change of an address's owner since the start, oldest first; the first owner comes from null. */
  ownershipHistory(ip?: string): readonly OwnershipChange[] {
    return this.#history.addresses.filter((change) => ip === undefined || change.ip === ip);
  }

  /** The same of routes (`rtb-... 10.9.0.0/16`) and Elastic IPs (`eipalloc-...`). */
  targetHistory(target?: string): readonly TargetChange[] {
    return this.#history.targets.filter((change) => target === undefined || change.target === target);
  }

  /** Makes an accepted change the present; a refused one changes nothing and is handed back. */
  commit(outcome: Outcome<Ec2Model>, origin: ChangeOrigin): Outcome<Ec2Model> {
    if (!outcome.ok) return outcome;
    const before = this.#present;
    this.#present = outcome.value;
    const atMs = this.clock.nowMs();
    this.#versions.push({ sinceMs: atMs, model: outcome.value });
    this.#versions = this.#versions.slice(-VERSIONS_KEPT);
    this.#history.record(before, outcome.value, { atMs, origin });
    for (const listener of this.#listeners) listener(before, outcome.value);
    return outcome;
  }

  /** Calls back within each change, when it is the present, with the models before and after; returns the off switch. */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** An id that nothing here has had, the same in each run of the lab: `i-`, `eni-attach-`. */
  nextId(prefix: string): string {
    this.#idsMade += 1;
    return `${prefix}0fab${this.#idsMade.toString(16).padStart(13, '0')}`;
  }

  // What an operator or AWS does. A refusal here is a mistake of the test that asked: it throws.

  /** Moves or adds secondary addresses, taking them from whoever holds them. */
  assign(networkInterfaceId: string, addresses: readonly string[]): void {
    this.#edit(assignAddresses(this.#present, { networkInterfaceId, addresses, allowReassignment: true }));
  }

  unassign(networkInterfaceId: string, addresses: readonly string[]): void {
    this.#edit(unassignAddresses(this.#present, networkInterfaceId, addresses));
  }

  /** Moves or adds IPv6 addresses; whoever holds them gives them up first, as the API would have it. */
  assignIpv6(networkInterfaceId: string, addresses: readonly string[]): void {
    for (const ip of addresses) {
      const holder = this.ownerOf(ip);
      if (holder !== null && holder !== networkInterfaceId) this.unassignIpv6(holder, [ip]);
    }
    this.#edit(assignIpv6Addresses(this.#present, networkInterfaceId, addresses));
  }

  unassignIpv6(networkInterfaceId: string, addresses: readonly string[]): void {
    this.#edit(unassignIpv6Addresses(this.#present, networkInterfaceId, addresses));
  }

  /** Points a route to any target, be it there or not. */
  setRoute(route: RouteRequest, target: RouteTarget): void {
    this.#edit(setRoute(this.#present, route, target));
  }

  deleteRoute(route: RouteRequest): void {
    this.#edit(deleteRoute(this.#present, route));
  }

  associateAddress(request: Omit<AssociateRequest, 'allowReassociation'>): void {
    this.#edit(associateAddress(this.#present, { ...request, allowReassociation: true }));
  }

  disassociateAddress(allocationId: string): void {
    this.#edit(disassociateAddress(this.#present, allocationId));
  }

  /** From now on a service of AWS manages it; null: nobody does. */
  setServiceManaged(allocationId: string, serviceManaged: ElasticIp['serviceManaged'] | null): void {
    this.#edit(setServiceManaged(this.#present, allocationId, serviceManaged));
  }

  setSourceDestCheck(networkInterfaceId: string, on: boolean): void {
    this.#edit(setSourceDestCheck(this.#present, networkInterfaceId, on));
  }

  changeSettings(settings: Partial<AccountSettings>): void {
    const model = this.#present;
    this.#edit({ ok: true, value: { ...model, settings: { ...model.settings, ...settings } } });
  }

  detachInterface(networkInterfaceId: string): void {
    this.#edit(detachInterface(this.#present, networkInterfaceId));
  }

  attachInterface(networkInterfaceId: string, attachment: Attachment): void {
    this.#edit(attachInterface(this.#present, networkInterfaceId, attachment));
  }

  /** A service of AWS has the interface from now on, and no instance. */
  handToService(networkInterfaceId: string, service: string): void {
    this.#edit(handToService(this.#present, networkInterfaceId, service));
  }

  /** Detached and deleted, and another one attached in its place. */
  replaceInterface(
    networkInterfaceId: string,
    by: Pick<NetworkInterface, 'networkInterfaceId' | 'macAddress' | 'primaryIp'>,
  ): void {
    this.#edit(replaceInterface(this.#present, networkInterfaceId, by));
  }

  /** Gives a route table these tags and no others; one that is not there is made, with the local route alone. */
  tagRouteTable(routeTableId: string, tags: Tags): void {
    this.#edit(tagRouteTable(this.#present, routeTableId, tags));
  }

  deleteInterface(networkInterfaceId: string): void {
    this.#edit(deleteInterface(this.#present, networkInterfaceId));
  }

  setInstanceState(instanceId: string, state: InstanceState): void {
    this.#edit(setInstanceState(this.#present, instanceId, state));
  }

  setStatusChecks(
    instanceId: string,
    checks: Partial<Pick<Instance, 'instanceStatus' | 'systemStatus'>>,
  ): void {
    this.#edit(setStatusChecks(this.#present, instanceId, checks));
  }

  /** What AWS has announced for an instance: these and no others. */
  setScheduledEvents(instanceId: string, events: readonly ScheduledEvent[]): void {
    this.#edit(setScheduledEvents(this.#present, instanceId, events));
  }

  /** What an application status check has found on an instance; it is made, as EC2 makes it, where there is none. */
  setApplicationCheck(applicationStatusCheckId: string, instanceId: string, result: CheckResult): void {
    const check = checkOf(this.#present, applicationStatusCheckId) ?? {
      applicationStatusCheckId,
      aggregation: 'excluded',
      protocol: 'http',
      port: 9469,
      path: '/livez',
      deviceIndex: 0,
      results: {},
    };
    const results = { ...check.results, [instanceId]: result };
    this.#edit({ ok: true, value: withCheck(this.#present, { ...check, results }) });
  }

  #edit(outcome: Outcome<Ec2Model>): void {
    const done = this.commit(outcome, { by: 'operator' });
    if (!done.ok) throw new Error(`${done.error.code}: ${done.error.message}`);
  }
}
