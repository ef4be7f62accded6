/**
 * What is ordered or announced for later, and how the last switchover went: for `show ha_planned`, the status endpoint
 * and who waits for a switchover. Pure.
 */
import type { JsonObject } from '../core/state/json';
import type { Drill, DrillLeg, Handover, State } from '../core/state/state';
import { announcedFor, inOrder, maintenanceWords, WHOSE } from '../core/rules/maintenance';
import { scheduledWords } from '../core/rules/schedule';

export type Planned = {
  readonly what: 'switchover' | 'maintenance';
  /** When, in milliseconds since 1970; null where that is not known. */
  readonly atWall: number | null;
  readonly text: string;
};

/** How the last switchover, or the last drill, of a group goes or has gone. Times in milliseconds since it was decided. */
export type Progress = {
  /** Null where there is only one. */
  readonly group: string | null;
  readonly kind: 'switchover' | 'drill';
  /** Of its attempt, or of the command: a later one of its kind has a higher number. */
  readonly number: number;
  readonly cause: string;
  /** What has happened so far, a sentence each. */
  readonly lines: readonly string[];
  readonly requests: number;
  readonly legs: readonly { readonly what: string; readonly atMs: number }[];
  /** Null while it goes on. */
  readonly outcome: 'done' | 'declined' | 'undone' | null;
};

export function plannedOf(state: State): readonly Planned[] {
  const { scheduled } = state;
  const ordered =
    scheduled === null
      ? []
      : [{ what: 'switchover', atWall: scheduled.atWall, text: scheduledWords(scheduled) } as const];
  const announced = WHOSE.flatMap((whose) =>
    inOrder(announcedFor(state, whose)).map((each) => ({
      what: 'maintenance' as const,
      atWall: each.atWall,
      text: `maintenance of ${whose}: ${maintenanceWords(each)}`,
    })),
  );
  return [...ordered, ...announced];
}

export function shownPlanned(planned: readonly Planned[]): readonly JsonObject[] {
  return planned.map(({ what, atWall, text }) => ({
    what,
    at: atWall === null ? null : new Date(atWall).toISOString(),
    text,
  }));
}

/** By group; `states` has one of each. */
export function shownPlans(states: ReadonlyMap<string, State>): JsonObject {
  const isNamed = states.size > 1;
  const named = (group: string) => (isNamed ? { group } : {});
  const planned = [...states].flatMap(([group, state]) =>
    shownPlanned(plannedOf(state)).map((each) => ({ ...named(group), ...each })),
  );
  const switchovers = progressOf(states).filter(({ kind }) => kind === 'switchover');
  const last = switchovers.map(({ group, cause, outcome, requests, lines, legs }) => ({
    ...(group === null ? {} : { group }),
    cause,
    outcome: outcome ?? 'under way',
    requests,
    lines,
    legs: legs.map(({ what, atMs }) => ({ what, at_ms: atMs })),
  }));
  return { planned, last_switchover: last, last_drill: drillReports(states) };
}

export function progressOf(states: ReadonlyMap<string, State>): readonly Progress[] {
  return [...states].flatMap(([name, { handover, drill }]) => {
    const group = states.size > 1 ? name : null;
    return [
      ...(handover === null ? [] : [progress(handover, group)]),
      ...(drill === null ? [] : [drillProgress(drill, group)]),
    ];
  });
}

function progress(handover: Handover, group: string | null): Progress {
  const { attempt, cause, sentence, requests, timeline, ended } = handover;
  const { decidedAt, firstSentAt, lastAnsweredAt, confirmedAt } = timeline;
  const legs = [
    { what: 'first request sent', at: firstSentAt },
    { what: 'all moved', at: lastAnsweredAt },
    { what: 'seen at the peer', at: confirmedAt },
    { what: 'over', at: ended?.at ?? null },
  ].flatMap(({ what, at }) => (at === null ? [] : [{ what, atMs: Math.round(at - decidedAt) }]));
  const lines = [
    sentence,
    ...(lastAnsweredAt === null ? [] : ['all of them have moved']),
    ...(confirmedAt === null ? [] : ['all of them are seen at the peer']),
    ...(ended === null ? [] : [ended.sentence]),
  ];
  const outcome = ended?.outcome ?? null;
  return { kind: 'switchover', group, number: attempt, cause, lines, requests, legs, outcome };
}

const LEGS = {
  checks: 'checked before it',
  over: 'switched over to the peer',
  hold: 'held at the peer',
  back: 'taken back',
  after: 'verified here',
} as const satisfies Record<DrillLeg['leg'], string>;

function drillProgress({ request, begunAt, legs, ended }: Drill, group: string | null): Progress {
  const over = legs.filter(({ to }) => to !== null);
  const isStopped = ended?.outcome === 'stopped';
  const told = over.filter((_, place) => !(isStopped && place === over.length - 1));
  const lines = told.map(({ leg, evidence }) => `${LEGS[leg]}: ${evidence}`);
  return {
    kind: 'drill',
    group,
    number: request,
    cause: 'drill',
    lines: [...lines, ...(ended === null ? [] : [ended.sentence])],
    requests: legs.reduce((sum, leg) => sum + leg.requests, 0),
    legs: told.map(({ leg, to }) => ({ what: LEGS[leg], atMs: Math.round((to ?? begunAt) - begunAt) })),
    outcome: ended === null ? null : ended.outcome === 'done' ? 'done' : 'undone',
  };
}

/** The whole of the last drill of each group, to be kept and handed on. Times in milliseconds since it began. */
export function drillReports(states: ReadonlyMap<string, State>): readonly JsonObject[] {
  return [...states].flatMap(([group, { drill }]) => {
    if (drill === null) return [];
    const { begunAt, holdMs, legs, ended } = drill;
    const since = (at: number | null): number | null => (at === null ? null : Math.round(at - begunAt));
    const shown = legs.map(({ leg, from, to, requests, timeline, evidence }) => ({
      leg,
      from_ms: since(from),
      to_ms: since(to),
      requests,
      ...(timeline === null
        ? {}
        : {
            first_sent_ms: since(timeline.firstSentAt),
            all_moved_ms: since(timeline.lastAnsweredAt),
            seen_ms: since(timeline.confirmedAt),
          }),
      evidence,
    }));
    const named = states.size > 1 ? { group } : {};
    const outcome = ended?.outcome ?? 'under way';
    return [{ ...named, outcome, sentence: ended?.sentence ?? '', hold_s: holdMs / 1000, legs: shown }];
  });
}
