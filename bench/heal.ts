/**
 * The healer measured: how long a healing takes beside what EC2 itself takes, in virtual time, so that the figures are
 * the same on every machine; how many calls it makes beside those of its plan; and how long dist/heal.js takes to start.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { autoScalingService } from '../lab/autoscaling-emulator/actions';
import { AutoScaling } from '../lab/autoscaling-emulator/autoScaling';
import { CredentialRegistry } from '../lab/ec2-emulator/credentials';
import { startEc2Emulator } from '../lab/ec2-emulator/emulator';
import { scaledPace } from '../lab/ec2-emulator/pace';
import { isWrite } from '../lab/ec2-emulator/requestLog';
import { Ec2World } from '../lab/ec2-emulator/world';
import { healPath } from '../lab/heal/bundle';
import { exampleFile, exampleRegion, firewall, nat, pair, type ExampleName } from '../lab/heal/regions';
import { startStage, type Stage } from '../lab/heal/stage';

export type HealingRow = {
  readonly example: ExampleName;
  readonly callMs: number;
  /** From the launch event to the end of the lifecycle action. */
  readonly tookMs: number;
  /** What EC2 itself takes of it: its changes, and of the calls those that have to follow on one another. */
  readonly floorMs: number;
  readonly writes: number;
  readonly planned: number;
  readonly reads: number;
};

/** EC2 and its guests take this; a guest boots at once, since its boot is not the healer's. */
const pace = { ...scaledPace(1), bootMs: 0 };

type Case = {
  readonly group: string;
  readonly lost: string;
  /** Writes that can only be sent when the one before has come to its end; the lifecycle action is the last of them. */
  readonly writesInSeries: number;
  /** What these wait for, beside the calls. */
  readonly changesMs: number;
};

/** Each write is decided by a reading that was made just before: which instances there are, then all that they have. */
const READS_BEFORE_WRITE = 2;

/** Until its old instance has let go of it, nothing can be attached. */
const FREE_MS = pace.shutdownMs + pace.detachInterfaceMs;

const cases: Readonly<Record<ExampleName, Case>> = {
  // Interfaces attached; completed.
  pair: {
    group: 'rtr2',
    lost: pair.instanceId.rtr2,
    writesInSeries: 2,
    changesMs: FREE_MS + pace.attachInterfaceMs,
  },
  // Check switched off; routes and Elastic IP; completed.
  nat: { group: 'nat', lost: nat.instanceId, writesInSeries: 3, changesMs: pace.launchMs },
  // Interface attached; rebooted; completed.
  'network-function': {
    group: 'fw1',
    lost: firewall.instanceId,
    writesInSeries: 3,
    changesMs: FREE_MS + pace.attachInterfaceMs,
  },
};

export async function measureHealings(say: (line: string) => unknown): Promise<readonly HealingRow[]> {
  const rows: HealingRow[] = [];
  for (const example of ['pair', 'nat', 'network-function'] as const)
    for (const callMs of [50, 200]) {
      const row = await measureHealing(example, callMs);
      say(
        `${example} at ${callMs} ms per call: ${(row.tookMs / 1000).toFixed(1)} s, ${ratioOf(row).toFixed(3)} of what EC2 takes; ${row.writes} writes of ${row.planned} planned`,
      );
      rows.push(row);
    }
  return rows;
}

export const ratioOf = ({ tookMs, floorMs }: HealingRow): number => tookMs / floorMs;

async function measureHealing(example: ExampleName, callMs: number): Promise<HealingRow> {
  const { group, lost, writesInSeries, changesMs } = cases[example];
  const stage = await startStage(example, { pace, identity: { restart_s: 0 } });
  try {
    stage.ec2.addFault({ kind: 'latency', ms: callMs });
    const planned = plannedWrites((await stage.command('plan')).text, group);
    // The first sweep takes the right to write, and it becomes certain.
    await stage.pass(100_000);
    const lostAtMs = stage.clock.nowMs();
    stage.world.slow.terminate(lost);
    const launch = () => stage.events.find(isLaunchOf(group));
    await stage.until('the launch', () => launch() !== undefined);
    const launchedAtMs = stage.clock.nowMs();
    const mark = stage.ec2.requests().at(-1)?.number ?? 0;
    await stage.until('the end', () => stage.told.includes(`healing-ended ${group}`));
    const requests = stage.ec2.requests().filter(({ number }) => number > mark);
    const writes = requests.filter(
      (each) => isWrite(each) && each.action !== 'RecordLifecycleActionHeartbeat',
    );
    const completed = writes.find(
      ({ action, params }) =>
        action === 'CompleteLifecycleAction' && params['LifecycleHookName'] === 'heal-launch',
    );
    return {
      example,
      callMs,
      tookMs: (completed?.endedAt ?? NaN) - launchedAtMs,
      floorMs:
        changesMs -
        (example === 'nat' ? 0 : launchedAtMs - lostAtMs) +
        writesInSeries * (READS_BEFORE_WRITE + 1) * callMs,
      writes: writes.length,
      planned,
      reads: requests.length - writes.length,
    };
  } finally {
    await stage.stop();
  }
}

const isLaunchOf =
  (group: string) =>
  (event: Stage['events'][number]): boolean =>
    event['detail-type'] === 'EC2 Instance-launch Lifecycle Action' &&
    event.detail['AutoScalingGroupName'] === group;

/** Of the group, if its instance was lost. */
function plannedWrites(plan: string, group: string): number {
  const [, own = ''] = plan.split(`(group ${group})`);
  const [, count] = /= (\d+) writes/.exec(own) ?? [];
  if (count === undefined) throw new Error(`no plan for ${group} in:\n${plan}`);
  return Number(count);
}

// ---- Its start ----

export type StartRow = {
  readonly node: string;
  /** Loading the bundle: what Lambda counts as its init. */
  readonly loadMs: readonly number[];
  /** The first invocation: its file is read, AWS is looked at, nothing is to be done. */
  readonly firstMs: readonly number[];
  readonly rssMiB: readonly number[];
};

const CHILD = `
const started = performance.now();
const { handler } = require(process.argv[1]);
const loaded = performance.now();
handler({ id: 'start' }, { getRemainingTimeInMillis: () => 900000 }).then(() => {
  const rssMiB = process.memoryUsage().rss / 2 ** 20;
  console.error(JSON.stringify({ node: process.version, loadMs: loaded - started, firstMs: performance.now() - loaded, rssMiB }));
});`;

/** Each sample is a process of its own. */
export async function measureStarts(node: string, samples: number): Promise<StartRow> {
  const region = await openWholeNat();
  try {
    const all: Started[] = [];
    for (let sample = 0; sample < samples; sample += 1) all.push(await startOnce(node, region.env));
    return {
      node: all[0]?.node ?? '',
      loadMs: all.map(({ loadMs }) => loadMs),
      firstMs: all.map(({ firstMs }) => firstMs),
      rssMiB: all.map(({ rssMiB }) => rssMiB),
    };
  } finally {
    await region.stop();
  }
}

type Started = {
  readonly node: string;
  readonly loadMs: number;
  readonly firstMs: number;
  readonly rssMiB: number;
};

async function startOnce(node: string, env: Readonly<Record<string, string>>): Promise<Started> {
  const child = spawn(node, ['-e', CHILD, healPath], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (part: Buffer) => (text += part.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  const line = text.split('\n').find((each) => each.startsWith('{'));
  if (code !== 0 || line === undefined) throw new Error(`${node} ends with ${code}: ${text}`);
  return JSON.parse(line) as Started;
}

/** In the time of the machine; the function had the right to write before. */
async function openWholeNat() {
  const { region, groups } = exampleRegion.nat();
  const world = new Ec2World(region);
  const scaling = new AutoScaling({ world });
  const now = Date.now();
  const record = `v=1 n=1 owner=lambda:heal since=${now - 100_000} until=${now + 3_000_000} instance=- begun=- rebooted=- told=-`;
  for (const group of groups) scaling.createGroup({ ...group, tags: { 'xr-aws-ha:heal': record } });
  const key = { accessKeyId: 'ASIABENCHBENCHBENCHB', secretAccessKey: 'secret', sessionToken: 'token' };
  const credentials = new CredentialRegistry();
  credentials.register({ ...key, role: 'healer', instanceId: 'healer', expiresAt: Infinity });
  const ec2 = await startEc2Emulator({ world, credentials, services: [autoScalingService(scaling)] });
  const { topic_arn: _, ...heal } = exampleFile('nat').heal;
  const document = {
    ...heal,
    ec2_endpoint_url: ec2.url,
    autoscaling_endpoint_url: ec2.url,
    sns_endpoint_url: ec2.url,
  };
  return {
    env: {
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
      AWS_SESSION_TOKEN: key.sessionToken,
      HEAL_JSON: JSON.stringify({ heal: document }),
    },
    stop: async (): Promise<void> => {
      scaling.stop();
      await ec2.stop();
    },
  };
}
