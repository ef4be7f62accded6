/**
 * Reading protobuf bytes with nothing but the wire format, to judge what the product makes of them. As lenient
 * as the library that the product uses: a known field is read as its own kind whatever its tag says, and of a
 * field that is there twice every occurrence is shown. https://protobuf.dev/programming-guides/encoding/
 */

/** Kinds by field number; other fields are skipped as their tags say. */
export type Shape = { readonly [field: number]: 'number' | 'text' | Shape };

export type Field = { readonly field: number; readonly value: bigint | string | readonly Field[] };

/** All that could be read, as far as the bytes go. */
export function readFields(bytes: Uint8Array, shape: Shape): readonly Field[] {
  const cursor = { bytes, at: 0 };
  const found: Field[] = [];
  while (cursor.at < bytes.length) {
    const tag = Number(readVarint(cursor) & 0xffff_ffffn);
    const field = tag >>> 3;
    const kind = shape[field];
    if (kind === undefined) {
      if (!skip(cursor, tag & 7)) return found;
    } else if (kind === 'number') found.push({ field, value: readVarint(cursor) });
    else {
      const content = readBytes(cursor);
      const value = kind === 'text' ? Buffer.from(content).toString('utf8') : readFields(content, kind);
      found.push({ field, value });
    }
  }
  return found;
}

/** The values of this field, of every occurrence; a path leads into messages. */
export function valuesAt(fields: readonly Field[], ...path: readonly number[]): readonly Field['value'][] {
  const [first, ...rest] = path;
  const values = fields.filter(({ field }) => field === first).map(({ value }) => value);
  if (rest.length === 0) return values;
  return values.flatMap((value) => (Array.isArray(value) ? valuesAt(value as Field[], ...rest) : []));
}

type Cursor = { readonly bytes: Uint8Array; at: number };

function readVarint(cursor: Cursor): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = cursor.bytes[cursor.at];
    if (byte === undefined) break;
    cursor.at += 1;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return value;
}

function readBytes(cursor: Cursor): Uint8Array {
  const length = Number(readVarint(cursor) & 0xffff_ffffn);
  const content = cursor.bytes.subarray(cursor.at, cursor.at + length);
  cursor.at += length;
  return content;
}

/** False where nothing after it can be read. */
function skip(cursor: Cursor, wireType: number): boolean {
  switch (wireType) {
    case 0:
      readVarint(cursor);
      return true;
    case 1:
      cursor.at += 8;
      return true;
    case 2:
      readBytes(cursor);
      return true;
    case 3:
    case 4:
      // The fields of a group stand among the others: more is seen than there is, never less.
      return true;
    case 5:
      cursor.at += 4;
      return true;
    default:
      return false;
  }
}

// All fields: one that were left out would be skipped as its tag says, and not as its kind.
const KEY: Shape = { 1: 'number', 2: 'text', 3: 'number', 4: { 1: 'text', 2: 'number' }, 5: 'number' };
const STATE: Shape = { 1: 'number', 2: 'number', 3: 'number' };
const ERROR: Shape = { 1: 'number' };
const CONFIG: Shape = { 1: 'number', 2: 'number' };
const NOTIFICATION: Shape = { 1: 'number', 2: ERROR, 3: { 1: KEY, 2: STATE } };
const TABLE: Shape = { 1: 'number', 2: ERROR, 3: { 1: KEY, 2: CONFIG, 3: STATE } };

/** SL_BFD_SESSION_DOWN; an enum on the wire is its lowest 32 bits. */
const DOWN = 2n;
const isDown = (value: Field['value']): boolean =>
  typeof value === 'bigint' && (value & 0xffff_ffffn) === DOWN;

/** Whether an SLBfdv4Notif says anywhere that the session to this neighbour is DOWN. */
export function notificationSaysDown(bytes: Uint8Array, neighbour: number): boolean {
  return says(valuesAt(readFields(bytes, NOTIFICATION), 3), neighbour, 2);
}

/** The same of an SLBfdv4GetMsgRsp. */
export function tableSaysDown(bytes: Uint8Array, neighbour: number): boolean {
  return says(valuesAt(readFields(bytes, TABLE), 3), neighbour, 3);
}

function says(sessions: readonly Field['value'][], neighbour: number, state: number): boolean {
  return sessions.some((session) => {
    if (!Array.isArray(session)) return false;
    const fields = session as readonly Field[];
    const about = valuesAt(fields, 1, 3).some(
      (value) => typeof value === 'bigint' && (value & 0xffff_ffffn) === BigInt(neighbour),
    );
    return about && valuesAt(fields, state, 2).some(isDown);
  });
}
