// The network between simulated routers: links, what is lost on them, and what the BFD sessions at their
// ends make of it. The rules are those of RFC 5880: a session that hears nothing for its detection time
// (section 6.8.4) goes down, one that is told "down" goes down at once (6.8.6), and both come up together
// once they hear each other. Removing a session tells the other side (AdminDown), which IOS-XR reports as
// NEIGHBOR_UNCONFIG.
import { canonical, familyOf } from './address';
import type { PeerSees } from './bfd';
import type { BfdSession } from './bfdSession';
import type { SimRouter } from './router';
import { Timers } from './timers';

export interface FabricOptions {
  /** From the first moment that both ends could hear each other to UP. */
  readonly bringUpMs?: number;
  /** In place of the negotiated detection time; null for the latter. */
  readonly detectTimeMs?: number | null;
}

interface LinkEnd {
  readonly router: SimRouter;
  readonly interface: string;
  readonly address: string;
  /** Whether packets that leave here arrive at the other end. */
  sends: boolean;
  /** What the peer's packets said while they came: it still counts when they stop. */
  peerTimers: { readonly txIntUsec: number; readonly multiplier: number } | null;
  cancelDetect: (() => void) | null;
}

interface Link {
  readonly id: string;
  readonly ends: readonly [LinkEnd, LinkEnd];
  cancelBringUp: (() => void) | null;
}

export interface LinkState {
  readonly id: string;
  readonly ends: readonly { readonly router: string; readonly interface: string; readonly sends: boolean }[];
}

export class Fabric {
  detectTimeMs: number | null;
  bringUpMs: number;
  readonly #timers = new Timers();
  readonly #links: Link[] = [];
  readonly #routers = new Set<SimRouter>();
  #settling = false;
  #again = false;

  constructor({ bringUpMs = 100, detectTimeMs = null }: FabricOptions = {}) {
    this.bringUpMs = bringUpMs;
    this.detectTimeMs = detectTimeMs;
  }

  /**
   * Joins two interfaces for the packets between two addresses of one family; returns the link's id. Interfaces
   * that have both families have a link for each.
   */
  link(
    routerA: SimRouter,
    interfaceA: string,
    addressA: string,
    routerB: SimRouter,
    interfaceB: string,
    addressB: string,
  ): string {
    const family = familyOf(addressA) === 'IPv6' ? ' (IPv6)' : '';
    const id = `${routerA.name}:${interfaceA}-${routerB.name}:${interfaceB}${family}`;
    const ends = [linkEnd(routerA, interfaceA, addressA), linkEnd(routerB, interfaceB, addressB)] as const;
    this.#links.push({ id, ends, cancelBringUp: null });
    for (const { router } of ends) this.#follow(router);
    this.#settle();
    return id;
  }

  /** Nothing passes any more, either way. The interfaces stay up, as in a cloud network. */
  cutLink(id: string): void {
    this.#setPath(id, () => false);
  }

  /** What the named router sends is lost; what it is sent arrives. */
  loseFrom(id: string, routerName: string): void {
    this.#setPath(id, (end) => end.sends && end.router.name !== routerName);
  }

  restoreLink(id: string): void {
    this.#setPath(id, () => true);
  }

  links(): readonly LinkState[] {
    return this.#links.map(({ id, ends }) => ({
      id,
      ends: ends.map((end) => ({ router: end.router.name, interface: end.interface, sends: end.sends })),
    }));
  }

  /** Stops the network's timers; the routers are closed by whoever made them. */
  close(): void {
    this.#timers.clear();
    this.#links.length = 0;
  }

  #follow(router: SimRouter): void {
    if (this.#routers.has(router)) return;
    this.#routers.add(router);
    router.attach({
      changed: () => this.#settle(),
      removed: (session, peerSees) => this.#removed(router, session, peerSees),
    });
  }

  #setPath(id: string, sends: (end: LinkEnd) => boolean): void {
    const link = this.#links.find((each) => each.id === id);
    if (link === undefined) throw new Error(`no link ${id}`);
    for (const end of link.ends) end.sends = sends(end);
    this.#settle();
  }

  #removed(router: SimRouter, session: BfdSession, peerSees: PeerSees): void {
    for (const [end, peer] of this.#ends()) {
      if (end.router !== router || !isSessionOf(session, end, peer)) continue;
      const other = sessionAt(peer, end);
      const told = peerSees === 'unconfig' && arrives(end, peer);
      if (told && other?.status === 'UP') peer.router.setBfd(other, 'NEIGHBOR_UNCONFIG', 'NONE');
    }
    this.#settle();
  }

  #ends(): readonly (readonly [LinkEnd, LinkEnd])[] {
    return this.#links.flatMap(({ ends: [a, b] }) => [[a, b] as const, [b, a] as const]);
  }

  /** Brings every session to what its end hears. A change here can change what the other end hears. */
  #settle(): void {
    this.#again = true;
    if (this.#settling) return;
    this.#settling = true;
    while (this.#again) {
      this.#again = false;
      for (const [end, peer] of this.#ends()) this.#watch(end, peer);
      for (const link of this.#links) this.#considerBringUp(link);
    }
    this.#settling = false;
  }

  #watch(end: LinkEnd, peer: LinkEnd): void {
    const session = sessionAt(end, peer);
    // With its own interface down the session is the router's to report, not ours.
    if (session?.status !== 'UP' || !end.router.interfacePasses(end.interface)) {
      stopDetect(end);
      return;
    }
    const heard = heardAt(end, peer);
    if (heard === null) {
      end.cancelDetect ??= this.#timers.after(this.#detectMs(session, end), () =>
        this.#detectExpired(end, peer),
      );
      return;
    }
    stopDetect(end);
    end.peerTimers = { txIntUsec: heard.desiredTxIntUsec, multiplier: heard.detectMultiplier };
    if (heard.status !== 'UP') end.router.setBfd(session, 'DOWN', 'NBR_DOWN');
  }

  #detectExpired(end: LinkEnd, peer: LinkEnd): void {
    end.cancelDetect = null;
    const session = sessionAt(end, peer);
    if (session?.status === 'UP') end.router.setBfd(session, 'DOWN', 'DETECT_EXPIRED');
  }

  /** RFC 5880 section 6.8.4: the peer's multiplier times the slower of the two intervals. */
  #detectMs(session: BfdSession, end: LinkEnd): number {
    if (this.detectTimeMs !== null) return this.detectTimeMs;
    const peer = end.peerTimers ?? { txIntUsec: 0, multiplier: session.detectMultiplier };
    return (Math.max(session.desiredTxIntUsec, peer.txIntUsec) * peer.multiplier) / 1000;
  }

  #considerBringUp(link: Link): void {
    if (readyForUp(link) === null) {
      link.cancelBringUp?.();
      link.cancelBringUp = null;
      return;
    }
    link.cancelBringUp ??= this.#timers.after(this.bringUpMs, () => {
      link.cancelBringUp = null;
      const ready = readyForUp(link);
      if (ready === null) return;
      // Both before anything is looked at again: the first alone would hear the second say "down".
      this.#settling = true;
      for (const { router, session } of ready) router.setBfd(session, 'UP', 'NONE');
      this.#settling = false;
      this.#settle();
    });
  }
}

function linkEnd(router: SimRouter, name: string, address: string): LinkEnd {
  return {
    router,
    interface: name,
    address: canonical(address),
    sends: true,
    peerTimers: null,
    cancelDetect: null,
  };
}

function stopDetect(end: LinkEnd): void {
  end.cancelDetect?.();
  end.cancelDetect = null;
}

function isSessionOf({ key }: BfdSession, end: LinkEnd, peer: LinkEnd): boolean {
  if (key.neighbor !== peer.address) return false;
  return key.hop === 'single' ? key.interface === end.interface : key.source === end.address;
}

const sessionAt = (end: LinkEnd, peer: LinkEnd): BfdSession | undefined =>
  end.router.sessions().find((session) => isSessionOf(session, end, peer));

/** Whether packets from `end` reach `peer`. */
const arrives = (end: LinkEnd, peer: LinkEnd): boolean =>
  end.sends && end.router.interfacePasses(end.interface) && peer.router.interfacePasses(peer.interface);

/** The peer's session, if this end gets its packets. */
const heardAt = (end: LinkEnd, peer: LinkEnd): BfdSession | null =>
  arrives(peer, end) ? (sessionAt(peer, end) ?? null) : null;

function readyForUp({
  ends: [a, b],
}: Link): readonly { readonly router: SimRouter; readonly session: BfdSession }[] | null {
  const sessionB = heardAt(a, b);
  const sessionA = heardAt(b, a);
  if (sessionA === null || sessionB === null) return null;
  if (sessionA.status === 'UP' || sessionB.status === 'UP') return null;
  return [
    { router: a.router, session: sessionA },
    { router: b.router, session: sessionB },
  ];
}
