/**
 * The daemon's ear for operators: HTTP on a Unix socket that takes the commands of `ha`. Failover does not depend on
 * it: where the socket cannot be had, the log says why and what to do, and it is tried again for ever. It
 * decides nothing: `submit` does.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { OperatorAnswer, OperatorCommand } from './commands';
import { httpServer, refusal, type HttpAnswer, type HttpServer } from './httpServer';
import { readCommand } from './protocol';
import { isInPlace, listenAt, removeSocket, type Obstacle, type SocketFile } from './socketFile';

export type ControlOptions = {
  readonly path: string;
  readonly log: Logger;
  /** Has to settle for every command, at the daemon's end too: requests.ts does. */
  readonly submit: (command: OperatorCommand) => Promise<OperatorAnswer>;
} & Partial<ControlTiming>;

export type ControlTiming = {
  /** From the connection to the end of the request. */
  readonly requestTimeoutMs: number;
  /** How often to look whether the path still leads to our socket. */
  readonly checkIntervalMs: number;
};

const defaultTiming: ControlTiming = { requestTimeoutMs: 5_000, checkIntervalMs: 30_000 };
const firstRetryMs = 1_000;
const lastRetryMs = 60_000;
const closeTimeoutMs = 700;

export function openControl(options: ControlOptions): Control {
  return new Control(options);
}

export class Control {
  readonly #options: ControlOptions;
  readonly #timing: ControlTiming;
  readonly #stopping = new AbortController();
  /** The one that listens, and earlier ones whose connections have not ended. */
  readonly #servers = new Set<HttpServer>();
  readonly #listening: Promise<void>;
  /** The obstacle that was logged last; null while the socket is open. */
  #logged: Obstacle | null = null;

  constructor(options: ControlOptions) {
    this.#options = options;
    const { requestTimeoutMs, checkIntervalMs } = { ...defaultTiming, ...options };
    this.#timing = { requestTimeoutMs, checkIntervalMs };
    this.#listening = this.#listen();
  }

  /**
   * Removes the socket, and gives answers under way a moment to get out: end what `submit` has pending
   * first. Takes less than 1 s and never rejects.
   */
  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#servers].map((server) => server.end(closeTimeoutMs)));
    await this.#listening;
  }

  async #listen(): Promise<void> {
    const { signal } = this.#stopping;
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      const http = this.#httpServer();
      // From the start: a server that fails with nobody listening to it would end the process.
      const failed = new Promise<Obstacle>((resolve) =>
        http.server.on('error', (error) => resolve(failure(error))),
      );
      const opening = await listenAt(this.#options.path, http.server);
      if (opening.ok) {
        this.#noteOpen();
        retryMs = firstRetryMs;
        const lost = await this.#lossOf(opening.file, failed);
        await this.#shut(http, opening.file);
        if (lost !== null) this.#noteObstacle(lost);
      } else {
        await this.#shut(http, null);
        this.#noteObstacle(opening.obstacle);
      }
      await delay(retryMs * (0.5 + Math.random() / 2), undefined, { signal, ref: false }).catch(() => {});
      retryMs = Math.min(retryMs * 2, lastRetryMs);
    }
  }

  /** What has made an end of a socket that was open; null for our own closing. */
  async #lossOf(file: SocketFile, failed: Promise<Obstacle>): Promise<Obstacle | null> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#stopping.signal]);
    const loss = await Promise.race([failed, this.#whileInPlace(file, signal)]);
    over.abort();
    return loss;
  }

  /** A path that leads elsewhere would leave a daemon that cannot be spoken to and does not know it. */
  async #whileInPlace(file: SocketFile, signal: AbortSignal): Promise<Obstacle | null> {
    const { path } = this.#options;
    while (!signal.aborted) {
      await delay(this.#timing.checkIntervalMs, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted || (await isInPlace(path, file))) continue;
      return {
        code: 'ENOENT',
        cause: `${path} has been removed or replaced`,
        advice: 'it is made anew; if it goes again, find out who clears its directory',
      };
    }
    return null;
  }

  #httpServer(): HttpServer {
    const { requestTimeoutMs } = this.#timing;
    const http = httpServer({
      routes: { 'POST /command': (body) => this.#decide(body) },
      requestTimeoutMs,
    });
    this.#servers.add(http);
    return http;
  }

  /** Connections live on: they end by themselves, or with close(). */
  async #shut(http: HttpServer, file: SocketFile | null): Promise<void> {
    if (file !== null) await removeSocket(this.#options.path, file);
    // Without a server that listens, it only says so.
    http.server.close(() => this.#servers.delete(http));
  }

  async #decide(body: Buffer): Promise<HttpAnswer> {
    const { submit, log } = this.#options;
    const request = readCommand(body);
    if (!request.ok) return refusal(400, request.error);
    const { kind } = request.command;
    try {
      const { accepted, sentence } = await submit(request.command);
      return { status: 200, body: { accepted, sentence } };
    } catch (err: unknown) {
      log.error({ event: 'control-failed', kind, err }, 'A command could not be decided');
      return refusal(500, 'the daemon failed over this request; its log says how');
    }
  }

  #noteOpen(): void {
    this.#logged = null;
    const { log, path } = this.#options;
    log.info({ event: 'control-available', path }, 'Commands of ha are taken');
  }

  #noteObstacle(obstacle: Obstacle): void {
    if (this.#stopping.signal.aborted || isSame(obstacle, this.#logged)) return;
    this.#logged = obstacle;
    const { log, path } = this.#options;
    const { code, cause, advice } = obstacle;
    log.error(
      { event: 'control-unavailable', path, code, cause, reason: advice },
      'Commands of ha cannot be taken; failover is not affected',
    );
  }
}

/** By what an operator has to do about it: the words of the system may differ from try to try. */
function isSame(obstacle: Obstacle, logged: Obstacle | null): boolean {
  return logged !== null && obstacle.code === logged.code && obstacle.advice === logged.advice;
}

/** Accepting a connection has failed. */
function failure(error: Error): Obstacle {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'Error';
  return { code, cause: error.message, advice: 'it is opened anew; see what the daemon has run out of' };
}
