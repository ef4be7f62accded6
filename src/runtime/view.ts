/**
 * What operators see with `show`: a projection of events and state onto the keys of the store. Runs after
 * the effects of a batch, and nothing in it is ever read back for a decision.
 */
import type { JsonObject, Observation } from '../core/model';
import type { Plan, Target } from '../core/plan';
import type { Recorded } from './loop';

export type ViewKey =
  | 'ha_state'
  | 'ha_reason'
  | 'bfd_neighbors'
  | 'last_bfd_down_event'
  | 'last_intf_event'
  | 'ha_interfaces'
  | 'ha_targets';

export class View {
  readonly #put: (key: ViewKey, value: string | JsonObject) => void;
  readonly #plan: Plan;
  /** The last UP event of each session, by peer address: the predecessor's layout. */
  readonly #neighbors = new Map<string, JsonObject>();

  constructor(plan: Plan, put: (key: ViewKey, value: string | JsonObject) => void) {
    this.#plan = plan;
    this.#put = put;
  }

  update(batch: readonly Recorded[]): void {
    for (const recorded of batch) this.#showEvent(recorded);
    const last = batch.at(-1);
    const first = batch[0];
    if (last === undefined || first === undefined) return;
    const { role, verdict } = last.step.state;
    // Written with every keepalive although nothing has changed: operators read its time as a sign of life.
    const alive = batch.some(
      ({ event }) => event.type === 'ownershipObserved' || event.type === 'observationFailed',
    );
    if (alive || role.haState !== first.before.role.haState) this.#put('ha_state', role.haState);
    if (alive || verdict !== first.before.verdict) this.#put('ha_reason', verdict);
  }

  #showEvent({ event, step }: Recorded): void {
    switch (event.type) {
      case 'bfdSessionChanged':
        if (event.level === 'Up') this.#showNeighbor(event.session, event.notification);
        if (event.level === 'Down') this.#put('last_bfd_down_event', event.notification);
        return;
      case 'streamsSynchronized':
        for (const { session, level, notification } of event.sessions) {
          if (level === 'Up' && notification !== null) this.#showNeighbor(session, notification);
        }
        return;
      case 'interfaceChanged':
        return this.#put('last_intf_event', event.notification);
      case 'ownershipObserved':
        // Only what was believed is shown.
        if (step.state.ownership?.observation === event.observation) {
          this.#put('ha_interfaces', targetInterfaces(this.#plan, event.observation));
          this.#put('ha_targets', targetHolders(this.#plan, event.observation));
        }
        return;
      case 'started':
      case 'inputDrained':
      case 'streamsLost':
      case 'controlLost':
      case 'interfacesAnswered':
      case 'observationFailed':
      case 'takeoverCallQueued':
      case 'takeoverCallReleased':
      case 'takeoverCallAnswered':
      case 'processStalled':
      case 'levelsRead':
      case 'holdersAnswered':
      case 'inhibitRequested':
      case 'releaseRequested':
      case 'giveRequested':
      case 'shutdownRequested':
        return;
    }
  }

  #showNeighbor(session: string, notification: JsonObject): void {
    const planned = this.#plan.sessions.find(({ id }) => id === session);
    if (planned === undefined) return;
    this.#neighbors.set(planned.peerAddress, notification);
    this.#put('bfd_neighbors', Object.fromEntries(this.#neighbors));
  }
}

/** The interfaces that are to hold targets, as the predecessor shows them. */
function targetInterfaces({ targets }: Plan, { interfaces }: Observation): JsonObject {
  return Object.fromEntries(
    interfaces
      .filter((own) =>
        targets.some(
          (target) =>
            target.deviceIndex === own.deviceIndex && target.networkCardIndex === own.networkCardIndex,
        ),
      )
      .map(({ networkInterfaceId, deviceIndex, privateIpAddresses }) => [
        networkInterfaceId,
        { interface_num: deviceIndex, private_ip_addresses: privateIpAddresses },
      ]),
  );
}

/** Who holds what, of every kind: `ha_interfaces` has addresses of this router only. */
function targetHolders({ targets }: Plan, { holders }: Observation): JsonObject {
  return Object.fromEntries(
    targets.map(({ id, kind }) => {
      const holder = holders[id] ?? null;
      const { networkInterfaceId = null, instanceId = null, mine = false } = holder ?? {};
      const blackhole = holder?.blackhole === true ? { blackhole: true } : {};
      return [
        id,
        { kind: KIND_WORDS[kind], mine, holder: networkInterfaceId, instance: instanceId, ...blackhole },
      ];
    }),
  );
}

const KIND_WORDS = {
  privateAddress: 'private_ip',
  ipv6Address: 'ipv6',
  route: 'route',
  elasticIp: 'elastic_ip',
} as const satisfies Record<Target['kind'], string>;
