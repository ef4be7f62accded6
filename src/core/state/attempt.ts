/** A move in flight: its calls to the cloud, each with all its tries. Plain JSON, like all of the state. */
import type { LastUp, Purpose } from './model';
import type { Failure, InterfaceHolder } from './readings';

export type Send = {
  readonly number: number;
  readonly startedAt: number;
  /** Identical to one that had no answer yet when it was sent. */
  readonly hedge: boolean;
  /** It waits for tokens and has not left this router. */
  readonly queued: boolean;
};

/** One call of an attempt, with all its tries. */
export type Call = {
  readonly number: number;
  /** Who is to hold the targets. */
  readonly to: InterfaceHolder;
  readonly targets: readonly string[];
  readonly allowReassignment: boolean;
  /** Its targets were believed to be there already, and are asked for all the same (rule 3, partial). */
  readonly again: boolean;
  /**
   * `split`: refused for several targets and repeated as one call per target. `lost`: without
   * reassignment, and somebody else was first.
   */
  readonly outcome: 'open' | 'moved' | 'split' | 'lost';
  readonly outstanding: readonly Send[];
  readonly lastSend: number;
  readonly tries: number;
  /** When it is asked for once more although the latest request has no answer yet; null: not. */
  readonly overlapAt: number | null;
  /** A request of this call ended without an answer: the cloud may have done it. */
  readonly uncertain: boolean;
  /** When the next try is due; null while one is outstanding or nothing is to be sent. */
  readonly nextSendAt: number | null;
  /** The failure that a retry has to be drawn for; consumed by the next decision. */
  readonly failed: Failure | null;
  readonly lastFailure: Failure | null;
  /** A refusal that counts only after a read (rule 6): who said it, and when. */
  readonly disputed: { readonly failure: Failure; readonly at: number } | null;
  /** The cloud's error code of the last refusal for good, so that the same one alarms once. */
  readonly refusedWith: string | null;
};

export type Attempt = {
  readonly number: number;
  readonly purpose: Purpose;
  /** The operator's command that asked for it. */
  readonly request: number | null;
  /** Ids of the triggering sessions; none for another purpose than a takeover and for a resumed one. */
  readonly sessions: readonly string[];
  /** Begun by an earlier process life: forward only from the start (rule 7). */
  readonly resumed: boolean;
  readonly triggeredAt: number;
  /** Of a takeover: when the peer was last known to be UP, where it is not known when it went DOWN. */
  readonly lastUp: LastUp | null;
  readonly decidedAt: number;
  /** `asking`: local or remote? (rule 5), until this time at the latest; null once sending. */
  readonly askingUntil: number | null;
  /** When the first request was decided, and when it was handed to the socket. */
  readonly firstSentAt: number | null;
  readonly firstOnWireAt: number | null;
  readonly lastAnsweredAt: number | null;
  /** When the cloud last moved something; null if it has not. */
  readonly lastMovedAt: number | null;
  /** Requests have had to wait for tokens: it takes its time, and spends none on hedges (rule 6). */
  readonly paced: boolean;
  readonly calls: readonly Call[];
};
