/**
 * What Neutron has last shown, for what is asked next: the ids and revisions that a move needs. A revision only rises, so
 * an answer with a lower one is older than what is known, whatever its time. Where that lasts, the database has been put
 * back, and the answers are right.
 */
import type { FloatingIp, Port, Router } from './answer';

/** No replica of a database lags so long that still answers. */
const PUT_BACK_AFTER_MS = 30_000;

type Shown = { readonly id: string; readonly revision_number: number };

class Collected<Each extends Shown> {
  readonly #now: () => number;
  readonly #all = new Map<string, Each>();
  /** Since when answers have been older than what is known. */
  readonly #olderSince = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  get(key: string): Each | undefined {
    return this.#all.get(key);
  }

  get all(): readonly Each[] {
    return [...this.#all.values()];
  }

  /** Returns whether it is not older than what is known. What was made anew under the same key is another one. */
  take(key: string, shown: Each): boolean {
    const before = this.#all.get(key);
    if (before?.id === shown.id && before.revision_number > shown.revision_number) {
      const since = this.#olderSince.get(key) ?? this.#now();
      this.#olderSince.set(key, since);
      if (this.#now() - since < PUT_BACK_AFTER_MS) return false;
    }
    this.#olderSince.delete(key);
    this.#all.set(key, shown);
    return true;
  }

  /** What is not among these is not there any more. */
  keep(keys: readonly string[]): void {
    for (const key of [...this.#all.keys()]) if (!keys.includes(key)) this.#all.delete(key);
  }
}

export class Known {
  /** By id. */
  readonly ports: Collected<Port>;
  /** By address. */
  readonly floatingIps: Collected<FloatingIp>;
  /** By id. */
  readonly routers: Collected<Router>;

  /** `now`: monotonic ms. */
  constructor(now: () => number) {
    this.ports = new Collected(now);
    this.floatingIps = new Collected(now);
    this.routers = new Collected(now);
  }

  takePort(port: Port): boolean {
    return this.ports.take(port.id, port);
  }

  takeFloatingIp(floatingIp: FloatingIp): boolean {
    return this.floatingIps.take(floatingIp.floating_ip_address, floatingIp);
  }

  takeRouter(router: Router): boolean {
    return this.routers.take(router.id, router);
  }
}
