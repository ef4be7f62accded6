/**
 * All mistakes and warnings of one document as sentences: the place, what is wrong, what to do. A document
 * with mistakes has no configuration; one with warnings does.
 */
import type { z } from 'zod';
import type { JsonObject, JsonValue } from '../core/state/json';
import { closest } from './closest';
import { isJsonObject, isObject, withoutNotes } from './document';
import { homesOf, keysAt, outline } from './outline';
import { partsOf, type Rule } from './parts';
import { rules } from './rules';
import { documentSchema, type Config } from './schema';
import { listed, place, type Path } from './words';

export type Judgement =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly document: JsonObject;
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly mistakes: readonly string[] };

/** `document` is what the JSON text says, the operator's notes included. */
export function judge(document: JsonValue): Judgement {
  const noted = withoutNotes(document);
  const parts = partsOf(noted);
  const broken = (severity: Rule['severity']) =>
    rules
      .filter((rule) => rule.severity === severity)
      .flatMap((rule) => rule.find(parts))
      .map(({ path, message }) => sentence(path, message));
  const reading = examine(documentSchema, 'config', noted);
  const mistakes = [...reading.mistakes, ...broken('mistake')];
  // The schema accepts objects only, which the compiler cannot conclude.
  if (reading.data === null || mistakes.length > 0 || !isJsonObject(document)) return { ok: false, mistakes };
  const { config } = reading.data;
  return { ok: true, config, document, warnings: [...reading.warnings, ...broken('warning')] };
}

/**
 * What a schema by itself says of a document without notes. `root`: the key that everything else stands in. `data` is
 * null where there are mistakes.
 */
export function examine<S extends z.ZodType>(
  schema: S,
  root: string,
  noted: unknown,
): {
  readonly data: z.output<S> | null;
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
} {
  const reading = schema.safeParse(noted);
  if (reading.success)
    return { data: reading.data, mistakes: [], warnings: insensible(schema, reading.data, []) };
  const mistakes = reading.error.issues.flatMap((issue) => issueSentences(schema, root, noted, issue));
  return { data: null, mistakes, warnings: [] };
}

export function sentence(path: Path, message: string): string {
  return `${place(path)}: ${message}`;
}

function issueSentences(
  schema: z.ZodType,
  root: string,
  document: unknown,
  issue: z.core.$ZodIssue,
): readonly string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => sentence([...issue.path, key], unknownKey(schema, issue.path, key)));
  }
  // The commonest way to have no `config` is to have written its content without it.
  const isBare = issue.path.length === 1 && issue.path[0] === root && isObject(document);
  const inside = keysAt(schema, [root]);
  if (isBare && !Object.hasOwn(document, root) && Object.keys(document).some((key) => inside.includes(key))) {
    return [sentence(issue.path, `missing; put the keys inside it: {"${root}": {...}}`)];
  }
  return [sentence(issue.path, issue.message)];
}

function unknownKey(schema: z.ZodType, path: Path, key: string): string {
  const homes = homesOf(schema, key).filter((home) => home !== '');
  if (homes.length > 0)
    return `this key does not belong here; move it to ${listed(homes, 'or').replaceAll('"', '')}`;
  const suggestion = closest(key, keysAt(schema, path));
  return suggestion === null
    ? 'unknown key; remove it, or start its name with "_" to keep it as a note'
    : `unknown key; did you mean "${suggestion}"?`;
}

/** Warnings about numbers that are allowed but beyond what is sensible. */
function insensible(schema: z.core.$ZodType, value: unknown, path: Path): readonly string[] {
  const node = outline(schema);
  switch (node.kind) {
    case 'object':
      return isObject(value)
        ? [...node.members].flatMap(([key, member]) => insensible(member, value[key], [...path, key]))
        : [];
    case 'list':
      return Array.isArray(value)
        ? value.flatMap((entry, index) => insensible(node.entry, entry, [...path, index]))
        : [];
    case 'value': {
      const { atLeast, atMost, unit } = node.notes;
      const of = unit === undefined ? '' : ` ${unit}`;
      if (typeof value !== 'number') return [];
      if (atLeast !== undefined && value < atLeast.limit) {
        return [
          sentence(path, `${value}${of} is less than the sensible ${atLeast.limit}${of}: ${atLeast.because}`),
        ];
      }
      if (atMost !== undefined && value > atMost.limit) {
        return [
          sentence(path, `${value}${of} is more than the sensible ${atMost.limit}${of}: ${atMost.because}`),
        ];
      }
      return [];
    }
  }
}
