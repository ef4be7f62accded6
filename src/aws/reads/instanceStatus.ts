/**
 * Asks EC2 how the instances that hold the targets are: running and well, impaired, stopped, gone. The answer is
 * evidence for a takeover from an instance that BFD says nothing about, so it is all or nothing: what is not
 * said of every instance in words that are known is a failure, never a condition.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceStatus.html
 */
import { performance } from 'node:perf_hooks';
import {
  DescribeInstanceStatusCommand,
  type InstanceStatus,
  type InstanceStatusEvent,
} from '@aws-sdk/client-ec2';
import type { HoldersResult } from '../../cloud';
import type { InstanceCondition } from '../../core/state/readings';
import { malformed, type Ec2 } from '../transport/ec2';

/** EC2's limit of instance ids in one call. */
const INSTANCE_IDS_MAX = 100;
const UNKNOWN_INSTANCE = 'InvalidInstanceID.NotFound';

const STATES: ReadonlyMap<unknown, Exclude<InstanceCondition, 'impaired' | 'gone'>> = new Map([
  ['pending', 'pending'],
  ['running', 'running'],
  ['stopping', 'stopping'],
  ['stopped', 'stopped'],
  ['shutting-down', 'shutting-down'],
  ['terminated', 'terminated'],
]);

/**
 * One call, unless EC2 does not know one of the instances. `timeoutMs` bounds the whole. Without the permission
 * `ec2:DescribeInstanceStatus` it fails as `refused`. Never rejects.
 */
export async function askHolders(
  ec2: Ec2,
  instanceIds: readonly string[],
  timeoutMs: number,
  onEvents: OnEvents = () => {},
): Promise<HoldersResult> {
  const until = performance.now() + timeoutMs;
  return ask(ec2, [...new Set(instanceIds)], () => Math.max(1, until - performance.now()), onEvents);
}

/** Given what the answer says of an instance's scheduled events, beside how it is. */
export type OnEvents = (instanceId: string, events: readonly InstanceStatusEvent[]) => void;

async function ask(
  ec2: Ec2,
  instanceIds: readonly string[],
  remainingMs: () => number,
  onEvents: OnEvents,
): Promise<HoldersResult> {
  // A request without ids would be about every instance of the account.
  if (instanceIds.length === 0) return { ok: true, conditions: {} };
  if (instanceIds.length > INSTANCE_IDS_MAX) return askHalves(ec2, instanceIds, remainingMs, onEvents);
  // By id, because the action has no filter for it; with ids EC2 knows no pages.
  const input = { InstanceIds: [...instanceIds], IncludeAllInstances: true };
  const result = await ec2.call('DescribeInstanceStatus', remainingMs(), (client, options) =>
    client.send(new DescribeInstanceStatusCommand(input), options),
  );
  if (result.ok) {
    const read = readConditions(instanceIds, result.output.InstanceStatuses);
    for (const { InstanceId, Events } of read.ok ? (result.output.InstanceStatuses ?? []) : [])
      onEvents(InstanceId ?? '', Events ?? []);
    return read;
  }
  if (result.failure.code !== UNKNOWN_INSTANCE) return result;
  const [only] = instanceIds;
  if (instanceIds.length === 1 && only !== undefined) return { ok: true, conditions: { [only]: 'gone' } };
  return askHalves(ec2, instanceIds, remainingMs, onEvents);
}

/** One unknown instance spoils the whole call, and which one it is stands only in a text for people. */
async function askHalves(
  ec2: Ec2,
  instanceIds: readonly string[],
  remainingMs: () => number,
  onEvents: OnEvents,
): Promise<HoldersResult> {
  const middle = Math.ceil(instanceIds.length / 2);
  const [first, second] = await Promise.all([
    ask(ec2, instanceIds.slice(0, middle), remainingMs, onEvents),
    ask(ec2, instanceIds.slice(middle), remainingMs, onEvents),
  ]);
  if (!first.ok) return first;
  if (!second.ok) return second;
  return { ok: true, conditions: { ...first.conditions, ...second.conditions } };
}

function readConditions(
  instanceIds: readonly string[],
  statuses: readonly InstanceStatus[] | undefined,
): HoldersResult {
  if (statuses === undefined) return failed('the answer has no list of instances');
  const conditions = new Map<string, InstanceCondition>();
  for (const status of statuses) {
    const { InstanceId } = status;
    if (InstanceId === undefined || !instanceIds.includes(InstanceId))
      return failed(
        `the answer is about ${InstanceId ?? 'an instance without id'}, which was not asked about`,
      );
    if (conditions.has(InstanceId)) return failed(`the answer has ${InstanceId} twice`);
    const condition = conditionOf(status);
    if (condition === null) return failed(`the answer does not say how ${InstanceId} is`);
    conditions.set(InstanceId, condition);
  }
  const missing = instanceIds.find((instanceId) => !conditions.has(instanceId));
  // EC2 says so when it knows none such: an id that is merely missing proves nothing.
  if (missing !== undefined) return failed(`the answer says nothing of ${missing}`);
  return { ok: true, conditions: Object.fromEntries(conditions) };
}

/**
 * Null where the answer does not say. The checks of an instance and of its host count; those of its volumes and
 * applications do not tell whether it forwards.
 */
function conditionOf({
  InstanceState,
  InstanceStatus,
  SystemStatus,
}: InstanceStatus): InstanceCondition | null {
  const state = STATES.get(InstanceState?.Name) ?? null;
  if (state !== 'running') return state;
  const checks = [InstanceStatus?.Status, SystemStatus?.Status];
  if (checks.includes(undefined)) return null;
  return checks.includes('impaired') ? 'impaired' : 'running';
}

function failed(problem: string): HoldersResult {
  return { ok: false, failure: malformed(problem) };
}
