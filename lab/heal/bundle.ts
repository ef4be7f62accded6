/**
 * The built healer, loaded as Lambda loads it: its module, its environment and its handler. Several live side by side in
 * one process, so each gets a `process`, a clock and connections of its own, and can be killed at any moment: then it sends
 * nothing any more, and what it has sent stays sent.
 */
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileFunction } from 'node:vm';
import type { LabClock } from '../labClock';

export const healPath = join(__dirname, '..', '..', 'dist', 'heal.js');

export interface LambdaContext {
  readonly getRemainingTimeInMillis: () => number;
}

type Output = { write(text: string): unknown };

/** `xr-aws-ha heal -c PATH --MODE`: its exit code. */
export type Command = (
  path: string,
  mode: 'once' | 'plan',
  streams: { readonly out: Output; readonly err: Output },
) => Promise<number>;

export type Handler = (event: unknown, context: LambdaContext) => Promise<unknown>;

/** One line of its log. */
export interface HealRecord {
  readonly event?: string;
  readonly identity?: string;
  readonly action?: string;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

export interface BundleOptions {
  readonly clock: LabClock;
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly onRecord?: (record: HealRecord) => void;
}

/** What the text of the bundle is given in place of the globals of Node. */
const PARAMETERS = [
  'exports',
  'require',
  'module',
  '__filename',
  '__dirname',
  'process',
  'Date',
  'performance',
  'setTimeout',
  'clearTimeout',
];

export class HealBundle {
  readonly handler: Handler;
  readonly command: Command;
  readonly #clock: LabClock;
  readonly #open = new Set<http.ClientRequest>();
  #killed = false;

  /** @throws Error when the product has not been built. */
  constructor({ clock, env, onRecord = () => undefined }: BundleOptions) {
    this.#clock = clock;
    const stdout = { write: (line: string) => void onRecord(JSON.parse(line) as HealRecord) };
    const own: unknown = Object.create(process, { env: { value: env }, stdout: { value: stdout } });
    const module = { exports: {} as { handler?: Handler; healCommand?: Command } };
    const clearTimeout = (timer: Timeout | undefined): void => timer?.callOff();
    const args: unknown[] = [
      module.exports,
      this.#requiring(),
      module,
      healPath,
      dirname(healPath),
      own,
      dateOn(clock),
      { ...performance, now: () => clock.nowMs() },
      this.#setTimeout,
      clearTimeout,
    ];
    const text = readFileSync(healPath, 'utf8');
    const load = compileFunction(text, PARAMETERS, { filename: healPath }) as (...args: unknown[]) => void;
    load(...args);
    const { handler, healCommand } = module.exports;
    if (handler === undefined || healCommand === undefined) throw new Error(`${healPath} is no healer`);
    this.handler = handler;
    this.command = healCommand;
  }

  /** Requests that it waits for an answer of. */
  get inFlight(): number {
    return this.#open.size;
  }

  /** As SIGKILL: nothing of it runs on that anybody would see. */
  kill(): void {
    this.#killed = true;
    for (const request of this.#open) request.destroy();
  }

  readonly #setTimeout = (run: (...args: unknown[]) => void, ms = 1, ...args: unknown[]): Timeout => {
    const callOff = this.#clock.after(Math.max(ms, 1), () => {
      if (!this.#killed) run(...args);
    });
    const timeout: Timeout = { callOff, ref: () => timeout, unref: () => timeout };
    return timeout;
  };

  #delay(ms: number, value: unknown, { signal }: { signal?: AbortSignal } = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        timeout.callOff();
        reject(new Error('aborted'));
      };
      const timeout = this.#setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve(value);
      }, ms);
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #requiring(): (name: string) => unknown {
    const real = createRequire(healPath);
    const opened = (request: http.ClientRequest): http.ClientRequest => {
      if (this.#killed) request.destroy();
      this.#open.add(request);
      return request.once('close', () => this.#open.delete(request));
    };
    const counted = {
      ...http,
      request: (...args: Parameters<typeof http.request>) => opened(http.request(...args)),
      get: (...args: Parameters<typeof http.get>) => opened(http.get(...args)),
    };
    const given: Readonly<Record<string, unknown>> = {
      'node:http': counted,
      'node:timers/promises': { setTimeout: this.#delay.bind(this) },
      'node:perf_hooks': { performance: { now: () => this.#clock.nowMs() } },
    };
    return (name) => given[name] ?? (real(name) as unknown);
  }
}

interface Timeout {
  readonly callOff: () => void;
  readonly ref: () => Timeout;
  readonly unref: () => Timeout;
}

function dateOn(clock: LabClock): DateConstructor {
  return new Proxy(Date, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [clock.dateMs()] : args, newTarget) as Date,
    get: (target, key, receiver): unknown =>
      key === 'now' ? () => clock.dateMs() : Reflect.get(target, key, receiver),
  });
}
