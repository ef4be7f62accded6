/**
 * Lambda as the template sets it up: one invocation at a time (reserved concurrency 1), asynchronous events that are tried
 * three times in all and then kept in the dead-letter queue, and a process that is used for one event after the other until
 * it dies. https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
import type { AwsEvent } from '../autoscaling-emulator/events';
import type { LabClock } from '../labClock';
import { HealBundle, type HealRecord } from './bundle';

/** The longest that Lambda allows. */
const TIMEOUT_MS = 900_000;
/** After the first failure and after the second. */
const RETRY_AFTER_MS = [60_000, 120_000];

type Delivery = { readonly event: AwsEvent; readonly tries: number };

export interface LambdaOptions {
  readonly clock: LabClock;
  readonly env: Readonly<Record<string, string>>;
  /** Of an invocation. Default: the longest that Lambda allows. */
  readonly timeoutMs?: number;
  /** Before an event is handed over to a process that has had one before: AWS has closed what was idle meanwhile. */
  readonly onThaw?: () => void;
}

export class Lambda {
  readonly #options: LambdaOptions;
  readonly #queue: Delivery[] = [];
  readonly #deadLetters: AwsEvent[] = [];
  readonly #records: HealRecord[] = [];
  /** How each invocation has ended; null for what it should be. */
  readonly #failures: (string | null)[] = [];
  #instance: HealBundle | null = null;
  #crash: ((why: string) => void) | null = null;
  #stopped = false;

  constructor(options: LambdaOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#instance?.inFlight ?? 0;
  }

  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#crash === null;
  }

  get deadLetters(): readonly AwsEvent[] {
    return this.#deadLetters;
  }

  /** Of all its processes, oldest first. */
  get records(): readonly HealRecord[] {
    return this.#records;
  }

  /** Of invocations that are over, oldest first; null where one ended well. */
  get failures(): readonly (string | null)[] {
    return this.#failures;
  }

  deliver(event: AwsEvent): void {
    this.#enqueue({ event, tries: 0 });
  }

  /** The process dies in the middle of what it does. */
  kill(): void {
    this.#crash?.('Runtime exited with error: signal: killed');
  }

  stop(): void {
    this.#stopped = true;
    this.#instance?.kill();
  }

  #enqueue(delivery: Delivery): void {
    this.#queue.push(delivery);
    void this.#pump();
  }

  async #pump(): Promise<void> {
    if (this.#crash !== null || this.#stopped) return;
    const delivery = this.#queue.shift();
    if (delivery === undefined) return;
    const failure = await this.#invoke(delivery.event);
    this.#failures.push(failure);
    if (failure !== null) this.#again({ ...delivery, tries: delivery.tries + 1 });
    await this.#pump();
  }

  /** Null: it ended well. */
  async #invoke(event: AwsEvent): Promise<string | null> {
    const { clock, env, onThaw, timeoutMs = TIMEOUT_MS } = this.#options;
    const endsAtMs = clock.nowMs() + timeoutMs;
    const crashed = new Promise<string>((resolve) => (this.#crash = resolve));
    const callOff = clock.after(timeoutMs, () =>
      this.#crash?.(`Task timed out after ${timeoutMs / 1000} seconds`),
    );
    if (this.#instance !== null) onThaw?.();
    const instance = (this.#instance ??= new HealBundle({
      clock,
      env,
      onRecord: (record) => this.#records.push(record),
    }));
    const handled = instance
      .handler(event, { getRemainingTimeInMillis: () => endsAtMs - clock.nowMs() })
      .then(
        () => null,
        (error: unknown) => `failed: ${error instanceof Error ? error.message : String(error)}`,
      );
    const outcome = await Promise.race([handled, crashed]);
    callOff();
    this.#crash = null;
    if (outcome !== null && !outcome.startsWith('failed')) {
      instance.kill();
      this.#instance = null;
    }
    return outcome;
  }

  #again(delivery: Delivery): void {
    const afterMs = RETRY_AFTER_MS[delivery.tries - 1];
    if (afterMs === undefined) this.#deadLetters.push(delivery.event);
    else this.#options.clock.after(afterMs, () => this.#enqueue(delivery));
  }
}
