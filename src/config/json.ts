/**
 * Reading JSON text (RFC 8259) for people who wrote it by hand: where it breaks and what to do there, which
 * JSON.parse says differently in every version of Node, and keys that are written twice, which JSON.parse
 * does not tell. Accepts and yields exactly what JSON.parse does, down to `maxDepth` levels.
 *
 * Our own, 2026-11-30: jsonc-parser 3.3.1 reports 17 of the 23 mistakes of our tests at the character that has to be
 * changed. The codes that it gives still need the open bracket, the last comma and the whole word to become sentences, which
 * is two thirds of this file, and its value has no key `__proto__`.
 */

import type { JsonObject, JsonValue } from '../core/state/json';

export type DuplicateKey = {
  /** Keys and indices from the root to the repeated key. */
  readonly path: readonly PropertyKey[];
  /** Offsets of the first and the repeated key in the text. */
  readonly first: number;
  readonly again: number;
};

export type JsonReading =
  | { readonly ok: true; readonly value: JsonValue; readonly duplicates: readonly DuplicateKey[] }
  /** `message` says what is wrong at `offset` and what to do. */
  | { readonly ok: false; readonly offset: number; readonly message: string };

const maxDepth = 64;

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const wordPattern = /[^\s,:[\]{}"]+/y;

/** Leaves the recursive descent at the first mistake; never leaves this file. */
class Mistake extends Error {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

export function readJson(text: string): JsonReading {
  const cursor: Cursor = { text, at: 0, path: [], duplicates: [] };
  try {
    const value = readValue(cursor, 'a value is expected here');
    skipBlanks(cursor);
    if (cursor.at < text.length) {
      throw new Mistake(
        cursor.at,
        'the document has ended before this; remove it, or a bracket too many above',
      );
    }
    return { ok: true, value, duplicates: cursor.duplicates };
  } catch (error: unknown) {
    if (error instanceof Mistake) return { ok: false, offset: error.offset, message: error.message };
    throw error;
  }
}

type Cursor = {
  readonly text: string;
  at: number;
  readonly path: PropertyKey[];
  readonly duplicates: DuplicateKey[];
};

function readValue(cursor: Cursor, expectation: string): JsonValue {
  skipBlanks(cursor);
  const character = cursor.text[cursor.at];
  if (character === '{') return readObject(cursor);
  if (character === '[') return readArray(cursor);
  if (character === '"') return readString(cursor);
  return readWord(cursor, expectation);
}

function readObject(cursor: Cursor): JsonObject {
  const members = new Map<string, JsonValue>();
  const places = new Map<string, number>();
  const start = enter(cursor);
  while (skipBlanks(cursor) !== '}') {
    if (members.size > 0) readComma(cursor, start, '}');
    const keyAt = cursor.at;
    const key = readKey(cursor, start);
    cursor.path.push(key);
    const first = places.get(key);
    if (first === undefined) places.set(key, keyAt);
    else cursor.duplicates.push({ path: [...cursor.path], first, again: keyAt });
    if (skipBlanks(cursor) !== ':') {
      throw new Mistake(cursor.at, `a colon is expected here, between the key and its value`);
    }
    cursor.at++;
    members.set(key, readValue(cursor, 'a value is expected here, after the colon'));
    cursor.path.pop();
  }
  cursor.at++;
  // fromEntries defines properties, so a key "__proto__" stays a key.
  return Object.fromEntries(members);
}

function readArray(cursor: Cursor): readonly JsonValue[] {
  const entries: JsonValue[] = [];
  const start = enter(cursor);
  while (skipBlanks(cursor) !== ']') {
    if (entries.length > 0) readComma(cursor, start, ']');
    cursor.path.push(entries.length);
    entries.push(readValue(cursor, 'a value is expected here'));
    cursor.path.pop();
  }
  cursor.at++;
  return entries;
}

function enter(cursor: Cursor): number {
  if (cursor.path.length >= maxDepth) {
    throw new Mistake(cursor.at, `this is nested more than ${maxDepth} levels deep; no configuration is`);
  }
  return cursor.at++;
}

function readComma(cursor: Cursor, start: number, close: '}' | ']'): void {
  const character = cursor.text[cursor.at];
  if (character === undefined) throw unclosed(cursor, start, close);
  if (character !== ',') {
    throw commentHere(cursor) ?? new Mistake(cursor.at, `a comma or ${close} is missing before this`);
  }
  const commaAt = cursor.at++;
  if (skipBlanks(cursor) === close)
    throw new Mistake(commaAt, `no comma may stand before ${close}; remove it`);
}

function readKey(cursor: Cursor, start: number): string {
  const character = cursor.text[cursor.at];
  if (character === '"') return readString(cursor);
  if (character === undefined) throw unclosed(cursor, start, '}');
  throw commentHere(cursor) ?? new Mistake(cursor.at, 'a key in double quotes is expected here');
}

function readString(cursor: Cursor): string {
  const start = cursor.at;
  for (let at = start + 1; ; at++) {
    const character = cursor.text[at];
    if (character === undefined || character === '\n' || character === '\r') {
      throw new Mistake(start, 'the closing double quote of this text is missing on its line');
    }
    if (character < ' ')
      throw new Mistake(at, 'a text may not hold this control character; write \\t for a tab');
    if (character === '\\' && cursor.text[at + 1] !== undefined) at++;
    else if (character === '"') {
      cursor.at = at + 1;
      return decoded(cursor.text.slice(start, at + 1), start);
    }
  }
}

function decoded(literal: string, start: number): string {
  try {
    return String(JSON.parse(literal));
  } catch {
    throw new Mistake(
      start,
      'this text holds a backslash that JSON does not know; write \\\\ for a backslash',
    );
  }
}

function readWord(cursor: Cursor, expectation: string): JsonValue {
  const start = cursor.at;
  wordPattern.lastIndex = start;
  const word = wordPattern.exec(cursor.text)?.[0] ?? '';
  numberPattern.lastIndex = start;
  const number = numberPattern.exec(cursor.text)?.[0];
  if (number !== undefined && number === word) {
    cursor.at += word.length;
    return Number(number);
  }
  cursor.at += word.length;
  if (word === 'true') return true;
  if (word === 'false') return false;
  if (word === 'null') return null;
  cursor.at = start;
  throw wrongWord(cursor, word, expectation);
}

function wrongWord(cursor: Cursor, word: string, expectation: string): Mistake {
  if (cursor.at >= cursor.text.length) return new Mistake(cursor.at, `the text ends here; ${expectation}`);
  const comment = commentHere(cursor);
  if (comment !== null) return comment;
  if (/^[-+.\d]/.test(word)) {
    return new Mistake(
      cursor.at,
      'this is not a number as JSON writes it; addresses and names need double quotes',
    );
  }
  return word === ''
    ? new Mistake(cursor.at, expectation)
    : new Mistake(cursor.at, 'a text needs double quotes around it');
}

function commentHere(cursor: Cursor): Mistake | null {
  return /^(\/[/*]|#)/.test(cursor.text.slice(cursor.at, cursor.at + 2))
    ? new Mistake(cursor.at, 'JSON has no comments; write a key that starts with "_" or "//" in place of it')
    : null;
}

function unclosed(cursor: Cursor, start: number, close: '}' | ']'): Mistake {
  const open = close === '}' ? '{' : '[';
  const line = cursor.text.slice(0, start).split('\n').length;
  return new Mistake(cursor.at, `the text ends here; the ${open} of line ${line} has no ${close}`);
}

/** The next character that is not blank, at which the cursor then stands. */
function skipBlanks(cursor: Cursor): string | undefined {
  for (;;) {
    const character = cursor.text[cursor.at];
    if (character !== ' ' && character !== '\t' && character !== '\n' && character !== '\r') return character;
    cursor.at++;
  }
}
