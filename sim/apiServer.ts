/**
 * The Service-Layer API of one router as the daemon's adapter tells of it: attached or not, levels read when it has
 * attached, then events. BFD and interface events come on two streams: each keeps its order, the two keep none.
 */
import type { Event, InterfaceLevel, SessionLevel } from '../src/core/state/model';
import type { Plan } from '../src/core/state/plan';
import type { EventMaker } from './daemon';
import type { Network } from './network';
import type { Random } from './random';
import type { AnyRouter, Settings } from './scenario';
import type { Timeline } from './timeline';

export type ApiServerParts = {
  readonly index: AnyRouter;
  readonly plan: Plan;
  readonly settings: Settings;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly network: Network;
  /** Whether a daemon runs: nobody else attaches. */
  readonly hasClient: () => boolean;
  /** Tells the daemon, if one runs. */
  readonly tell: (make: EventMaker) => void;
};

export class ApiServer {
  readonly #p: ApiServerParts;
  /** Its process is away until then. */
  #awayUntil = 0;
  /** Grows with each attachment and loss, so that what was under way is not told afterwards. */
  #attachment = 0;
  #attached = false;
  #attachedAt = 0;
  #bfdToldAt = 0;
  #interfaceToldAt = 0;

  constructor(parts: ApiServerParts) {
    this.#p = parts;
  }

  /** The daemon hears of what happens. */
  get isAttached(): boolean {
    return this.#attached;
  }

  get attachedAt(): number {
    return this.#attachedAt;
  }

  keepAway(forMs: number): void {
    this.#awayUntil = this.#p.timeline.now + forMs;
  }

  /** The daemon has gone: what it had programmed may go with it. */
  detach(machineRuns: () => boolean): void {
    const { network, settings, timeline, random, index } = this.#p;
    this.#attached = false;
    const attachment = (this.#attachment += 1);
    if (!settings.sessionsVanish || !machineRuns()) return;
    timeline.after(random.int(1, 3_000), () => {
      if (this.#attachment === attachment && machineRuns()) network.remove(index);
    });
  }

  fail(how: 'restart' | 'stream' | 'taken', forMs: number, keepsSessions: boolean): void {
    const { timeline, network, random, tell, index } = this.#p;
    const wasAttached = this.#attached;
    this.#attached = false;
    this.#attachment += 1;
    if (how === 'taken') {
      if (wasAttached) tell(() => ({ type: 'controlLost', cause: 'NOTIF_TERM' }));
      this.attachSoon(random.int(10_000, 30_000));
      // The other client wants it back, again and again.
      const againMs = random.int(12_000, 32_000);
      if (againMs < forMs) timeline.after(againMs, () => this.fail('taken', forMs - againMs, keepsSessions));
      return;
    }
    if (how === 'restart') {
      this.keepAway(forMs);
      if (!keepsSessions) network.remove(index);
    }
    if (wasAttached) tell(() => ({ type: 'streamsLost', cause: 'the stream has ended' }));
    this.attachSoon(how === 'restart' ? forMs : 0);
  }

  attachSoon(afterMs: number): void {
    const { timeline, random, tell } = this.#p;
    const attachment = (this.#attachment += 1);
    timeline.after(afterMs + random.int(20, 500), () => {
      if (this.#attachment !== attachment || !this.#p.hasClient()) return;
      if (timeline.now >= this.#awayUntil) return this.#attach();
      tell(() => ({ type: 'streamsLost', cause: 'no connection' }));
      this.attachSoon(random.int(500, 4_000));
    });
  }

  #attach(): void {
    const { network, settings, timeline, plan, index, tell } = this.#p;
    this.#attachment += 1;
    this.#attached = true;
    this.#attachedAt = timeline.now;
    const survived = plan.sessions.map((_, session) => network.program(index, session));
    tell(() => ({
      type: 'streamsSynchronized',
      generation: settings.generation,
      answersAboutInterfaces: !settings.silentInterfaces,
      sessions: this.sessionLevels().map((reading, session) => ({
        ...reading,
        survived: survived[session] ?? false,
        refused: false,
        notification: null,
      })),
      interfaces: this.interfaceLevels().map((reading) =>
        settings.silentInterfaces ? { ...reading, level: 'Unknown' } : reading,
      ),
    }));
  }

  sessionNews(index: number, level: SessionLevel): void {
    const { random, settings, plan } = this.#p;
    const session = plan.sessions[index]?.id ?? '';
    this.#bfdToldAt = this.#tellLater(this.#bfdToldAt, random.int(0, settings.bfdLagMs), (receivedAt) => ({
      type: 'bfdSessionChanged',
      session,
      level,
      diag: '',
      receivedAt,
      notification: {},
    }));
  }

  interfaceNews(index: number, level: InterfaceLevel): void {
    const { random, settings, plan } = this.#p;
    const interfaceName = plan.sessions[index]?.interfaceName;
    if (interfaceName === undefined) return;
    const lagMs = random.int(0, settings.interfaceLagMs);
    this.#interfaceToldAt = this.#tellLater(this.#interfaceToldAt, lagMs, (receivedAt) => ({
      type: 'interfaceChanged',
      interfaceName,
      level,
      receivedAt,
      notification: {},
    }));
  }

  #tellLater(toldAt: number, lagMs: number, make: EventMaker): number {
    const { timeline, settings, random, tell } = this.#p;
    if (!this.#attached) return toldAt;
    const at = Math.max(toldAt, timeline.now + lagMs);
    const attachment = this.#attachment;
    timeline.after(at - timeline.now, () => {
      if (this.#attachment !== attachment) return;
      tell(make);
      if (settings.repeats && random.chance(0.2)) tell(make);
    });
    return at;
  }

  /** The answer to `askInterfaces`. */
  answerAboutInterfaces(
    names: readonly string[],
  ): Extract<Event, { type: 'interfacesAnswered' }>['interfaces'] {
    if (!this.#attached) return [];
    return this.interfaceLevels().filter(({ interfaceName }) => names.includes(interfaceName));
  }

  /** The answer to `readLevels`. */
  readLevels(): Extract<Event, { type: 'levelsRead' }> {
    const none = { type: 'levelsRead', sessions: [], interfaces: [] } as const;
    if (!this.#attached) return none;
    return {
      ...none,
      sessions: this.sessionLevels(),
      interfaces: this.#p.settings.silentInterfaces ? [] : this.interfaceLevels(),
    };
  }

  sessionLevels(): { readonly session: string; readonly level: SessionLevel }[] {
    const { network, plan, index } = this.#p;
    return plan.sessions.map(({ id }, session) => ({ session: id, level: network.level(index, session) }));
  }

  interfaceLevels(): { readonly interfaceName: string; readonly level: InterfaceLevel }[] {
    const { network, plan, index } = this.#p;
    return plan.sessions.map(({ interfaceName }, session) => ({
      interfaceName,
      level: network.interfaces[index][session] ?? 'Unknown',
    }));
  }
}
