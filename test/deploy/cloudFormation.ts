/** The templates of deploy/, and what CloudFormation makes of their values. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Members = { readonly [key: string]: Json };
type Parameter = {
  readonly Type: string;
  readonly Default?: string;
  readonly Description?: string;
  readonly AllowedValues?: readonly string[];
};
export type Template = {
  readonly Description: string;
  readonly Parameters: Readonly<Record<string, Parameter>>;
  readonly Conditions?: Readonly<Record<string, Json>>;
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Members }>>;
  readonly Outputs: Readonly<Record<string, { readonly Description?: string; readonly Value: Json }>>;
};

const folder = resolve(__dirname, '../../deploy');
export const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
export const read = (name: string): Template =>
  JSON.parse(readFileSync(join(folder, name), 'utf8')) as Template;

/** All values of a member of that name, at any depth. */
export function valuesOf(value: Json, key: string): readonly Json[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap((each) => valuesOf(each, key));
  if (value === null || typeof value !== 'object') return [];
  const members = value as Members;
  return Object.entries(members).flatMap(([name, member]) => [
    ...(name === key ? [member] : []),
    ...valuesOf(member, key),
  ]);
}

/** What the stack calls its resources in AWS. */
export const ids: Readonly<Record<string, string>> = {
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
export function resolver({ Parameters, Conditions = {} }: Template, given: Readonly<Record<string, string>>) {
  const functions: Readonly<Record<string, (argument: Json) => Json | undefined>> = {
    Ref: (argument) => {
      const name = argument as string;
      if (name === 'AWS::NoValue') return undefined;
      const { Type, Default } = Parameters[name] ?? {};
      const value = given[name] ?? Default ?? ids[name] ?? name;
      if (Type === 'Number') return Number(value);
      return Type === 'CommaDelimitedList' || Type?.startsWith('List<') === true ? value.split(',') : value;
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
    'Fn::And': (some) => (resolve(some) as readonly Json[]).every((each) => each === true),
    'Fn::Or': (some) => (resolve(some) as readonly Json[]).includes(true),
    'Fn::Join': (parts) => {
      const [between, words] = resolve(parts) as readonly [string, readonly string[]];
      return words.join(between);
    },
    'Fn::Sub': (text) =>
      (text as string).replace(/\$\{([^}]+)\}/g, (_all, name: string) => given[name] ?? ids[name] ?? name),
    'Fn::Base64': (text) => Buffer.from(resolve(text) as string).toString('base64'),
    'Fn::GetAtt': (path) => {
      const name = (path as readonly string[]).join('.');
      return given[name] ?? ids[name] ?? name;
    },
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

export type Granting = { readonly Action: Json; readonly Resource: Json; readonly Condition?: Json };

export function statementsOf(name: string, given: Readonly<Record<string, string>>): readonly Granting[] {
  const template = read(name);
  return valuesOf(template.Resources, 'PolicyDocument')
    .map((document) => resolver(template, given)(document) as Members)
    .flatMap(({ Statement }) => Statement as unknown as readonly Granting[]);
}
