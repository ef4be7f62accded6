// Misbehaviour that was asked for: held answers, events that come late, twice or never, refusals,
// credentials. It keeps the wishes; streams and services consult it.
import type { Errno } from './wire';

/** `bfd` is that of IPv4. */
export const streamNames = ['init', 'bfd', 'bfdv6', 'interface'] as const;
export type StreamName = (typeof streamNames)[number];

export interface EventFault {
  readonly delayMs: number;
  /** How often each event is written: 2 duplicates it. */
  readonly copies: number;
  /** How many of the next events are not written at all. */
  readonly dropNext: number;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface SessionOpRefusal {
  readonly errno: Errno;
  /** Whether the whole request is refused (StatusSummary) or each session of it (Results). */
  readonly scope: 'request' | 'sessions';
  /** How many requests. */
  readonly times: number;
}

const noEventFault: EventFault = { delayMs: 0, copies: 1, dropNext: 0 };

export class Faults {
  /** Answers the next handshakes with this code and closes them. */
  refuseInit: Errno | null = null;
  credentials: Credentials | null = null;
  #sessionOp: SessionOpRefusal | null = null;
  readonly #events = new Map<StreamName, EventFault>();
  #hung: 'all' | readonly string[] | null = null;
  #waiting: { readonly method: string; readonly go: () => void }[] = [];

  eventFault(stream: StreamName): EventFault {
    return this.#events.get(stream) ?? noEventFault;
  }

  setEventFault(stream: StreamName, fault: Partial<EventFault>): EventFault {
    const now = { ...this.eventFault(stream), ...fault };
    this.#events.set(stream, now);
    return now;
  }

  refuseSessionOps(refusal: SessionOpRefusal | null): void {
    this.#sessionOp = refusal;
  }

  /** The refusal for the session operation at hand, counted down. */
  takeSessionOpRefusal(): SessionOpRefusal | null {
    const refusal = this.#sessionOp;
    if (refusal === null) return null;
    this.#sessionOp = refusal.times > 1 ? { ...refusal, times: refusal.times - 1 } : null;
    return refusal;
  }

  hang(methods: 'all' | readonly string[]): void {
    this.#hung = methods;
  }

  /** What was held is done now, in the order it came. */
  unhang(): void {
    this.#hung = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { go } of waiting) go();
  }

  hung(): 'all' | readonly string[] | null {
    return this.#hung;
  }

  /** Runs at once, or when the hang is over. */
  whenAnswering(method: string, go: () => void): void {
    const held = this.#hung === 'all' || this.#hung?.includes(method);
    if (held) this.#waiting.push({ method, go });
    else go();
  }

  /** A restarted server has forgotten what it owed. */
  forgetHeld(): void {
    this.#waiting = [];
  }
}
