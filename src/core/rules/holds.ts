/**
 * What keeps everything from beginning, whichever rule calls for it (rules 12, 14 and 16): a shutdown, an
 * operator's inhibit, another client in control of the router's streams, a stall of our own that has only just
 * ended. A move that has begun finishes all the same.
 */
import { inhibitWords } from './inhibit';
import { reorientationWords } from '../levels/stall';
import type { State } from '../state/state';

/** Why nothing may begin now; null where it may. */
export function hold(state: State): string | null {
  const { shutdown, inhibit, streams } = state;
  if (shutdown !== null) return 'this daemon is shutting down';
  if (inhibit !== null) return inhibitWords(inhibit);
  if (streams.phase === 'notInControl') return "another client has taken the router's event streams";
  return reorientationWords(state);
}
