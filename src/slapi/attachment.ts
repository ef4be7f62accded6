/**
 * One attachment to the router, from the first word to the loss: the order in which things are registered
 * and read (section "sequence" below), what is told to the core and when. Reconnecting is client.ts's part.
 *
 * Ordering duties:
 * 1. The init stream comes first and stays open: routers before 24.4.1 reject everything else without it.
 * 2. All notification streams are open before sessions are programmed, or events can be lost. Whether a stream or its
 *    registration comes first is learnt from the router (order.ts).
 * 3. Levels are read after REGISTER and before UPDATE (what survived) and again after EOF (what is true).
 *    BFD has a service and a stream for each address family that the configuration uses; each step is taken for
 *    all of them before the next one.
 * 4. Nothing is told before all that; events that arrive meanwhile are merged into the levels told then.
 * 5. After it an event is told inside the gRPC callback that brought it.
 * 6. A level that a later reading finds changed is told once: as an event, or, while an answer to `readLevels` is
 *    awaited, in that answer. Events of the streams are told as ever meanwhile, and the answer holds the newest.
 */
import type { Logger } from 'pino';
import type { BfdSessionSettings, SlapiSettings } from '../config/settings';
import type { Event, SessionLevel, SessionReading } from '../core/state/model';
import { pauseMs } from '../core/pause';
import { BfdSessions, familyOf, type SessionNews } from './bfd';
import type { RouterChannel } from './channel';
import type { Complaints } from './complaints';
import { detectGeneration, shakeHands } from './generation';
import { Heartbeats } from './heartbeats';
import type { InterfaceFeed, InterfaceNews, InterfaceReading } from './interfaces';
import { Gen1Interfaces } from './interfacesGen1';
import { Gen2Interfaces } from './interfacesGen2';
import type { Known } from './levels';
import type { Link } from './link';
import { Operations, StepFailure, type Loss } from './operations';
import type { Order } from './order';
import { Rereading } from './rereading';

/** What this adapter tells the core. */
export type SlapiEvent = Extract<
  Event,
  {
    type: 'streamsSynchronized' | 'streamsLost' | 'controlLost' | 'bfdSessionChanged' | 'interfaceChanged';
  }
>;

/** A session that the router refuses to have is not in it. */
export type LevelsReading = {
  readonly sessions: readonly { readonly session: string; readonly level: SessionLevel }[];
  readonly interfaces: readonly InterfaceReading[];
};
export const noLevels: LevelsReading = { sessions: [], interfaces: [] };

export type AttachmentTiming = {
  /** Deadline of every operation, the greeting included. */
  readonly operationTimeoutMs: number;
  /** How long heartbeats may fail to come, at least, before the router counts as lost. */
  readonly heartbeatPatienceMs: number;
  /** Second generation: how long to wait for the first report of each interface. */
  readonly firstReportMs: number;
};

export type AttachmentOptions = {
  readonly settings: SlapiSettings;
  readonly channel: RouterChannel;
  readonly timing: AttachmentTiming;
  readonly order: Order;
  readonly complaints: Complaints;
  readonly log: Logger;
  readonly now: () => number;
  readonly heard: Link['heard'];
  readonly emit: (event: SlapiEvent) => void;
  /** Called once, at once, when the attachment is over, unless `close` came first. */
  readonly lost: (loss: Loss) => void;
};

export class Attachment {
  readonly #options: AttachmentOptions;
  readonly #link: Link;
  readonly #interfaceNames: readonly string[];
  /** One for each address family that has a session. */
  readonly #bfd: readonly BfdSessions[];
  readonly #heartbeats: Heartbeats;
  #interfaces: InterfaceFeed | null = null;
  #live = false;
  #over = false;
  /** Ids of the sessions that the router does not run; what it says about them is not told. */
  #refused: ReadonlySet<string> = new Set();
  #retryTimer: NodeJS.Timeout | null = null;
  readonly #rereading: Rereading<LevelsReading>;

  constructor(options: AttachmentOptions) {
    const { settings, channel, timing, now } = options;
    this.#options = options;
    this.#link = {
      channel,
      operations: new Operations(channel, timing.operationTimeoutMs),
      sessions: settings.sessions,
      complaints: options.complaints,
      log: options.log,
      heard: options.heard,
      lose: (loss) => this.#lose(loss),
    };
    this.#interfaceNames = [...new Set(settings.sessions.map(({ interfaceName }) => interfaceName))];
    this.#rereading = new Rereading(
      () =>
        this.#guarded(async () => {
          await this.#readSessions();
          await this.#interfaces?.settle();
        }),
      () => this.#levels(),
    );
    this.#bfd = [...new Set(settings.sessions.map(familyOf))].map(
      (family) =>
        new BfdSessions(this.#link, family, {
          news: (news) => this.#sessionNews(news),
          found: (news) => this.#unlessAwaited(() => this.#sessionNews(news)),
          outdated: () => this.#rereading.request(),
        }),
    );
    this.#heartbeats = new Heartbeats(now, timing.heartbeatPatienceMs, (silentMs) =>
      this.#lose({ kind: 'lost', cause: `the router's heartbeats have stopped for ${silentMs} ms` }),
    );
  }

  start(): void {
    void this.#guarded(() => this.#synchronize());
  }

  async askInterfaces(names: readonly string[], timeoutMs: number): Promise<readonly InterfaceReading[]> {
    return this.#live && this.#interfaces !== null ? this.#interfaces.ask(names, timeoutMs) : [];
  }

  /** The levels as the router says them now; none where they could not be read. Never rejects. */
  async readLevels(): Promise<LevelsReading> {
    return this.#live ? this.#rereading.ask() : noLevels;
  }

  /** Withdraws whatever was programmed, during synchronization too. Nothing is told after this. */
  async unregister(): Promise<void> {
    const registered = this.#bfd.filter(({ mayBeRegistered }) => mayBeRegistered);
    if (registered.length === 0 || this.#over) return;
    // The steps that are under way fail from here on, which is no loss.
    this.#over = true;
    this.#live = false;
    await this.#guarded(async () => {
      for (const bfd of registered) await bfd.unregister();
      await this.#interfaces?.unregister();
    });
  }

  /** Nothing is told after this. */
  close(): void {
    this.#over = true;
    this.#live = false;
    this.#heartbeats.stop();
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#options.channel.close();
  }

  // ---- The sequence ----

  async #synchronize(): Promise<void> {
    const { settings, timing } = this.#options;
    const handshake = await shakeHands(this.#link, timing.operationTimeoutMs, () => this.#heartbeats.beat());
    const generation = await detectGeneration(this.#link, handshake, timing.operationTimeoutMs);
    const interfaces = this.#openFeed(generation);
    this.#interfaces = interfaces;
    await this.#openAndRegister(interfaces);
    const before = await this.#readSessions();
    const refused = await this.#program(settings.sessions);
    for (const bfd of this.#bfd) await bfd.register('EOF');
    const present = await this.#readSessions();
    await interfaces.settle();

    if (this.#over) return;
    this.#live = true;
    this.#refused = notRunning(settings.sessions, refused, present);
    const survived = new Set([...before].filter((id) => present.has(id)));
    this.#tellSynchronized(interfaces, survived);
    this.#rereading.open();
    // What the core makes of it is in the core's own record.
    this.#options.log.debug(
      {
        event: 'slapi-attached',
        reason: `attached: the router runs ${present.size} of our BFD sessions and refused ${this.#refused.size}`,
        generation,
        version: handshake.version,
        sessions: present.size,
        refused: [...this.#refused],
      },
      'Attached to the Service-Layer API of the router',
    );
    this.#retryLater();
  }

  async #openAndRegister(interfaces: InterfaceFeed): Promise<void> {
    const { order } = this.#options;
    const listen = () => this.#bfd.forEach((bfd) => bfd.listen());
    // Interfaces of the newer generation have no registration of their own: what they may wait for is that of BFD.
    const comeLast = interfaces.generation === 'gen2' && order.interfaces === 'other';
    if (order.bfd === 'usual') listen();
    if (!comeLast) await interfaces.open(order.interfaces);
    if (order.bfd === 'usual') for (const bfd of this.#bfd) await bfd.checkLimits();
    for (const bfd of this.#bfd) await bfd.register('REGISTER');
    if (order.bfd === 'other') {
      for (const bfd of this.#bfd) await bfd.checkLimits();
      listen();
    }
    if (comeLast) await interfaces.open(order.interfaces);
  }

  /** The ids of the sessions that the router has. */
  async #readSessions(): Promise<ReadonlySet<string>> {
    const present = new Set<string>();
    for (const bfd of this.#bfd) for (const id of await bfd.read()) present.add(id);
    return present;
  }

  /** Returns the sessions that the router refused. */
  async #program(sessions: readonly BfdSessionSettings[]): Promise<readonly BfdSessionSettings[]> {
    const refused: BfdSessionSettings[] = [];
    for (const bfd of this.#bfd) refused.push(...(await bfd.program(sessions)));
    return refused;
  }

  #openFeed(generation: InterfaceFeed['generation']): InterfaceFeed {
    const news = (interfaceNews: InterfaceNews) => this.#interfaceNews(interfaceNews);
    switch (generation) {
      case 'gen1':
        return new Gen1Interfaces(this.#link, this.#interfaceNames, {
          news,
          found: (interfaceNews) => this.#unlessAwaited(() => news(interfaceNews)),
          outdated: () => this.#rereading.request(),
        });
      case 'gen2': {
        const { firstReportMs } = this.#options.timing;
        return new Gen2Interfaces(this.#link, this.#interfaceNames, { news, firstReportMs });
      }
    }
  }

  // ---- Telling the core ----

  #tellSynchronized(interfaces: InterfaceFeed, survived: ReadonlySet<string>): void {
    const sessions = this.#options.settings.sessions.map((session): SessionReading => {
      const known = this.#refused.has(session.id) ? null : this.#known(session);
      return {
        session: session.id,
        level: known?.level ?? 'Unknown',
        survived: survived.has(session.id),
        refused: this.#refused.has(session.id),
        notification: known?.notification ?? null,
      };
    });
    this.#options.emit({
      type: 'streamsSynchronized',
      generation: interfaces.generation,
      answersAboutInterfaces: interfaces.answers(),
      sessions,
      interfaces: this.#interfaceLevels(interfaces),
    });
  }

  #levels(): LevelsReading {
    const interfaces = this.#interfaces;
    if (!this.#live || interfaces === null) return noLevels;
    const running = this.#options.settings.sessions.filter(({ id }) => !this.#refused.has(id));
    return {
      sessions: running.map((session) => ({
        session: session.id,
        level: this.#known(session)?.level ?? 'Unknown',
      })),
      interfaces: this.#interfaceLevels(interfaces),
    };
  }

  #known(session: BfdSessionSettings): Known<SessionLevel> | null {
    return this.#bfd.map((bfd) => bfd.known(session)).find((known) => known !== null) ?? null;
  }

  #interfaceLevels(interfaces: InterfaceFeed): readonly InterfaceReading[] {
    return this.#interfaceNames.map((interfaceName) => ({
      interfaceName,
      level: interfaces.level(interfaceName),
    }));
  }

  #unlessAwaited(tell: () => void): void {
    if (!this.#rereading.isAwaited) tell();
  }

  #sessionNews({ session, known }: SessionNews): void {
    if (!this.#live || this.#refused.has(session)) return;
    const { level, diag, notification } = known;
    const receivedAt = this.#options.now();
    this.#options.emit({ type: 'bfdSessionChanged', session, level, diag, receivedAt, notification });
  }

  #interfaceNews({ interfaceName, known }: InterfaceNews): void {
    if (!this.#live) return;
    const { level, notification } = known;
    const receivedAt = this.#options.now();
    this.#options.emit({ type: 'interfaceChanged', interfaceName, level, receivedAt, notification });
  }

  // ---- Later ----

  /** What the router has refused by then is offered again, slowly: the interface or VRF may have appeared. */
  #retryLater(): void {
    const { retryIntervalMs } = this.#options.settings;
    this.#retryTimer = setTimeout(
      () => {
        void this.#guarded(() => this.#retry());
      },
      pauseMs({ firstMs: retryIntervalMs, lastMs: retryIntervalMs }, 0, Math.random()),
    );
  }

  async #retry(): Promise<void> {
    if (this.#interfaces?.hasRefused() === true) await this.#interfaces.retryRefused();
    const again = this.#options.settings.sessions.filter(({ id }) => this.#refused.has(id));
    if (again.length > 0) await this.#programAgain(again);
    if (this.#live) this.#retryLater();
  }

  /** A session that the router takes at last is fresh, which only `streamsSynchronized` can say. */
  async #programAgain(sessions: readonly BfdSessionSettings[]): Promise<void> {
    const refused = await this.#program(sessions);
    if (refused.length === sessions.length) return;
    const present = await this.#readSessions();
    const running = this.#options.settings.sessions.filter(({ id }) => !this.#refused.has(id));
    const interfaces = this.#interfaces;
    if (!this.#live || interfaces === null) return;
    this.#refused = notRunning(this.#options.settings.sessions, refused, present);
    this.#tellSynchronized(interfaces, new Set(running.map(({ id }) => id)));
  }

  // ---- The end ----

  #lose(loss: Loss): void {
    if (this.#over) return;
    this.close();
    this.#options.lost(loss);
  }

  /** A failed step ends the attachment; anything else is a bug and ends the process. */
  async #guarded(steps: () => Promise<void>): Promise<void> {
    try {
      await steps();
    } catch (error: unknown) {
      if (!(error instanceof StepFailure)) throw error;
      this.#lose(error.loss);
    }
  }
}

/** Refused, or accepted and yet not in the router's table. */
function notRunning(
  sessions: readonly BfdSessionSettings[],
  refused: readonly BfdSessionSettings[],
  present: ReadonlySet<string>,
): ReadonlySet<string> {
  return new Set(
    sessions.filter((session) => refused.includes(session) || !present.has(session.id)).map(({ id }) => id),
  );
}
