// The CloudFormation templates: they parse, every reference leads somewhere, everything is documented, and no
// permission is wider than the daemon's calls.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Members = { readonly [key: string]: Json };
type Template = {
  readonly Description: string;
  readonly Parameters: Readonly<Record<string, { readonly Type: string; readonly Description?: string }>>;
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
    expect(conditions.filter((each) => !(each in (template.Conditions ?? {})))).toEqual([]);
  });

  test('uses all of its parameters', () => {
    const text = JSON.stringify(template);
    const unused = Object.keys(template.Parameters).filter(
      (each) => !text.includes(`{"Ref":"${each}"}`) && !text.includes(`\${${each}}`),
    );
    expect(unused).toEqual([]);
  });
});

/** The names of the EC2 calls in the daemon's sources, which is what the policies are held against. */
function calledByTheDaemon(): readonly string[] {
  const sources = resolve(__dirname, '../../src/aws');
  const calls = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) => [
      ...readFileSync(join(sources, path), 'utf8').matchAll(/new ([A-Za-z0-9]+)Command\(/g),
    ])
    .map(([, call = '']) => `ec2:${call}`);
  return [...new Set(calls)].sort();
}

/** Every statement, also those under a condition. */
const statementsOf = (template: Template): readonly Members[] =>
  valuesOf(template as unknown as Json, 'PolicyDocument')
    .flatMap((document) => (valuesOf(document, 'Sid').length > 0 ? [document] : []))
    .flatMap((document) => (document as Members)['Statement'] as readonly Json[])
    .map((statement) => {
      const [, branch] = ((statement as Members)['Fn::If'] ?? []) as readonly Json[];
      return (branch ?? statement) as Members;
    });

describe.each(['role.json', 'endpoint.json'])('the policy of %s', (name) => {
  const statements = statementsOf(read(name));

  test('allows exactly the calls that the daemon makes', () => {
    const allowed = statements.flatMap(({ Action }) => Action as readonly string[]);
    expect([...new Set(allowed)].sort()).toEqual(calledByTheDaemon());
  });
});

test('the role writes to named resources only, and only reading is allowed for all', () => {
  for (const { Action, Resource, Effect } of statementsOf(read('role.json'))) {
    expect(Effect).toBe('Allow');
    const reads = (Action as readonly string[]).every((action) => action.startsWith('ec2:Describe'));
    expect([Action, Resource === '*']).toEqual([Action, reads]);
  }
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
