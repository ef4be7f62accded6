/**
 * The state of the core, one plain JSON value. Levels (sessions, interfaces, streams, ownership) live
 * here and a decision is taken from levels, never from an event alone (rule 1).
 */
import type {
  Failure,
  HaState,
  Holder,
  InterfaceGeneration,
  InterfaceLevel,
  Memory,
  Observation,
  SessionLevel,
  Timeline,
} from './model';
import type { Plan } from './plan';

export type Session = {
  readonly level: SessionLevel;
  /** When the level was last reported to have changed; the start of a takeover's timeline. */
  readonly changedAt: number;
  /** Rule 2: it has been UP since this router last stopped being ACTIVE. */
  readonly armed: boolean;
  /** Rule 13: when it was programmed anew, while it has not been UP since; null otherwise. */
  readonly freshSince: number | null;
};

export type LocalInterface = {
  readonly level: InterfaceLevel;
  /** When the level was last seen to change; 0 if never. */
  readonly changedAt: number;
  /** When it was last seen to come UP after having been DOWN; null if never. */
  readonly cameUpAt: number | null;
};

export type Streams = {
  /** Only `synchronized` means that levels are known and that this daemon is in control. */
  readonly phase: 'connecting' | 'synchronized' | 'lost' | 'notInControl';
  readonly generation: InterfaceGeneration | null;
  /** Whether levels have been read at least once in this process life. */
  readonly everSynchronized: boolean;
};

/** Who holds the targets, as last confirmed: a believed observation overlaid with confirmed writes. */
export type Ownership = {
  readonly observation: Observation;
  readonly holders: { readonly [address: string]: Holder | null };
  readonly confirmedAt: number;
  /** When EC2 last answered 200 to a write of ours, by address. */
  readonly writes: { readonly [address: string]: number };
};

export type Role = {
  readonly haState: HaState;
  /** Why the role is UNKNOWN; null otherwise. */
  readonly why: 'partial' | 'unobserved' | null;
};

/** The schedule of observations: one in flight at a time. */
export type Observing = {
  readonly lastNumber: number;
  readonly inFlight: number | null;
  readonly lastStartedAt: number | null;
  readonly nextAt: number;
  /** Until then one every second (rule 4). */
  readonly closelyUntil: number;
  readonly failures: number;
  /** When EC2 was first asked, or last gave an answer that was believed; null before the first question. */
  readonly answeredAt: number | null;
  /** It has alarmed because EC2 cannot be observed. */
  readonly alarmed: boolean;
};

export type Send = {
  readonly number: number;
  readonly startedAt: number;
  /** The second, identical request of one try. */
  readonly hedge: boolean;
};

/** One AssignPrivateIpAddresses call of an attempt, with all its tries. */
export type Call = {
  readonly number: number;
  /** Who is to hold the addresses. */
  readonly to: Holder;
  readonly addresses: readonly string[];
  /** `split`: refused for several addresses and repeated as one call per address. */
  readonly outcome: 'open' | 'moved' | 'split';
  readonly outstanding: readonly Send[];
  readonly lastSend: number;
  readonly tries: number;
  /** Whether the newest try has had its one hedge. */
  readonly hedged: boolean;
  /** A request of this call ended without an answer: EC2 may have done it. */
  readonly uncertain: boolean;
  /** When the next try is due; null while one is outstanding or nothing is to be sent. */
  readonly nextSendAt: number | null;
  /** The failure that a retry has to be drawn for; consumed by the next decision. */
  readonly failed: Failure | null;
  readonly lastFailure: Failure | null;
  /** A refusal that counts only after a read (rule 6): who said it, and when. */
  readonly disputed: { readonly failure: Failure; readonly at: number } | null;
  /** EC2's error code of the last refusal for good, so that the same one alarms once. */
  readonly refusedWith: string | null;
};

export type Attempt = {
  readonly number: number;
  readonly purpose: 'takeover' | 'giveBack';
  /** Ids of the triggering sessions; none for a resumed intent. */
  readonly sessions: readonly string[];
  /** Begun by an earlier process life: forward only from the start (rule 7). */
  readonly resumed: boolean;
  readonly triggeredAt: number;
  readonly decidedAt: number;
  /** `asking`: local or remote? (rule 5), until this time at the latest; null once sending. */
  readonly askingUntil: number | null;
  /** When the first request was decided, and when it was handed to the socket. */
  readonly firstSentAt: number | null;
  readonly firstOnWireAt: number | null;
  readonly lastAnsweredAt: number | null;
  /** It has alarmed because nothing succeeds. */
  readonly stuck: boolean;
  readonly calls: readonly Call[];
};

/** What rule 5 needs to give targets back when the failure turns out to be local. */
export type GiveBack = {
  readonly attempt: number;
  readonly sessions: readonly string[];
  readonly firstSentAt: number;
  readonly holdersBefore: { readonly [address: string]: Holder | null };
  /** The interfaces have gone DOWN in time; only answers that are still due are waited for. */
  readonly isDue: boolean;
};

export type State = {
  readonly bootId: string;
  /** What the previous process life left behind; consulted until its parts are known again. */
  readonly recalled: Memory | null;
  readonly streams: Streams;
  readonly sessions: { readonly [id: string]: Session };
  readonly interfaces: { readonly [name: string]: LocalInterface };
  readonly ownership: Ownership | null;
  readonly role: Role;
  readonly observing: Observing;
  readonly lastAttempt: number;
  readonly attempt: Attempt | null;
  /** Open for one second after the first write of a takeover, once per takeover (rule 5). */
  readonly giveBack: GiveBack | null;
  /** A finished takeover that no observation has confirmed yet. */
  readonly unconfirmed: Timeline | null;
  readonly shutdown: { readonly requestedAt: number; readonly stopped: boolean } | null;
  /** What was last handed to the decision memory. */
  readonly remembered: Memory | null;
  /** The standing sentence: what this router does now and why. */
  readonly verdict: string;
  /** When the loop has to decide again even if nothing happens. */
  readonly wakeAt: number;
};

export function initialState(plan: Plan): State {
  const unknownSession: Session = { level: 'Unknown', changedAt: 0, armed: false, freshSince: null };
  const unknownInterface: LocalInterface = { level: 'Unknown', changedAt: 0, cameUpAt: null };
  return {
    bootId: '',
    recalled: null,
    streams: { phase: 'connecting', generation: null, everSynchronized: false },
    sessions: Object.fromEntries(plan.sessions.map(({ id }) => [id, unknownSession])),
    interfaces: Object.fromEntries(
      plan.sessions.map(({ interfaceName }) => [interfaceName, unknownInterface]),
    ),
    ownership: null,
    role: { haState: 'UNKNOWN', why: 'unobserved' },
    observing: {
      lastNumber: 0,
      inFlight: null,
      lastStartedAt: null,
      nextAt: 0,
      closelyUntil: 0,
      failures: 0,
      answeredAt: null,
      alarmed: false,
    },
    lastAttempt: 0,
    attempt: null,
    giveBack: null,
    unconfirmed: null,
    shutdown: null,
    remembered: null,
    verdict: 'starting: neither the router nor EC2 has answered yet',
    wakeAt: 0,
  };
}
