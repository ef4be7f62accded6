// The CloudFormation templates: they parse, every reference leads somewhere, everything is documented, and their
// permissions are those that iam-policy prints.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { iamPolicy } from '../../src/aws/checks/iamPolicy';
import { parseConfig } from '../../src/config/load';
import type { Settings } from '../../src/config/settings';
import {
  ids,
  names,
  read,
  resolver,
  statementsOf,
  valuesOf,
  type Granting,
  type Json,
} from './cloudFormation';
import { inAws } from '../support/inAws';

test('there are templates for the pairs, the role, the endpoints, the check of EC2, the healer and what it heals', () => {
  expect(names).toEqual([
    'application-status-check.json',
    'endpoint.json',
    'heal-nat.json',
    'heal-network-function.json',
    'heal-pair.json',
    'heal.json',
    'notifications.json',
    'pair-one-az.json',
    'pair-two-az.json',
    'role.json',
  ]);
});

describe.each(names)('%s', (name) => {
  const template = read(name);
  const whole = template as unknown as Json;

  test('documents itself, every parameter and every output', () => {
    expect(template.Description.length).toBeGreaterThan(20);
    for (const [each, { Description = '' }] of Object.entries({
      ...template.Parameters,
      ...template.Outputs,
    }))
      expect([each, Description.length > 5]).toEqual([each, true]);
  });

  test('refers to nothing that is not there', () => {
    const known = [...Object.keys(template.Parameters), ...Object.keys(template.Resources)];
    const strings = (key: string) =>
      valuesOf(whole, key)
        .flat()
        .filter((each) => typeof each === 'string');
    const substituted = valuesOf(whole, 'Fn::Sub').flatMap((text) =>
      [...(text as string).matchAll(/\$\{([A-Za-z0-9]+)/g)].map(([, word = '']) => word),
    );
    const referred = [
      ...strings('Ref'),
      ...valuesOf(whole, 'Fn::GetAtt').map((path) => (path as readonly string[])[0] ?? ''),
      ...strings('DependsOn'),
      ...substituted,
    ].filter((each) => !String(each).startsWith('AWS'));
    expect(referred.filter((each) => !known.includes(String(each)))).toEqual([]);
    const conditions = valuesOf(whole, 'Fn::If').map((branches) => (branches as readonly string[])[0] ?? '');
    // A condition of a policy has the same name, and is no text.
    const conditionsOfConditions = valuesOf(whole, 'Condition').filter((each) => typeof each === 'string');
    const missing = [...conditions, ...conditionsOfConditions].filter(
      (each) => !(each in (template.Conditions ?? {})),
    );
    expect(missing).toEqual([]);
  });

  test('uses all of its parameters', () => {
    const text = JSON.stringify(template);
    const unused = Object.keys(template.Parameters).filter(
      (each) => !text.includes(`{"Ref":"${each}"}`) && !text.includes(`\${${each}}`),
    );
    expect(unused).toEqual([]);
  });
});

/** One for each action and resource, however they are put into statements. */
function grantsOf(statements: readonly Granting[]): readonly string[] {
  return statements
    .flatMap(({ Action, Resource, Condition = null }) =>
      [Action]
        .flat()
        .flatMap((action) =>
          [Resource].flat().map((resource) => JSON.stringify([action, resource, Condition])),
        ),
    )
    .sort();
}

/** The configuration that a pair of this template gets, by its parameters and outputs. */
function settingsFor(actions: readonly object[], more: object = {}): Settings {
  const config = {
    ec2_private_endpoint_url: 'https://vpce-0123456789abcdef0-abcdefgh.ec2.us-west-2.vpce.amazonaws.com',
    actions,
    bfd_sessions: [{ session_type: 'SINGLE_HOP', intf_name: 'TenGigE0/0/0/1', neigh_ip: '10.0.1.12' }],
    ...more,
  };
  const loaded = parseConfig(JSON.stringify({ config }), 'config.json');
  if (!loaded.ok) throw new Error(loaded.report);
  return loaded.settings;
}

const printed = (settings: Settings): readonly Granting[] =>
  iamPolicy(inAws(settings).whole, inAws(settings).ec2, {
    region: 'us-west-2',
    account: '123456789012',
    interfaces: Object.values(ids).filter((id) => id.startsWith('eni-')),
    instances: Object.values(ids).filter((id) => id.startsWith('i-')),
    topics: settings.notifications.flatMap((each) => (each.type === 'sns' ? [each.topicArn] : [])),
  }).Statement;

const addresses = (...own: readonly string[]) => ({
  method: 'secondary_ip_shift',
  method_params: {
    intf_list: own.map((secondary_ip, place) => ({ secondary_ip, instance_intf_number: 1 + (place % 2) })),
  },
});
const TABLE = 'rtb-00000001';
const routes = {
  method: 'route_table_shift',
  method_params: {
    route_list: [{ route_table_id: TABLE, destination: '10.9.0.0/16', instance_intf_number: 1 }],
  },
};
const elasticIp = {
  method: 'elastic_ip_shift',
  method_params: {
    eip_list: [{ allocation_id: ids['ElasticIp.AllocationId'], instance_intf_number: 2 }],
  },
};
const floating = ['10.0.1.100', '10.0.2.100'] as const;
const oneZone = settingsFor([addresses(...floating)]);
const TOPIC = 'arn:aws:sns:us-west-2:123456789012:xr-aws-ha';
const oneZoneAndMore = settingsFor([addresses(...floating, '2001:db8::100')], {
  source_dest_check: 'disable',
  application_status_check: 'asc-0123456789abcdef0',
  status_listen: '10.0.0.11:9469',
  notifications: { sns: [{ name: 'pager', topic_arn: TOPIC, endpoint_url: 'https://sns.example.com' }] },
});
const twoZones = settingsFor([routes, elasticIp]);

describe('the policies, beside what iam-policy prints', () => {
  test.each([
    ['pair-one-az.json', {}, oneZone],
    [
      'pair-one-az.json',
      { MoveIpv6: 'yes', SwitchCheckOff: 'yes', ApplicationStatusCheck: 'yes', TopicArns: TOPIC },
      oneZoneAndMore,
    ],
    ['pair-two-az.json', {}, twoZones],
  ])('the role for %s with %j allows the same', (name, asked, settings) => {
    const pair = read(name);
    const resolve = resolver(pair, { RouteTableId: TABLE });
    const { Parameters } = read('role.json');
    const outputs = Object.entries(pair.Outputs).flatMap(([output, { Value }]) =>
      output in Parameters ? [[output, resolve(Value) as string] as const] : [],
    );
    const role = statementsOf('role.json', { ...Object.fromEntries(outputs), ...asked });
    expect(grantsOf(role)).toEqual(grantsOf(printed(settings)));
  });

  test('a parameter of the role that is empty leaves no statement with an empty resource', () => {
    const asked = { MoveIpv6: 'yes', SwitchCheckOff: 'yes', RouteTableArns: '', InstanceArns: '' };
    const eip = 'arn:aws:ec2:us-west-2:123456789012:elastic-ip/eipalloc-1';
    const given = { ...asked, NetworkInterfaceArns: '', ElasticIpArns: eip };
    const resources = statementsOf('role.json', given).flatMap(({ Resource }) => Resource);
    expect(resources).toEqual(['*', eip]);
  });

  test.each([
    ['aws', 'us-west-2', 'com.amazonaws.us-west-2.ec2'],
    ['aws-us-gov', 'us-gov-west-1', 'com.amazonaws.us-gov-west-1.ec2'],
    ['aws-eusc', 'eusc-de-east-1', 'com.amazonaws.eusc-de-east-1.ec2'],
    ['aws-cn', 'cn-northwest-1', 'cn.com.amazonaws.cn-northwest-1.ec2'],
    ['aws-iso', 'us-iso-west-1', 'gov.ic.c2s.us-iso-west-1.ec2'],
    ['aws-iso-b', 'us-isob-east-1', 'gov.sgov.sc2s.us-isob-east-1.ec2'],
    ['aws-iso-b', 'us-isob-west-1', 'com.amazonaws.us-isob-west-1.ec2'],
  ])('in %s, %s, the service of the endpoint is %s', (partition, region, service) => {
    const given = { 'AWS::Partition': partition, 'AWS::Region': region };
    const serviceOf = (name: string) => {
      const template = read(name);
      const [service = null] = valuesOf(template.Resources, 'ServiceName');
      return resolver(template, given)(service);
    };
    expect(serviceOf('endpoint.json')).toBe(service);
    expect(serviceOf('notifications.json')).toBe(service.replace(/ec2$/, 'sns'));
  });

  test('the endpoint lets through what any of the roles may do, and nothing else', () => {
    const actions = (statements: readonly Granting[]) => [
      ...new Set(statements.flatMap(({ Action }) => Action)),
    ];
    const any = [oneZoneAndMore, twoZones].flatMap(printed);
    const [ofSns, ofEc2] = [true, false].map((is) =>
      actions(any)
        .filter((action) => JSON.stringify(action).startsWith('"sns:') === is)
        .sort(),
    );
    expect(actions(statementsOf('endpoint.json', {})).sort()).toEqual(ofEc2);
    expect(actions(statementsOf('notifications.json', {}))).toEqual(ofSns);
  });
});

test('the check of EC2 asks /livez, and no Auto Scaling group ends a router by it', () => {
  const { Resources } = read('application-status-check.json');
  expect(Resources['Check']?.Properties).toMatchObject({
    Aggregation: 'excluded',
    Path: '/livez',
    Interval: 60,
  });
});

test('the topic of the notifications is the one that its endpoint and the role let through', () => {
  const { Outputs, Resources } = read('notifications.json');
  expect(Outputs['TopicArns']?.Value).toEqual({ Ref: 'Topic' });
  expect(valuesOf(Resources, 'Resource')).toEqual([{ Ref: 'Topic' }]);
  expect(Object.keys(read('role.json').Parameters)).toContain('TopicArns');
});

test.each(['pair-one-az.json', 'pair-two-az.json'])(
  '%s: data interfaces forward, IMDSv2 is required',
  (name) => {
    const { Resources } = read(name);
    for (const [each, { Type, Properties }] of Object.entries(Resources)) {
      if (Type !== 'AWS::EC2::NetworkInterface' || each.endsWith('0')) continue;
      expect([each, Properties['SourceDestCheck']]).toEqual([each, false]);
    }
    expect(JSON.stringify(Resources)).toContain('"HttpTokens":"required","HttpPutResponseHopLimit":2');
  },
);

const healed = ['heal-nat.json', 'heal-network-function.json', 'heal-pair.json'] as const;

describe.each(healed)('%s', (name) => {
  const template = read(name);
  const resolve = resolver(template, { 'AWS::StackName': 'edge' });
  const resources = Object.values(template.Resources);
  const groups = resources.filter(({ Type }) => Type === 'AWS::AutoScaling::AutoScalingGroup');

  test('each group has one instance, and its hooks from the start: nothing races at the first launch', () => {
    expect(groups.length).toBeGreaterThan(0);
    for (const { Properties } of groups) {
      expect(Properties).toMatchObject({ MinSize: '1', MaxSize: '1', DesiredCapacity: '1' });
      const hooks = valuesOf(Properties['LifecycleHookSpecificationList'] ?? null, 'LifecycleTransition');
      expect(hooks).toEqual(['autoscaling:EC2_INSTANCE_LAUNCHING', 'autoscaling:EC2_INSTANCE_TERMINATING']);
      // A launch that nobody completes is tried anew; a termination that nobody completes goes on.
      expect(valuesOf(Properties['LifecycleHookSpecificationList'] ?? null, 'DefaultResult')).toEqual([
        'ABANDON',
        'CONTINUE',
      ]);
    }
    expect(resources.some(({ Type }) => Type === 'AWS::AutoScaling::LifecycleHook')).toBe(false);
  });

  test('the interface of each new instance has the tag that lets the healer switch its check off', () => {
    const tags = valuesOf(template.Resources as unknown as Json, 'TagSpecifications').map((each) =>
      resolve(each),
    );
    const named = groups.map(({ Properties }) => resolve(Properties['AutoScalingGroupName'] ?? null));
    expect(
      tags.flatMap((each) => valuesOf(each ?? null, 'Tags')).map((each) => (each as readonly Json[])[0]),
    ).toEqual(named.map((Value) => ({ Key: 'xr-aws-ha:group', Value })));
  });

  test('a failed status check wakes the healer, and IMDSv2 is required', () => {
    const alarms = resources.filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
    expect(alarms).toHaveLength(groups.length);
    for (const { Properties } of alarms)
      expect(Properties).toMatchObject({ Namespace: 'AWS/EC2', MetricName: 'StatusCheckFailed' });
    expect(JSON.stringify(resources)).toContain('"HttpTokens":"required"');
  });

  test('its outputs are parameters of the healer', () => {
    const { Parameters } = read('heal.json');
    const shared = Object.keys(template.Outputs).filter((each) => each in Parameters);
    expect(shared).toEqual(expect.arrayContaining(['GroupNames', 'GroupArns', 'AlarmNames']));
  });
});

describe("the healer's role", () => {
  const everything = {
    GroupNames: 'rtr1,rtr2',
    GroupArns: 'arn:rtr1,arn:rtr2',
    NetworkInterfaceArns: 'arn:eni-1',
    VolumeArns: 'arn:vol-1',
    RouteTableArns: 'arn:rtb-1',
    ElasticIpArns: 'arn:eipalloc-1',
  };
  const statements = (given: Readonly<Record<string, string>>) =>
    statementsOf('heal.json', given).filter(({ Resource }) => Resource !== 'DeadLetters.Arn');
  const actionsOf = (given: Readonly<Record<string, string>>) =>
    [...new Set(statements(given).flatMap(({ Action }) => Action as readonly string[]))].sort();

  test('allows the calls that the code names, and no others', () => {
    const map = readFileSync(resolve(__dirname, '../../src/heal/README.md'), 'utf8');
    const services = { 'Auto Scaling': 'autoscaling', EC2: 'ec2', SNS: 'sns' } as const;
    const called = [...map.matchAll(/^\| (Auto Scaling|EC2|SNS) \| ([A-Za-z0-9, ]+) \|/gm)].flatMap(
      ([, service = '', actions = '']) =>
        actions.split(', ').map((action) => `${services[service as keyof typeof services]}:${action}`),
    );
    const logs = ['logs:CreateLogStream', 'logs:PutLogEvents'];
    expect(actionsOf(everything)).toEqual([...new Set([...called, ...logs])].sort());
  });

  test('writes to nothing that it was not given by name or by the tag of its group', () => {
    for (const { Action, Resource, Condition } of statements(everything)) {
      const reads = (Action as readonly string[]).every((action) => action.includes(':Describe'));
      const isWide = JSON.stringify(Resource).includes('*');
      if (!reads && isWide) expect(JSON.stringify(Condition)).toContain('"rtr1","rtr2"');
    }
  });

  test('leaves out what its identities do not have', () => {
    const nat = actionsOf({ GroupNames: 'nat', GroupArns: 'arn:nat', RouteTableArns: 'arn:rtb-1' });
    expect(nat).toContain('ec2:ReplaceRoute');
    for (const action of ['AttachVolume', 'AttachNetworkInterface', 'AssociateAddress'])
      expect(nat).not.toContain(`ec2:${action}`);
  });
});

test('the healer runs once at a time, keeps what failed, and is woken by events and by the minute', () => {
  const { Resources } = read('heal.json');
  expect(Resources['Healer']?.Properties).toMatchObject({
    Runtime: 'nodejs24.x',
    Handler: 'heal.handler',
    ReservedConcurrentExecutions: 1,
    DeadLetterConfig: { TargetArn: { 'Fn::GetAtt': ['DeadLetters', 'Arn'] } },
  });
  const rules = Object.entries(Resources).filter(([, { Type }]) => Type === 'AWS::Events::Rule');
  expect(rules.map(([each]) => each)).toEqual([
    'LifecycleRule',
    'InstanceStateRule',
    'AlarmRule',
    'SweepRule',
  ]);
  for (const [each, { Properties }] of rules) {
    expect(valuesOf(Properties['Targets'] ?? null, 'Arn')).toContainEqual({
      'Fn::GetAtt': ['Healer', 'Arn'],
    });
    expect(Resources[each.replace('Rule', 'Permission')]?.Properties['SourceArn']).toEqual({
      'Fn::GetAtt': [each, 'Arn'],
    });
  }
});
