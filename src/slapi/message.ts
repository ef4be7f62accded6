/**
 * Reading decoded messages without trusting them: what a router sends may lack any field. Must not know
 * what the fields mean.
 */
import type { JsonObject, JsonValue } from '../core/state/json';
import { zeroNames } from './vocabulary';

/** A decoded message: enums as names, 64-bit integers as decimal strings, bytes as Buffers, absent fields absent. */
export type Message = { readonly [field: string]: unknown };

export function asMessage(value: unknown): Message | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

export function messageIn(message: Message | null, field: string): Message | null {
  return asMessage(message?.[field]);
}

/** The messages of a repeated field; elements of any other kind are left out. */
export function messagesIn(message: Message, field: string): readonly Message[] {
  const value = message[field];
  if (!Array.isArray(value)) return [];
  return value.map((each: unknown) => asMessage(each)).filter((each) => each !== null);
}

/** Empty where absent, as proto3 has it; null for a value that is no text. */
export function textIn(message: Message | null, field: string): string | null {
  const value = message?.[field] ?? '';
  return typeof value === 'string' ? value : null;
}

/** Zero where absent, as proto3 has it; null for a value that is no 32-bit number. */
export function uint32In(message: Message | null, field: string): number | null {
  const value = message?.[field] ?? 0;
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : null;
}

/** Zero where absent or not a number: the smallest of all sequence numbers. */
export function uint64In(message: Message | null, field: string): bigint {
  const value = message?.[field];
  return typeof value === 'string' && /^\d{1,20}$/.test(value) ? BigInt(value) : 0n;
}

/**
 * The proto3 JSON form, as Python's `json_format.MessageToDict(..., preserving_proto_field_name=True)`
 * prints it: enums by name, 64-bit integers as strings, bytes as base64, fields with their default value left
 * out.
 * https://protobuf.dev/programming-guides/json/
 */
export function protoJson(message: Message): JsonObject {
  const fields: [string, JsonValue][] = [];
  for (const [name, value] of Object.entries(message)) {
    const json = isDefault(value) ? undefined : jsonOf(value);
    if (json !== undefined) fields.push([name, json]);
  }
  return Object.fromEntries(fields);
}

function isDefault(value: unknown): boolean {
  if (Buffer.isBuffer(value)) return value.length === 0;
  if (value === 0 || value === false || value === '' || value === '0') return true;
  return typeof value === 'string' && zeroNames.has(value);
}

function jsonOf(value: unknown): JsonValue | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((each: unknown) => jsonOf(each) ?? null);
  if (Buffer.isBuffer(value)) return value.toString('base64');
  const message = asMessage(value);
  return message === null ? undefined : protoJson(message);
}

const rawLimit = 300;

/** What came, for the log: never longer than a few hundred characters. */
export function raw(value: unknown): string {
  const text = Buffer.isBuffer(value) ? value.subarray(0, rawLimit).toString('hex') : stringified(value);
  return text.length > rawLimit ? `${text.slice(0, rawLimit)}... (${text.length} characters)` : text;
}

function stringified(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return 'not printable';
  }
}
