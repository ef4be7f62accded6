/**
 * Whether it is the credentials that EC2 turns down, or the call: AuthFailure means either. Where EC2 turns the same
 * action down again, and has accepted the same credentials for another call in between, it is the call. The first time
 * is never enough, since a request that was signed ahead may be too old; so a question is asked that nobody else asks.
 */
import type { Failure } from '../../core/state/readings';
import { asRefusal, mayBeAboutCall } from './failure';

/** Longer than what is refused waits for its next try, and its deadline. */
const REMEMBERED_MS = 30_000;

type Moment = { readonly accessKeyId: string | null; readonly at: number };

export type Signed = {
  readonly action: string;
  readonly accessKeyId: string | null;
  /** Monotonic ms. */
  readonly sentAt: number;
};

export class Acceptance {
  readonly #now: () => number;
  /** When EC2 last answered a call whose credentials it had accepted. */
  #accepted: Moment = { accessKeyId: null, at: -Infinity };
  /** When the call was sent that was last turned down, by action. */
  readonly #turnedDown = new Map<string, Moment>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** EC2 has done what it was asked for. */
  accepted(accessKeyId: string | null): void {
    this.#accepted = { accessKeyId, at: this.#now() };
  }

  /** The failure as the rules are to have it. `ask`: another call with the same credentials, whose answer is noted. */
  judge(failure: Failure, { action, accessKeyId, sentAt }: Signed, ask: () => void): Failure {
    if (failure.kind === 'refused') this.accepted(accessKeyId);
    if (!mayBeAboutCall(failure)) return failure;
    const before = this.#turnedDown.get(action);
    this.#turnedDown.set(action, { accessKeyId, at: sentAt });
    const isAboutCall =
      before?.accessKeyId === accessKeyId &&
      sentAt - before.at < REMEMBERED_MS &&
      this.#accepted.accessKeyId === accessKeyId &&
      this.#accepted.at > before.at;
    ask();
    return isAboutCall ? asRefusal(failure) : failure;
  }
}
