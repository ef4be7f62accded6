/**
 * The state of the core, one plain JSON value. Levels (sessions, interfaces, streams, ownership) live
 * here and a decision is taken from levels, never from an event alone (rule 1).
 */
import type {
  Damping,
  HaState,
  Inhibit,
  InterfaceGeneration,
  InterfaceLevel,
  Maintenance,
  Memory,
  Scheduled,
  SessionLevel,
  Timeline,
} from './model';
import type { Failure, Holder, InstanceCondition, Observation, Unread } from './readings';
import type { Alarms } from './alarms';
import type { Attempt } from './attempt';
import type { Plan } from './plan';

/** What a session that is not armed has not been UP since. */
export type Disarming = 'start' | 'loss' | 'sameFailure' | 'peer' | 'refusal';

export type Session = {
  readonly level: SessionLevel;
  /** When the level was last reported to have changed; the start of a takeover's timeline. */
  readonly changedAt: number;
  /** Whether it changed at that very time: reported while it was watched, not found so later. */
  readonly changeSeen: boolean;
  /** When it was last known to be UP, while it is not; while it is, when that was last said. Null: not in this life. */
  readonly lastUpAt: number | null;
  /** Rule 2: it has been UP since this router last stopped being ACTIVE. */
  readonly armed: boolean;
  /** Since when it is not, where it is not. */
  readonly disarmedBy: Disarming;
  /** Rule 2: when this router stopped being ACTIVE while it was UP, or not known; null once it has been DOWN since. */
  readonly upAtLoss: number | null;
  /** Rule 13: when it was programmed anew, while it has not been UP since; null otherwise. */
  readonly freshSince: number | null;
  /** Rule 16: it went DOWN right after a stall of this router and has until then to come UP again. */
  readonly heldUntil: number | null;
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
  readonly answersAboutInterfaces: boolean;
  /** Whether levels have been read at least once in this process life. */
  readonly everSynchronized: boolean;
};

/** An interval in which a failure of the peer would not have been seen. */
export type Unwatched = {
  readonly since: number;
  /** Null while it lasts. */
  readonly until: number | null;
  readonly because: 'lost' | 'notInControl' | 'stalled';
};

/** Who holds the targets, as last confirmed: a believed observation overlaid with confirmed writes. */
export type Ownership = {
  readonly observation: Observation;
  readonly holders: { readonly [id: string]: Holder | null };
  /** When the latest word of the cloud came. */
  readonly confirmedAt: number;
  /** When the observation was begun: what has happened since may be missing in it. */
  readonly startedAt: number;
  /** The targets that the latest word was not about, and when the last word about each came. */
  readonly lagging: { readonly [id: string]: number };
  /** When the cloud last confirmed a write of ours, by target id. */
  readonly writes: { readonly [id: string]: number };
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
  /** What of the last observations has failed. */
  readonly unread: readonly Unread[];
  /** The next one is to come sooner than the keepalive; consumed by the next decision, which draws the time. */
  readonly retry: boolean;
  /**
   * When the cloud was first asked, or since when it has said who holds each target; null before the first question.
   */
  readonly answeredAt: number | null;
};

/** Rule 8: how long the cloud has shown the same holders. */
export type Unchanged = {
  readonly holders: Observation['holders'];
  /** When the first and when the latest observation that showed them was started. */
  readonly since: number;
  readonly latest: number;
  readonly observations: number;
};

export type LostClaim = {
  /** When the first claim was turned down. */
  readonly since: number;
  readonly targets: readonly string[];
  readonly failure: Failure;
  /** The cloud's error code that was alarmed about. */
  readonly alarmedWith: string | null;
};

/** Rule 9: what the cloud says about the instances that hold the targets. */
export type Evidence = {
  /** Since when no session is UP; null while one is. */
  readonly noneUpSince: number | null;
  /** Since when the peer has withdrawn every session that could say anything; null while it has not. */
  readonly withdrawnSince: number | null;
  readonly lastNumber: number;
  readonly inFlight: number | null;
  /** When the latest question was asked; 0 before the first. */
  readonly askedAt: number;
  /** The last answer, of instances that held targets then; empty where there is none. */
  readonly conditions: { readonly [instanceId: string]: InstanceCondition };
  /** Why the last question had no answer. */
  readonly failure: Failure | null;
  /** The one takeover from a running holder has been spent. */
  readonly tookFromRunning: boolean;
};

/** Rule 16: what has been found out since a long stall ended. */
export type Reorientation = {
  readonly since: number;
  readonly levelsKnown: boolean;
  readonly ownershipKnown: boolean;
};

/** Rule 11. */
export type Preemption = {
  /** Since when this preferred router could take the targets; null while it could not. */
  readonly readySince: number | null;
  /** Why it does not until the daemon restarts; null while it may. */
  readonly offBecause: string | null;
};

/** What rule 5 needs to give targets back when the failure turns out to be local. */
export type GiveBack = {
  readonly attempt: number;
  readonly sessions: readonly string[];
  readonly firstSentAt: number;
  readonly holdersBefore: { readonly [id: string]: Holder | null };
  /** The interfaces have gone DOWN in time; only answers that are still due are waited for. */
  readonly isDue: boolean;
  /** Requests of the takeover that were still out when it ended, as `call/send`: a hedge, or a try that was late. */
  readonly out: readonly string[];
};

/** Why the targets are handed to the peer while all is well. */
export type HandoverCause = 'operator' | 'schedule' | 'maintenance' | 'shutdown' | 'drill';

/** An order of a switchover that has not been decided yet. */
export type Order = {
  readonly cause: HandoverCause;
  /** The operator's command behind it; null where nobody waits for an answer. */
  readonly request: number | null;
};

/** Rule 15: the last switchover that began here, until the targets are seen to be well at the peer. */
export type Handover = Order & {
  readonly attempt: number;
  readonly targets: readonly string[];
  /** What it asks the cloud for, as words. */
  readonly sentence: string;
  /** `confirmedAt`: when the cloud first showed all of them at the peer. */
  readonly timeline: Timeline;
  /** How many requests have been sent to the cloud. */
  readonly requests: number;
  /** `declined`: nothing has moved. `undone`: something has, and it is not as it was ordered. */
  readonly ended: {
    readonly at: number;
    readonly outcome: 'done' | 'declined' | 'undone';
    readonly sentence: string;
  } | null;
};

/** A part of a drill; what it has shown stands in `evidence` when it is over. */
export type DrillLeg = {
  readonly leg: 'checks' | 'over' | 'hold' | 'back' | 'after';
  readonly from: number;
  readonly to: number | null;
  /** Sent to the cloud. */
  readonly requests: number;
  readonly timeline: Timeline | null;
  readonly evidence: string;
};

/** The last drill of this process life. */
export type Drill = {
  readonly request: number;
  readonly holdMs: number;
  readonly begunAt: number;
  /** Before it began. */
  readonly lastAttempt: number;
  readonly legs: readonly DrillLeg[];
  readonly ended: {
    readonly at: number;
    readonly outcome: 'done' | 'stopped';
    readonly sentence: string;
  } | null;
};

export type State = {
  readonly bootId: string;
  /** What the previous process life left behind; consulted until its parts are known again. */
  readonly recalled: Memory | null;
  readonly streams: Streams;
  /** The last interval in which the peer was not watched, after it once was. */
  readonly unwatched: Unwatched | null;
  readonly sessions: { readonly [id: string]: Session };
  readonly interfaces: { readonly [name: string]: LocalInterface };
  readonly ownership: Ownership | null;
  readonly unchanged: Unchanged | null;
  /** The last claim that the cloud has turned down, until somebody is seen to hold what was claimed. */
  readonly lostClaim: LostClaim | null;
  readonly role: Role;
  readonly observing: Observing;
  readonly evidence: Evidence;
  /** This router has been ACTIVE since it booted. */
  readonly beenActive: boolean;
  /**
   * After how long without an answer a takeover call is slow, by the cloud's latest answers; null while too few are
   * known.
   */
  readonly slowAfterMs: number | null;
  readonly damping: Damping | null;
  readonly preemption: Preemption;
  readonly inhibit: Inhibit | null;
  readonly order: Order | null;
  readonly scheduled: Scheduled | null;
  readonly handover: Handover | null;
  readonly drill: Drill | null;
  /** What the cloud has announced. */
  readonly maintenance: {
    readonly own: readonly Maintenance[];
    /** As last asked of an instance; null before. */
    readonly peer: { readonly instanceId: string; readonly announced: readonly Maintenance[] | null } | null;
  };
  /** A move without which the targets are not served is called for and may not begin. */
  readonly blocked: boolean;
  readonly alarms: Alarms;
  /** When this process was last found to have stalled (rule 16). */
  readonly stalledAt: number | null;
  /** When the last long one of them was found. */
  readonly longStallAt: number | null;
  /** After a long stall, until levels and ownership are known again. */
  readonly reorientation: Reorientation | null;
  readonly lastAttempt: number;
  /** When a move that BFD has not called for last began; null if none has. */
  readonly lastPatientAt: number | null;
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
  const unknownSession: Session = {
    level: 'Unknown',
    changedAt: 0,
    changeSeen: false,
    lastUpAt: null,
    armed: false,
    disarmedBy: 'start',
    upAtLoss: null,
    freshSince: null,
    heldUntil: null,
  };
  const unknownInterface: LocalInterface = { level: 'Unknown', changedAt: 0, cameUpAt: null };
  return {
    bootId: '',
    recalled: null,
    streams: {
      phase: 'connecting',
      generation: null,
      answersAboutInterfaces: false,
      everSynchronized: false,
    },
    unwatched: null,
    sessions: Object.fromEntries(plan.sessions.map(({ id }) => [id, unknownSession])),
    interfaces: Object.fromEntries(
      plan.sessions.map(({ interfaceName }) => [interfaceName, unknownInterface]),
    ),
    ownership: null,
    unchanged: null,
    lostClaim: null,
    role: { haState: 'UNKNOWN', why: 'unobserved' },
    observing: {
      lastNumber: 0,
      inFlight: null,
      lastStartedAt: null,
      nextAt: 0,
      closelyUntil: 0,
      failures: 0,
      unread: [],
      retry: false,
      answeredAt: null,
    },
    evidence: {
      noneUpSince: null,
      withdrawnSince: null,
      lastNumber: 0,
      inFlight: null,
      askedAt: 0,
      conditions: {},
      failure: null,
      tookFromRunning: false,
    },
    beenActive: false,
    slowAfterMs: null,
    damping: null,
    preemption: { readySince: null, offBecause: null },
    inhibit: null,
    order: null,
    scheduled: null,
    handover: null,
    drill: null,
    maintenance: { own: [], peer: null },
    blocked: false,
    alarms: {},
    stalledAt: null,
    longStallAt: null,
    reorientation: null,
    lastAttempt: 0,
    lastPatientAt: null,
    attempt: null,
    giveBack: null,
    unconfirmed: null,
    shutdown: null,
    remembered: null,
    verdict: `starting: neither the router nor ${plan.cloud.name} has answered yet`,
    wakeAt: 0,
  };
}
