/**
 * Joins the simulated Service-Layer API of one router to a real bfdd and to the kernel's interfaces: sessions that a
 * client programs become peers of bfdd, and what bfdd and the kernel say becomes the router's events, as it comes.
 */
import { canonical } from '../slapi-sim/address';
import { keyId, type BfdDiag, type BfdSession, type BfdStatus } from '../slapi-sim/bfdSession';
import type { SimRouter } from '../slapi-sim/router';
import type { Bfdd, BfddEvent, BfddPeer } from './bfdd';
import type { LinkState } from './linkMonitor';

export type Devices = {
  /** Kernel name of an interface of the router. */
  readonly deviceOf: (interfaceName: string) => string;
  /** Null for one that the router has not. */
  readonly interfaceOf: (device: string) => string | null;
};

export class Bridge {
  readonly #sim: SimRouter;
  readonly #bfdd: Bfdd;
  readonly #devices: Devices;
  readonly #peers = new Map<string, BfddPeer>();
  #work: Promise<void> = Promise.resolve();
  #failed: Error | null = null;

  constructor(sim: SimRouter, bfdd: Bfdd, devices: Devices) {
    this.#sim = sim;
    this.#bfdd = bfdd;
    this.#devices = devices;
    sim.attach({
      changed: () => this.#program(),
      removed: (session, peerSees) => this.#remove(session, peerSees === 'unconfig'),
    });
  }

  /** bfdd has lost its peers, or never had any: it gets those of the router. */
  started(): void {
    this.#peers.clear();
    this.#program();
  }

  /** Resolves when bfdd has been told of everything so far. @throws Error when it refused something. */
  async told(): Promise<void> {
    await this.#work;
    if (this.#failed !== null) throw this.#failed;
  }

  bfddSays(event: BfddEvent): void {
    const session = this.#sim.sessions().find((each) => this.#isOf(each, event));
    if (session !== undefined) this.#apply(session, event);
  }

  kernelSays(device: string, state: LinkState): void {
    const name = this.#devices.interfaceOf(device);
    if (name !== null && this.#sim.alive) this.#sim.tellInterface(name, state);
  }

  #apply(session: BfdSession, event: BfddEvent): void {
    const status = statusOf(event);
    if (session.status === status) return;
    this.#sim.setBfd(session, status, diagnoses[event.diagnostic] ?? 'NONE');
  }

  #isOf({ key }: BfdSession, { address, device }: BfddEvent): boolean {
    const own = key.hop === 'single' ? this.#devices.deviceOf(key.interface) : null;
    return key.neighbor === canonical(address) && own === device;
  }

  #program(): void {
    for (const session of this.#sim.sessions()) {
      const peer = this.#peerOf(session);
      const known = this.#peers.get(keyId(session.key));
      if (known !== undefined && JSON.stringify(known) === JSON.stringify(peer)) continue;
      this.#peers.set(keyId(session.key), peer);
      this.#do(() => this.#bfdd.setPeer(peer));
    }
  }

  #remove({ key }: BfdSession, tell: boolean): void {
    const peer = this.#peers.get(keyId(key));
    this.#peers.delete(keyId(key));
    // Without power nobody is left to take it out.
    if (peer !== undefined && tell) this.#do(() => this.#bfdd.removePeer(peer));
  }

  #do(task: () => Promise<void>): void {
    this.#work = this.#work.then(task).catch((error: unknown) => {
      this.#failed = error instanceof Error ? error : new Error(String(error));
    });
  }

  #peerOf({ key, desiredTxIntUsec, detectMultiplier }: BfdSession): BfddPeer {
    return {
      address: key.neighbor,
      device: key.hop === 'single' ? this.#devices.deviceOf(key.interface) : null,
      localAddress: key.source,
      intervalMs: desiredTxIntUsec / 1000,
      multiplier: detectMultiplier,
    };
  }
}

/** RFC 5880 section 4.1; a peer that went down by itself says why, one that was shut says nothing. */
const diagnoses: Readonly<Record<number, BfdDiag>> = {
  1: 'DETECT_EXPIRED',
  3: 'NBR_DOWN',
  5: 'PATH_DOWN',
  7: 'ADMIN_DOWN',
};

/** As XR words it. A neighbour that signals down without a diagnosis of its own has been shut (AdminDown). */
export function statusOf({ state, diagnostic, remoteDiagnostic }: BfddEvent): BfdStatus {
  if (state === 'up') return 'UP';
  return diagnostic === 3 && remoteDiagnostic === 0 ? 'NEIGHBOR_UNCONFIG' : 'DOWN';
}
