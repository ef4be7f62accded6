/** The daemon when nothing happens: its memory, its share of a core and what it asks EC2. Linux only. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isObserving } from '../lab/ec2-emulator/requestLog';
import { openStandby } from './standby';
import type { Count } from './statistics';

export type Rest = {
  readonly seconds: number;
  readonly rssMiB: number;
  readonly highestRssMiB: number;
  /** A Node process that does nothing. */
  readonly bareRssMiB: number;
  readonly cpuPercent: number;
  readonly readsPerKeepalive: Count;
};

/** Of the configuration as delivered. */
const KEEPALIVE_S = 10;
const SETTLE_MS = 15_000;
/** USER_HZ is 100 on every architecture that Node runs on, proc(5). */
const TICK_MS = 10;

export async function measureRest(seconds: number): Promise<Rest> {
  const standby = await openStandby({ generation: 'gen1', interfaces: 2 });
  try {
    const { lab, daemon } = standby;
    const { pid } = daemon;
    if (pid === undefined) throw new Error('the daemon has not started');
    await delay(SETTLE_MS);
    const since = lab.ec2.requests().at(-1)?.number ?? 0;
    const before = { cpuMs: cpuMs(pid), at: performance.now() };
    await delay(seconds * 1000);
    const cpuPercent = ((cpuMs(pid) - before.cpuMs) / (performance.now() - before.at)) * 100;
    const [rssMiB, highestRssMiB] = [memoryMiB(pid, 'VmRSS'), memoryMiB(pid, 'VmHWM')];
    const receivedMs = lab.ec2
      .requests()
      .filter((request) => request.number > since && isObserving(request))
      .map(({ receivedAt }) => receivedAt);
    return {
      seconds,
      rssMiB,
      highestRssMiB,
      bareRssMiB: await bareRss(),
      cpuPercent,
      readsPerKeepalive: {
        what: 'EC2 calls of a keepalive at rest, 2 interfaces',
        expected: 1,
        seen: perKeepalive(receivedMs),
      },
    };
  } finally {
    await standby.stop();
  }
}

/** Calls in each interval, which begins with its first call. */
function perKeepalive(receivedMs: readonly number[]): readonly number[] {
  const counts: number[] = [];
  let beganMs = -Infinity;
  for (const atMs of receivedMs) {
    if (atMs - beganMs > KEEPALIVE_S * 900) {
      beganMs = atMs;
      counts.push(0);
    }
    counts.push((counts.pop() ?? 0) + 1);
  }
  return counts;
}

/** User and system time of all its threads. */
export function cpuMs(pid: number): number {
  // The second field is the name in parentheses and may hold spaces; utime and stime are the 14th and 15th.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

export function memoryMiB(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (found === null) throw new Error(`no ${field} in /proc/${pid}/status`);
  return Number(found[1]) / 1024;
}

async function bareRss(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' });
  const gone = new Promise((resolve) => child.on('close', resolve));
  try {
    await delay(1_000);
    if (child.pid === undefined) throw new Error('node has not started');
    return memoryMiB(child.pid, 'VmRSS');
  } finally {
    child.kill('SIGKILL');
    await gone;
  }
}
