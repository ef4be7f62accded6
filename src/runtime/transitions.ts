/** Which BFD sessions have changed with a step. A session of several groups is told to each of their cores, and counts once. */
import { sessionOf } from '../core/levels/sessions';
import type { SessionLevel } from '../core/state/model';
import type { Plan } from '../core/state/plan';
import type { Recorded } from './loop';

export type Transition = { readonly session: string; readonly from: SessionLevel; readonly to: SessionLevel };

export function transitionsOf(
  { group, before, step: { state } }: Recorded,
  groups: readonly { readonly name: string; readonly plan: Plan }[],
): readonly Transition[] {
  return Object.keys(state.sessions).flatMap((session) => {
    const { level: from } = sessionOf(before, session);
    const { level: to } = sessionOf(state, session);
    if (from === to) return [];
    const first = groups.find(({ plan }) => plan.sessions.some(({ id }) => id === session));
    return first === undefined || first.name === group ? [{ session, from, to }] : [];
  });
}
