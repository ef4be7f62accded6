/**
 * The daemon's ear for operators: a Unix socket that takes the commands of `ha`. Failover does not depend on
 * it: where the socket cannot be had, the log says why and what to do, and it is tried again for ever. It
 * decides nothing: `submit` does.
 */
import { setMaxListeners } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { OperatorAnswer, OperatorCommand } from './commands';
import { serve, turnAway } from './connection';
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
const maxConnections = 16;
/** Those beyond this one are dropped without a word. */
const maxTurnedAway = 16;

export function openControl(options: ControlOptions): Control {
  return new Control(options);
}

export class Control {
  readonly #options: ControlOptions;
  readonly #timing: ControlTiming;
  readonly #stopping = new AbortController();
  /** Open connections, each with the promise of its end. */
  readonly #served = new Map<Socket, Promise<void>>();
  readonly #turnedAway = new Map<Socket, Promise<void>>();
  readonly #listening: Promise<void>;
  /** The obstacle that was logged last; null while the socket is open. */
  #logged: Obstacle | null = null;

  constructor(options: ControlOptions) {
    this.#options = options;
    const { requestTimeoutMs, checkIntervalMs } = { ...defaultTiming, ...options };
    this.#timing = { requestTimeoutMs, checkIntervalMs };
    // One for each connection that is served, and some of our own.
    setMaxListeners(2 * maxConnections, this.#stopping.signal);
    this.#listening = this.#listen();
  }

  /**
   * Removes the socket, and gives answers under way a moment to get out: end what `submit` has pending
   * first. Takes less than 1 s and never rejects.
   */
  async close(): Promise<void> {
    this.#stopping.abort();
    const over = new AbortController();
    const late = delay(closeTimeoutMs, undefined, { signal: over.signal }).catch(() => {});
    const ended = [this.#listening, ...this.#served.values(), ...this.#turnedAway.values()];
    await Promise.race([Promise.all(ended), late]);
    over.abort();
    for (const socket of [...this.#served.keys(), ...this.#turnedAway.keys()]) socket.destroy();
  }

  async #listen(): Promise<void> {
    const { signal } = this.#stopping;
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      const server = createServer({ allowHalfOpen: true }, (socket) => this.#take(socket));
      // From the start: a server that fails with nobody listening to it would end the process.
      const failed = new Promise<Obstacle>((resolve) =>
        server.on('error', (error) => resolve(failure(error))),
      );
      const opening = await listenAt(this.#options.path, server);
      if (opening.ok) {
        this.#noteOpen();
        retryMs = firstRetryMs;
        const lost = await this.#lossOf(opening.file, failed);
        await this.#shut(server, opening.file);
        if (lost !== null) this.#noteObstacle(lost);
      } else {
        await this.#shut(server, null);
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

  /** Connections live on: they end by themselves, or with close(). */
  async #shut(server: Server, file: SocketFile | null): Promise<void> {
    if (file !== null) await removeSocket(this.#options.path, file);
    // Called without a server that listens, it only says so.
    server.close(() => {});
  }

  #take(socket: Socket): void {
    const { submit, log } = this.#options;
    if (this.#served.size < maxConnections) {
      const { requestTimeoutMs } = this.#timing;
      const options = { submit, log, requestTimeoutMs, stopping: this.#stopping.signal };
      keep(this.#served, socket, serve(socket, options));
    } else if (this.#turnedAway.size < maxTurnedAway) {
      const error = `the daemon has ${maxConnections} requests open already; try again in a moment`;
      keep(this.#turnedAway, socket, turnAway(socket, error));
    } else {
      socket.on('error', () => {}).destroy();
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

function keep(sockets: Map<Socket, Promise<void>>, socket: Socket, ended: Promise<void>): void {
  sockets.set(
    socket,
    ended.then(() => void sockets.delete(socket)),
  );
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
