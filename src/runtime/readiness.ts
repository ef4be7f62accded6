/**
 * Would a failover work right now? One line for each thing that it needs, from what the loop and the adapters know
 * already: nothing is asked or measured for it, and nothing is decided by it. Pure.
 */
import type { Condition, ConditionNow, Standing } from '../cloud';
import { objectionToSwitchover } from '../core/moves/switchover';
import { hindrances } from '../core/moves/preview';
import { dampedUntil } from '../core/rules/damping';
import { inhibitWords } from '../core/rules/inhibit';
import { interfaceOf, sessionOf, words } from '../core/levels/sessions';
import { reorientationWords } from '../core/levels/stall';
import { confirmedSince, knownPlan } from '../core/levels/unread';
import { alarmsOf } from '../core/state/alarms';
import type { CloudDescription, Plan } from '../core/state/plan';
import type { State } from '../core/state/state';
import { list } from '../core/state/turn';
import { plannedOf } from './plannedView';
import { failing, ok, unknown, type Judgement, type Reading } from '../wellness';

export type Line = Judgement & {
  /** Its name in `show ha_ready`. */
  readonly condition: string;
  /** Null where it is about the whole daemon. */
  readonly group: string | null;
  /** Empty where it is `ok`. */
  readonly whatToDo: string;
};

/** What is known beside the cores. */
export type Around = {
  /** Milliseconds since 1970. */
  readonly wallNow: number;
  readonly cloud: Standing;
  readonly memory: Reading;
  /** Of the directory of the decision memory; null: cannot be told. */
  readonly onPersistentMount: boolean | null;
  /** What the peer's daemon says of itself; null where it is not asked. */
  readonly peer: ConditionNow | null;
};

export type OfGroup = { readonly plan: Plan; readonly state: State };

type GroupCheck = (group: OfGroup, now: number, around: Around) => Judgement;
type DaemonCheck = (around: Around, now: number) => Judgement;
type Table<Check> = { readonly [condition: string]: Entry & { readonly check: Check } };

type Entry = Condition & {
  /** Of which role it is asked; absent: of every one. */
  readonly only?: 'ACTIVE' | 'notActive';
};

/** Of each group, in the order in which they are shown. `name`: of the cloud. */
const ofGroups = ({ name }: Pick<CloudDescription, 'name'>): Table<GroupCheck> => ({
  router_streams: {
    asks: "Has this daemon the router's event streams?",
    whatToDo: 'See show ha_health and show ha_reason; stop any other client of the Service-Layer API.',
    check: ({ state: { streams } }) => {
      switch (streams.phase) {
        case 'synchronized':
          return ok("this daemon has the router's event streams");
        case 'connecting':
          return failing('the router has not answered yet', null);
        case 'lost':
          return failing("the router's event streams are lost");
        case 'notInControl':
          return failing("another client has taken the router's event streams");
      }
    },
  },
  bfd_sessions: {
    asks: 'Is a session UP, and armed where this router is not ACTIVE?',
    whatToDo: 'See show bfd session in XR on both routers: a failure of the peer would not be seen.',
    check: ({ plan, state }, now) => {
      const watching = plan.sessions.filter(({ id }) => {
        const { level, armed } = sessionOf(state, id);
        return level === 'Up' && (armed || state.role.haState === 'ACTIVE');
      });
      const saidAt = Math.max(
        ...plan.sessions.map(({ id }) => sessionOf(state, id).lastUpAt ?? sessionOf(state, id).changedAt),
      );
      const others = plan.sessions
        .filter((session) => !watching.includes(session))
        .map(({ id }) => {
          const { level } = sessionOf(state, id);
          return `${id} is ${level === 'Up' ? 'UP and not armed yet' : words(level)}`;
        });
      const age = saidAt === 0 ? null : now - saidAt;
      if (watching.length === 0) return failing(`no session can trigger: ${list(others)}`, age);
      const all = `${watching.length} of ${plan.sessions.length} sessions watch the peer`;
      return ok(others.length === 0 ? all : `${all}; ${list(others)}`, age);
    },
  },
  own_interfaces: {
    asks: "Are this router's own interfaces UP?",
    whatToDo: 'See show interfaces in XR: while one is DOWN, its sessions say nothing about the peer.',
    check: ({ plan, state }, now) => {
      const names = [...new Set(plan.sessions.map(({ interfaceName }) => interfaceName))];
      const changedAt = Math.max(...names.map((name) => interfaceOf(state, name).changedAt));
      const age = changedAt === 0 ? null : now - changedAt;
      const at = (level: string) => names.filter((name) => interfaceOf(state, name).level === level);
      const down = at('Down');
      if (down.length > 0)
        return failing(`${list(down)} of this router ${down.length === 1 ? 'is' : 'are'} DOWN`, age);
      const untold = at('Unknown');
      if (untold.length > 0) return unknown(`the router has not said whether ${list(untold)} is UP`, age);
      return ok(`${list(names)} ${names.length === 1 ? 'is' : 'are'} UP`, age);
    },
  },
  api_reads: {
    asks: `Does ${name} say who holds the targets?`,
    whatToDo: 'See show ha_health; xr-aws-ha check-config --online names what is wrong.',
    check: ({ plan, state: { ownership, observing } }, now, { cloud }) => {
      const { latestReading: latest } = cloud;
      if (ownership === null) return failing(`${name} has not said yet who holds the targets`, null);
      const ageMs = now - confirmedSince(ownership);
      const late = ageMs > plan.timing.roleTtlMs;
      if (late || observing.failures > 0) {
        const [unread] = observing.unread.flatMap(({ failure }) => (failure === null ? [] : [failure]));
        const why = unread === undefined ? '' : ` (${unread.code}: ${unread.message})`;
        return failing(`${name} does not say who holds the targets${why}`, ageMs);
      }
      const fast = latest === null ? '' : `, lately within ${Math.round(latest.tookMs)} ms`;
      return ok(`${name} says who holds the targets${fast}`, ageMs);
    },
  },
  api_writes: {
    asks: `Has ${name} done what it was last asked for?`,
    whatToDo: `See show ha_alarms for the words of ${name}, and mend what they name.`,
    check: ({ state }) => {
      const alarms = [...alarmsOf(state, 'takeover-refused'), ...alarmsOf(state, 'takeover-stuck')];
      if (alarms.length > 0) return failing(list([...new Set(alarms.map(({ text }) => text))]));
      return ok(`${name} refuses nothing that it was asked for`);
    },
  },
  targets: {
    asks: `Are there no targets that could not be moved here, as far as ${name} shows it?`,
    whatToDo: 'See xr-aws-ha plan, and mend what it names.',
    only: 'notActive',
    check: ({ plan, state: { ownership } }, now, { cloud }) => {
      if (ownership === null) return unknown(`${name} has not shown the targets yet`, null);
      const ageMs = now - ownership.startedAt;
      const known = knownPlan(plan, ownership);
      const observation = { ...ownership.observation, holders: ownership.holders };
      const movable = {
        ...known,
        targets: known.targets.filter(({ id }) => !cloud.withoutRoom.includes(id)),
      };
      const { refused } = hindrances(movable, observation);
      const { left } = hindrances(known, observation);
      if (refused.length + left.length > 0) return failing(list([...refused, ...left]), ageMs);
      if (known.targets.length < plan.targets.length)
        return unknown(`${name} has shown ${known.targets.length} of ${plan.targets.length} targets`, ageMs);
      return ok(`${name} shows nothing that it would refuse`, ageMs);
    },
  },
  room: {
    asks: 'Have the interfaces of this router room for all addresses?',
    whatToDo: 'Spread the addresses over more interfaces, or use a larger instance type.',
    only: 'notActive',
    check: ({ plan }, _now, { cloud: { withoutRoom, roomUnknown } }) => {
      const own = plan.targets.filter(({ id }) => withoutRoom.includes(id)).map(({ id }) => id);
      if (own.length > 0) return failing(`there is no room on this router for all of ${list(own)}`);
      if (roomUnknown !== null)
        return unknown(`it is not known how many addresses fit: ${roomUnknown}`, null);
      return ok('there is room for all addresses');
    },
  },
  inhibit: {
    asks: 'Is this router not inhibited?',
    whatToDo: 'When the work is done: xr-aws-ha ha release.',
    check: ({ state: { inhibit } }) =>
      inhibit === null ? ok('this router is not inhibited') : failing(inhibitWords(inhibit)),
  },
  damping: {
    asks: 'May BFD trigger a takeover?',
    whatToDo: 'See why the peer or its links go up and down; it ends by itself.',
    only: 'notActive',
    check: ({ state }, now) => {
      const until = dampedUntil({ state, now });
      if (until === null) return ok('BFD may trigger a takeover');
      const leftS = Math.ceil((until - now) / 1000);
      return failing(`too many takeovers in short order: BFD triggers none for another ${leftS} s`);
    },
  },
  process: {
    asks: 'Has this daemon neither stalled just now, nor been told to stop?',
    whatToDo: 'It ends by itself; where this comes again, see what pauses this router.',
    check: ({ state }) => {
      if (state.shutdown !== null) return failing('this daemon is shutting down');
      const stalled = reorientationWords(state);
      return stalled === null ? ok('this daemon runs') : failing(stalled);
    },
  },
  switchover: {
    asks: 'Could the peer be given the targets?',
    whatToDo: 'See show ha_state on the peer: should this router fail, it has to take over.',
    only: 'ACTIVE',
    check: ({ plan, state }, now) => {
      const objection = objectionToSwitchover({ plan: knownPlan(plan, state.ownership), state, now });
      return objection === null
        ? ok('the peer could be given the targets')
        : failing(`the peer could not be given the targets: ${objection}`);
    },
  },
  planned: {
    asks: 'Is nothing ordered or announced for later?',
    whatToDo: 'See show ha_planned; xr-aws-ha ha switchover --cancel takes an order back.',
    check: ({ state }) => {
      const planned = plannedOf(state);
      return planned.length === 0
        ? ok('nothing is ordered or announced for later')
        : unknown(list(planned.map(({ text }) => text)));
    },
  },
});

/** Of the whole daemon. */
const OF_DAEMON: Table<DaemonCheck> = {
  state_directory: {
    asks: 'Is what was decided kept where an upgrade does not lose it?',
    whatToDo: 'See that state_dir can be written and is a mount from the router.',
    check: ({ memory, onPersistentMount }) => {
      const ageMs = memory.lastOkS === null ? null : memory.lastOkS * 1000;
      if (memory.state === 'failing')
        return failing('what was decided cannot be written to state_dir', ageMs);
      if (onPersistentMount === false)
        return unknown('state_dir is not on a mount of its own: an upgrade forgets what was decided', ageMs);
      return ok('what was decided is written to state_dir', ageMs);
    },
  },
};

/** Only where the configuration has `peer_status_url`. */
export const PEER_CONDITION = {
  name: 'peer',
  asks: "Does the peer's daemon say that it is well, where `peer_status_url` is set?",
  whatToDo: 'See show ha_peer, and show ha_ready on the peer: should this router fail, it has to take over.',
} as const;

/** In the order in which they are shown; `ofCloud`: those of the adapter alone. */
export function conditionsOf(
  cloud: Pick<CloudDescription, 'name'>,
  ofCloud: { readonly [condition: string]: Condition },
): { readonly [condition: string]: Entry } {
  const { name, ...peer } = PEER_CONDITION;
  return { ...ofGroups(cloud), ...ofCloud, ...OF_DAEMON, [name]: peer };
}

/** `groups`: by name; the lines of a single one have no name of it. */
export function readinessOf(
  groups: ReadonlyMap<string, OfGroup>,
  around: Around,
  now: number,
): readonly Line[] {
  return [
    ...[...groups].flatMap(([name, group]) =>
      Object.entries(ofGroups(group.plan.cloud))
        .filter(([, { only }]) => isAsked(only, group.state))
        .map(([condition, { check, whatToDo }]) =>
          line({ condition, whatToDo, ...check(group, now, around) }, groups.size > 1 ? name : null),
        ),
    ),
    ...around.cloud.conditions.map((condition) => line(condition, null)),
    ...Object.entries(OF_DAEMON).map(([condition, { check, whatToDo }]) =>
      line({ condition, whatToDo, ...check(around, now) }, null),
    ),
    ...(around.peer === null ? [] : [line(asFarAsItMatters(around.peer, groups), null)]),
  ];
}

export const isReady = (lines: readonly Line[]): boolean => lines.every(({ state }) => state !== 'failing');

/** A peer that is not well can be taken over from: only what serves has need of it. */
function asFarAsItMatters(peer: ConditionNow, groups: ReadonlyMap<string, OfGroup>): ConditionNow {
  const isActive = [...groups.values()].some(({ state: { role } }) => role.haState === 'ACTIVE');
  return peer.state === 'failing' && !isActive ? { ...peer, state: 'unknown' } : peer;
}

function isAsked(only: Entry['only'], { role }: State): boolean {
  return only === undefined || (only === 'ACTIVE') === (role.haState === 'ACTIVE');
}

function line({ ageMs, whatToDo, ...now }: ConditionNow, group: string | null): Line {
  const age = ageMs === null ? null : Math.max(0, Math.round(ageMs));
  return { ...now, group, ageMs: age, whatToDo: now.state === 'ok' ? '' : whatToDo };
}
