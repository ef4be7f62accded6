/**
 * What CloudFormation replaces when a parameter of a template of deploy/ is changed, by AWS's own resource schemas: a
 * property that a change of replaces its resource, and then whatever refers to that resource in such a property.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { PropertyType, Resource, ResourceProperties, SpecDatabase } from '@aws-cdk/service-spec-types';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Members = { readonly [key: string]: Json };
type Template = {
  readonly Parameters: Members;
  readonly Conditions?: Members;
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties?: Members }>>;
};

/** Of a change: the resource stays, CloudFormation decides by what the change is, or it is made anew. */
type Effect = 'no' | 'maybe' | 'yes';
const EFFECTS: readonly Effect[] = ['no', 'maybe', 'yes'];
const weaker = (a: Effect, b: Effect): Effect => (EFFECTS.indexOf(a) < EFFECTS.indexOf(b) ? a : b);
const stronger = (a: Effect, b: Effect): Effect => (weaker(a, b) === a ? b : a);

/** A place in a template where something else is named. */
type Mention = { readonly name: string; readonly resource: string; readonly effect: Effect };

export type Replaced = {
  readonly parameter: string;
  /** Names of resources in the template, in its order. */
  readonly always: readonly string[];
  readonly perhaps: readonly string[];
};

let database: SpecDatabase | null = null;

/** @throws Error for a type that AWS does not have. */
export function resourceSchema(type: string): Resource {
  database ??= loadAwsServiceSpecSync();
  const [found] = database.lookup('resource', 'cloudFormationType', 'equals', type);
  if (found === undefined) throw new Error(`AWS has no resource type ${type}`);
  return found;
}

/** The members of a structure, of the entries of a list, or of the values of a map; none for anything else. */
export function membersOf(type: PropertyType): ResourceProperties {
  if (type.type === 'array' || type.type === 'map') return membersOf(type.element);
  if (type.type === 'union') return Object.assign({}, ...type.types.map(membersOf)) as ResourceProperties;
  if (type.type !== 'ref') return {};
  database ??= loadAwsServiceSpecSync();
  return database.get('typeDefinition', type.reference).properties;
}

/** Only parameters that replace something. */
export function replacedBy(template: Template): readonly Replaced[] {
  const mentions = mentionsIn(template);
  return Object.keys(template.Parameters).flatMap((parameter) => {
    const replaced = new Map<string, Effect>();
    spread(mentions, parameter, 'yes', replaced);
    const named = (wanted: Effect) =>
      Object.keys(template.Resources).filter((resource) => replaced.get(resource) === wanted);
    const found = { parameter, always: named('yes'), perhaps: named('maybe') };
    return found.always.length + found.perhaps.length === 0 ? [] : [found];
  });
}

/** `name` changes for certain, or perhaps. */
function spread(
  mentions: readonly Mention[],
  name: string,
  change: Effect,
  replaced: Map<string, Effect>,
): void {
  for (const mention of mentions.filter((each) => each.name === name)) {
    const effect = weaker(change, mention.effect);
    const before = replaced.get(mention.resource) ?? 'no';
    if (stronger(before, effect) === before) continue;
    replaced.set(mention.resource, effect);
    spread(mentions, mention.resource, effect, replaced);
  }
}

function mentionsIn({ Resources, Conditions = {} }: Template): readonly Mention[] {
  return Object.entries(Resources).flatMap(([resource, { Type, Properties = {} }]) => {
    const found: Mention[] = [];
    const walk = (value: Json, properties: ResourceProperties, effect: Effect): void => {
      for (const name of namedHere(value, Conditions)) found.push({ name, resource, effect });
      for (const [key, member] of entriesOf(value)) {
        const property = properties[key];
        const own = property?.causesReplacement ?? 'no';
        walk(member, property === undefined ? properties : membersOf(property.type), stronger(effect, own));
      }
    };
    walk(Properties, resourceSchema(Type).properties, 'no');
    return found;
  });
}

function entriesOf(value: Json): readonly (readonly [string, Json])[] {
  return value === null || typeof value !== 'object' ? [] : Object.entries(value as Members);
}

/** What this call of CloudFormation's names by itself: parameters, resources, those that a condition looks at. */
function namedHere(value: Json, conditions: Members): readonly string[] {
  const [[call, argument] = ['', null], ...others] = entriesOf(value);
  if (others.length > 0) return [];
  // Some take a text, others a list that begins with one.
  const [text = ''] = [argument].flat().filter((each) => typeof each === 'string');
  switch (call) {
    case 'Ref':
    case 'Fn::GetAtt':
      return [text];
    case 'Fn::Sub':
      return [...text.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name);
    case 'Fn::If':
    case 'Condition':
      return namedIn(conditions[text] ?? null, conditions);
    default:
      return [];
  }
}

function namedIn(value: Json, conditions: Members): readonly string[] {
  return [
    ...namedHere(value, conditions),
    ...entriesOf(value).flatMap(([, member]) => namedIn(member, conditions)),
  ];
}

const folder = join(__dirname, '..', 'deploy');

/** A table for each template, as Markdown. */
export function replacementTables(): string {
  const tables = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      const template = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Template;
      const rows = replacedBy(template).map(
        ({ parameter, always, perhaps }) =>
          `| \`${parameter}\` | ${always.join(', ')} | ${perhaps.join(', ')} |`,
      );
      const table = ['| parameter | replaces | may replace |', '|---|---|---|', ...rows].join('\n');
      return `### ${name}\n\n${rows.length === 0 ? 'Nothing is replaced.' : table}\n`;
    });
  return tables.join('\n');
}
