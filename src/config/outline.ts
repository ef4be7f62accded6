/**
 * The schema as a tree of keys, for those that walk it: the reports (which keys are known here, and where
 * else), the warnings and the generated reference.
 */
import { z } from 'zod';
import { fieldNotes, type FieldNotes } from './fields';
import type { Path } from './words';

export type Outline = { readonly notes: FieldNotes } & (
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, z.core.$ZodType> }
  | { readonly kind: 'list'; readonly entry: z.core.$ZodType }
  | { readonly kind: 'value' }
);

/** What is inside defaults, optionals and the reading of numbers from strings. */
export function outline(schema: z.core.$ZodType): Outline {
  const notes = fieldNotes.get(schema) ?? {};
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) {
    const inner = outline(schema.def.innerType);
    return { ...inner, notes: { ...inner.notes, ...notes } };
  }
  if (schema instanceof z.ZodObject) {
    return { kind: 'object', members: new Map(Object.entries<z.core.$ZodType>(schema.shape)), notes };
  }
  if (schema instanceof z.ZodArray) return { kind: 'list', entry: schema.element, notes };
  return { kind: 'value', notes };
}

/** The keys that may stand in the object at this path; none where the path leads elsewhere. */
export function keysAt(schema: z.core.$ZodType, path: Path): readonly string[] {
  const node = outline(schema);
  const [step, ...rest] = path;
  switch (node.kind) {
    case 'object': {
      if (step === undefined) return [...node.members.keys()];
      const member = node.members.get(String(step));
      return member === undefined ? [] : keysAt(member, rest);
    }
    case 'list':
      return step === undefined ? [] : keysAt(node.entry, rest);
    case 'value':
      return [];
  }
}

/** Where in the document a key of this name stands, written like `config.bfd_sessions[]`; all places. */
export function homesOf(schema: z.core.$ZodType, key: string, at = ''): readonly string[] {
  const node = outline(schema);
  switch (node.kind) {
    case 'object': {
      const here = node.members.has(key) ? [at] : [];
      const below = [...node.members].flatMap(([name, member]) =>
        homesOf(member, key, at === '' ? name : `${at}.${name}`),
      );
      return [...here, ...below];
    }
    case 'list':
      return homesOf(node.entry, key, `${at}[]`);
    case 'value':
      return [];
  }
}
