/**
 * The vocabulary of the core: levels, events, effects and the state. Everything here is plain JSON, so
 * that a journal from a router replays in a test. `now` and every `...At` are monotonic milliseconds
 * since boot (CLOCK_MONOTONIC), comparable between two runs of the daemon on one boot.
 */

import type { StoredAlarm } from './alarms';
import type { JsonObject } from './json';
import type { Observation, CloudClock, Failure, InstanceCondition } from './readings';

/** Exactly what `show ha_state` prints. */
export type HaState = 'ACTIVE' | 'STANDBY' | 'UNKNOWN';

/**
 * A BFD session as the Service-Layer API reports it. `Unknown` is a session that has never come UP, or
 * one whose level cannot be read now; `Unconfigured` is NEIGHBOR_UNCONFIG: the peer removed its side.
 */
export type SessionLevel = 'Up' | 'Down' | 'Unknown' | 'Unconfigured';
export type InterfaceLevel = 'Up' | 'Down' | 'Unknown';

/** IOS-XR's two interface APIs: `gen1` up to 24.2 (states can be asked for), `gen2` from 24.4.1. */
export type InterfaceGeneration = 'gen1' | 'gen2';

export type Intent = {
  readonly startedAt: number;
  readonly targets: readonly string[];
};

/** An operator's order to begin nothing for a while. */
export type Inhibit = {
  readonly until: number;
  /** The same in milliseconds since 1970: what counts after another boot. */
  readonly untilWall: number;
  readonly forMs: number;
  /** In the operator's words. */
  readonly why: string;
};

/** Work on a router that its cloud has announced. */
export type Maintenance = {
  /** As the cloud calls it (`system-reboot`, `instance-stop`). */
  readonly code: string;
  /** When it may begin, monotonic and in milliseconds since 1970; null where the cloud does not say. */
  readonly at: number | null;
  readonly atWall: number | null;
};

/** An operator's order of a switchover for later. */
export type Scheduled = {
  readonly at: number;
  /** The same in milliseconds since 1970: what counts after another boot. */
  readonly atWall: number;
};

export type Damping = {
  /** As it was at `at`; it fades from then on. */
  readonly penalty: number;
  readonly at: number;
  /** No takeover begins before; null while none is held back. */
  readonly suppressedUntil: number | null;
};

/** The decision memory: one small file, never Redis. Times count only within the same boot. */
export type Memory = {
  readonly bootId: string;
  /** When what it says of levels and ownership was last known to be so. */
  readonly savedAt: number;
  /** Whether the last confirmed observation said that all targets were ours. */
  readonly wasActive: boolean;
  /** Ids of the sessions that were armed. */
  readonly armedSessions: readonly string[];
  /** A takeover that had begun to move targets and was not finished. */
  readonly intent: Intent | null;
  /** This router has been ACTIVE since it booted. */
  readonly beenActive: boolean;
  readonly inhibit: Inhibit | null;
  readonly scheduled: Scheduled | null;
  readonly damping: Damping | null;
  readonly alarms: readonly StoredAlarm[];
};

// --- Events: past participles, each a translation of something that happened outside ---------------

export type SessionReading = {
  readonly session: string;
  readonly level: SessionLevel;
  /** Whether the router already had the session before this daemon programmed it. */
  readonly survived: boolean;
  /** The router refuses to have the session, so its level says nothing about the peer. */
  readonly refused: boolean;
  /** The reading in the words of a notification, for `show` only; null where the router gave none. */
  readonly notification: JsonObject | null;
};

export type Event =
  /** First event of a process life. `memory` is null where there is none that can be read. */
  | {
      readonly type: 'started';
      readonly bootId: string;
      readonly memory: Memory | null;
      /** Milliseconds since 1970, for what has to outlive a boot; nothing else is decided by it. */
      readonly wallNow: number;
    }
  /** The input queue is empty: decide. Also sent when a deadline is reached; spurious ones are harmless. */
  | { readonly type: 'inputDrained'; readonly jitter: number }
  /** Registered, programmed, read back: levels are known and this daemon is in control of the streams. */
  | {
      readonly type: 'streamsSynchronized';
      readonly generation: InterfaceGeneration;
      /** Whether the router says, when it is asked, what state an interface is in: `askInterfaces`. */
      readonly answersAboutInterfaces: boolean;
      readonly sessions: readonly SessionReading[];
      readonly interfaces: readonly { readonly interfaceName: string; readonly level: InterfaceLevel }[];
    }
  | { readonly type: 'streamsLost'; readonly cause: string }
  /** NOTIF_TERM: another client took a notification stream. */
  | { readonly type: 'controlLost'; readonly cause: string }
  | {
      readonly type: 'bfdSessionChanged';
      readonly session: string;
      readonly level: SessionLevel;
      /** Recorded, never decided on: XR 7.3.x leaves it empty. */
      readonly diag: string;
      readonly receivedAt: number;
      /** The notification as the Service-Layer API words it; for `show` only. */
      readonly notification: JsonObject;
    }
  | {
      readonly type: 'interfaceChanged';
      readonly interfaceName: string;
      readonly level: InterfaceLevel;
      readonly receivedAt: number;
      readonly notification: JsonObject;
    }
  /** Answer to `askInterfaces`; the levels that could be read, none where the question failed. */
  | {
      readonly type: 'interfacesAnswered';
      readonly attempt: number;
      readonly interfaces: readonly { readonly interfaceName: string; readonly level: InterfaceLevel }[];
    }
  | {
      readonly type: 'ownershipObserved';
      /** Null: the slower part of one that has been answered already. */
      readonly number: number | null;
      readonly startedAt: number;
      readonly observation: Observation;
      /** Absent: the cloud has not said. */
      readonly clock?: CloudClock;
    }
  | { readonly type: 'observationFailed'; readonly number: number; readonly failure: Failure }
  /** The cloud is about to be read anyway: who has no question out may have that answer too. */
  | { readonly type: 'observationOffered' }
  /** By the cloud's latest answers to this router a takeover call that has had none for this long is slow. */
  | { readonly type: 'answerTimeLearnt'; readonly slowAfterMs: number }
  /** A request of `sendCall` has not been sent: it waits for tokens (the cloud's limit of requests). */
  | {
      readonly type: 'callQueued';
      readonly attempt: number;
      readonly call: number;
      readonly send: number;
    }
  /** One that was queued is under way; its deadline runs from here. */
  | {
      readonly type: 'callReleased';
      readonly attempt: number;
      readonly call: number;
      readonly send: number;
    }
  | {
      readonly type: 'callAnswered';
      readonly attempt: number;
      readonly call: number;
      readonly send: number;
      /** When the request was handed to the socket, for the timeline. */
      readonly sentAt: number;
      /** Null for success. */
      readonly failure: Failure | null;
      readonly apiRequestId: string | null;
    }
  /** The process did not run for this long: a paused virtual machine, a frozen container (rule 16). */
  | { readonly type: 'processStalled'; readonly forMs: number }
  /** Answer to `readLevels`; empty where the router could not be asked. */
  | {
      readonly type: 'levelsRead';
      readonly sessions: readonly { readonly session: string; readonly level: SessionLevel }[];
      readonly interfaces: readonly { readonly interfaceName: string; readonly level: InterfaceLevel }[];
    }
  /** Answer to `askHolders`. */
  | {
      readonly type: 'holdersAnswered';
      readonly number: number;
      readonly result:
        | { readonly ok: true; readonly conditions: { readonly [instanceId: string]: InstanceCondition } }
        | { readonly ok: false; readonly failure: Failure };
    }
  /** What the cloud has announced for a router of the pair, in place of what was known; empty where it is nothing. */
  | {
      readonly type: 'maintenanceLearnt';
      /** Of the peer; null: of this router. */
      readonly instanceId: string | null;
      /** Null: the cloud does not say. */
      readonly announced: readonly Maintenance[] | null;
    }
  /** Operators' commands; `request` is the number that their answer has to carry. */
  | {
      readonly type: 'inhibitRequested';
      readonly request: number;
      readonly forMs: number;
      readonly why: string;
      /** Milliseconds since 1970. */
      readonly wallNow: number;
    }
  | { readonly type: 'releaseRequested'; readonly request: number }
  | { readonly type: 'switchoverRequested'; readonly request: number }
  /** A switchover for later, in place of one that was ordered before. Both times in milliseconds since 1970. */
  | {
      readonly type: 'scheduleRequested';
      readonly request: number;
      readonly atWall: number;
      readonly wallNow: number;
    }
  /** No switchover later. */
  | { readonly type: 'cancelRequested'; readonly request: number }
  /** A switchover to the peer for so long, and back. */
  | {
      readonly type: 'drillRequested';
      readonly request: number;
      readonly holdMs: number;
      /** What of this router's readiness fails, a sentence each; as the parts around the core know it. */
      readonly unready: readonly string[];
    }
  /** What would a switchover ask for now, and what speaks against it? Changes nothing. */
  | { readonly type: 'previewRequested'; readonly request: number }
  | { readonly type: 'shutdownRequested'; readonly cause: string };

// --- Effects: imperatives; the outcome comes back as an event --------------------------------------

export type CallRequest = RequestedMove & { readonly attempt: number; readonly call: number };

/** What the cloud is asked for. */
export type RequestedMove = {
  readonly networkInterfaceId: string;
  readonly targets: readonly string[];
  /** Whether the cloud may take the targets from somebody else; without, it refuses what is held. */
  readonly allowReassignment: boolean;
  /** Where the cloud's tokens do not suffice for all calls, lower ranks go first. */
  readonly rank: number;
  /** Where on the interface, of an Elastic IP; absent: on the primary address. */
  readonly privateAddress?: string;
  /** What has to be taken off other interfaces before; absent: nothing. */
  readonly releases?: readonly {
    readonly networkInterfaceId: string;
    readonly targets: readonly string[];
  }[];
};

/**
 * What a move is for. `takeover`: BFD says that the peer is gone (rule 3). `evidence`: the cloud says so (rule 9).
 * `repair` and `claim`: targets without a proper owner (rule 8). `preemption`: this router is preferred
 * (rule 11). `switchover`: an operator wants the peer to have them (rule 15). `giveBack`: the failure was here
 * (rule 5).
 */
export type Purpose = 'takeover' | 'evidence' | 'repair' | 'claim' | 'preemption' | 'switchover' | 'giveBack';

/** When the peer was last known to be UP, where it is not known when it went DOWN; null: not in this life of the daemon. */
export type LastUp = { readonly at: number | null };

/** When each leg of a takeover happened; null for a leg that has not. */
export type Timeline = {
  readonly attempt: number;
  readonly purpose: Purpose;
  /** When the peer went DOWN; when it was decided where that is not known, and for other purposes than a takeover. */
  readonly triggeredAt: number;
  /** Of a takeover: null where `triggeredAt` is when the peer went DOWN. */
  readonly lastUp: LastUp | null;
  readonly decidedAt: number;
  readonly firstSentAt: number | null;
  readonly lastAnsweredAt: number | null;
  readonly confirmedAt: number | null;
  /** Begun by an earlier run of the daemon: `triggeredAt` is when that run decided. */
  readonly resumed: boolean;
};

/** One line per effect: the union and the table of runners are both derived from it. */
export type EffectArgs = {
  /** All targets of one call to one interface. It may have to wait for the cloud's tokens. */
  readonly sendCall: CallRequest & { readonly send: number; readonly timeoutMs: number };
  /** Build and sign, so that `sendCall` of the same call has only the socket left to wait for. */
  readonly prepareCall: CallRequest;
  /** Prepared requests of this attempt will not be sent. */
  readonly discardPrepared: { readonly attempt: number };
  /** Requests of these calls that wait for tokens will not be sent. */
  readonly withdrawCalls: { readonly attempt: number; readonly calls: readonly number[] };
  readonly askInterfaces: {
    readonly attempt: number;
    readonly interfaceNames: readonly string[];
    readonly timeoutMs: number;
  };
  readonly observeOwnership: { readonly number: number };
  /** Ask the cloud how the instances that hold the targets are. */
  readonly askHolders: { readonly number: number; readonly instanceIds: readonly string[] };
  /** Read the levels of sessions and interfaces again. */
  readonly readLevels: Readonly<Record<never, never>>;
  /** The answer to an operator's command; `switchover` is answered when it has ended. */
  readonly answerOperator: {
    readonly request: number;
    readonly accepted: boolean;
    readonly sentence: string;
    /** What belongs to the sentence, for a terminal. */
    readonly lines?: readonly string[];
    /** Something has moved, although the command was not carried out as a whole. */
    readonly begun?: true;
  };
  readonly remember: { readonly memory: Memory };
  readonly reportTimeline: { readonly timeline: Timeline };
  readonly stop: { readonly reason: string };
};

export type Effect = {
  [Name in keyof EffectArgs]: { readonly effect: Name } & EffectArgs[Name];
}[keyof EffectArgs];
