// What clients asked of the simulated router: a count for each RPC and the latest requests in order, so that
// a test can assert the sequence of calls.

const keep = 1000;

export interface ReceivedRpc {
  /** Position among all requests since the router was made, from 1. */
  readonly n: number;
  /** Monotonic, comparable between processes of one machine. */
  readonly atMs: number;
  readonly method: string;
  /** The decoded message, enums by name; null for the opening of a stream whose messages follow. */
  readonly request: object | null;
}

/** Milliseconds on the machine's monotonic clock: the same in every process on it. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

export class Journal {
  readonly #counters = new Map<string, number>();
  #received: ReceivedRpc[] = [];
  #n = 0;

  record(method: string, request: object | null): void {
    this.#n += 1;
    this.#counters.set(method, (this.#counters.get(method) ?? 0) + 1);
    this.#received.push({ n: this.#n, atMs: monotonicMs(), method, request });
    if (this.#received.length > keep) this.#received.shift();
  }

  received(method?: string): readonly ReceivedRpc[] {
    return this.#received.filter((each) => method === undefined || each.method === method);
  }

  counters(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counters);
  }

  clear(): void {
    this.#received = [];
    this.#counters.clear();
  }
}
