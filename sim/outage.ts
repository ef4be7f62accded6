/**
 * `outage`, an invariant of the fault phase too, looked at for each group: while one router has been fit for long enough,
 * and EC2 or BFD shows it that the holder of a target cannot serve it, the target does not stay there.
 *
 * A target is *served* when the machine that holds it runs, with its interface UP. A router is *fit* while its machine
 * runs with all interfaces UP, its daemon runs, is attached and not paused, nothing is wrong with EC2 for it, no
 * operator has inhibited it and it is not damped. The holder's failure is *shown* when no session of the router is
 * UP and EC2 says so (rule 9: nobody holds it, detached, stopped, terminated, impaired, not answering), or when an armed session of
 * the router is DOWN (rule 3) and not fresh: a fresh one says nothing while its interface is not known to be UP. What
 * nobody holds is not shown while another target has a holder that EC2 shows to be well: it is for that one to take,
 * which may be hung, or an instance outside the pair that cannot be told from the peer once EC2 has forgotten the peer.
 */
import type { Ec2, Nic } from './ec2';
import type { Network } from './network';
import type { Router } from './router';
import {
  otherOf,
  ROUTERS,
  STRANGER,
  targetOf,
  type Both,
  type Group,
  type RouterIndex,
  type Scenario,
} from './scenario';

export const LOOK_MS = 5_000;
/** evidence_hold_s and the calls; beside it three keepalives. */
const BOUND_MS = 35_000;

/** Whether a target that this interface has is served. */
export function serves(network: Network, holder: Nic | null): boolean {
  if (holder === null) return false;
  const { router, index } = holder;
  if (router === null || router === STRANGER) return true;
  return network.alive[router] && network.interfaces[router][index] === 'Up';
}

export class ServiceWatch {
  readonly #group: Group;
  readonly #scenario: Scenario;
  readonly #network: Network;
  readonly #ec2: Ec2;
  readonly #routers: Both<Router<RouterIndex>>;
  /** By target and fit router: since when it could have been served from there. */
  readonly #since = new Map<number, number>();

  constructor(
    group: Group,
    scenario: Scenario,
    network: Network,
    ec2: Ec2,
    routers: Both<Router<RouterIndex>>,
  ) {
    this.#group = group;
    this.#scenario = scenario;
    this.#network = network;
    this.#ec2 = ec2;
    this.#routers = routers;
  }

  /** What is wrong, if anything is. */
  look(now: number): string | null {
    const holders = this.#ec2.holdersOf(this.#group);
    if (this.#since.size === 0 && holders.every((holder) => this.#serves(holder))) return null;
    const fit = ROUTERS.map((router) => this.#isFit(router, now));
    for (const [place, holder] of holders.entries()) {
      const target = targetOf(this.#group, place, this.#scenario.settings);
      const isServed = this.#serves(holder);
      for (const router of ROUTERS) {
        const key = 2 * target + router;
        const avoidable =
          fit[router] === true && holder?.router !== router && !isServed && this.#isShown(router, holder);
        if (!avoidable) {
          this.#since.delete(key);
          continue;
        }
        // Who has had it in between has begun it anew.
        const since = Math.max(this.#since.get(key) ?? now, this.#ec2.heldSince(target));
        this.#since.set(key, since);
        if (now - since > BOUND_MS + 3 * this.#scenario.settings.keepaliveMs)
          return `target ${target} is not served since ${since}, and router ${router} could have it`;
      }
    }
    return null;
  }

  /** A holder that lets this router claim what nobody holds. */
  #hasFailed(router: RouterIndex, holder: Nic | null): boolean {
    if (holder === null || holder.router === router) return true;
    if (holder.router === null || holder.router === STRANGER) return !this.#ec2.isForgotten(otherOf(router));
    return this.#ec2.shows(holder.router, holder.index, this.#scenario.settings.mayAskStatus);
  }

  /** What an instance outside the pair does with it is its own affair, or a person's. */
  #serves(holder: Nic | null): boolean {
    return serves(this.#network, holder);
  }

  #isFit(index: RouterIndex, now: number): boolean {
    const router = this.#routers[index];
    const { daemon } = router;
    if (!this.#network.alive[index] || daemon === null || daemon.isPaused || !router.api.isAttached)
      return false;
    if (this.#network.interfaces[index].includes('Down') || this.#ec2.isTroubled(index, now)) return false;
    const { inhibit, damping, shutdown, streams } = daemon.stateOf(this.#group);
    const damped = (damping?.suppressedUntil ?? 0) > router.now;
    return inhibit === null && !damped && shutdown === null && streams.phase === 'synchronized';
  }

  #isShown(index: RouterIndex, holder: Nic | null): boolean {
    const { daemon } = this.#routers[index];
    const { settings } = this.#scenario;
    if (daemon === null) return false;
    const sessions = Object.values(daemon.stateOf(this.#group).sessions);
    const down = sessions.filter(
      ({ level, armed, freshSince }) => level === 'Down' && armed && freshSince === null,
    ).length;
    if (down === settings.sessions) return true;
    if (sessions.some(({ level }) => level === 'Up')) return false;
    if (holder === null)
      return this.#ec2.holdersOf(this.#group).every((other) => this.#hasFailed(index, other));
    if (holder.router === null) return true;
    return this.#ec2.shows(holder.router, holder.index, settings.mayAskStatus);
  }
}
