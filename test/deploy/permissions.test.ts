/**
 * The policies, judged by others: an independent simulator of IAM and AWS's own list of actions, resources and
 * condition keys. Every call that the product makes with an example configuration is allowed on what it names, and
 * denied on what is somebody else's. The calls are those of the product's own code.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { AnyLab } from '../../lab/topology/topology';
import { examples, startExample } from '../e2e/exampleWorlds';
import { ACCOUNT, REGION, unknownIn, type Asked, type StatementLike } from '../support/iam';
import {
  askedIn,
  CHANGES_THE_CHECK,
  denied,
  placesOf,
  printedPolicy,
  settingsOf,
  type Policy,
} from '../support/permitted';
import { resolver, read, statementsOf, valuesOf } from './cloudFormation';
import { askEverything, configure, switchChecksOn } from './daemonCalls';
import { inAws } from '../support/inAws';

const kinds = [...new Set(readdirSync(examples).map((file) => file.replace(/-rtr[12]\.json$/, '')))];
const variants = [
  { as: 'as it is', keys: {} },
  {
    as: 'with the check switched off, taking from anybody, with a check of EC2',
    keys: {
      source_dest_check: 'disable',
      foreign_holder: 'take',
      application_status_check: 'asc-0123456789abcdef0',
      status_listen: '0.0.0.0:9469',
    },
  },
] as const;
const cases = kinds.flatMap((kind) => variants.map((variant) => ({ kind, ...variant })));

type Seen = {
  readonly asked: readonly Asked[];
  /** As `iam-policy` prints it with all that narrows it. */
  readonly policy: Policy;
  /** As the template makes it. */
  readonly role: Policy;
};

const seen = new Map<string, Promise<Seen>>();
const actionsSeen = new Set<string>();

/** Once for each case: the lab ends before its calls are looked at. */
function look(kind: string, keys: object): Promise<Seen> {
  const key = JSON.stringify([kind, keys]);
  const known = seen.get(key) ?? watch(kind, keys);
  seen.set(key, known);
  return known;
}

async function watch(kind: string, keys: object): Promise<Seen> {
  const { lab } = await startExample(kind);
  try {
    configure(lab, keys);
    if ('source_dest_check' in keys) switchChecksOn(lab);
    const requests = await askEverything(lab);
    for (const { action } of requests) actionsSeen.add(action);
    const role = { Version: '2012-10-17', Statement: roleFor(lab) };
    return { asked: await askedIn(lab, requests), policy: printedPolicy(lab, 'rtr1'), role };
  } finally {
    await lab.stop();
  }
}

const [endpointDocument = null] = valuesOf(read('endpoint.json').Resources, 'PolicyDocument');
const endpointPolicy = resolver(read('endpoint.json'), {})(endpointDocument) as object;

const all = (asked: readonly Asked[]): readonly string[] =>
  asked.map(({ action, arn }) => `${action} on ${arn}`);

const CHANGES_ANOTHER = [{}, { 'ec2:Attribute/Description': 'mine' }, { 'ec2:Attribute': 'Groups' }];
const changesAttributes = ({ action }: Asked): boolean => action === 'ec2:ModifyNetworkInterfaceAttribute';

describe.each(cases)('$kind, $as', ({ kind, keys }) => {
  test('every call is allowed on what it names', async () => {
    const { asked, policy } = await look(kind, keys);
    expect(asked.length).toBeGreaterThan(3);
    for (const attribute of CHANGES_THE_CHECK)
      expect(await denied({ role: policy }, asked, attribute)).toEqual([]);
  });

  test("nothing is allowed on what is somebody else's, in another Region, or to another attribute", async () => {
    const { asked, policy } = await look(kind, keys);
    const writes = asked.filter(({ arn }) => arn !== '*');
    // One of the same type, which has none of the tags.
    const elsewhere = writes.map((each) => ({
      ...each,
      arn: each.arn.replace(/-[0-9a-f]+$/, '-0badbadbadbadbad0'),
      keys: { 'ec2:Region': REGION },
    }));
    const mayTake = ({ action }: Asked): boolean =>
      'foreign_holder' in keys && action === 'ec2:UnassignIpv6Addresses';
    const foreign = elsewhere.filter((each) => !mayTake(each));
    const abroad = asked
      .filter(({ arn }) => arn === '*')
      .map((each) => ({ ...each, keys: { 'ec2:Region': 'eu-north-1' } }));
    for (const attribute of CHANGES_THE_CHECK) {
      expect(await denied({ role: policy }, foreign, attribute)).toEqual(all(foreign));
      expect(await denied({ role: policy }, abroad, attribute)).toEqual(all(abroad));
    }
    const attributes = asked.filter(changesAttributes);
    for (const attribute of CHANGES_ANOTHER)
      expect(await denied({ role: policy }, attributes, attribute)).toEqual(all(attributes));
    // What a third instance holds may be taken from any interface, by this one action.
    const takes = elsewhere.filter(mayTake);
    expect(takes.length > 0).toBe('foreign_holder' in keys && kind === 'ipv6');
    expect(await denied({ role: policy }, takes)).toEqual([]);
  });

  test("the template's role and the endpoint's policy let the same through", async () => {
    const { asked, role } = await look(kind, keys);
    for (const attribute of CHANGES_THE_CHECK)
      expect(await denied({ role, endpoint: endpointPolicy }, asked, attribute)).toEqual([]);
  });

  test("each statement is about what AWS's list knows", async () => {
    const { policy, role } = await look(kind, keys);
    const statements = [...policy.Statement, ...role.Statement];
    expect((await Promise.all(statements.map(unknownIn))).flat()).toEqual([]);
  });
});

/** The template's role with the parameters for what this example moves. */
function roleFor(lab: AnyLab): readonly StatementLike[] {
  const { interfaces, instances } = placesOf(lab);
  const { whole, ec2 } = inAws(settingsOf(lab, 'rtr1'));
  const arns = (type: string, ids: readonly string[]) =>
    ids.map((id) => `arn:aws:ec2:${REGION}:${ACCOUNT}:${type}/${id}`).join(',');
  const has = (wanted: string) => (whole.targets.some(({ kind }) => kind === wanted) ? 'yes' : 'no');
  const { routeTables, elasticIps } = lab.world.model;
  return statementsOf('role.json', {
    NetworkInterfaceArns: arns('network-interface', interfaces),
    InstanceArns: arns('instance', instances),
    MoveIpv4: has('privateAddress'),
    MoveIpv6: has('ipv6Address'),
    RouteTableArns:
      has('route') === 'no'
        ? ''
        : arns(
            'route-table',
            routeTables.map(({ routeTableId }) => routeTableId),
          ),
    ElasticIpArns: arns(
      'elastic-ip',
      elasticIps.map(({ allocationId }) => allocationId),
    ),
    ApplicationStatusCheck: ec2.applicationStatusCheck === null ? 'no' : 'yes',
    SwitchCheckOff: ec2.sourceDestCheck === 'disable' ? 'yes' : 'no',
  }) as unknown as readonly StatementLike[];
}

const PUBLISHES = 'Publish';

test('a topic of notifications may be told, and no other', async () => {
  const topic = `arn:aws:sns:${REGION}:${ACCOUNT}:xr-aws-ha`;
  const { lab } = await startExample('secondary-ip');
  try {
    const sns = [{ name: 'pager', topic_arn: topic, endpoint_url: 'https://sns.example.com' }];
    configure(lab, { notifications: { sns } });
    const role = printedPolicy(lab, 'rtr1');
    const asked = (arn: string): readonly Asked[] => [
      { action: `sns:${PUBLISHES}`, type: 'topic', arn, keys: { 'aws:RequestedRegion': REGION } },
    ];
    expect(await denied({ role }, asked(topic))).toEqual([]);
    expect(await denied({ role }, asked(`${topic}-other`))).toEqual(all(asked(`${topic}-other`)));
    expect((await Promise.all(role.Statement.map(unknownIn))).flat()).toEqual([]);
  } finally {
    await lab.stop();
  }
});

test('the examples, in both ways, ask EC2 for all that the code has: none is left out of this', async () => {
  for (const { kind, keys } of cases) await look(kind, keys);
  const source = resolve(__dirname, '../../src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.startsWith('heal/'),
  );
  const called = files.flatMap((name) => [
    ...readFileSync(join(source, name), 'utf8').matchAll(/new ([A-Z]\w+)Command\(/g),
  ]);
  const expected = new Set(called.map(([, action = '']) => action));
  expect([...actionsSeen, PUBLISHES].sort()).toEqual([...expected].sort());
});
