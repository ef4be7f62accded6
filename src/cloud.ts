/**
 * A cloud as the rest of the daemon knows it: what it shows, what it moves, how it says that a holder is, what alarms it
 * raises, and what it is called. Types alone; each adapter of a cloud has this shape. What the core has to know of a cloud
 * (its name in a sentence, its kinds of targets) is a value of the plan: `CloudDescription`.
 */
import type { CallSeries, LatestCall } from './transport/callStatistics';
import type { AlarmCode } from './core/state/alarms';
import type { CallRequest, Maintenance, RequestedMove } from './core/state/model';
import type { CloudClock, Failure, InstanceCondition, Observation } from './core/state/readings';
import type { Judgement, Reading } from './wellness';

export type Cloud = {
  /** What the configuration asks for and cannot be done here, one sentence each; known once the cloud has answered. */
  readonly mistakes: Promise<readonly string[]>;
  /** Of this router, once it is known. Never rejects. */
  readonly instanceId: Promise<string>;
  /**
   * Who holds what. Never rejects. While it is not known who this router is, it waits a few seconds before it says so.
   * `onLate` is given what is answered when the rest has been handed out.
   */
  readonly observe: (onLate: (late: Observed) => void) => Promise<ObservationResult>;
  /** How the instances are that an observation has shown. It has a deadline of its own and never rejects. */
  readonly askHolders: (instanceIds: readonly string[]) => Promise<HoldersResult>;
  /** Of this group, whose requests are its own; null until the first observation has been made. */
  readonly mover: (group: string) => Mover | null;
  /** What the cloud's latest answer said of the time; null where none has. */
  readonly clock: () => CloudClock | null;
  /** Its long-lived parts, by their names in `show ha_health`; null for one that is not there yet. */
  readonly health: { readonly [part: string]: () => Reading | null };
  /** What it knows beside the readings that decide, for readiness and metrics. Nothing is asked for it. */
  readonly standing: () => Standing;
  readonly stop: () => void;
};

// --- Readings ------------------------------------------------------------------------------------

export type Observed = { readonly startedAt: number; readonly observation: Observation };

export type ObservationResult =
  | ({ readonly ok: true } & Observed)
  | { readonly ok: false; readonly startedAt: number; readonly failure: Failure };

export type HoldersResult =
  /** Has a condition for each instance that was asked about. */
  | { readonly ok: true; readonly conditions: { readonly [instanceId: string]: InstanceCondition } }
  | { readonly ok: false; readonly failure: Failure };

/** Work that the cloud has announced, in place of what it had announced before. */
export type AnnouncedMaintenance = {
  /** Of the peer; null: of this router. */
  readonly instanceId: string | null;
  /** Null: the cloud does not say. */
  readonly announced: readonly Maintenance[] | null;
};

// --- Moves ---------------------------------------------------------------------------------------

export type SendRequest = CallRequest & { readonly send: number; readonly timeoutMs: number };

/** Of a request that has to wait for tokens. */
export type SendNews = { readonly queued: () => void; readonly released: () => void };

export type Outcome = {
  /** Null for success. */
  readonly failure: Failure | null;
  /** Monotonic ms when the first request was handed to the socket; when it was to be, where it was not. */
  readonly sentAt: number;
  /** By which the cloud's support finds it; null where the answer has none. */
  readonly apiRequestId: string | null;
};

/** When and how often to try is decided by the rules; this sends what it is told to. */
export type Mover = {
  /** Builds, signs and takes a connection; nothing leaves this router. */
  prepare(request: CallRequest): void;
  /**
   * Sends the prepared request where there is one, else a new one; identical ones that are under way use
   * connections of their own. `timeoutMs` runs from when it is sent, which is at once where the cloud's limits allow it.
   * Fulfilled with the answer; never where it is withdrawn. Never rejects.
   */
  send(request: SendRequest, news?: SendNews): Promise<Outcome>;
  /** What was prepared for this attempt will not be sent. */
  discard(attempt: number): void;
  /** What of these calls waits for tokens will not be sent. */
  withdraw(attempt: number, calls: readonly number[]): void;
  /**
   * Goes through a takeover up to the socket, keeps the signed requests for the one that may come, and sees to
   * it that each of them, and a read beside them, would find a connection standing. Sends nothing. Fulfilled
   * when all is built; never rejects.
   */
  rehearse(moves: readonly RequestedMove[]): Promise<void>;
};

// --- What is known beside ------------------------------------------------------------------------

export type Standing = {
  /** Why it is not known how many addresses an interface may have; null where it is, or nothing needs room. */
  readonly roomUnknown: string | null;
  /** Ids of targets that have no room on this router. */
  readonly withoutRoom: readonly string[];
  /** The last question who holds the targets. */
  readonly latestReading: LatestCall | null;
  readonly calls: readonly CallSeries[];
  /** Of this cloud alone (credentials, permissions, limits), in the order in which they are shown. */
  readonly conditions: readonly ConditionNow[];
};

/** Something that a failover needs. */
export type Condition = {
  /** A question that `ok` answers with yes. */
  readonly asks: string;
  readonly whatToDo: string;
};

/** How it is now, by its name in `show ha_ready`. */
export type ConditionNow = Judgement & { readonly condition: string; readonly whatToDo: string };

// --- Alarms --------------------------------------------------------------------------------------

/**
 * In the words of ITU-T X.733. `critical`: the targets are not served, or would not be after a failure of the router
 * that has them. `major`: a failure would do more harm than it has to. `minor`: something has no effect on a takeover
 * yet. `warning`: worth knowing in quiet hours.
 */
export type Severity = 'critical' | 'major' | 'minor' | 'warning';

export type AlarmEntry = {
  readonly severity: Severity;
  readonly means: string;
  readonly cause: string;
  /** Commands of the image in backquotes. */
  readonly act: string;
};

/** Raised by a record of the log with the code as its `event`. */
export type PartAlarm = AlarmEntry & {
  /** The events that end it; empty where only another start of the daemon does. */
  readonly over: readonly string[];
  /** The fields of the record that say what it concerns; none where there is one such thing. */
  readonly about: readonly string[];
};

/** Alarms of the core whose likely cause and remedy depend on the cloud. */
type CloudBound = Extract<
  AlarmCode,
  'takeover-refused' | 'target-lost' | 'give-back-failed' | 'cloud-unobserved'
>;

/** A constant of the adapter. */
export type CloudAlarms = {
  readonly ofCore: { readonly [Code in CloudBound]: Pick<AlarmEntry, 'cause' | 'act'> };
  /** Those that the adapter raises by its log. */
  readonly ofParts: { readonly [code: string]: PartAlarm };
};
