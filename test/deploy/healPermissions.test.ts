/**
 * The healer's role, judged by the simulator and by AWS's own list: with each example of config/heal it may do every
 * step on what belongs to the identities, and none on anything else.
 */
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadHealFile } from '../../src/heal/config/load';
import type { Desired } from '../../src/heal/core/desired';
import {
  ACCOUNT,
  askedBy,
  REGION,
  unknownIn,
  type Asked,
  type Call,
  type StatementLike,
} from '../support/iam';
import { denied } from '../support/permitted';
import { statementsOf } from './cloudFormation';
import { attachmentOf, healCalls, idOf, instanceOf, newInterfaceOf } from './healCalls';

const folder = resolve(__dirname, '../../config/heal');
const kinds = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'schema.json');
const TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT}:healing`;
const LOG = `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/lambda/healer`;
const QUEUE = `arn:aws:sqs:${REGION}:${ACCOUNT}:dead-letters`;

const groupArn = (name: string) =>
  `arn:aws:autoscaling:${REGION}:${ACCOUNT}:autoScalingGroup:0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f:autoScalingGroupName/${name}`;
const ec2Arn = (type: string) => (id: string) => `arn:aws:ec2:${REGION}:${ACCOUNT}:${type}/${id}`;

function desiredOf(kind: string): Desired {
  const loaded = loadHealFile(resolve(folder, kind));
  if (!loaded.ok) throw new Error(loaded.report);
  return loaded.settings.desired;
}

/** As the outputs of the other templates give them. */
function roleFor({ identities }: Desired): readonly StatementLike[] {
  const list = (values: readonly string[]) => [...new Set(values)].join(',');
  const groups = identities.map(({ group }) => group);
  const all = {
    interfaces: identities.flatMap(({ interfaces }) =>
      interfaces.map(({ selector }) => idOf('eni', selector)),
    ),
    volumes: identities.flatMap(({ volumes }) => volumes.map(({ selector }) => idOf('vol', selector))),
    tables: identities.flatMap(({ routes }) => routes.map(({ table }) => idOf('rtb', table))),
    elasticIps: identities.flatMap(({ elasticIps }) => elasticIps.map(({ allocationId }) => allocationId)),
  };
  const statements = statementsOf('heal.json', {
    GroupNames: list(groups),
    GroupArns: list(groups.map(groupArn)),
    NetworkInterfaceArns: list(all.interfaces.map(ec2Arn('network-interface'))),
    VolumeArns: list(all.volumes.map(ec2Arn('volume'))),
    RouteTableArns: list(all.tables.map(ec2Arn('route-table'))),
    ElasticIpArns: list(all.elasticIps.map(ec2Arn('elastic-ip'))),
    Topic: TOPIC,
    'Log.Arn': `${LOG}:*`,
    'DeadLetters.Arn': QUEUE,
  });
  // The queue has a policy of its own, which says who may put in what failed.
  return (statements as unknown as readonly StatementLike[]).filter((each) => !('Principal' in each));
}

async function askedFor(desired: Desired): Promise<readonly Asked[]> {
  const { identities } = desired;
  const byInstance = new Map(identities.map((identity) => [instanceOf(identity), identity]));
  const byNewInterface = new Map(identities.map((identity) => [newInterfaceOf(identity), identity]));
  const interfaces = identities.flatMap((identity) => [
    ...identity.interfaces.map(({ selector }) => ({ id: idOf('eni', selector), identity })),
    { id: newInterfaceOf(identity), identity },
  ]);
  const known = {
    idsOf: (type: string, { service, params }: Call): readonly string[] => {
      if (service === 'sns') return [params['TopicArn'] ?? []].flat();
      if (service === 'autoscaling')
        return [params['AutoScalingGroupName'] ?? params['Tags.1.ResourceId'] ?? []].flat().map(groupArn);
      const about = interfaces.find(
        ({ id }) => params['NetworkInterfaceId'] === id || params['AttachmentId'] === attachmentOf(id),
      );
      if (type === 'network-interface') return about === undefined ? [] : [about.id];
      // Elastic IPs and interfaces are also about the instance that has the interface.
      const isOn = 'AllocationId' in params || 'AttachmentId' in params;
      return type === 'instance' && isOn && about !== undefined ? [instanceOf(about.identity)] : [];
    },
    tagsOf: (type: string, id: string): Readonly<Record<string, string>> => {
      const owner = type === 'instance' ? byInstance.get(id) : byNewInterface.get(id);
      const tag = type === 'instance' ? 'aws:autoscaling:groupName' : 'xr-aws-ha:group';
      return owner === undefined ? {} : { [tag]: owner.group };
    },
  };
  const calls = await healCalls(desired, TOPIC);
  // What Lambda does in the name of the role.
  const inItsName: readonly Asked[] = [
    { action: 'logs:CreateLogStream', type: 'log-stream', arn: `${LOG}:log-stream:2026`, keys: {} },
    { action: 'logs:PutLogEvents', type: 'log-stream', arn: `${LOG}:log-stream:2026`, keys: {} },
    { action: 'sqs:SendMessage', type: 'queue', arn: QUEUE, keys: {} },
  ];
  return [...(await Promise.all(calls.map((call) => askedBy(call, known)))).flat(), ...inItsName];
}

describe.each(kinds)('%s', (kind) => {
  const desired = desiredOf(kind);
  const role = { Version: '2012-10-17', Statement: roleFor(desired) };

  test('every step and every read is allowed on what it names', async () => {
    const asked = await askedFor(desired);
    expect(asked.length).toBeGreaterThan(15);
    expect(await denied({ role }, asked)).toEqual([]);
  });

  test("nothing is allowed on what belongs to no identity, nor on another group's instance", async () => {
    const writes = (await askedFor(desired)).filter(({ arn }) => arn !== '*');
    const foreign = writes.map(({ arn, keys, ...each }) => ({
      ...each,
      arn: arn.replace(/[^:/]+$/, (id) =>
        id.includes('-') ? id.replace(/-.*/, '-0badbadbadbadbad0') : 'other',
      ),
      keys: Object.fromEntries(
        Object.entries(keys).map(([key, value]) => [key, key.includes('ResourceTag') ? 'other' : value]),
      ),
    }));
    const others = foreign.filter(({ arn }) => !arn.includes(':log-group:'));
    expect(await denied({ role }, others)).toEqual(others.map(({ action, arn }) => `${action} on ${arn}`));
  });

  test("each statement is about what AWS's list knows", async () => {
    expect((await Promise.all(role.Statement.map(unknownIn))).flat()).toEqual([]);
  });
});
