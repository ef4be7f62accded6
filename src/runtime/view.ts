/**
 * What operators see with `show`: a projection of events and state onto the keys of the store. Runs after
 * the effects of a batch, and nothing in it is ever read back for a decision. Several groups are shown as one
 * role and one sentence, and each by itself beside it.
 */
import type { Group } from '../config/settings';
import type { JsonObject } from '../core/state/json';
import type { Observation } from '../core/state/readings';
import type { Target } from '../core/state/plan';
import { initialState, type State } from '../core/state/state';
import { groupsSummary, shownGroup } from './groupsView';
import { shownHolders } from './holdersView';
import type { Recorded } from './loop';
import { shownPlans } from './plannedView';

export type ViewKey =
  | 'ha_state'
  | 'ha_reason'
  | 'ha_groups'
  | 'bfd_neighbors'
  | 'last_bfd_down_event'
  | 'last_intf_event'
  | 'ha_interfaces'
  | 'ha_targets'
  | 'ha_planned';

export class View {
  readonly #put: (key: ViewKey, value: string | JsonObject) => void;
  readonly #groups: readonly Group[];
  /** By group, as of the last batch. */
  readonly #states: Map<string, State>;
  /** The last UP event of each session, by peer address: the predecessor's layout. */
  readonly #neighbors = new Map<string, JsonObject>();
  /** By group, who holds its targets, as last observed. */
  readonly #holders = new Map<string, JsonObject>();
  #planned = '';
  #shown: { readonly haState: string; readonly reason: string };

  constructor(groups: readonly Group[], put: (key: ViewKey, value: string | JsonObject) => void) {
    this.#groups = groups;
    this.#put = put;
    this.#states = new Map(groups.map(({ name, plan }) => [name, initialState(plan)]));
    this.#shown = groupsSummary(this.#states);
  }

  update(batch: readonly Recorded[]): void {
    for (const recorded of batch) this.#showEvent(recorded);
    if (batch.length === 0) return;
    for (const { group, step } of batch) this.#states.set(group, step.state);
    const before = this.#shown;
    this.#shown = groupsSummary(this.#states);
    const { haState, reason } = this.#shown;
    // Written with every keepalive although nothing has changed: operators read its time as a sign of life.
    const alive = batch.some(
      ({ event }) => event.type === 'ownershipObserved' || event.type === 'observationFailed',
    );
    if (alive || haState !== before.haState) this.#put('ha_state', haState);
    if (alive || reason !== before.reason) this.#put('ha_reason', reason);
    this.#showPlans(alive);
    if (this.#groups.length > 1 && (alive || reason !== before.reason)) this.#showGroups();
  }

  #showPlans(alive: boolean): void {
    const planned = shownPlans(this.#states);
    const written = JSON.stringify(planned);
    if (!alive && written === this.#planned) return;
    this.#planned = written;
    this.#put('ha_planned', planned);
  }

  #showGroups(): void {
    const shown = this.#groups.flatMap(({ name, plan }) => {
      const state = this.#states.get(name);
      return state === undefined ? [] : [[name, shownGroup(plan, state)] as const];
    });
    this.#put('ha_groups', Object.fromEntries(shown));
  }

  #showEvent({ group, event, step }: Recorded): void {
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
      case 'ownershipObserved': {
        // Only what was believed is shown.
        const { ownership } = step.state;
        if (ownership?.observation.interfaces === event.observation.interfaces) {
          this.#put('ha_interfaces', targetInterfaces(this.#targets(), ownership.observation));
          this.#showHolders(group, ownership.observation);
        }
        return;
      }
      case 'started':
      case 'inputDrained':
      case 'streamsLost':
      case 'controlLost':
      case 'interfacesAnswered':
      case 'observationFailed':
      case 'observationOffered':
      case 'callQueued':
      case 'callReleased':
      case 'callAnswered':
      case 'processStalled':
      case 'levelsRead':
      case 'holdersAnswered':
      case 'answerTimeLearnt':
      case 'inhibitRequested':
      case 'releaseRequested':
      case 'switchoverRequested':
      case 'drillRequested':
      case 'maintenanceLearnt':
      case 'scheduleRequested':
      case 'cancelRequested':
      case 'previewRequested':
      case 'shutdownRequested':
        return;
    }
  }

  /** Of the group that has been observed, beside what is known of the others. */
  #showHolders(group: string, observation: Observation): void {
    const plan = this.#groups.find(({ name }) => name === group)?.plan;
    if (plan === undefined) return;
    this.#holders.set(group, shownHolders(plan, observation.holders));
    const inOrder = this.#groups.map(({ name }) => this.#holders.get(name) ?? {});
    this.#put('ha_targets', Object.assign({}, ...inOrder) as JsonObject);
  }

  #targets(): readonly Target[] {
    return this.#groups.flatMap(({ plan }) => plan.targets);
  }

  #showNeighbor(session: string, notification: JsonObject): void {
    const planned = this.#groups.flatMap(({ plan }) => plan.sessions).find(({ id }) => id === session);
    if (planned === undefined) return;
    this.#neighbors.set(planned.peerAddress, notification);
    this.#put('bfd_neighbors', Object.fromEntries(this.#neighbors));
  }
}

/** The interfaces that are to hold targets, as the predecessor shows them. */
function targetInterfaces(targets: readonly Target[], { interfaces }: Observation): JsonObject {
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
