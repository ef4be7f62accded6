/**
 * FRR's bfdd (with zebra, which tells it of interfaces) in one namespace: started without its service, told of peers
 * by its command line socket, and subscribed to: each state change comes as a message of bfdd's control socket.
 */
import type { ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { killed } from './commands';
import type { Namespace } from './namespace';

export type BfddPeer = {
  readonly address: string;
  /** Kernel name; null for multi-hop. */
  readonly device: string | null;
  /** Null for single-hop. */
  readonly localAddress: string | null;
  readonly intervalMs: number;
  readonly multiplier: number;
};

/** Numbers as on the wire: RFC 5880 section 4.1. */
export type BfddEvent = {
  readonly address: string;
  readonly device: string | null;
  readonly state: 'up' | 'down' | 'init' | 'adm-down';
  readonly diagnostic: number;
  readonly remoteDiagnostic: number;
  /** `process.hrtime` in ms. */
  readonly receivedAtMs: number;
};

const PROGRAMS = '/usr/lib/frr';
const DEADLINE_MS = 10_000;
/** bfdctl.h: version 1; messages RESPONSE 1, NOTIFY 4. */
const VERSION = 1;
const NOTIFY = 4;
const PEER_STATE = 1n;

export class Bfdd {
  readonly #namespace: Namespace;
  readonly #directory: string;
  readonly #changed: (event: BfddEvent) => void;
  #zebra: ChildProcess | null = null;
  #bfdd: ChildProcess | null = null;
  #notifications: Socket | null = null;
  #commandLine: CommandLine | null = null;

  constructor(namespace: Namespace, changed: (event: BfddEvent) => void) {
    this.#namespace = namespace;
    this.#directory = join('/run/frr', namespace.name);
    this.#changed = changed;
  }

  get pid(): number | undefined {
    return this.#bfdd?.pid;
  }

  /** Resolves when it takes peers and its changes are heard of. */
  async start(): Promise<void> {
    mkdirSync(this.#directory, { recursive: true });
    chownSync(this.#directory, idOf('/etc/passwd', 'frr'), idOf('/etc/group', 'frr'));
    this.#zebra = this.#run('zebra', []);
    (await listens(join(this.#directory, 'zserv'), this.#zebra)).destroy();
    this.#bfdd = this.#run('bfdd', ['--bfdctl', join(this.#directory, 'bfdd.sock')]);
    const commandLine = await listens(join(this.#directory, 'bfdd.vty'), this.#bfdd);
    this.#commandLine = new CommandLine(commandLine);
    this.#notifications = await listens(join(this.#directory, 'bfdd.sock'), this.#bfdd);
    subscribe(this.#notifications, this.#changed);
    await this.#commandLine.run(['enable', 'configure terminal', 'bfd']);
  }

  async setPeer(peer: BfddPeer): Promise<void> {
    await this.#commandLine?.run([
      peerLine(peer),
      `detect-multiplier ${peer.multiplier}`,
      `receive-interval ${peer.intervalMs}`,
      `transmit-interval ${peer.intervalMs}`,
      'exit',
    ]);
  }

  /** The peer is told (AdminDown), as XR does for a session that is unconfigured; FRR by itself would not. */
  async removePeer(peer: BfddPeer): Promise<void> {
    await this.#commandLine?.run([peerLine(peer), 'shutdown', 'exit']);
    await delay(peer.intervalMs);
    await this.#commandLine?.run([`no ${peerLine(peer)}`]);
  }

  /** Nothing is served: no packet goes out, none is read. Resolves when it goes on. */
  async pause(ms: number): Promise<void> {
    this.#bfdd?.kill('SIGSTOP');
    await delay(ms);
    this.#bfdd?.kill('SIGCONT');
  }

  /** SIGKILL, as a power cut does. */
  async kill(): Promise<void> {
    this.#notifications?.destroy();
    this.#commandLine?.close();
    this.#commandLine = null;
    const running = [this.#bfdd, this.#zebra].filter((each) => each !== null);
    await Promise.all(running.map(killed));
  }

  #run(program: string, more: readonly string[]): ChildProcess {
    const place = this.#directory;
    return this.#namespace.spawn(
      [
        join(PROGRAMS, program),
        ...['-u', 'frr', '-g', 'frr', '-P', '0', '-i', join(place, `${program}.pid`)],
        ...['-z', join(place, 'zserv'), '--vty_socket', place],
        ...more,
      ],
      { stdio: 'ignore' },
    );
  }
}

const peerLine = ({ address, device, localAddress }: BfddPeer): string =>
  device === null
    ? `peer ${address} multihop local-address ${localAddress ?? ''}`
    : `peer ${address} interface ${device}`;

/** @throws Error where Debian's frr is not installed. */
function idOf(file: string, name: string): number {
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`there is no ${name} in ${file}: install Debian's frr`);
  return Number(line.split(':')[2]);
}

/** @throws Error when nobody listens there by the deadline, or the process has ended. */
async function listens(path: string, process: ChildProcess): Promise<Socket> {
  for (const until = Date.now() + DEADLINE_MS; Date.now() < until; await delay(20)) {
    if (process.exitCode !== null) throw new Error(`${process.spawnfile} has ended before it had ${path}`);
    const socket = existsSync(path) ? await connected(path) : null;
    if (socket !== null) return socket;
  }
  throw new Error(`nothing listened on ${path} within ${DEADLINE_MS} ms`);
}

function connected(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(null));
  });
}

/** FRR's command line socket: a command ends with NUL, its answer with three NULs and a status. */
class CommandLine {
  readonly #socket: Socket;
  #answer = Buffer.alloc(0);
  #answered: ((status: number) => void) | null = null;
  #last: Promise<void> = Promise.resolve();

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#answered?.(-1));
  }

  /** One after another, also of several callers. @throws Error for a command that is refused. */
  run(commands: readonly string[]): Promise<void> {
    const turn = this.#last.then(async () => {
      for (const command of commands) {
        const status = await this.#ask(command);
        if (status > 0) throw new Error(`bfdd refused "${command}" (${status})`);
      }
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  close(): void {
    this.#socket.destroy();
  }

  #ask(command: string): Promise<number> {
    if (this.#socket.destroyed) return Promise.resolve(-1);
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#socket.write(`${command}\0`);
    });
  }

  #take(chunk: Buffer): void {
    this.#answer = Buffer.concat([this.#answer, chunk]);
    const end = this.#answer.indexOf(Buffer.from([0, 0, 0]));
    const status = end === -1 ? undefined : this.#answer[end + 3];
    if (status === undefined) return;
    this.#answer = this.#answer.subarray(end + 4);
    const answered = this.#answered;
    this.#answered = null;
    answered?.(status);
  }
}

/** The mask is in host byte order: FRR 8.4 takes it in network order with an "ok", and never notifies. */
function subscribe(socket: Socket, changed: (event: BfddEvent) => void): void {
  const request = Buffer.alloc(16);
  request.writeUInt32BE(8, 0);
  request.writeUInt16BE(1, 4);
  request.writeUInt8(NOTIFY, 6);
  request.writeUInt8(VERSION, 7);
  request.writeBigUInt64LE(PEER_STATE, 8);
  socket.write(request);
  socket.on('error', () => undefined);
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    const receivedAtMs = Number(process.hrtime.bigint()) / 1e6;
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 8 && pending.length >= 8 + pending.readUInt32BE(0)) {
      const [type, end] = [pending.readUInt8(6), 8 + pending.readUInt32BE(0)];
      const body = pending.subarray(8, end).toString();
      pending = pending.subarray(end);
      const event = type === NOTIFY ? readEvent(body, receivedAtMs) : null;
      if (event !== null) changed(event);
    }
  });
}

export function readEvent(body: string, receivedAtMs: number): BfddEvent | null {
  const message = JSON.parse(body.replace(/\0+$/, '')) as Readonly<Record<string, unknown>>;
  if (message['op'] !== 'status') return null;
  const device = message['local-interface'];
  return {
    address: String(message['peer-address']),
    device: typeof device === 'string' && device !== '' && message['multihop'] !== true ? device : null,
    state: message['state'] as BfddEvent['state'],
    diagnostic: Number(message['diagnostics'] ?? 0),
    remoteDiagnostic: Number(message['remote-diagnostics'] ?? 0),
    receivedAtMs,
  };
}
