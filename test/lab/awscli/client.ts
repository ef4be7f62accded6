/** Calls of Debian's botocore, by one process of client.py, and what it makes of the answers. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { DEBIAN_PYTHON } from '../../../scripts/awsCli';
import type { CredentialSet } from '../../../lab/ec2-emulator/credentials';

export type Service = 'ec2' | 'autoscaling' | 'sns';
export type Call = {
  readonly service: Service;
  readonly operation: string;
  readonly parameters: object;
  /** Form fields that botocore would not send by itself. */
  readonly extra?: Readonly<Record<string, string>>;
};

export type Said = {
  readonly status: number;
  /** What the answer has and AWS's model of the operation has not, and the other way round. */
  readonly strange: readonly string[];
  /** As botocore parses it. */
  readonly output?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly Code: string; readonly Message: string; readonly Type?: string };
  readonly requestId?: string | null;
};

/** Nothing of what this machine has for the AWS CLI, and one attempt for each call. */
export const CLEAN_ENVIRONMENT = {
  PATH: '/usr/bin:/bin',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_MAX_ATTEMPTS: '1',
};

export class BotocoreClient {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  readonly #ended: Promise<unknown>;
  #complaints = '';

  constructor(region: string) {
    this.#process = spawn(DEBIAN_PYTHON, [join(__dirname, 'client.py'), region], {
      env: CLEAN_ENVIRONMENT,
    });
    this.#ended = new Promise((resolve) => this.#process.once('close', resolve));
    // That it is gone is said by the call, with what Python says.
    this.#process.stdin.on('error', () => {});
    this.#process.stderr.on('data', (chunk: Buffer) => (this.#complaints += chunk.toString()));
    this.#reader = createInterface({ input: this.#process.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** One at a time. @throws Error with what Python says, where it cannot read the answer. */
  async call(
    endpoint: string,
    call: Call,
    { accessKeyId, secretAccessKey, sessionToken }: CredentialSet,
  ): Promise<Said> {
    const credentials = { access_key: accessKeyId, secret_key: secretAccessKey, token: sessionToken };
    this.#process.stdin.write(`${JSON.stringify({ ...call, endpoint, credentials })}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`${call.operation}: ${this.#complaints}`);
    return JSON.parse(line.value) as Said;
  }

  async close(): Promise<void> {
    this.#reader.close();
    this.#process.stdin.end();
    await this.#ended;
  }
}
