// The IAM policy of a configuration: no action too many, none too few, and resources as narrow as is known.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { endpointRegion } from '../../src/aws/transport/endpointRegion';
import { iamPolicy, type Policy } from '../../src/aws/checks/iamPolicy';
import { printPolicy, type PolicyArguments } from '../../src/cli/iamPolicy';
import { mixedPlan, taggedTarget } from '../adapters/aws/targetsLab';

const root = resolve(__dirname, '../..');
const example = (name: string): string => join(root, 'config/examples', name);
const nothing: PolicyArguments = { region: undefined, account: undefined, interfaces: [], instances: [] };

function print(path: string, args: Partial<PolicyArguments> = {}) {
  const written = { out: '', err: '' };
  const code = printPolicy(
    path,
    { ...nothing, ...args },
    {
      out: { write: (text) => (written.out += text) },
      err: { write: (text) => (written.err += text) },
    },
  );
  return { code, ...written };
}

const policyOf = (name: string, args: Partial<PolicyArguments> = {}): Policy =>
  JSON.parse(print(example(name), args).out) as Policy;
const actionsOf = (policy: Policy) => policy.Statement.flatMap(({ Action }) => Action).sort();

test('addresses need their action on interfaces, and nothing else', () => {
  expect(policyOf('secondary-ip-rtr1.json')).toEqual({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'Read',
        Effect: 'Allow',
        Action: ['ec2:DescribeNetworkInterfaces', 'ec2:DescribeInstanceStatus', 'ec2:DescribeInstanceTypes'],
        Resource: '*',
        Condition: { StringEquals: { 'ec2:Region': 'us-west-2' } },
      },
      {
        Sid: 'MoveAddresses',
        Effect: 'Allow',
        Action: ['ec2:AssignPrivateIpAddresses'],
        Resource: ['arn:aws:ec2:us-west-2:ACCOUNT:network-interface/*'],
      },
    ],
  });
});

test('what is given fills the places, and narrows', () => {
  const policy = policyOf('elastic-ip-rtr1.json', {
    region: 'cn-north-1',
    account: '123456789012',
    interfaces: ['eni-0000000000000001a', 'eni-0000000000000002b'],
    instances: ['i-0000000000000001a'],
  });
  expect(policy.Statement.at(-1)).toEqual({
    Sid: 'MoveElasticIps',
    Effect: 'Allow',
    Action: ['ec2:AssociateAddress'],
    Resource: [
      'arn:aws-cn:ec2:cn-north-1:123456789012:elastic-ip/eipalloc-0a1b2c3d4e5f60718',
      'arn:aws-cn:ec2:cn-north-1:123456789012:network-interface/eni-0000000000000001a',
      'arn:aws-cn:ec2:cn-north-1:123456789012:network-interface/eni-0000000000000002b',
      'arn:aws-cn:ec2:cn-north-1:123456789012:instance/i-0000000000000001a',
    ],
  });
});

test('every kind of target brings its actions, once; the check is switched off only where the configuration says so', () => {
  const settings = {
    applicationStatusCheck: null,
    endpointUrl: 'https://ec2.lab',
    apiTimeoutMs: 1000,
    limits: {} as never,
  };
  const scope = { region: null, account: null, interfaces: [], instances: [] };
  const report = iamPolicy(mixedPlan, { ...settings, sourceDestCheck: 'report' }, scope);
  const disable = iamPolicy(mixedPlan, { ...settings, sourceDestCheck: 'disable' }, scope);
  const expected = [
    'ec2:AssignIpv6Addresses',
    'ec2:AssignPrivateIpAddresses',
    'ec2:AssociateAddress',
    // Of tables by id, and of those by tag.
    'ec2:CreateRoute',
    'ec2:CreateRoute',
    'ec2:DescribeAddresses',
    'ec2:DescribeInstanceStatus',
    'ec2:DescribeInstanceTypes',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeRouteTables',
    'ec2:ReplaceRoute',
    'ec2:ReplaceRoute',
    'ec2:UnassignIpv6Addresses',
  ];
  expect(actionsOf(report)).toEqual(expected);
  // A statement for each form of the condition.
  const switching = ['ec2:ModifyNetworkInterfaceAttribute', 'ec2:ModifyNetworkInterfaceAttribute'];
  expect(actionsOf(disable)).toEqual([...expected, ...switching].sort());
});

test('a topic of notifications may be published to, and no other', () => {
  const topic = 'arn:aws:sns:us-west-2:123456789012:xr-aws-ha';
  const config = JSON.parse(readFileSync(example('secondary-ip-rtr1.json'), 'utf8')) as { config: object };
  const path = join(mkdtempSync(join(tmpdir(), 'policy-')), 'config.json');
  const sns = [{ name: 'pager', topic_arn: topic, endpoint_url: 'https://sns.example.com' }];
  writeFileSync(path, JSON.stringify({ config: { ...config.config, notifications: { sns } } }));
  const { out, err } = print(path);
  expect((JSON.parse(out) as Policy).Statement.at(-1)).toEqual({
    Sid: 'Notify',
    Effect: 'Allow',
    Action: ['sns:Publish'],
    Resource: [topic],
  });
  expect(err).toContain('sns:Publish: tells the topics of notifications');
});

test('a table by tag is named by a condition, in which IAM finds no variable', () => {
  const target = taggedTarget('10.9.0.0/16');
  const odd = { ...target, routeTable: { tag: { key: 'ha', value: 'a${aws:username}' } } };
  const policy = iamPolicy(
    { ...mixedPlan, targets: [target, odd] },
    {
      endpointUrl: 'https://ec2.lab',
      apiTimeoutMs: 1000,
      limits: {} as never,
      sourceDestCheck: 'report',
      applicationStatusCheck: null,
    },
    { region: 'us-west-2', account: '123456789012', interfaces: [], instances: [] },
  );
  expect(policy.Statement.slice(1)).toEqual([
    {
      Sid: 'MoveRoutesOfTaggedTables',
      Effect: 'Allow',
      Action: ['ec2:ReplaceRoute', 'ec2:CreateRoute'],
      Resource: ['arn:aws:ec2:us-west-2:123456789012:route-table/*'],
      Condition: { StringEquals: { 'ec2:ResourceTag/ha': ['north', 'a${$}{aws:username}'] } },
    },
  ]);
});

test.each(readdirSync(join(root, 'config/examples')))('%s: a policy in the form of IAM', (name) => {
  const { Version, Statement } = policyOf(name);
  expect(Version).toBe('2012-10-17');
  const sids = Statement.map(({ Sid }) => Sid);
  expect(new Set(sids).size).toBe(sids.length);
  for (const { Sid, Effect, Action, Resource } of Statement) {
    expect(Sid).toMatch(/^[A-Za-z0-9]+$/);
    expect(Effect).toBe('Allow');
    expect(Action.every((action) => /^ec2:[A-Z]\w+$/.test(action))).toBe(true);
    const arn = /^(\*|arn:aws:ec2:us-west-2:ACCOUNT:[a-z-]+\/([a-z]+-[0-9a-f]+|\*))$/;
    expect([Resource].flat().filter((each) => !arn.test(each))).toEqual([]);
  }
});

test('the policy of the README is the one that is printed for its example', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const { out } = print(example('routes-and-elastic-ip-rtr1.json'), { account: '123456789012' });
  expect(readme).toContain(`\`\`\`json\n${out}\`\`\``);
});

test('the error output says what each action is for, and what is left to narrow', () => {
  const { err } = print(example('secondary-ip-rtr1.json'));
  expect(err).toContain('  AssignPrivateIpAddresses: moves private addresses\n');
  expect(err).toContain('DescribeInstanceStatus: optional');
  expect(err).toContain('DescribeInstanceTypes: optional');
  expect(err).toContain('in place of ACCOUNT');
  expect(err).toContain('give --interface');
  const narrowed = print(example('secondary-ip-rtr1.json'), {
    account: '123456789012',
    interfaces: ['eni-0000000000000001a'],
  });
  expect(narrowed.err).not.toMatch(/ACCOUNT|--interface|--instance/);
});

test('options and configurations with mistakes: all at once, nothing on standard output, exit code 2', () => {
  const { code, out, err } = print('nowhere.json', { account: '12', interfaces: ['eth0', 'eni-1'] });
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err.split('\n').slice(0, -1)).toEqual([
    'iam-policy: --account 12 is none; write it like 123456789012',
    'iam-policy: --interface eth0 is none; write it like eni-0123456789abcdef0',
    'iam-policy: --interface eni-1 is none; write it like eni-0123456789abcdef0',
  ]);
  expect(print('nowhere.json')).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining('nowhere') as string,
  });
});

test.each([
  ['https://vpce-0123456789abcdef0-abcdefgh.ec2.us-west-2.vpce.amazonaws.com', 'us-west-2'],
  [
    'https://vpce-0123456789abcdef0-abcdefgh-us-gov-west-1a.ec2.us-gov-west-1.vpce.amazonaws.com',
    'us-gov-west-1',
  ],
  ['https://ec2.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
  ['https://ec2.eusc-de-east-1.amazonaws.eu', 'eusc-de-east-1'],
  ['https://vpce-0123456789abcdef0-abcdefgh.ec2.us-iso-east-1.vpce.c2s.ic.gov', 'us-iso-east-1'],
  ['https://ec2.us-isob-east-1.sc2s.sgov.gov', 'us-isob-east-1'],
  ['https://ec2.us-isof-south-1.csp.hci.ic.gov', 'us-isof-south-1'],
  ['https://ec2.eu-isoe-west-1.cloud.adc-e.uk', 'eu-isoe-west-1'],
  ['https://ec2.us-west-2.api.aws', 'us-west-2'],
  ['https://ec2.us-west-2.amazonaws.com.cn', null],
  ['https://ec2.cn-north-1.amazonaws.com', null],
  ['http://127.0.0.1:8000', null],
  ['https://ec2.example.com', null],
])('%s names the Region %s', (url, region) => {
  expect(endpointRegion(url)).toBe(region);
});

test.each([
  ['us-west-2', 'aws'],
  ['us-gov-west-1', 'aws-us-gov'],
  ['cn-northwest-1', 'aws-cn'],
  ['eusc-de-east-1', 'aws-eusc'],
  ['us-iso-east-1', 'aws-iso'],
  ['us-isob-east-1', 'aws-iso-b'],
  ['eu-isoe-west-1', 'aws-iso-e'],
  ['us-isof-south-1', 'aws-iso-f'],
])('in %s every ARN is of the partition %s', (region, partition) => {
  const { Statement } = policyOf('routes-and-elastic-ip-rtr1.json', { region });
  const arns = Statement.flatMap(({ Resource }) => Resource).filter((resource) => resource !== '*');
  expect(new Set(arns.map((arn) => arn.split(':')[1]))).toEqual(new Set([partition]));
});

test('what switches the check off may change no other attribute of an interface', () => {
  const scope = { region: 'us-west-2', account: '123456789012', interfaces: ['eni-00000001'], instances: [] };
  const settings = {
    applicationStatusCheck: null,
    endpointUrl: 'https://ec2.lab',
    apiTimeoutMs: 1000,
    limits: {} as never,
  } as const;
  const { Statement } = iamPolicy(mixedPlan, { ...settings, sourceDestCheck: 'disable' }, scope);
  const switching = Statement.filter(({ Action }) => Action.includes('ec2:ModifyNetworkInterfaceAttribute'));
  expect(switching.map(({ Resource, Condition }) => ({ Resource, Condition }))).toEqual(
    [{ 'ec2:Attribute/SourceDestCheck': 'false' }, { 'ec2:Attribute': 'SourceDestCheck' }].map((key) => ({
      Resource: ['arn:aws:ec2:us-west-2:123456789012:network-interface/eni-00000001'],
      Condition: { StringEqualsIgnoreCase: key },
    })),
  );
});

test('where IPv6 addresses are taken from anybody, they may be unassigned from any interface', () => {
  const scope = { region: 'us-west-2', account: '123456789012', interfaces: ['eni-00000001'], instances: [] };
  const settings = {
    applicationStatusCheck: null,
    endpointUrl: 'https://ec2.lab',
    apiTimeoutMs: 1000,
    limits: {} as never,
  } as const;
  const whole = { ...settings, sourceDestCheck: 'report', applicationStatusCheck: null } as const;
  const mayTake = (foreignHolder: 'refuse' | 'take') =>
    iamPolicy({ ...mixedPlan, foreignHolder }, whole, scope).Statement.filter(
      ({ Sid }) => Sid === 'TakeIpv6AddressesFromOthers',
    );
  expect(mayTake('refuse')).toEqual([]);
  expect(mayTake('take')).toEqual([
    {
      Sid: 'TakeIpv6AddressesFromOthers',
      Effect: 'Allow',
      Action: ['ec2:UnassignIpv6Addresses'],
      Resource: ['arn:aws:ec2:us-west-2:123456789012:network-interface/*'],
    },
  ]);
});

test.each([
  [60, 0, /^(?!.*characters, and IAM)/s],
  [
    100,
    0,
    /has \d+ characters, and IAM allows 6144 in a managed policy: put it into the role as an inline policy/,
  ],
  [200, 2, /IAM allows 6144 in a managed policy and 10240 in all inline policies of a role: it is too long/],
])(
  'a policy for %i route tables is printed with exit code %i, and its length is told',
  (count, code, words) => {
    const document = JSON.parse(readFileSync(example('routes-rtr1.json'), 'utf8')) as {
      config: { action: { method_params: { route_list: { route_table_id: string }[] } } };
    };
    const [first] = document.config.action.method_params.route_list;
    document.config.action.method_params.route_list = Array.from({ length: count }, (_, place) => ({
      ...first!,
      route_table_id: `rtb-${String(place).padStart(17, '0')}`,
      route_table_tag: undefined,
    }));
    const path = join(mkdtempSync(join(tmpdir(), 'policy-')), 'config.json');
    writeFileSync(path, JSON.stringify(document));
    const printed = print(path);
    expect([printed.code, printed.err]).toEqual([code, expect.stringMatching(words)]);
  },
);
