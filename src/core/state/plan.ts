/**
 * What this router has been asked to do, as the core sees it: the floating targets, the BFD sessions that
 * watch the peer router, and the times of the rules. Made from the configuration once; never changes.
 */

/** Where on an instance an interface is: its network card, and its place there. */
export type Slot = {
  readonly deviceIndex: number;
  /** 0 on an instance with one network card, which nearly all are. */
  readonly networkCardIndex: number;
};

/** What the core has to know of a kind of target. */
export type TargetKind = {
  /** Its name in `show`. */
  readonly shownAs: string;
  /** The cloud moves it only from nobody: whoever holds it has to lose it first, and for a moment nobody has it. */
  readonly movesFromNobodyOnly: boolean;
  /** At the peer too it belongs on an interface of the same subnet; otherwise on the one with the same device index. */
  readonly belongsToSubnet: boolean;
  /** Those that go to the same interface are moved by one call, which is all or nothing; otherwise each by its own. */
  readonly movesTogether: boolean;
};

/** What the core has to know of the cloud, whose adapter has it as a constant. */
export type CloudDescription = {
  /** Who is asked and answers, as a name inside a sentence. */
  readonly name: string;
  /** What a holder is that is no instance, with its article, inside a sentence. */
  readonly service: string;
  /**
   * The kinds of its targets, by name. To claim means the same for all: without reassignment the cloud refuses what
   * somebody else holds.
   */
  readonly kinds: { readonly [kind: string]: TargetKind };
};

/** A floating resource and the interface of this router that is to hold it. What else its cloud knows of it is not read here. */
export type Target = Slot & {
  /** Unique, readable inside a sentence (`10.9.0.0/16 in rtb-0a1b`); names the target in every event and effect. */
  readonly id: string;
  /** Of those of the plan's cloud. */
  readonly kind: string;
  /** The address that it is, so that others can be put on it; absent where it is none. */
  readonly address?: string;
  /** The private address of the interface that it is put on; null: the primary one; absent: it is put on none. */
  readonly privateAddress?: string | null;
  /**
   * Its place where not all can be moved at once: lower first. By the operator's priority, then by place in
   * the configuration.
   */
  readonly rank: number;
};

/** A BFD session to the peer router. */
export type PlannedSession = {
  /** Unique, and readable inside a sentence: `172.31.105.154 on TenGigE0/0/0/2`. */
  readonly id: string;
  /** A link-local one has its interface as zone: `fe80::1%TenGigE0/0/0/2`. */
  readonly peerAddress: string;
  /** The local interface as IOS-XR names it; while it is DOWN the session says nothing about the peer. */
  readonly interfaceName: string;
  /** How often each end sends (RFC 5880, 6.8.7). */
  readonly txIntervalMs: number;
  /** Transmit interval times multiplier (RFC 5880, 6.8.4): how long the peer may be silent. */
  readonly detectionTimeMs: number;
};

export type Timing = {
  /** From one observation of the cloud to the next while nothing happens. */
  readonly keepaliveIntervalMs: number;
  /** How long an observation may stay unconfirmed before the role reads UNKNOWN. */
  readonly roleTtlMs: number;
  /** Readings may lag a write this long: a contradicting read is repeated, not believed. */
  readonly stalenessMs: number;
  /** How long the local interface must have been UP, after coming UP, before its session may trigger. */
  readonly reestablishAfterInterfaceMs: number;
  /** How long a fresh session that was armed may fail to come UP before it counts as DOWN. */
  readonly reestablishMs: number;
  /** New interface generation: how long an interface event may trail a BFD event. */
  readonly settleMs: number;
  /** Without an answer for this long at most, and at least, an identical request is sent on another connection. */
  readonly hedgeMs: number;
  readonly hedgeLeastMs: number;
  /** How old stored arming may be when the daemon starts. */
  readonly armedTtlMs: number;
  /** How long a partial ownership has to stay the same before it is repaired. */
  readonly partialHoldMs: number;
  /** How long no session may be UP before the cloud is asked how the holder is. */
  readonly evidenceHoldMs: number;
  /** How long no session may be UP before targets are taken from a holder that runs; null: never. */
  readonly takeFromRunningAfterMs: number | null;
  /** How long the penalty of a takeover needs to fade to half. */
  readonly dampingHalfLifeMs: number;
  /** How long a preferred router has to be ready before it takes the targets back. */
  readonly preemptDelayMs: number;
  /** How long a session that went DOWN right after a stall of this router may take to come UP again. */
  readonly ownStallHoldMs: number;
};

/** `T`: a target as its cloud's adapter knows it. */
export type Plan<T extends Target = Target> = {
  /** Canonical order (kind, then id, addresses as numbers), never that of the configuration: both routers have the same. */
  readonly targets: readonly T[];
  readonly sessions: readonly PlannedSession[];
  /** By which the cloud shows the peer's interfaces: the peers' addresses, or others that the configuration names. */
  readonly peerAddresses: readonly string[];
  /** Whether one session that is DOWN is enough, or all that can testify have to be. */
  readonly trigger: 'any' | 'all';
  /** This router takes the targets back when it is well again (preemption). */
  readonly preferred: boolean;
  /** What to do with a target that an instance outside the pair holds. */
  readonly foreignHolder: 'refuse' | 'take';
  /** What to do where the peer has withdrawn all sessions and the cloud says that its instance runs. */
  readonly onPeerWithdrawn: 'stay' | 'take';
  /** When this router hands the targets to its peer while all is well. */
  readonly handsOver: {
    /** So long before its own announced maintenance; null: never. */
    readonly beforeMaintenanceMs: number | null;
    /** Before its daemon is stopped. */
    readonly atShutdown: boolean;
  };
  readonly timing: Timing;
  readonly cloud: CloudDescription;
};
