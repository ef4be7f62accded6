/** How long an operator waits for `show ha_state`: the whole process, from its start to its end. */
import { spawn } from 'node:child_process';
import { mainPath } from '../lab/daemonProcess';
import type { LabStore } from '../lab/topology/config';
import { startRedis } from '../test/support/redisServer';
import { nowMs } from './event';
import { openStandby } from './standby';

export type ShowLatency = {
  readonly fileMs: readonly number[];
  /** A string says why it was not measured. */
  readonly redisMs: readonly number[] | string;
  /** `node -e 0`, which is Node's own part. */
  readonly bareMs: readonly number[];
};

const RUNS = 20;

export async function measureShow(): Promise<ShowLatency> {
  const bareMs = await times(() => run(['-e', '0']));
  const fileMs = await showTimes('file');
  let redis;
  try {
    redis = await startRedis();
  } catch (error: unknown) {
    return { bareMs, fileMs, redisMs: error instanceof Error ? error.message : String(error) };
  }
  try {
    return { bareMs, fileMs, redisMs: await showTimes({ redis: { rtr1: redis, rtr2: redis } }) };
  } finally {
    await redis.stop();
  }
}

async function showTimes(store: LabStore): Promise<readonly number[]> {
  const standby = await openStandby({ generation: 'gen1', interfaces: 2, store });
  try {
    const { configPath } = standby.lab.routers.rtr2;
    return await times(() => run([mainPath, 'show', 'ha_state', '-c', configPath]));
  } finally {
    await standby.stop();
  }
}

/** The first run fills the page cache and does not count. */
export async function times(runOnce: () => Promise<unknown>): Promise<readonly number[]> {
  await runOnce();
  const all: number[] = [];
  for (let count = 0; count < RUNS; count += 1) {
    const startedMs = nowMs();
    await runOnce();
    all.push(nowMs() - startedMs);
  }
  return all;
}

function run(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`node ${args.join(' ')} ended with ${code}: ${complaint}`)),
    );
  });
}
