// The CloudFormation templates: they parse, every reference leads somewhere, everything is documented, and their
// permissions are those that iam-policy prints.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { iamPolicy } from '../../src/aws/checks/iamPolicy';
import { parseConfig } from '../../src/config/load';
import type { Settings } from '../../src/config/settings';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Members = { readonly [key: string]: Json };
type Template = {
  readonly Description: string;
  readonly Parameters: Readonly<
    Record<string, { readonly Type: string; readonly Default?: string; readonly Description?: string }>
  >;
  readonly Conditions?: Readonly<Record<string, Json>>;
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Members }>>;
  readonly Outputs: Readonly<Record<string, { readonly Description?: string; readonly Value: Json }>>;
};

const folder = resolve(__dirname, '../../deploy');
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
const read = (name: string): Template => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Template;

/** All values of a member of that name, at any depth. */
function valuesOf(value: Json, key: string): readonly Json[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap((each) => valuesOf(each, key));
  if (value === null || typeof value !== 'object') return [];
  const members = value as Members;
  return Object.entries(members).flatMap(([name, member]) => [
    ...(name === key ? [member] : []),
    ...valuesOf(member, key),
  ]);
}

test('there are templates for the role, the endpoint and a pair in one and in two zones', () => {
  expect(names).toEqual(['endpoint.json', 'pair-one-az.json', 'pair-two-az.json', 'role.json']);
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

/** What the stack calls its resources in AWS. */
const ids: Readonly<Record<string, string>> = {
  Router1: 'i-0000000000000001a',
  Router2: 'i-0000000000000002b',
  Router1Interface1: 'eni-00000000000000011',
  Router1Interface2: 'eni-00000000000000012',
  Router2Interface1: 'eni-00000000000000021',
  Router2Interface2: 'eni-00000000000000022',
  'ElasticIp.AllocationId': 'eipalloc-00000000000000001',
  'AWS::Partition': 'aws',
  'AWS::Region': 'us-west-2',
  'AWS::AccountId': '123456789012',
};

/** What CloudFormation makes of a value of the template; undefined for what it leaves out. */
function resolver({ Parameters, Conditions = {} }: Template, given: Readonly<Record<string, string>>) {
  const functions: Readonly<Record<string, (argument: Json) => Json | undefined>> = {
    Ref: (argument) => {
      const name = argument as string;
      if (name === 'AWS::NoValue') return undefined;
      const { Type, Default } = Parameters[name] ?? {};
      const value = given[name] ?? Default ?? ids[name] ?? name;
      return Type === 'CommaDelimitedList' ? value.split(',') : value;
    },
    Condition: (name) => resolve(Conditions[name as string] ?? null),
    'Fn::If': (branches) => {
      const [name, yes, no] = branches as readonly [string, Json, Json];
      return resolve(resolve({ Condition: name }) === true ? yes : no);
    },
    'Fn::Equals': (pair) => {
      const [one, other] = resolve(pair) as readonly Json[];
      return one === other;
    },
    'Fn::Not': (one) => (resolve(one) as readonly Json[])[0] !== true,
    'Fn::Or': (some) => (resolve(some) as readonly Json[]).includes(true),
    'Fn::Join': (parts) => {
      const [between, words] = resolve(parts) as readonly [string, readonly string[]];
      return words.join(between);
    },
    'Fn::Sub': (text) =>
      (text as string).replace(/\$\{([^}]+)\}/g, (_all, name: string) => given[name] ?? ids[name] ?? name),
    'Fn::GetAtt': (path) =>
      ids[(path as readonly string[]).join('.')] ?? (path as readonly string[]).join('.'),
  };
  function resolve(value: Json): Json | undefined {
    if (Array.isArray(value)) return (value as readonly Json[]).flatMap((each) => optional(resolve(each)));
    if (value === null || typeof value !== 'object') return value;
    const members = Object.entries(value as Members);
    const [[name, argument] = ['', null]] = members;
    const isCall = members.length === 1 && (name !== 'Condition' || typeof argument === 'string');
    const call = isCall ? functions[name] : undefined;
    if (call !== undefined) return call(argument);
    return Object.fromEntries(
      members.flatMap(([key, each]) => optional(resolve(each)).map((one) => [key, one])),
    );
  }
  return resolve;
}

/** Keeps lists within lists. */
const optional = (value: Json | undefined): readonly Json[] => (value === undefined ? [] : [value]);

type Granting = { readonly Action: Json; readonly Resource: Json; readonly Condition?: Json };

function statementsOf(name: string, given: Readonly<Record<string, string>>): readonly Granting[] {
  const template = read(name);
  return valuesOf(template.Resources as unknown as Json, 'PolicyDocument')
    .map((document) => resolver(template, given)(document) as Members)
    .flatMap(({ Statement }) => Statement as unknown as readonly Granting[]);
}

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

const printed = ({ whole, ec2 }: Settings): readonly Granting[] =>
  iamPolicy(whole, ec2, {
    region: 'us-west-2',
    account: '123456789012',
    interfaces: Object.values(ids).filter((id) => id.startsWith('eni-')),
    instances: Object.values(ids).filter((id) => id.startsWith('i-')),
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
const oneZoneAndMore = settingsFor([addresses(...floating, '2001:db8::100')], {
  source_dest_check: 'disable',
});
const twoZones = settingsFor([routes, elasticIp]);

describe('the policies, beside what iam-policy prints', () => {
  test.each([
    ['pair-one-az.json', {}, oneZone],
    ['pair-one-az.json', { MoveIpv6: 'yes', SwitchCheckOff: 'yes' }, oneZoneAndMore],
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

  test('the endpoint lets through what any of the roles may do, and nothing else', () => {
    const actions = (statements: readonly Granting[]) => [
      ...new Set(statements.flatMap(({ Action }) => Action)),
    ];
    const any = [oneZoneAndMore, twoZones].flatMap(printed);
    expect(actions(statementsOf('endpoint.json', {})).sort()).toEqual(actions(any).sort());
  });
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
