/**
 * Rule 12, inhibit: an operator wants nothing to begin for a while. It always ends by itself, it is
 * remembered, and it falls back to the wall clock across a boot. Reads go on. What it blocks: holds.ts.
 */
import type { Event, Inhibit } from '../state/model';
import { observeAgainSoon, ownsAll } from '../levels/ownership';
import type { Ownership } from '../state/state';
import { list, note, raiseAlarm, wakeAt, type Turn } from '../state/turn';

type EventOf<Type extends Event['type']> = Extract<Event, { type: Type }>;

export function inhibitRequested(turn: Turn, event: EventOf<'inhibitRequested'>): void {
  const { forMs, why, wallNow, request } = event;
  const inhibit: Inhibit = { until: turn.now + forMs, untilWall: wallNow + forMs, forMs, why };
  turn.state.inhibit = inhibit;
  const begun = turn.state.attempt === null ? '' : '; what has begun to move finishes first';
  answer(turn, request, `${inhibitWords(inhibit)}: nothing is moved until then${begun}`);
}

export function releaseRequested(turn: Turn, { request }: EventOf<'releaseRequested'>): void {
  const { inhibit } = turn.state;
  turn.state.inhibit = null;
  answer(
    turn,
    request,
    inhibit === null ? 'released: it was not inhibited' : 'released: no longer inhibited',
  );
}

function answer(turn: Turn, request: number, sentence: string): void {
  turn.effects.push({ effect: 'answerOperator', request, accepted: true, sentence });
  note(turn, 'notable', sentence);
}

/** Ends the inhibit when its time has come. */
export function expireInhibit(turn: Turn): void {
  const { inhibit } = turn.state;
  if (inhibit === null) return;
  if (turn.now < inhibit.until) return wakeAt(turn, inhibit.until);
  turn.state.inhibit = null;
  note(turn, 'notable', `no longer inhibited: the ${duration(inhibit.forMs)} are over`);
}

/** After another boot only the wall clock tells, and a clock that was stepped must not make it longer. */
export function recalledInhibit(
  stored: Inhibit | null,
  sameBoot: boolean,
  now: number,
  wallNow: number,
): Inhibit | null {
  if (stored === null) return null;
  const leftMs = Math.min(sameBoot ? stored.until - now : stored.untilWall - wallNow, stored.forMs);
  return leftMs <= 0 ? null : { ...stored, until: now + leftMs };
}

export function inhibitWords({ untilWall, why }: Inhibit): string {
  return `inhibited by an operator until ${utc(untilWall)} (${why})`;
}

export function utc(wallMs: number): string {
  // This use of Date is a pure function of its argument.
  // eslint-disable-next-line no-restricted-globals
  return `${new Date(wallMs).toISOString().slice(0, 19)}Z`;
}

function duration(ms: number): string {
  return ms >= 60_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 1000)} s`;
}

/**
 * After a believed observation: targets that have come here by nothing that this router did, as a switchover of the
 * peer brings them. The rest is under way, so it looks again soon. Where it is inhibited, its operator may be in the
 * middle of the work.
 */
export function noteArrived(turn: Turn, before: Ownership | null): void {
  const { plan, state } = turn;
  const { ownership, inhibit } = state;
  if (before === null || ownership === null || state.attempt !== null) return;
  const arrived = plan.targets.filter(
    ({ id }) => before.holders[id]?.mine === false && ownership.holders[id]?.mine === true,
  );
  if (arrived.length === 0) return;
  if (!ownsAll(plan, state)) observeAgainSoon(turn);
  if (inhibit === null) return;
  raiseAlarm(
    turn,
    'arrived-while-inhibited',
    `${turn.plan.cloud.name} shows ${list(arrived.map(({ id }) => id))} on this router now, but it is ${inhibitWords(inhibit)}: ` +
      `where the work needs it without traffic, release it and give them back`,
    { about: arrived.map(({ id }) => id) },
  );
}
