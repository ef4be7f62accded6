/**
 * What the routers' forwarding planes do, with or without daemons: interfaces, the paths between them, and a
 * BFD session for each path (RFC 5880). Says what XR would say; who is told is not its part. The third router's
 * sessions have nobody at their other end.
 */
import type { InterfaceLevel, SessionLevel } from '../src/core/state/model';
import type { Random } from './random';
import {
  otherOf,
  ROUTERS,
  STRANGER,
  type AnyRouter,
  type Both,
  type RouterIndex,
  type Settings,
  txIntervalMs,
} from './scenario';
import type { Timeline } from './timeline';

type End = {
  /** XR runs the session. */
  programmed: boolean;
  level: SessionLevel;
  /** Grows with each change of what it hears, so that a planned detection can be called off. */
  silence: number;
  hears: boolean;
  lastUpAt: number;
  lastDownAt: number;
};

type Session = {
  readonly ends: Both<End>;
  /** Until when packets are lost on the way to this side. */
  readonly deafUntil: Both<number>;
  establishing: number;
};

/** How soon a side that still hears is told that the other has gone DOWN. */
const SIGNAL_MS = 30;

export type NetworkNews = {
  readonly session: (router: RouterIndex, index: number, level: SessionLevel) => void;
  readonly interface: (router: RouterIndex, index: number, level: InterfaceLevel) => void;
};

export class Network {
  readonly sessions: readonly Session[];
  /** Whether the machine runs and forwards. */
  readonly alive: Both<boolean> = [false, false];
  readonly interfaces: readonly [InterfaceLevel[], InterfaceLevel[], InterfaceLevel[]];
  readonly #interfaceDownSince: Both<(number | null)[]> = [
    [null, null],
    [null, null],
  ];
  /** The sessions that the third router has programmed. */
  readonly #lonely = new Set<number>();
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #settings: Settings;
  readonly #news: NetworkNews;

  constructor(timeline: Timeline, random: Random, settings: Settings, news: NetworkNews) {
    this.#timeline = timeline;
    this.#random = random;
    this.#settings = settings;
    this.#news = news;
    this.sessions = Array.from({ length: settings.sessions }, () => ({
      ends: [newEnd(), newEnd()],
      deafUntil: [0, 0],
      establishing: 0,
    }));
    this.interfaces = [
      ['Up', 'Up'],
      ['Up', 'Up'],
      ['Up', 'Up'],
    ];
  }

  setAlive(router: AnyRouter, alive: boolean): void {
    if (router === STRANGER || this.alive[router] === alive) return;
    this.alive[router] = alive;
    this.#refreshAll();
  }

  /** A machine that was paused comes back: its detection times have run out meanwhile. */
  resume(router: AnyRouter, pausedMs: number): void {
    if (router === STRANGER) return;
    this.alive[router] = true;
    this.#refreshAll();
    this.sessions.forEach((session, index) => {
      const end = session.ends[router];
      if (end.level !== 'Up') return;
      if (pausedMs >= this.#settings.detectMs[router])
        this.#timeline.after(this.#random.int(0, 5), () => this.#goDown(index, router));
      // What would have been noticed in the pause is noticed after it.
      else if (!end.hears) this.#detectLater(session, index, router);
    });
  }

  setInterface(router: RouterIndex, index: number, level: InterfaceLevel): void {
    if (this.interfaces[router][index] === level) return;
    this.interfaces[router][index] = level;
    this.#interfaceDownSince[router][index] = level === 'Down' ? this.#timeline.now : null;
    this.#news.interface(router, index, level);
    this.#refreshAll();
  }

  /** Packets to these sides are lost until then. */
  lose(index: number | 'all', deafSide: RouterIndex | 'both', until: number): void {
    this.sessions.forEach((session, number) => {
      if (index !== 'all' && index !== number) return;
      for (const side of ROUTERS)
        if (deafSide === 'both' || deafSide === side)
          session.deafUntil[side] = Math.max(session.deafUntil[side], until);
      this.#refresh(number);
    });
    this.#timeline.after(until - this.#timeline.now, () => this.#refreshAll());
  }

  heal(): void {
    for (const session of this.sessions) session.deafUntil.fill(0);
    for (const router of ROUTERS)
      this.interfaces[router].forEach((_, index) => this.setInterface(router, index, 'Up'));
    this.#refreshAll();
  }

  /** A client programs its session; returns whether XR had it already. */
  program(router: AnyRouter, index: number): boolean {
    if (router === STRANGER) return this.#lonely.has(index) || !this.#lonely.add(index);
    const end = this.#end(router, index);
    const survived = end.programmed;
    if (!survived) {
      end.programmed = true;
      end.level = this.#settings.freshLevel;
      this.#refresh(index);
    }
    return survived;
  }

  /** XR forgets the sessions of this router; the peer is told one way or the other. */
  remove(router: AnyRouter): void {
    if (router === STRANGER) return this.#lonely.clear();
    this.sessions.forEach((session, index) => {
      const end = session.ends[router];
      if (!end.programmed) return;
      end.programmed = false;
      if (end.level === 'Up') end.lastUpAt = this.#timeline.now;
      end.level = 'Unknown';
      const peer = otherOf(router);
      const tellsPeer =
        this.#settings.removedAs === 'Unconfigured' && this.alive[router] && session.ends[peer].hears;
      this.#refresh(index);
      if (tellsPeer)
        this.#timeline.after(this.#random.int(1, SIGNAL_MS), () => {
          if (session.ends[peer].programmed && session.ends[peer].level === 'Up')
            this.#setLevel(index, peer, 'Unconfigured');
        });
    });
  }

  level(router: AnyRouter, index: number): SessionLevel {
    if (router === STRANGER) return this.#settings.freshLevel;
    return this.#end(router, index).level;
  }

  /** When it was last UP, as XR at this router saw it; -Infinity if never. */
  lastUpAt(router: RouterIndex, index: number): number {
    const end = this.#end(router, index);
    return end.level === 'Up' ? this.#timeline.now : end.lastUpAt;
  }

  /** When it was last not UP, as XR at this router saw it. */
  lastDownAt(router: RouterIndex, index: number): number {
    const end = this.#end(router, index);
    return end.level === 'Up' ? end.lastDownAt : this.#timeline.now;
  }

  interfaceDownSince(router: RouterIndex, index: number): number | null {
    return this.#interfaceDownSince[router][index] ?? null;
  }

  #end(router: RouterIndex, index: number): End {
    const session = this.sessions[index];
    if (session === undefined) throw new Error(`there is no session ${index}`);
    return session.ends[router];
  }

  #refreshAll(): void {
    this.sessions.forEach((_, index) => this.#refresh(index));
  }

  #hears(session: Session, index: number, router: RouterIndex): boolean {
    const { ends, deafUntil } = session;
    return (
      this.alive[0] &&
      this.alive[1] &&
      ends[0].programmed &&
      ends[1].programmed &&
      this.interfaces[0][index] === 'Up' &&
      this.interfaces[1][index] === 'Up' &&
      this.#timeline.now >= deafUntil[router]
    );
  }

  #refresh(index: number): void {
    const session = this.sessions[index];
    if (session === undefined) return;
    for (const router of ROUTERS) {
      const end = session.ends[router];
      const hears = this.#hears(session, index, router);
      if (end.hears === hears) continue;
      end.hears = hears;
      end.silence += 1;
      if (!hears && end.level === 'Up') this.#detectLater(session, index, router);
    }
    const [one, other] = session.ends;
    if (!one.hears || !other.hears) {
      session.establishing += 1;
      return;
    }
    if (one.level === 'Up' && other.level === 'Up') return;
    // A side that is UP and hears of one that is not goes DOWN; from there they come UP together.
    for (const router of ROUTERS)
      if (session.ends[router].level === 'Up')
        this.#timeline.after(this.#random.int(1, SIGNAL_MS), () => {
          if (session.ends[otherOf(router)].level !== 'Up') this.#goDown(index, router);
        });
    this.#establishLater(session, index);
  }

  #detectLater(session: Session, index: number, router: RouterIndex): void {
    const end = session.ends[router];
    const { silence } = end;
    const detectMs = this.#settings.detectMs[router];
    // XR may notice an interface of its own at once.
    const here = this.interfaces[router][index] !== 'Up' && this.#random.chance(0.5);
    // The detection time runs from the last packet heard, up to an interval before the silence began.
    const detected = detectMs - this.#random.int(0, txIntervalMs(detectMs));
    this.#timeline.after(here ? this.#random.int(0, 5) : detected, () => {
      if (end.silence === silence) this.#goDown(index, router);
    });
  }

  #goDown(index: number, router: RouterIndex): void {
    const session = this.sessions[index];
    if (session === undefined || session.ends[router].level !== 'Up' || !this.alive[router]) return;
    this.#setLevel(index, router, 'Down');
    const peer = otherOf(router);
    if (session.ends[peer].level === 'Up' && session.ends[peer].hears)
      this.#timeline.after(this.#random.int(1, SIGNAL_MS), () => {
        if (session.ends[router].level !== 'Up' && session.ends[peer].hears) this.#goDown(index, peer);
      });
    if (session.ends[0].hears && session.ends[1].hears) this.#establishLater(session, index);
  }

  #establishLater(session: Session, index: number): void {
    const turn = (session.establishing += 1);
    const [from, to] = this.#settings.establishMs;
    this.#timeline.after(this.#random.int(from, to), () => {
      if (session.establishing !== turn) return;
      for (const router of ROUTERS)
        if (session.ends[router].level !== 'Up') this.#setLevel(index, router, 'Up');
    });
  }

  #setLevel(index: number, router: RouterIndex, level: SessionLevel): void {
    const end = this.#end(router, index);
    if (end.level === 'Up') end.lastUpAt = this.#timeline.now;
    else end.lastDownAt = this.#timeline.now;
    end.level = level;
    this.#news.session(router, index, level);
  }
}

function newEnd(): End {
  return {
    programmed: false,
    level: 'Unknown',
    silence: 0,
    hears: false,
    lastUpAt: -Infinity,
    lastDownAt: 0,
  };
}
