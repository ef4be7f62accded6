/** The dashboard that is shipped: each query of each panel has data in a real Prometheus that scrapes an endpoint. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Attempt } from '../../src/core/state/attempt';
import { initialState } from '../../src/core/state/state';
import type { Effect } from '../../src/core/state/model';
import type { Recorded } from '../../src/runtime/loop';
import { openStatus } from '../../src/status/endpoint';
import { CallStatistics } from '../../src/transport/callStatistics';
import { planOf } from '../support/coreWorld';
import { eventually } from '../support/eventually';
import { recordingLogger } from '../support/logRecords';
import { AROUND, NOW } from '../support/readyWorld';
import { freePort } from '../support/redisServer';
import { publish, recorded, sourcesOf, statusWorld, TIMELINE } from '../support/statusWorld';

type Dashboard = {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
};
const path = resolve(__dirname, '../../deploy/monitoring/dashboard.json');
const { panels } = JSON.parse(readFileSync(path, 'utf8')) as Dashboard;

const hasPrometheus = spawnSync('prometheus', ['--version']).error === undefined;
const prometheus = hasPrometheus ? test : test.skip;
const notice = hasPrometheus ? '' : ' (prometheus is not installed: npx tsx scripts/needPromtool.ts)';

const atEnd: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of atEnd.splice(0).reverse()) await end();
});

const plan = planOf();

/** A takeover with a hedge, and sessions that go down: one of each that is counted. */
function happenings(): readonly Recorded[] {
  const send = { number: 2, startedAt: 0, hedge: true, queued: false };
  const calls = [{ number: 1, outcome: 'moved', outstanding: [send] }];
  const attempt = { number: 7, purpose: 'takeover', calls } as unknown as Attempt;
  const { sessions } = initialState(plan);
  const down = { sessions: { ...sessions, a: { ...sessions['a']!, level: 'Down' as const } } };
  const hedge = { effect: 'sendCall', call: 1, send: 2 } as unknown as Effect;
  return [
    recorded({ attempt }, { attempt, ...down }, [hedge]),
    recorded({ attempt }, {}, [{ effect: 'reportTimeline', timeline: TIMELINE }]),
  ];
}

async function openEndpoint(): Promise<number> {
  const port = await freePort();
  const statistics = new CallStatistics(() => NOW + 40);
  const world = statusWorld({
    around: { ...AROUND, cloud: { ...AROUND.cloud, calls: statistics.series() } },
    notifications: [{ receiver: 'noc', pending: 1, delivered: 2, failed: 1, dropped: 0 }],
  });
  const sources = { ...sourcesOf(world), calls: () => statistics.series(), log: recordingLogger().log };
  const place = { host: '127.0.0.1', port };
  const { snapshot, close } = openStatus({ place, tokenFile: null, tls: null }, sources);
  snapshot.update(happenings());
  publish(snapshot, world);
  const [first] = happenings();
  const asking: Recorded = {
    ...first!,
    step: { ...first!.step, effects: [{ effect: 'observeOwnership', number: 1 }] },
  };
  // What is answered is made anew after a second; a rate needs calls between two looks.
  const calling = setInterval(() => {
    world.now += 1_000;
    statistics.answered('DescribeNetworkInterfaces', NOW, null);
    snapshot.counts.take(asking);
    snapshot.beat();
  }, 200);
  atEnd.push(async () => {
    clearInterval(calling);
    await close();
  });
  return port;
}

async function startPrometheus(target: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
  const port = await freePort();
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `scrape_configs:\n  - job_name: xr-aws-ha\n    scrape_interval: 1s\n    static_configs:\n      - targets: ['127.0.0.1:${target}']\n`,
  );
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const daemon = spawn('prometheus', args, { stdio: 'ignore' });
  atEnd.push(async () => {
    const ended = new Promise((done) => daemon.once('exit', done));
    daemon.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  return `http://127.0.0.1:${port}`;
}

type QueryAnswer = {
  readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] };
};

/** As Grafana asks with all routers chosen. */
async function valuesOf(url: string, expr: string): Promise<readonly string[]> {
  const asked = expr.replaceAll('$instance', '.+').replaceAll('$__rate_interval', '30s');
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(asked)}`);
  const { data } = (await response.json()) as QueryAnswer;
  return (data?.result ?? []).map(({ value: [, value] }) => value).filter((value) => value !== 'NaN');
}

prometheus(`each query has data in Prometheus${notice}`, async () => {
  const url = await startPrometheus(await openEndpoint());
  await eventually(async () => {
    const empty: string[] = [];
    for (const { title, targets } of panels)
      for (const { expr } of targets)
        if ((await valuesOf(url, expr)).length === 0) empty.push(`${title}: ${expr}`);
    expect(empty).toEqual([]);
  });
  expect(await valuesOf(url, 'xr_aws_ha_nothing')).toEqual([]);
});
