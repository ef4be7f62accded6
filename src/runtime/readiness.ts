/**
 * Would a failover work right now? One line for each thing that it needs, from what the loop and the adapters know
 * already: nothing is asked or measured for it, and nothing is decided by it. Pure.
 */
import { objectionToSwitchover } from '../core/moves/switchover';
import { previewTakeover } from '../core/moves/preview';
import { dampedUntil } from '../core/rules/damping';
import { inhibitWords } from '../core/rules/inhibit';
import { interfaceOf, sessionOf, words } from '../core/levels/sessions';
import { reorientationWords } from '../core/levels/stall';
import { confirmedSince, knownPlan } from '../core/levels/unread';
import { alarmsOf } from '../core/state/alarms';
import type { Plan } from '../core/state/plan';
import type { State } from '../core/state/state';
import { list } from '../core/state/turn';
import type { Standing } from '../aws/standing';
import type { Reading } from '../wellness';

/**
 * `failing`: a failover would not work, or not in time. `unknown`: nobody can say, or it works now and may not last;
 * it does not make the router unready.
 */
export type LineState = 'ok' | 'failing' | 'unknown';

export type Line = {
  readonly condition: Condition;
  /** Null where it is about the whole daemon. */
  readonly group: string | null;
  readonly state: LineState;
  /** How old the word is that it rests on; 0 where this daemon decides it itself, null where no word has come. */
  readonly ageMs: number | null;
  readonly text: string;
  /** Empty where it is `ok`. */
  readonly whatToDo: string;
};

/** What is known beside the cores. */
export type Around = {
  /** Milliseconds since 1970. */
  readonly wallNow: number;
  readonly aws: Standing;
  readonly memory: Reading;
  /** Of the directory of the decision memory; null: cannot be told. */
  readonly onPersistentMount: boolean | null;
};

export type OfGroup = { readonly plan: Plan; readonly state: State };

type Judgement = Pick<Line, 'state' | 'text' | 'ageMs'>;
type GroupCheck = (group: OfGroup, now: number, around: Around) => Judgement;
type DaemonCheck = (around: Around, now: number) => Judgement;

type Entry = {
  /** A question that `ok` answers with yes. */
  readonly asks: string;
  readonly whatToDo: string;
  /** Of which role it is asked; absent: of every one. */
  readonly only?: 'ACTIVE' | 'notActive';
};

const ok = (text: string, ageMs: number | null = 0): Judgement => ({ state: 'ok', text, ageMs });
const failing = (text: string, ageMs: number | null = 0): Judgement => ({ state: 'failing', text, ageMs });
const unknown = (text: string, ageMs: number | null = 0): Judgement => ({ state: 'unknown', text, ageMs });

/** Of each group, in the order in which they are shown. */
const OF_GROUPS = {
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
  ec2_reads: {
    asks: 'Does EC2 say who holds the targets?',
    whatToDo: 'See show ha_health; xr-aws-ha check-config --online names what is wrong.',
    check: ({ plan, state: { ownership, observing } }, now, { aws }) => {
      const { latestReading: latest } = aws;
      if (ownership === null) return failing('EC2 has not said yet who holds the targets', null);
      const ageMs = now - confirmedSince(ownership);
      const late = ageMs > plan.timing.roleTtlMs;
      if (late || observing.failures > 0) {
        const [unread] = observing.unread.flatMap(({ failure }) => (failure === null ? [] : [failure]));
        const why = unread === undefined ? '' : ` (${unread.code}: ${unread.message})`;
        return failing(`EC2 does not say who holds the targets${why}`, ageMs);
      }
      const fast = latest === null ? '' : `, lately within ${Math.round(latest.tookMs)} ms`;
      return ok(`EC2 says who holds the targets${fast}`, ageMs);
    },
  },
  ec2_writes: {
    asks: 'Has EC2 done what it was last asked for?',
    whatToDo: 'See show ha_alarms for the words of EC2, and mend what they name.',
    check: ({ state }) => {
      const alarms = [...alarmsOf(state, 'takeover-refused'), ...alarmsOf(state, 'takeover-stuck')];
      if (alarms.length > 0) return failing(list([...new Set(alarms.map(({ text }) => text))]));
      return ok('EC2 refuses nothing that it was asked for');
    },
  },
  targets: {
    asks: 'Are there no targets that could not be moved here, as far as EC2 shows it?',
    whatToDo: 'See xr-aws-ha plan, and mend what it names.',
    only: 'notActive',
    check: ({ plan, state: { ownership } }, now, { aws }) => {
      if (ownership === null) return unknown('EC2 has not shown the targets yet', null);
      const ageMs = now - ownership.startedAt;
      const known = knownPlan(plan, ownership);
      const observation = { ...ownership.observation, holders: ownership.holders };
      const movable = { ...known, targets: known.targets.filter(({ id }) => !aws.withoutRoom.includes(id)) };
      const { refused } = previewTakeover(movable, observation);
      const { left } = previewTakeover(known, observation);
      if (refused.length + left.length > 0) return failing(list([...refused, ...left]), ageMs);
      if (known.targets.length < plan.targets.length)
        return unknown(`EC2 has shown ${known.targets.length} of ${plan.targets.length} targets`, ageMs);
      return ok('EC2 shows nothing that it would refuse', ageMs);
    },
  },
  room: {
    asks: 'Have the interfaces of this router room for all addresses?',
    whatToDo: 'Spread the addresses over more interfaces, or use a larger instance type.',
    only: 'notActive',
    check: ({ plan }, _now, { aws: { withoutRoom, roomUnknown } }) => {
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
} as const satisfies Record<string, Entry & { readonly check: GroupCheck }>;

/** They are renewed a quarter of an hour before their end; with less, they have not been. */
const CREDENTIALS_LEFT_MS_MIN = 300_000;
/** EC2 refuses what was signed five minutes off its own time. */
const CLOCK_OFFSET_MS_MAX = 240_000;

/** Of the whole daemon. */
const OF_DAEMON = {
  ec2_credentials: {
    asks: 'Are there credentials of the role, and will they last?',
    whatToDo: "See the instance's IAM role and the metadata service (IMDS).",
    check: ({ wallNow, aws: { credentials } }) => {
      const { reading, expiresAt, problem } = credentials;
      const ageMs = reading.lastOkS === null ? null : reading.lastOkS * 1000;
      if (expiresAt === null)
        return failing(`there are no credentials: ${problem ?? 'IMDS has not answered yet'}`, ageMs);
      const leftMs = Date.parse(expiresAt) - wallNow;
      const left = `they last until ${expiresAt}`;
      if (leftMs <= 0) return failing('the credentials have expired', ageMs);
      if (leftMs < CREDENTIALS_LEFT_MS_MIN) return failing(`the credentials are not renewed: ${left}`, ageMs);
      if (problem !== null) return unknown(`the credentials are not renewed (${problem}): ${left}`, ageMs);
      return ok(`there are credentials: ${left}`, ageMs);
    },
  },
  permissions: {
    asks: 'May the role do what a takeover needs, as far as EC2 says it ahead?',
    whatToDo: 'xr-aws-ha iam-policy prints what the role needs; check-config --online asks again.',
    check: ({ aws: { permissions } }) => {
      if (permissions === null) return unknown('EC2 has not been asked yet', null);
      const of = (verdict: string) =>
        list(
          permissions
            .filter((each) => each.verdict === verdict)
            .map(({ action, on }) => `${action} on ${on}`),
        );
      if (of('denied') !== '') return failing(`EC2 would deny ${of('denied')}`);
      if (of('unknown') !== '') return unknown(`EC2 does not say whether it permits ${of('unknown')}`);
      if (permissions.length === 0)
        return unknown('EC2 tells of none of the calls ahead whether it permits them');
      return ok(`EC2 permits ${of('permitted')}`);
    },
  },
  source_dest_check: {
    asks: 'Can the interfaces forward?',
    whatToDo: 'Switch the source/destination check off, or set source_dest_check to "disable".',
    check: ({ aws: { sourceDestCheckOn } }) =>
      sourceDestCheckOn.length === 0
        ? ok('no source/destination check is in the way')
        : failing(`the source/destination check is on: ${list(sourceDestCheckOn)}`),
  },
  api_tokens: {
    asks: 'Has EC2 tokens for the calls of a takeover?',
    whatToDo:
      'See who else in the account makes these calls, or have the limits raised; it recovers by itself.',
    check: ({ aws: { slowed } }) =>
      slowed.length === 0 ? ok('EC2 throttles nothing') : failing(`EC2 has throttled ${list(slowed)} lately`),
  },
  clock: {
    asks: "Is this router's clock near that of EC2?",
    whatToDo: 'Set the clock of the router (NTP): EC2 refuses what is signed five minutes off.',
    check: ({ wallNow, aws: { clock } }, now) => {
      if (clock === null) return unknown('EC2 has not said what time it is', null);
      const offsetMs = clockOffsetMs(clock, wallNow, now);
      const text = `this router's clock is ${Math.round(Math.abs(offsetMs) / 1000)} s ${offsetMs < 0 ? 'behind' : 'ahead of'} that of EC2`;
      const ageMs = now - clock.receivedAt;
      return Math.abs(offsetMs) < CLOCK_OFFSET_MS_MAX ? ok(text, ageMs) : failing(text, ageMs);
    },
  },
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
} as const satisfies Record<string, Entry & { readonly check: DaemonCheck }>;

export type Condition = keyof typeof OF_GROUPS | keyof typeof OF_DAEMON;

/** In the order in which they are shown. */
export const CONDITIONS: { readonly [C in Condition]: Entry } = { ...OF_GROUPS, ...OF_DAEMON };

/** `groups`: by name; the lines of a single one have no name of it. */
export function readinessOf(
  groups: ReadonlyMap<string, OfGroup>,
  around: Around,
  now: number,
): readonly Line[] {
  const ofGroups = [...groups].flatMap(([name, group]) =>
    entriesOf(OF_GROUPS)
      .filter(([, { only }]) => isAsked(only, group.state))
      .map(([condition, { check, whatToDo }]) =>
        line(condition, groups.size > 1 ? name : null, check(group, now, around), whatToDo),
      ),
  );
  const ofDaemon = entriesOf(OF_DAEMON).map(([condition, { check, whatToDo }]) =>
    line(condition, null, check(around, now), whatToDo),
  );
  return [...ofGroups, ...ofDaemon];
}

export const isReady = (lines: readonly Line[]): boolean => lines.every(({ state }) => state !== 'failing');

/** How far this router's clock is ahead of EC2's, in milliseconds; exact to a second, in which EC2 tells the time. */
export function clockOffsetMs(
  { dateMs, sentAt, receivedAt }: NonNullable<Standing['clock']>,
  wallNow: number,
  now: number,
): number {
  const saidAtWall = wallNow - (now - (sentAt + receivedAt) / 2);
  return saidAtWall - (dateMs + 500);
}

function isAsked(only: Entry['only'], { role }: State): boolean {
  return only === undefined || (only === 'ACTIVE') === (role.haState === 'ACTIVE');
}

function line(
  condition: Condition,
  group: string | null,
  { state, text, ageMs }: Judgement,
  act: string,
): Line {
  const age = ageMs === null ? null : Math.max(0, Math.round(ageMs));
  return { condition, group, state, ageMs: age, text, whatToDo: state === 'ok' ? '' : act };
}

function entriesOf<Key extends string, Value>(table: { readonly [K in Key]: Value }): readonly (readonly [
  Key,
  Value & Entry,
])[] {
  return Object.entries(table) as [Key, Value & Entry][];
}
