/**
 * Whether a service of the router wants its notification stream opened before this client registers, or after. The
 * field-proven application registers for BFD first, Cisco's test opens the stream first, and the documents do not
 * say. So the usual order is tried, then the other one, and what has worked is kept for the life of the process.
 */
import type { Logger } from 'pino';
import type { InterfaceGeneration } from '../core/state/model';
import type { Loss } from './operations';
import type { Service } from './protos';

/** In which order the next attachment takes the two steps of a service. */
export type Order = { readonly [S in Service]: 'usual' | 'other' };

/** A refusal that comes this long after the router was attached to has another cause. */
const DOUBT_MS = 5_000;

/** What the daemon does in each order. Interfaces of the newer generation have no registration of their own. */
function inWords(service: Service, order: Order[Service], generation: InterfaceGeneration): string {
  const streamFirst = service === 'bfd' || generation === 'gen2' ? order === 'usual' : order === 'other';
  const stream = service === 'bfd' ? 'the BFD streams' : 'the interface stream';
  const registration = service === 'interfaces' && generation === 'gen1' ? 'interfaces' : 'BFD';
  return streamFirst
    ? `opens ${stream} first and registers for ${registration} then`
    : `registers for ${registration} first and opens ${stream} then`;
}

export class OrderLearnt {
  readonly #log: Logger;
  #order: Order = { bfd: 'usual', interfaces: 'usual' };
  /** What the router said to the order before, of each service that is tried otherwise since. */
  readonly #causes = new Map<Service, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  get order(): Order {
    return this.#order;
  }

  /**
   * Turns the order over where the loss may come from it. True where that has not been tried since the router was
   * last attached to: then the other order is worth trying at once. `attachedForMs` is null before all was read.
   */
  lost({ doubt, cause }: Loss, attachedForMs: number | null): boolean {
    if (doubt === undefined) return false;
    if (attachedForMs !== null && (!doubt.isSure || attachedForMs >= DOUBT_MS)) return false;
    const { service } = doubt;
    const isNew = !this.#causes.has(service);
    this.#order = { ...this.#order, [service]: this.#order[service] === 'usual' ? 'other' : 'usual' };
    if (isNew) this.#causes.set(service, cause);
    return isNew;
  }

  /** The order of now has worked. */
  attached(generation: InterfaceGeneration): void {
    for (const [service, cause] of this.#causes) {
      const order = this.#order[service];
      const reason = `the daemon ${inWords(service, order, generation)}: the other order failed, ${cause}`;
      this.#log.info(
        { event: 'slapi-order', reason, service, order },
        'Learnt the order that the router wants',
      );
    }
    this.#causes.clear();
  }
}
