/**
 * `npm run bench -- package`: the product as it is delivered, in its container. What it weighs, how fast it is up,
 * what it takes at rest, and what becomes of its memory over a long time with many failovers.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startEngine, type ContainerEngine } from '../lab/containerEngine';
import type { LabRouter } from '../lab/topology/router';
import { spread } from './aims';
import { freePort } from './freePort';
import { memoryMiB } from './rest';
import { times } from './showLatency';
import { openStandby, type OpenStandby, type Standby, type Takeover } from './standby';
import type { Count } from './statistics';
import {
  measureFirst,
  measureLatency,
  measureMoved,
  takeoverCounts,
  type FirstRow,
  type LatencyRow,
  type MovedRow,
} from './takeovers';

export type Weights = {
  readonly imageMb: number;
  readonly compressedMb: number;
  readonly rpms: readonly { readonly name: string; readonly mb: number }[];
};

/** MiB. `container`: all its processes. `charged`: what the engine shows, and a memory limit counts. */
export type MemorySample = {
  readonly minute: number;
  readonly failovers: number;
  readonly daemon: number;
  readonly redis: number;
  readonly container: number;
  readonly charged: number;
};

export type Packaged = {
  readonly weights: Weights;
  readonly node: string;
  readonly startsMs: readonly number[];
  /** Of one core, all processes of the container. */
  readonly restPercent: number;
  readonly restSeconds: number;
  readonly memory: readonly MemorySample[];
  /** Those of the long time. */
  readonly takeovers: readonly Takeover[];
  readonly failover: Failover;
};

/** As it is measured outside a container, by the same functions. */
export type Failover = {
  readonly latency: LatencyRow;
  /** The same with the container on other cores than the bench. */
  readonly apart: LatencyRow;
  readonly first: FirstRow;
  readonly moved: MovedRow;
  /** `docker exec ... show ha_state`, and of a program that does nothing. */
  readonly showMs: readonly number[];
  readonly bareMs: readonly number[];
};

export type PackagedOptions = {
  /** Where `npm run package` has put its files. */
  readonly files: string;
  readonly scratch: string;
  readonly minutes: number;
  readonly failovers: number;
  readonly say: (line: string) => unknown;
};

const STARTS = 8;
const SUBJECT = { generation: 'gen1', interfaces: 2 } as const;
const TAKEOVERS = 60;
const MOVED = { interfaces: 8, latencyMs: 150, takeovers: 10 } as const;
const REST_S = 60;
const SETTLE_MS = 15_000;
const TICK_MS = 10;
const IMAGE = 'xrv9k_aws_ha';

export async function measurePackaged(options: PackagedOptions): Promise<Packaged> {
  const { files, scratch, say } = options;
  const engine = await startEngine({ directory: join(scratch, 'docker') });
  try {
    const archive = readdirSync(files).find((name) => name.endsWith('.image.tar.gz'));
    if (archive === undefined) throw new Error(`no image in ${files}: run npm run package`);
    await engine.docker('load', '-i', join(files, archive));
    const startsMs: number[] = [];
    for (let count = 0; count < STARTS; count += 1) startsMs.push(await startOnce(engine));
    say(`container start to role known: ${startsMs.map((each) => each.toFixed(0)).join(', ')} ms`);
    const failover = await measureFailover(engine);
    say(`event to first write: ${spread(failover.latency.takeovers)}`);
    say(`the same, on other cores than the bench: ${spread(failover.apart.takeovers)}`);
    const container = nextName();
    const standby = await inContainer(engine, container)(SUBJECT);
    try {
      const rest = await atRest(engine, container);
      say(`at rest: ${rest.toFixed(2)} % of a core`);
      const long = await overTime(engine, { standby, container }, options);
      return {
        weights: weigh(files),
        node: await engine.docker('exec', container, 'node', '--version'),
        startsMs,
        restPercent: rest,
        restSeconds: REST_S,
        failover,
        ...long,
      };
    } finally {
      await standby.stop();
    }
  } finally {
    await engine.stop();
  }
}

let number = 0;
const nextName = (): string => `bench-${(number += 1)}`;

/** Opens the standby of a lab in a container of this name, configured as delivered. */
function inContainer(engine: ContainerEngine, container: string): OpenStandby {
  return async (options) => {
    const redis = { host: '127.0.0.1', port: await freePort() };
    return openStandby({
      store: { redis: { rtr1: redis, rtr2: redis } },
      ...options,
      // As in the image, not where the lab would put them.
      config: {
        state_dir: undefined,
        control_socket: undefined,
        syslog_file: undefined,
        ...options.config,
      },
      command: (router: LabRouter) =>
        engine.command(
          ...['run', '--rm', '--net=host', '--name', container],
          ...[
            '-v',
            `${router.directory}:/app/onbox`,
            '-v',
            `${router.directory}/container:/var/lib/xr-aws-ha`,
          ],
          ...['-e', `AWS_EC2_METADATA_SERVICE_ENDPOINT=${router.imdsUrl}`],
          IMAGE,
        ),
      ended: () => engine.ask('rm', '-f', '-v', container),
    });
  };
}

export function packagedCounts({ failover: { latency, apart, first, moved } }: Packaged): readonly Count[] {
  return [latency, apart, first, moved].flatMap(({ interfaces, takeovers }) =>
    takeoverCounts(interfaces, takeovers),
  );
}

async function startOnce(engine: ContainerEngine): Promise<number> {
  const standby = await inContainer(engine, nextName())(SUBJECT);
  await standby.stop();
  return standby.start.sinceSpawnMs;
}

async function measureFailover(engine: ContainerEngine): Promise<Failover> {
  const open: OpenStandby = (options) => inContainer(engine, nextName())(options);
  const container = nextName();
  const pids = () => engine.pids(container);
  return {
    latency: await measureLatency(SUBJECT, TAKEOVERS, open),
    apart: await measureLatency(SUBJECT, TAKEOVERS, inContainer(engine, container), pids),
    first: await measureFirst(SUBJECT, STARTS, open),
    moved: await measureMoved(MOVED.interfaces, MOVED.latencyMs, MOVED.takeovers, open),
    ...(await measureShow(engine)),
  };
}

async function measureShow(engine: ContainerEngine): Promise<Pick<Failover, 'showMs' | 'bareMs'>> {
  const container = nextName();
  const standby = await inContainer(engine, container)(SUBJECT);
  try {
    return {
      showMs: await times(() => engine.docker('exec', container, 'show', 'ha_state')),
      bareMs: await times(() => engine.docker('exec', container, 'true')),
    };
  } finally {
    await standby.stop();
  }
}

/** Short-lived processes count with their parents. */
async function cpuOf(engine: ContainerEngine, container: string): Promise<number> {
  return (await engine.pids(container)).reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return sum + [11, 12, 13, 14].reduce((own, field) => own + Number(fields[field]) * TICK_MS, 0);
  }, 0);
}

async function atRest(engine: ContainerEngine, container: string): Promise<number> {
  await delay(SETTLE_MS);
  const before = { cpu: await cpuOf(engine, container), at: performance.now() };
  await delay(REST_S * 1000);
  return (((await cpuOf(engine, container)) - before.cpu) / (performance.now() - before.at)) * 100;
}

async function overTime(
  engine: ContainerEngine,
  { standby, container }: { readonly standby: Standby; readonly container: string },
  { minutes, failovers, say }: PackagedOptions,
): Promise<Pick<Packaged, 'memory' | 'takeovers'>> {
  const memory: MemorySample[] = [await memoryNow(engine, container, 0, 0)];
  const takeovers: Takeover[] = [];
  const began = performance.now();
  const minute = (): number => (performance.now() - began) / 60_000;
  for (let count = 1; count <= failovers; count += 1) {
    await delay(Math.max(0, (count * minutes * 60_000) / failovers - (performance.now() - began)));
    await standby.untilNextEvent();
    takeovers.push(await standby.takeOver());
    await standby.watch();
    const sample = await memoryNow(engine, container, minute(), count);
    memory.push(sample);
    if (count % 10 === 0)
      say(`minute ${sample.minute.toFixed(0)}, ${count} failovers: daemon ${sample.daemon.toFixed(1)} MiB`);
  }
  return { memory, takeovers };
}

async function memoryNow(
  engine: ContainerEngine,
  container: string,
  minute: number,
  failovers: number,
): Promise<MemorySample> {
  let [daemon, redis, all] = [0, 0, 0];
  for (const pid of await engine.pids(container)) {
    const rss = rssOf(pid);
    if (rss === null) continue;
    all += rss.mib;
    if (rss.program === 'redis-server') redis += rss.mib;
    if (rss.program === 'node') daemon += rss.mib;
  }
  const charged = await engine.docker('stats', '--no-stream', '--format', '{{.MemUsage}}', container);
  return { minute, failovers, daemon, redis, container: all, charged: mibOf(charged) };
}

/** Null for a process that has just ended. */
function rssOf(pid: number): { readonly program: string; readonly mib: number } | null {
  try {
    const mib = memoryMiB(pid, 'VmRSS');
    return { program: readFileSync(`/proc/${pid}/comm`, 'ascii').trim(), mib };
  } catch {
    return null;
  }
}

/** `84.5MiB / 23.5GiB` */
function mibOf(usage: string): number {
  const [, number = '', unit = ''] = /^([\d.]+)(KiB|MiB|GiB)/.exec(usage) ?? [];
  const factor = { KiB: 1 / 1024, MiB: 1, GiB: 1024 }[unit];
  if (factor === undefined) throw new Error(`docker stats says ${usage}`);
  return Number(number) * factor;
}

function weigh(files: string): Weights {
  const names = readdirSync(files);
  const facts = names.find((name) => name.endsWith('.image.json')) ?? '';
  const { imageBytes, archiveBytes } = JSON.parse(readFileSync(join(files, facts), 'utf8')) as {
    readonly imageBytes: number;
    readonly archiveBytes: number;
  };
  return {
    imageMb: imageBytes / 1e6,
    compressedMb: archiveBytes / 1e6,
    rpms: names
      .filter((name) => name.endsWith('.rpm'))
      .map((name) => ({ name, mb: statSync(join(files, name)).size / 1e6 })),
  };
}
