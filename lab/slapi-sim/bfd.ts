// The BFD session table of one address family of a simulated router, and the requests that work on it: registration
// with mark and sweep, session operations with their results, paging. It knows no streams and no peer: what changes is
// told to `BfdEvents`.
import {
  compareKeys,
  keyFromWire,
  keyId,
  keyToWire,
  stateToWire,
  type BfdDiag,
  type BfdSession,
  type BfdStatus,
  type WireKey,
  type WireSessionCfg,
} from './bfdSession';
import type { AddressFamily } from './address';
import { refuseConfig, refuseKey, type BfdRules } from './bfdRules';
import { status, type Errno, type Generation, type WireStatus } from './wire';

/** What the other side of a removed session gets to see: an AdminDown packet, or nothing any more. */
export type PeerSees = 'unconfig' | 'silence';

export interface BfdEvents {
  readonly created: (session: BfdSession) => void;
  /** Programmed again, perhaps with other timers. */
  readonly updated: (session: BfdSession) => void;
  readonly changed: (session: BfdSession) => void;
  readonly removed: (session: BfdSession, peerSees: PeerSees) => void;
}

export interface SessionGetRequest {
  readonly Key: WireKey | null;
  readonly SeqNum: number;
  readonly EntriesCount: number;
  readonly GetNext: boolean;
}

export interface SessionOpRequest {
  readonly Oper: string | number;
  readonly Sessions: readonly WireSessionCfg[];
}

export interface SessionOpReply {
  readonly StatusSummary: WireStatus;
  readonly Results?: readonly { readonly ErrStatus: WireStatus; readonly Key: WireKey | null }[];
}

export interface BfdOptions {
  readonly generation: Generation;
  readonly initialStatus: 'DOWN' | 'UNKNOWN';
  /** When some sessions of a request are refused: a result for each session of it, or for the refused only. */
  readonly results: 'all' | 'failed';
}

/** One counter for all BFD events of the router, of whatever family. */
export interface EventCounter {
  seqNum: number;
}

export class BfdTable {
  registered = false;
  readonly #counter: EventCounter;
  readonly notRegistered: Errno;
  readonly #sessions = new Map<string, BfdSession>();
  readonly #options: BfdOptions;
  readonly #rules: BfdRules;
  readonly #events: BfdEvents;

  constructor(
    family: AddressFamily,
    counter: EventCounter,
    options: BfdOptions,
    rules: BfdRules,
    events: BfdEvents,
  ) {
    this.notRegistered = family === 'IPv4' ? 'SL_RPC_BFD_V4_NOT_REGISTERED' : 'SL_RPC_BFD_V6_NOT_REGISTERED';
    this.#counter = counter;
    this.#options = options;
    this.#rules = rules;
    this.#events = events;
  }

  list(): readonly BfdSession[] {
    return [...this.#sessions.values()].sort((a, b) => compareKeys(a.key, b.key));
  }

  regOp(oper: string | number): Errno {
    switch (oper) {
      case 'SL_REGOP_REGISTER':
        this.registered = true;
        for (const session of this.#sessions.values()) session.stale = true;
        return 'SL_SUCCESS';
      case 'SL_REGOP_EOF':
        if (!this.registered) return this.notRegistered;
        this.#remove((session) => session.stale, 'unconfig');
        return 'SL_SUCCESS';
      case 'SL_REGOP_UNREGISTER':
        if (!this.registered) return this.notRegistered;
        this.registered = false;
        this.#remove(() => true, 'unconfig');
        return 'SL_SUCCESS';
      default:
        return 'SL_RPC_BFD_API_BAD_PARAMETER';
    }
  }

  limits(): object {
    const { limits } = this.#rules;
    return {
      ErrStatus: {},
      MaxBfdSessionCfgPerSLBfdMsg: limits.maxSessionsPerRequest,
      MinBfdTxIntervalSingleHop: limits.minTxIntervalSingleHop,
      MinBfdTxIntervalMultiHop: limits.minTxIntervalMultiHop,
      MinBfdDetectMultiplierSingleHop: limits.minDetectMultiplierSingleHop,
      MinBfdDetectMultiplierMultiHop: limits.minDetectMultiplierMultiHop,
    };
  }

  stats(): object {
    return { ErrStatus: {}, SeqNum: this.#counter.seqNum, BfdCount: this.#sessions.size };
  }

  /** `forced` refuses every session of the request with that code. */
  sessionOp(request: SessionOpRequest, forced: Errno | null): SessionOpReply {
    if (!this.registered) return { StatusSummary: status(this.notRegistered) };
    if (request.Sessions.length > this.#rules.limits.maxSessionsPerRequest)
      return { StatusSummary: status('SL_RPC_BFD_TOO_MANY_BFD_SESSIONS') };
    const apply = this.#operation(request.Oper);
    if (apply === null) return { StatusSummary: status('SL_RPC_BFD_API_BAD_PARAMETER') };
    const results = request.Sessions.map((session) => ({
      errno: forced ?? apply(session),
      key: session.Key,
    }));
    if (results.every((result) => result.errno === 'SL_SUCCESS')) return { StatusSummary: {} };
    return {
      StatusSummary: status('SL_SOME_ERR'),
      Results: results
        .filter((result) => this.#options.results === 'all' || result.errno !== 'SL_SUCCESS')
        .map((result) => ({ ErrStatus: status(result.errno), Key: result.key })),
    };
  }

  sessionGet(request: SessionGetRequest): object {
    if (!this.registered) return { ErrStatus: status(this.notRegistered) };
    if (request.EntriesCount === 0) return { ErrStatus: status('SL_RPC_BFD_API_BAD_PARAMETER') };
    // A key that is not there is no error: the answer starts at the next one.
    const from = request.Key === null ? null : keyFromWire(request.Key);
    const wanted = this.list().filter((session) => {
      if (session.seqNum < request.SeqNum) return false;
      if (from === null) return true;
      const order = compareKeys(session.key, from);
      return request.GetNext ? order > 0 : order >= 0;
    });
    const page = wanted.slice(0, request.EntriesCount);
    return {
      Eof: page.length < request.EntriesCount,
      ErrStatus: {},
      Entries: page.map((session) => ({
        Key: keyToWire(session.key),
        Config: { DesiredTxIntUsec: session.desiredTxIntUsec, DetectMultiplier: session.detectMultiplier },
        State: stateToWire(session, this.#options.generation),
      })),
    };
  }

  setStatus(session: BfdSession, to: BfdStatus, diag: BfdDiag): void {
    session.status = to;
    session.diag = diag;
    session.seqNum = this.#nextSeqNum();
    this.#events.changed(session);
  }

  /** The client's registration and sessions are gone. The event counter belongs to the router and stays. */
  forgetClient(peerSees: PeerSees): void {
    this.registered = false;
    this.#remove(() => true, peerSees);
  }

  /** As after a restart of the router's BFD process. */
  restart(peerSees: PeerSees): void {
    this.forgetClient(peerSees);
    this.#counter.seqNum = 0;
  }

  #operation(oper: string | number): ((session: WireSessionCfg) => Errno) | null {
    switch (oper) {
      case 'SL_OBJOP_ADD':
        return (session) =>
          this.#program(session, (known) => (known === undefined ? null : 'SL_BFD_SESSION_EXISTS'));
      case 'SL_OBJOP_UPDATE':
        return (session) => this.#program(session, () => null);
      case 'SL_OBJOP_DELETE':
        return (session) => this.#delete(session);
      default:
        return null;
    }
  }

  #program(wanted: WireSessionCfg, refuse: (known: BfdSession | undefined) => Errno | null): Errno {
    const wireKey = wanted.Key ?? {};
    const key = keyFromWire(wireKey);
    const known = this.#sessions.get(keyId(key));
    const errno = refuseKey(wireKey, this.#rules) ?? refuseConfig(wanted, this.#rules) ?? refuse(known);
    if (errno !== null || wanted.Config === null) return errno ?? 'SL_BFD_INVALID_ATTRIBUTE';
    const { DesiredTxIntUsec: desiredTxIntUsec, DetectMultiplier: detectMultiplier } = wanted.Config;
    if (known !== undefined) {
      Object.assign(known, { desiredTxIntUsec, detectMultiplier, stale: false });
      this.#events.updated(known);
      return 'SL_SUCCESS';
    }
    const initial = this.#options.initialStatus;
    const session: BfdSession = {
      key,
      desiredTxIntUsec,
      detectMultiplier,
      status: initial,
      diag: 'NONE',
      seqNum: initial === 'DOWN' ? this.#nextSeqNum() : 0,
      stale: false,
    };
    this.#sessions.set(keyId(key), session);
    this.#events.created(session);
    return 'SL_SUCCESS';
  }

  #delete(wanted: WireSessionCfg): Errno {
    const wireKey = wanted.Key ?? {};
    const errno = refuseKey(wireKey, this.#rules);
    if (errno !== null) return errno;
    const id = keyId(keyFromWire(wireKey));
    if (!this.#sessions.has(id)) return 'SL_BFD_SESSION_NOT_FOUND';
    this.#remove((session) => keyId(session.key) === id, 'unconfig');
    return 'SL_SUCCESS';
  }

  #remove(which: (session: BfdSession) => boolean, peerSees: PeerSees): void {
    for (const session of this.list().filter(which)) {
      this.#sessions.delete(keyId(session.key));
      this.#events.removed(session, peerSees);
    }
  }

  #nextSeqNum(): number {
    this.#counter.seqNum += 1;
    return this.#counter.seqNum;
  }
}
