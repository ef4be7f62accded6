/** The user and the server of the real-router lab as processes in their namespaces, and what the user has seen. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { killed } from './commands';
import type { Namespace } from './namespace';
import type { Order, Reply, UserReport } from './traffic/client';

export type { UserReport } from './traffic/client';

export class User {
  readonly #client: ChildProcess;
  readonly #server: ChildProcess;
  readonly #waiting = new Map<number, (report: UserReport) => void>();
  #orders = 0;

  private constructor(client: ChildProcess, server: ChildProcess) {
    this.#client = client;
    this.#server = server;
    client.on('message', ({ id, report }: Reply) => {
      this.#waiting.get(id)?.(report);
      this.#waiting.delete(id);
    });
  }

  static async start(
    user: Namespace,
    server: { readonly namespace: Namespace; readonly address: string },
  ): Promise<User> {
    const far = program(server.namespace, 'server.ts', []);
    await once(far, 'message');
    return new User(program(user, 'client.ts', [server.address]), far);
  }

  /** What was seen before counts no more. */
  async begin(): Promise<void> {
    await this.#ask('begin');
  }

  /** Since `begin`, a moment after being asked: for the answers that are on their way. */
  report(): Promise<UserReport> {
    return this.#ask('report');
  }

  async stop(): Promise<void> {
    await Promise.all([killed(this.#client), killed(this.#server)]);
  }

  #ask(order: Order['order']): Promise<UserReport> {
    this.#orders += 1;
    const id = this.#orders;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, resolve);
      this.#client.send({ id, order } satisfies Order, (error) => error !== null && reject(error));
    });
  }
}

function program(namespace: Namespace, file: string, args: readonly string[]): ChildProcess {
  const loader = pathToFileURL(require.resolve('tsx')).href;
  const script = join(__dirname, 'traffic', file);
  return namespace.spawn([process.execPath, '--import', loader, script, ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}
