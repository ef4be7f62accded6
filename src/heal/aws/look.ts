/**
 * One look at everything that the desired state names, and the answers to what a decision asks. The groups first, since
 * they say which instances there are; everything else side by side, and then other instances that hold something. What cannot be read is said, and no guess is made.
 */
import {
  DescribeLifecycleHooksCommand,
  DescribeScalingActivitiesCommand,
} from '@aws-sdk/client-auto-scaling';
import { DescribeInstanceStatusCommand } from '@aws-sdk/client-ec2';
import { field, Malformed, optionalText, text } from '../../aws/reads/answer';
import { joined, type Pages } from '../../aws/reads/pages';
import { oneLine } from '../../transport/words';
import { canonicalIpv6 } from '../../config/ipv6';
import type { Desired, Selector } from '../core/desired';
import {
  questionKey,
  type Answer,
  type Group,
  type Healer,
  type Hook,
  type Observed,
  type Question,
} from '../core/observed';
import { probe } from './probe';
import {
  readAddresses,
  readGroups,
  readInstances,
  readInterfaces,
  readTables,
  readVolumes,
  type Asking,
} from './readings';
import { addressOf, groupOf, instanceOf, interfaceOf, tableOf, volumeOf } from './translate';

export type Look = Omit<Observed, 'memory'>;

/** Never rejects. `now`: wall-clock milliseconds. */
export async function look(
  asking: Asking,
  desired: Desired,
  healer: Healer,
  now: () => number,
): Promise<Look> {
  const startedAt = now();
  const unread: string[] = [];
  const read = <Thing>(
    action: string,
    pages: Pages,
    translated: (member: unknown) => Thing,
  ): readonly Thing[] => {
    if (!pages.ok) unread.push(`${action}: ${pages.failure.code}: ${pages.failure.message}`);
    else
      try {
        return pages.members.map(translated);
      } catch (error: unknown) {
        if (!(error instanceof Malformed)) throw error;
        unread.push(`${action}: MalformedAnswer: ${oneLine(error.message)}`);
      }
    return [];
  };
  const named = namesOf(desired);
  const [groupPages, volumePages, addressPages, tablePages] = await Promise.all([
    readGroups(asking, named.groups),
    readVolumes(asking, named.volumes),
    readAddresses(asking, named.allocations),
    readTables(asking, desired.vpcId, named.tables),
  ]);
  const found = read('DescribeAutoScalingGroups', groupPages, groupOf);
  const volumes = distinct(read('DescribeVolumes', volumePages, (each) => volumeOf(each, named.volumes)));
  const addresses = read('DescribeAddresses', addressPages, addressOf);
  const tables = distinct(read('DescribeRouteTables', tablePages, (each) => tableOf(each, named.tables)));
  const members = found.flatMap(({ instances }) => instances.map(({ id }) => id));
  const [interfacePages, memberPages] = await Promise.all([
    readInterfaces(asking, desired.vpcId, {
      selectors: named.interfaces,
      instanceIds: members,
      addresses: named.floating,
    }),
    readInstances(asking, members),
  ]);
  const interfaces = distinct(
    read('DescribeNetworkInterfaces', interfacePages, (each) => interfaceOf(each, named.interfaces)),
  );
  const holders = [
    ...interfaces.map(({ attachment }) => attachment?.instanceId ?? ''),
    ...volumes.map(({ attachment }) => attachment?.instanceId ?? ''),
    ...addresses.map(([, { instanceId }]) => instanceId ?? ''),
    ...tables.flatMap(({ routes }) => routes.map(({ instanceId }) => instanceId ?? '')),
  ];
  const others = holders.filter((id) => id !== '' && !members.includes(id));
  const instancePages = joined([memberPages, await readInstances(asking, others)]);
  const instances = read('DescribeInstances', instancePages, instanceOf);
  // A group that was not read is unknown; one that is not in the answer does not exist.
  const groups: [string, Group | null][] = groupPages.ok
    ? named.groups.map((name) => [name, found.find((group) => group.name === name) ?? null])
    : [];
  return {
    startedAt,
    healer,
    groups: Object.fromEntries(groups),
    instances: Object.fromEntries(instances.map((instance) => [instance.id, instance])),
    interfaces,
    volumes,
    elasticIps: Object.fromEntries(addresses),
    tables,
    unread,
    answers: {},
  };
}

function namesOf({ identities, pairs }: Desired) {
  return {
    groups: identities.map(({ group }) => group),
    interfaces: identities.flatMap(({ interfaces }) => interfaces.map(({ selector }) => selector)),
    volumes: identities.flatMap(({ volumes }) => volumes.map(({ selector }) => selector)),
    tables: [
      ...identities.flatMap(({ routes }) => routes),
      ...pairs.flatMap(({ floating }) => floating.routes),
    ].map(({ table }): Selector => table),
    allocations: [
      ...identities.flatMap(({ elasticIps }) => elasticIps.map(({ allocationId }) => allocationId)),
      ...pairs.flatMap(({ floating }) => floating.elasticIps),
    ],
    floating: pairs.flatMap(({ floating }) =>
      floating.privateAddresses.map((address) => canonicalIpv6(address) ?? address),
    ),
  };
}

/** Several questions may have the same thing in their answers. */
function distinct<Thing extends { readonly id: string }>(things: readonly Thing[]): readonly Thing[] {
  return [...new Map(things.map((thing) => [thing.id, thing])).values()];
}

export async function answersTo(
  asking: Asking,
  questions: readonly Question[],
): Promise<{ readonly [question: string]: Answer }> {
  const each = new Map(questions.map((question) => [questionKey(question), question]));
  const answers = await Promise.all(
    [...each].map(async ([key, question]) => [key, await answerTo(asking, question)] as const),
  );
  return Object.fromEntries(answers);
}

async function answerTo(asking: Asking, question: Question): Promise<Answer> {
  try {
    switch (question.ask) {
      case 'hooks':
        return await hooksOf(asking, question.group);
      case 'activity':
        return await activityOf(asking, question.group);
      case 'status':
        return await statusOf(asking, question.instanceId);
      case 'probe':
        return { kind: 'probe', ...(await probe(question.url, asking.timeoutMs)) };
    }
  } catch (error: unknown) {
    if (!(error instanceof Malformed)) throw error;
    return { kind: 'unanswered', says: `MalformedAnswer: ${oneLine(error.message)}` };
  }
}

const unanswered = ({ code, message }: { readonly code: string; readonly message: string }): Answer => ({
  kind: 'unanswered',
  says: `${code}: ${message}`,
});

async function hooksOf({ services, timeoutMs }: Asking, group: string): Promise<Answer> {
  const result = await services.autoscaling.call('DescribeLifecycleHooks', timeoutMs, (client, options) =>
    client.send(new DescribeLifecycleHooksCommand({ AutoScalingGroupName: group }), options),
  );
  if (!result.ok) return unanswered(result.failure);
  const hooks = (result.output.LifecycleHooks ?? []).map((hook): readonly [string, Hook] => {
    const name = text(hook, 'LifecycleHookName', /^[\w/-]{1,255}$/, `a hook of ${group}`);
    const timeoutS = field(hook, 'HeartbeatTimeout');
    if (typeof timeoutS !== 'number' || !(timeoutS > 0))
      throw new Malformed(`hook ${name} has no valid HeartbeatTimeout`);
    const isLaunch = field(hook, 'LifecycleTransition') === 'autoscaling:EC2_INSTANCE_LAUNCHING';
    return [
      name,
      { transition: isLaunch ? 'launching' : 'terminating', heartbeatTimeoutMs: timeoutS * 1000 },
    ];
  });
  return { kind: 'hooks', hooks: Object.fromEntries(hooks) };
}

async function activityOf({ services, timeoutMs }: Asking, group: string): Promise<Answer> {
  const input = { AutoScalingGroupName: group, MaxRecords: 1 };
  const result = await services.autoscaling.call('DescribeScalingActivities', timeoutMs, (client, options) =>
    client.send(new DescribeScalingActivitiesCommand(input), options),
  );
  if (!result.ok) return unanswered(result.failure);
  const [last] = result.output.Activities ?? [];
  if (last === undefined) return { kind: 'activity', activity: null };
  const says = oneLine(last.StatusMessage ?? last.Description ?? last.StatusCode ?? '');
  return { kind: 'activity', activity: { failed: last.StatusCode === 'Failed', says } };
}

const CHECK = /^[a-z-]{1,40}$/;

async function statusOf({ services, timeoutMs }: Asking, instanceId: string): Promise<Answer> {
  const input = { InstanceIds: [instanceId], IncludeAllInstances: true };
  const result = await services.ec2.call('DescribeInstanceStatus', timeoutMs, (client, options) =>
    client.send(new DescribeInstanceStatusCommand(input), options),
  );
  if (!result.ok) return unanswered(result.failure);
  const [status] = result.output.InstanceStatuses ?? [];
  if (status === undefined) return { kind: 'unanswered', says: `EC2 says nothing of ${instanceId}` };
  const said = (key: string): string | null => optionalText(field(status, key), 'Status', CHECK, instanceId);
  const checks = ['SystemStatus', 'InstanceStatus', 'AttachedEbsStatus'].map(said);
  // The worst of them; what EC2 does not say of an instance is left out, of which an older one has less.
  const worst =
    checks.find((each) => each === 'impaired') ?? checks.find((each) => each !== null && each !== 'ok');
  return {
    kind: 'status',
    status: { checks: worst ?? checks[0] ?? 'unknown', application: said('ApplicationStatus') ?? 'unknown' },
  };
}
