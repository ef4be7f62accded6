/** What one router tells, on the axis of the report: its life, its sessions and interfaces, its roles, its calls. */
import type { Timeline } from '../core/state/model';
import type { RouterClock } from './clocks';
import { spansOf, union, type Interval, type Span } from './lanes';
import type { Held, Moment, Part } from './moments';
import type { GroupJournal, Router } from './pair';

export type Call = Interval & {
  readonly group: string | null;
  readonly request: string;
  readonly targets: readonly string[];
  readonly networkInterfaceId: string;
  /** Null: it has no answer. */
  readonly outcome: 'moved' | 'failed' | null;
  /** The cloud's error code, where it failed. */
  readonly code: string | null;
};

export type Statement = {
  readonly at: number;
  readonly target: string;
  readonly held: Held;
};

export type TakeoverTold = {
  readonly at: number;
  readonly group: string | null;
  readonly timeline: Timeline;
};

export type Said = {
  readonly at: number;
  /** Null: it is about all groups, or there is one. */
  readonly group: string | null;
  readonly moment: Extract<Moment, { kind: 'told' }>;
};

export type GroupView = {
  readonly key: string;
  readonly name: string | null;
  readonly targets: readonly string[];
  /** Null: not told. */
  readonly roles: readonly Span<string | null>[];
};

export type RouterView = {
  readonly name: string;
  /** As a name inside a sentence. */
  readonly cloud: string;
  readonly instanceIds: readonly string[];
  /** When its daemon certainly ran: from the first to the last line of each run. */
  readonly runs: readonly Interval[];
  readonly sessions: readonly Lane[];
  readonly interfaces: readonly Lane[];
  readonly groups: readonly GroupView[];
  readonly calls: readonly Call[];
  readonly statements: readonly Statement[];
  readonly takeovers: readonly TakeoverTold[];
  readonly said: readonly Said[];
  readonly detectionTimeMs: number;
  readonly keepaliveIntervalMs: number;
};

export type Lane = { readonly id: string; readonly spans: readonly Span<string | null>[] };

/** `end`: of the whole report. */
export function viewOf(router: Router, clock: RouterClock, end: number): RouterView {
  const groups = router.groups.map((journal) => new GroupReader(journal, clock, end));
  const [first] = groups;
  const plans = router.groups.flatMap(({ parts }) => parts.map(({ plan }) => plan));
  return {
    name: router.name,
    cloud: router.cloud,
    instanceIds: router.instanceIds,
    runs: union(groups.flatMap(({ runs }) => runs)),
    sessions: distinctLanes(groups.flatMap((group) => group.lanes('session'))),
    interfaces: distinctLanes(groups.flatMap((group) => group.lanes('interface'))),
    groups: groups.map((group) => group.view()),
    calls: groups.flatMap((group) => group.calls()),
    statements: groups.flatMap((group) => group.statements()),
    takeovers: groups.flatMap((group) => group.takeovers()),
    said: groups.length === 1 && first !== undefined ? first.said() : saidOnce(groups),
    detectionTimeMs: Math.max(
      0,
      ...plans.flatMap(({ sessions }) => sessions.map((each) => each.detectionTimeMs)),
    ),
    keepaliveIntervalMs: Math.max(0, ...plans.map(({ timing }) => timing.keepaliveIntervalMs)),
  };
}

/** Each group has a core of its own that hears of the same sessions. */
function distinctLanes(lanes: readonly Lane[]): readonly Lane[] {
  return [...new Map([...lanes].reverse().map((lane) => [lane.id, lane])).values()].reverse();
}

/** What is about the router stands in the journal of each group. */
function saidOnce(groups: readonly GroupReader[]): readonly Said[] {
  const told = new Map<string, Said>();
  for (const said of groups.flatMap((group) => group.said())) {
    const key = `${said.at} ${said.moment.event} ${said.moment.reason}`;
    const before = told.get(key);
    told.set(key, before === undefined ? said : { ...before, group: null });
  }
  return [...told.values()].sort((a, b) => a.at - b.at);
}

class GroupReader {
  readonly runs: readonly Interval[];
  readonly #journal: GroupJournal;
  readonly #clock: RouterClock;
  readonly #end: number;

  constructor(journal: GroupJournal, clock: RouterClock, end: number) {
    this.#journal = journal;
    this.#clock = clock;
    this.#end = end;
    this.runs = journal.parts.map((part, index) => {
      const next = journal.parts[index + 1];
      const until = clock.axisOf(part, part.until);
      // A generation ends where the next one begins, and what lacks in a gap was not written but done.
      const to = next === undefined || next.isStart ? until : clock.axisOf(next, next.now);
      return { from: clock.axisOf(part, part.now), to: Math.max(to, until) };
    });
  }

  lanes(kind: 'session' | 'interface'): readonly Lane[] {
    const ids = new Set(
      this.#moments().flatMap(({ moment }) =>
        moment.kind === 'session' && kind === 'session'
          ? moment.session
          : moment.kind === 'interface' && kind === 'interface'
            ? moment.interfaceName
            : [],
      ),
    );
    return [...ids].map((id) => ({
      id,
      spans: this.#spans((moment) => {
        if (moment.kind === 'session' && kind === 'session' && moment.session === id) return moment.level;
        if (moment.kind === 'interface' && kind === 'interface' && moment.interfaceName === id)
          return moment.level;
        return undefined;
      }),
    }));
  }

  view(): GroupView {
    const { key, name, targets } = this.#journal;
    const roles = this.#spans((moment) => {
      if (moment.kind !== 'role') return undefined;
      return moment.haState === null || moment.why === null
        ? moment.haState
        : `${moment.haState} (${moment.why})`;
    });
    return { key, name, targets, roles };
  }

  calls(): readonly Call[] {
    return this.#journal.parts.flatMap((part) => {
      const answers = new Map(
        part.moments.flatMap((each) => (each.kind === 'answered' ? [[each.request, each] as const] : [])),
      );
      return part.moments.flatMap((moment): readonly Call[] => {
        if (moment.kind !== 'asked') return [];
        const answer = answers.get(moment.request);
        const { request, targets, networkInterfaceId } = moment;
        const until = answer?.at ?? part.until;
        return [
          {
            from: this.#clock.axisOf(part, answer?.sentAt ?? moment.at),
            to: this.#clock.axisOf(part, Math.max(until, moment.at)),
            group: this.#journal.name,
            request,
            targets,
            networkInterfaceId,
            outcome: answer === undefined ? null : answer.failure === null ? 'moved' : 'failed',
            code: answer?.failure?.code ?? null,
          },
        ];
      });
    });
  }

  statements(): readonly Statement[] {
    return this.#moments().flatMap(({ at, moment }) =>
      moment.kind === 'holder' ? [{ at, target: moment.target, held: moment.holder }] : [],
    );
  }

  takeovers(): readonly TakeoverTold[] {
    return this.#moments().flatMap(({ at, part, moment }) => {
      if (moment.kind !== 'takeover') return [];
      const { timeline } = moment;
      const moved = timeline.lastAnsweredAt === null ? at : this.#clock.axisOf(part, timeline.lastAnsweredAt);
      return [{ at: moved, group: this.#journal.name, timeline }];
    });
  }

  said(): readonly Said[] {
    return this.#moments().flatMap(({ at, moment }) =>
      moment.kind === 'told' && moment.reason !== '' ? [{ at, group: this.#journal.name, moment }] : [],
    );
  }

  #moments(): readonly { readonly at: number; readonly part: Part; readonly moment: Moment }[] {
    return this.#journal.parts.flatMap((part) =>
      part.moments.map((moment) => ({ at: this.#clock.axisOf(part, moment.at), part, moment })),
    );
  }

  /** A value that holds until the next one, and no longer than the run that told it. */
  #spans(valueOf: (moment: Moment) => string | null | undefined): readonly Span<string | null>[] {
    const { parts } = this.#journal;
    const changes = parts.flatMap((part, index) => {
      const next = parts[index + 1];
      const told = part.moments.flatMap((moment) => {
        const value = valueOf(moment);
        return value === undefined ? [] : [{ at: this.#clock.axisOf(part, moment.at), value }];
      });
      if (next !== undefined && !next.isStart) return told;
      return [...told, { at: this.#clock.axisOf(part, part.until), value: null }];
    });
    return spansOf(changes, this.#end);
  }
}
