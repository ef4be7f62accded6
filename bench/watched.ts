/**
 * What operators see costs the daemon: takeovers beside 50 questions a second to the status endpoint, and beside receivers
 * of notifications that hang, in turn with one that nobody watches; and memory and CPU at rest with all of it on and off.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once as event } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExtraKeys } from '../lab/topology/config';
import { freePort } from './freePort';
import { cpuMs, memoryMiB } from './rest';
import { openStandby, type Standby, type StandbyOptions, type Takeover } from './standby';
import type { Count } from './statistics';
import { takeoverCounts, takeOverOnce } from './takeovers';

export const WATCHES = ['nobody', 'endpoint', 'receivers'] as const;
export type Watch = (typeof WATCHES)[number];

export type AtRest = { readonly rssMiB: number; readonly cpuPercent: number };

export type WatchedRows = {
  readonly takeovers: Readonly<Record<Watch, readonly Takeover[]>>;
  readonly rest: Readonly<Record<'off' | 'on', readonly AtRest[]>>;
  readonly restS: number;
};

const SUBJECT = { generation: 'gen1', interfaces: 2 } as const;
const KEEPALIVE_S = 0.5;
const QUESTIONS_PER_S = 50;
/** As a Prometheus asks. */
const SCRAPE_S = 15;
const REST_DAEMONS = 3;
const SETTLE_MS = 15_000;
const REST_S = 60;

export async function measureWatched(samples: number): Promise<WatchedRows> {
  const takeovers = await measureTakeovers(samples);
  return { takeovers, rest: await measureRests(), restS: REST_S };
}

export const watchedCounts = ({ takeovers }: WatchedRows): readonly Count[] =>
  WATCHES.flatMap((watch) =>
    takeoverCounts(SUBJECT.interfaces, takeovers[watch]).map((count) => ({
      ...count,
      what: `${count.what}, ${watch}`,
    })),
  );

async function measureTakeovers(samples: number): Promise<WatchedRows['takeovers']> {
  const port = await freePort();
  const config: Readonly<Record<Watch, ExtraKeys>> = {
    nobody: {},
    endpoint: { status_listen: `127.0.0.1:${port}` },
    receivers: { notifications: await hangingReceivers() },
  };
  return withOpen(async (open) => {
    const standbys: [Watch, Standby, Takeover[]][] = [];
    for (const watch of WATCHES)
      standbys.push([watch, await open({ ...SUBJECT, keepaliveS: KEEPALIVE_S, config: config[watch] }), []]);
    const asking = asker(port, QUESTIONS_PER_S);
    try {
      // The first takeover of a process has a table of its own.
      for (let count = 0; count <= samples; count += 1)
        for (const [, standby, taken] of standbys) {
          const takeover = await takeOverOnce(standby);
          if (count > 0) taken.push(takeover);
        }
    } finally {
      await ended(asking);
    }
    const [nobody, endpoint, receivers] = standbys.map(([, , taken]) => taken);
    return { nobody: nobody ?? [], endpoint: endpoint ?? [], receivers: receivers ?? [] };
  });
}

/** As delivered, at the same time. */
async function measureRests(): Promise<WatchedRows['rest']> {
  return withOpen(async (open) => {
    const off: Standby[] = [];
    const on: Standby[] = [];
    const askers: ChildProcess[] = [];
    try {
      for (let count = 0; count < REST_DAEMONS; count += 1) {
        off.push(await open(SUBJECT));
        const port = await freePort();
        const config = { status_listen: `127.0.0.1:${port}`, notifications: await hangingReceivers() };
        on.push(await open({ ...SUBJECT, config }));
        askers.push(asker(port, 1 / SCRAPE_S));
      }
      await delay(SETTLE_MS);
      const begun = [...off, ...on].map((standby) => cpuMs(pidOf(standby)));
      await delay(REST_S * 1_000);
      const rests = [...off, ...on].map((standby, place) => ({
        rssMiB: memoryMiB(pidOf(standby), 'VmRSS'),
        cpuPercent: (cpuMs(pidOf(standby)) - (begun[place] ?? 0)) / REST_S / 10,
      }));
      return { off: rests.slice(0, REST_DAEMONS), on: rests.slice(REST_DAEMONS) };
    } finally {
      await Promise.all(askers.map(ended));
    }
  });
}

function pidOf({ daemon }: Standby): number {
  if (daemon.pid === undefined) throw new Error('the daemon has not started');
  return daemon.pid;
}

async function withOpen<Result>(
  run: (open: (options: StandbyOptions) => Promise<Standby>) => Promise<Result>,
): Promise<Result> {
  const standbys: Standby[] = [];
  try {
    return await run(async (options) => {
      const standby = await openStandby(options);
      standbys.push(standby);
      return standby;
    });
  } finally {
    await Promise.all(standbys.map((standby) => standby.stop()));
  }
}

/** They take the connection and never say anything. */
async function hangingReceivers(): Promise<ExtraKeys> {
  const silent = async (): Promise<number> => {
    const server: Server = createServer((socket) => socket.on('error', () => socket.destroy()).resume());
    server.unref();
    server.listen(0, '127.0.0.1');
    await event(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  return {
    webhooks: [{ name: 'noc', url: `http://127.0.0.1:${await silent()}/` }],
    syslog_servers: [{ name: 'log', server: '127.0.0.1', port: await silent(), transport: 'tcp' }],
  };
}

/** A process of its own, which must not take the time of the bench: a page of the status, then one of the metrics, for ever. */
function asker(port: number, perSecond: number): ChildProcess {
  const program = `
    let asked = 0;
    setInterval(() => {
      const path = (asked += 1) % 2 === 0 ? '/status' : '/metrics';
      const asking = { host: '127.0.0.1', port: ${port}, path, agent: false };
      require('node:http').get(asking, (answer) => answer.resume()).on('error', () => {});
    }, ${1_000 / perSecond});`;
  return spawn(process.execPath, ['-e', program], { stdio: 'ignore' });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = event(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
