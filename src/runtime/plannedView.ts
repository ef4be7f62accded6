/**
 * What is ordered or announced for later, and how the last switchover went: for `show ha_planned`, the status endpoint
 * and who waits for a switchover. Pure.
 */
import type { JsonObject } from '../core/state/model';
import type { Handover, State } from '../core/state/state';
import { announcedFor, inOrder, maintenanceWords, WHOSE } from '../core/rules/maintenance';
import { scheduledWords } from '../core/rules/schedule';

export type Planned = {
  readonly what: 'switchover' | 'maintenance';
  /** When, in milliseconds since 1970; null where that is not known. */
  readonly atWall: number | null;
  readonly text: string;
};

/** How the last switchover of a group goes, or has gone. Times in milliseconds since it was decided. */
export type Progress = {
  /** Null where there is only one. */
  readonly group: string | null;
  /** Of its attempt: a later one has a higher number. */
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
  const last = progressOf(states).map(({ group, cause, outcome, requests, lines, legs }) => ({
    ...(group === null ? {} : { group }),
    cause,
    outcome: outcome ?? 'under way',
    requests,
    lines,
    legs: legs.map(({ what, atMs }) => ({ what, at_ms: atMs })),
  }));
  return { planned, last_switchover: last };
}

export function progressOf(states: ReadonlyMap<string, State>): readonly Progress[] {
  return [...states].flatMap(([group, { handover }]) =>
    handover === null ? [] : [progress(handover, states.size > 1 ? group : null)],
  );
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
  return { group, number: attempt, cause, lines, requests, legs, outcome };
}
