/** A configuration document as plain JSON, before anything is known about it. */

import type { JsonObject, JsonValue } from '../core/state/json';

export type JsonMembers = { readonly [key: string]: unknown };

export function isObject(value: unknown): value is JsonMembers {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same for what is known to be JSON. */
export function isJsonObject(value: JsonValue): value is JsonObject {
  return isObject(value);
}

/** Keys that start like this are the operator's own notes and never read. */
export function isNote(key: PropertyKey): boolean {
  return typeof key === 'string' && /^(_|\/\/)/.test(key);
}

/** The document without the operator's notes, at every level. */
export function withoutNotes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNotes);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !isNote(key))
      .map(([key, member]) => [key, withoutNotes(member)]),
  );
}

/** `undefined` where there is no such member, or nothing that could have one. */
export function member(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** The entries of a list; none where the value is no list. */
export function entries(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
