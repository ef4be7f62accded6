/** How a move has ended, as those say it who count and tell: not the core's business, to which it is over. */
import type { Attempt } from '../core/state/attempt';

/** `partial`: some targets were moved. `dropped`: none was. `lost`: somebody else was first. */
export type MoveOutcome = 'done' | 'partial' | 'dropped' | 'lost';

/** `attempt`: as it was before the step that ended it. */
export function outcomeOf({ calls }: Attempt): MoveOutcome {
  const hasMoved = calls.some(({ outcome }) => outcome === 'moved');
  if (calls.some(({ outcome }) => outcome === 'open')) return hasMoved ? 'partial' : 'dropped';
  return hasMoved ? 'done' : 'lost';
}
