/**
 * What the cloud has not said. Each kind of target is read by an action of its own, and one that is slow, fails or
 * cannot be understood must not blind the rest: what was known of its targets stays, and what has never been known of
 * is left out of all decisions until it is.
 */
import type { Failure, Observation, Unread } from '../state/readings';
import type { Plan } from '../state/plan';
import type { Ownership } from '../state/state';
import { list, note, type Turn } from '../state/turn';

/** The plan with the targets that the cloud has shown at least once. */
export function knownPlan(plan: Plan, ownership: Ownership | null): Plan {
  if (ownership === null || plan.targets.every(({ id }) => id in ownership.holders)) return plan;
  return { ...plan, targets: plan.targets.filter(({ id }) => id in ownership.holders) };
}

/** Since when each target that is known has been confirmed: the time of the one that lags furthest behind. */
export function confirmedSince({ confirmedAt, lagging }: Ownership): number {
  return Math.min(confirmedAt, ...Object.values(lagging));
}

/** A move that is not urgent must not rest on a word of the cloud that is older than a keepalive. */
export function isRecent({ plan, state: { ownership }, now }: Turn, id: string): boolean {
  const laggingSince = ownership?.lagging[id];
  return laggingSince === undefined || now - laggingSince <= plan.timing.keepaliveIntervalMs;
}

/** The targets of which the cloud has said nothing yet. */
export function unknownWords({ whole, plan }: Turn): string {
  return list(whole.targets.filter((target) => !plan.targets.includes(target)).map(({ id }) => id));
}

/** Says what the cloud has not said, once; what it last said of those targets stays. */
export function noteUnread(turn: Turn, { holders, unread = [] }: Observation): void {
  const { observing } = turn.state;
  const failed = unread.filter(({ failure }) => failure !== null);
  const isOpen = ({ action, targets }: Unread) =>
    !unread.some((each) => each.action === action && each.failure !== null) &&
    !targets.some((id) => id in holders);
  turn.state.observing = { ...observing, unread: [...observing.unread.filter(isOpen), ...failed] };
  for (const { action, failure, targets } of failed) {
    const isNews = !observing.unread.some((each) => each.action === action);
    note(
      turn,
      isNews ? 'notable' : 'routine',
      `${turn.plan.cloud.name} does not say who holds ${list(targets)} (${action}: ${failureWords(failure)}): asking again every second, ` +
        `and what it last said of them stays`,
    );
  }
  for (const { action } of observing.unread)
    if (!turn.state.observing.unread.some((each) => each.action === action))
      note(turn, 'notable', `${turn.plan.cloud.name} answers ${action} again`);
  if (failed.length > 0) turn.state.observing = { ...turn.state.observing, retry: true };
}

export const failureWords = (failure: Failure | null): string =>
  failure === null ? 'no answer yet' : `${failure.code}: ${failure.message}`;

/** Since when the cloud has said who holds each target. */
export function noteAnswered(turn: Turn): void {
  const { observing, ownership } = turn.state;
  if (ownership === null || turn.plan !== turn.whole) return;
  const answeredAt = Math.max(observing.answeredAt ?? -Infinity, confirmedSince(ownership));
  turn.state.observing = { ...observing, answeredAt };
}

/** What was known before, updated by what the cloud says now. */
export function withKnown(before: Ownership | null, observation: Observation): Observation {
  const { unread, ...said } = observation;
  if (unread === undefined && Object.keys(before?.holders ?? {}).every((id) => id in said.holders))
    return observation;
  const known = before?.observation;
  const refusals = { ...without(known?.refusals ?? {}, Object.keys(said.holders)), ...said.refusals };
  return {
    ...said,
    holders: { ...known?.holders, ...said.holders },
    ...(Object.keys(refusals).length === 0 ? {} : { refusals }),
  };
}

function without<Value>(
  from: { readonly [key: string]: Value },
  keys: readonly string[],
): { readonly [key: string]: Value } {
  return Object.fromEntries(Object.entries(from).filter(([key]) => !keys.includes(key)));
}

/** What the cloud has said nothing about this time, and since when it has not. */
export function laggingAfter(before: Ownership | null, said: Observation): Ownership['lagging'] {
  if (before === null) return {};
  const silent = Object.keys(before.holders).filter((id) => !(id in said.holders));
  return Object.fromEntries(silent.map((id) => [id, before.lagging[id] ?? before.confirmedAt]));
}

/** For the alarm: for how long the cloud has not said who holds what, and which of its actions does not answer. */
export function unobservedWords({ plan, state }: Turn): string {
  const { unread } = state.observing;
  const forS = plan.timing.roleTtlMs / 1000;
  if (unread.length === 0)
    return `${plan.cloud.name} has not been observed for ${forS} s: it is not known who holds the targets`;
  const silent = unread.map(({ action, failure }) => `${action} (${failureWords(failure)})`);
  const targets = list(unread.flatMap((each) => each.targets));
  return `${plan.cloud.name} has not answered ${list(silent)} for ${forS} s: it is not known who holds ${targets}`;
}
