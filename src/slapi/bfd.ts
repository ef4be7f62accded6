/**
 * The BFD sessions of one attachment and one address family: their notification stream, registering and
 * programming them, and reading their levels. The order of the steps is the attachment's affair.
 */
import type { BfdSessionSettings } from '../config/settings';
import type { SessionLevel } from '../core/state/model';
import {
  belowLimits,
  bfdEntry,
  bfdLimits,
  bfdNotice,
  entriesOf,
  hasUnknownStatus,
  keyIn,
  keyOf,
  wireSession,
} from './bfdMessages';
import { Levels, type Known } from './levels';
import type { Link } from './link';
import { messageIn, type Message } from './message';
import { runBatch } from './operations';
import { protos, type Protos } from './protos';
import { openStream, streamErrorLoss } from './streams';

/** A level that is another one than was known, with what the router said about it. */
export type SessionNews = { readonly session: string; readonly known: Known<SessionLevel> };

const entriesPerPage = 64;
/** A router that never ends its table must not hold the daemon, nor fill its memory. */
const maxPages = 100;
const maxEntries = maxPages * entriesPerPage;

export type AddressFamily = keyof Protos['bfd'];

export function familyOf({ peerAddress }: BfdSessionSettings): AddressFamily {
  return peerAddress.includes(':') ? 'IPv6' : 'IPv4';
}

export class BfdSessions {
  readonly #link: Link;
  readonly #sessions: readonly BfdSessionSettings[];
  readonly #methods: Protos['bfd'][AddressFamily];
  readonly #news: (news: SessionNews) => void;
  readonly #found: (news: SessionNews) => void;
  readonly #outdated: () => void;
  readonly #byKey: ReadonlyMap<string, BfdSessionSettings>;
  readonly #levels = new Levels<SessionLevel>();
  #sessionsPerRequest = 0;
  #mayBeRegistered = false;

  /**
   * `news` comes from the stream, `found` from a reading. `outdated`: an event contradicts the order of things,
   * so the levels should be read again.
   */
  constructor(
    link: Link,
    family: AddressFamily,
    on: {
      news: (news: SessionNews) => void;
      found: (news: SessionNews) => void;
      outdated: () => void;
    },
  ) {
    this.#link = link;
    this.#sessions = link.sessions.filter((session) => familyOf(session) === family);
    this.#methods = protos().bfd[family];
    this.#news = on.news;
    this.#found = on.found;
    this.#outdated = on.outdated;
    this.#byKey = new Map(this.#sessions.map((session) => [keyOf(session), session]));
  }

  known(session: BfdSessionSettings): Known<SessionLevel> | null {
    return this.#levels.get(session.id);
  }

  listen(): void {
    const method = this.#methods.events;
    openStream(this.#link, method, {}, (message) => {
      const notice = bfdNotice(message);
      switch (notice.kind) {
        case 'session':
          return this.#heard(notice.key, notice.known, message);
        case 'error':
          return this.#link.lose(streamErrorLoss(method, notice.error));
        case 'malformed':
          return this.#link.complaints.malformed(notice.what, message);
      }
    });
  }

  /** The unit of the limit is inferred, so the router has the last word: it is programmed all the same. */
  async checkLimits(): Promise<void> {
    const limits = bfdLimits(await this.#link.operations.runChecked(this.#methods.limits, {}));
    this.#sessionsPerRequest = limits.sessionsPerRequest;
    for (const session of this.#sessions) {
      const mend = belowLimits(session, limits);
      this.#link.complaints.belowLimits(session.id, mend);
    }
  }

  /** REGISTER may have reached the router, so that there is something to withdraw. */
  get mayBeRegistered(): boolean {
    return this.#mayBeRegistered;
  }

  async register(operation: 'REGISTER' | 'EOF'): Promise<void> {
    this.#mayBeRegistered = true;
    await this.#link.operations.runChecked(this.#methods.register, { Oper: `SL_REGOP_${operation}` });
  }

  unregister(): Promise<void> {
    return this.#link.operations.withdraw(this.#methods.register, { Oper: 'SL_REGOP_UNREGISTER' });
  }

  /** UPDATE creates what is not there. Returns those of the family's sessions that the router refused. */
  async program(all: readonly BfdSessionSettings[]): Promise<readonly BfdSessionSettings[]> {
    const sessions = all.filter((session) => this.#sessions.includes(session));
    const refused = await runBatch(this.#link.operations, {
      method: this.#methods.program,
      items: sessions,
      size: this.#sessionsPerRequest,
      request: (items) => ({ Oper: 'SL_OBJOP_UPDATE', Sessions: items.map(wireSession) }),
      matches: (key, session) => keyIn(key) === keyOf(session),
    });
    for (const { item, error } of refused) this.#link.complaints.sessionRefused(item, error);
    const out = refused.map(({ item }) => item);
    for (const session of sessions) if (!out.includes(session)) this.#link.complaints.accepted(session.id);
    return out;
  }

  /** Asks for the levels of all sessions. Returns the ids of those that the router has. */
  async read(): Promise<ReadonlySet<string>> {
    const asked = this.#levels.ask();
    const present = new Set<string>();
    for (const message of await this.#table()) {
      const entry = bfdEntry(message);
      if (entry.kind === 'malformed') {
        this.#link.complaints.malformed(entry.what, message);
        continue;
      }
      // Compared by key: a table holds what others programmed, and answers with the next key at that.
      const session = this.#byKey.get(entry.key);
      if (session === undefined) continue;
      this.#reportUnknownStatus(message);
      present.add(session.id);
      const changed = this.#levels.read(session.id, entry.known, asked);
      if (changed) this.#found({ session: session.id, known: entry.known });
    }
    for (const { id } of this.#sessions) if (!present.has(id)) this.#levels.absent(id, asked);
    return present;
  }

  /** First page without a key, the following ones after the last key; a full last page has no Eof. */
  async #table(): Promise<readonly Message[]> {
    let entries: readonly Message[] = [];
    let after: object = {};
    // A page may hold more than was asked for.
    for (let page = 0; page < maxPages && entries.length < maxEntries; page += 1) {
      const request = { EntriesCount: entriesPerPage, ...after };
      const reply = await this.#link.operations.runChecked(this.#methods.read, request);
      const got = entriesOf(reply);
      entries = entries.concat(got);
      const lastKey = messageIn(got.at(-1) ?? null, 'Key');
      if (reply['Eof'] === true || lastKey === null) return entries;
      after = { Key: lastKey, GetNext: true };
    }
    this.#link.complaints.malformed('a BFD session table without an end', after);
    return entries;
  }

  #heard(key: string, known: Known<SessionLevel>, message: Message): void {
    const session = this.#byKey.get(key);
    if (session === undefined) {
      this.#link.complaints.malformed('a BFD notification for a session that is not configured', message);
      return;
    }
    const verdict = this.#levels.heard(session.id, known);
    if (verdict === 'news') this.#news({ session: session.id, known });
    if (verdict === 'outdated') this.#outdated();
    this.#reportUnknownStatus(messageIn(message, 'Session'));
  }

  #reportUnknownStatus(session: Message | null): void {
    if (!hasUnknownStatus(session)) return;
    this.#link.complaints.malformed('a BFD session in an unknown state, read as UNKNOWN', session);
  }
}
