/** What each kind of receiver is to the queue before it. */
import { isNativeError } from 'node:util/types';
import type { Notification } from './notification';

export type Delivery =
  /** `said`: what came back, in a few words. */
  | { readonly ok: true; readonly said: string }
  /** `isFinal`: it would not take this one another time either. `cause` never holds a secret. */
  | { readonly ok: false; readonly cause: string; readonly isFinal: boolean };

/** Never rejects. `signal`: nobody waits any more. */
export type Deliver = (notification: Notification, signal: AbortSignal) => Promise<Delivery>;

export type Receiver = { readonly deliver: Deliver; readonly close: () => void };

export const failed = (cause: string, isFinal = false): Delivery => ({ ok: false, cause, isFinal });
export const delivered = (said: string): Delivery => ({ ok: true, said });

/** Of an error of a socket or a file; where there are several, of the first. */
export function causeOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  const cause = first ?? error;
  return isNativeError(cause) ? cause.message : String(cause);
}
