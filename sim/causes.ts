/**
 * Why BFD may trigger a takeover. A *real cause* is one happening that can make a BFD session of a router go DOWN, and
 * keep it there: packets lost on a path (each flap is one), an interface DOWN or detached, a machine that is off, hung or
 * paused, a daemon or an API server that goes and takes its sessions along, the death of a router. It lasts from its
 * beginning until the sessions have had the time to come UP again after its end.
 *
 * `no-cause`: a takeover that moves something from the peer has a real cause that lasts.
 * `one-takeover-per-cause`: each cause explains that each router takes each target once. Where faults overlap (*double
 * fault*) a further time is an exception that is counted and reported, not a violation.
 *
 * Groups share the causes, since each has targets and takeovers of its own.
 *
 * A takeover is charged when EC2 first moves something for it. What an earlier life of the daemon had begun is one with
 * what resumes it.
 */
import type { Both, Fault, FaultKind, RouterIndex, Settings } from './scenario';

type Cause = {
  readonly until: number;
  /** The targets that each router has taken because of it. */
  readonly taken: Both<Set<number>>;
};

const CAUSES: readonly (FaultKind | 'death')[] = [
  'path',
  'interface',
  'detach',
  'machine',
  'process',
  'slapi',
  'death',
];

export class Causes {
  /** Takeovers that only a double fault explains. */
  readonly doubleFaults = new Set<string>();
  readonly #charged = new Set<string>();
  readonly #settleMs: number;
  readonly #causes: Cause[] = [];
  /** When each fault of any kind is over, with what it leaves behind. */
  readonly #faultsUntil: number[] = [];

  constructor({ establishMs, detectMs, keepaliveMs }: Settings) {
    // Reattaching, reestablish_s and reestablish_after_interface_s, and a reading that is waited for.
    this.#settleMs = establishMs[1] + Math.max(...detectMs) + 25_000 + keepaliveMs;
  }

  began(kind: Fault['kind'] | 'death', now: number, forMs: number): void {
    const until = now + forMs + this.#settleMs;
    this.#faultsUntil.push(until);
    if (CAUSES.includes(kind)) this.#causes.push({ until, taken: [new Set(), new Set()] });
  }

  /** How many faults have not been over for long at that time. */
  lastingAt(at: number): number {
    return this.#faultsUntil.filter((until) => until >= at).length;
  }

  /**
   * What is wrong when this router takes this target in this takeover, which was begun at that time, if anything is.
   * (It is driven to completion, and its own later requests move nothing for another reason.)
   */
  charge(
    router: RouterIndex,
    takeover: string,
    target: number,
    begunAt: number,
  ): 'no-cause' | 'one-takeover-per-cause' | null {
    const charge = `${takeover} ${target}`;
    if (this.#charged.has(charge)) return null;
    this.#charged.add(charge);
    const lasting = this.#causes.filter(({ until }) => until >= begunAt);
    const unused = lasting.find(({ taken }) => !taken[router].has(target));
    if (unused !== undefined) {
      unused.taken[router].add(target);
      return null;
    }
    if (this.#faultsUntil.filter((until) => until >= begunAt).length < 2)
      return lasting.length === 0 ? 'no-cause' : 'one-takeover-per-cause';
    this.doubleFaults.add(takeover);
    return null;
  }
}
