/**
 * From a file to a document that has been judged, or to one report of all its mistakes: no file, no text, no JSON, a
 * key twice, and what the judge says. Nothing here throws for what a file may hold, and no other file is opened.
 */
import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import type { JsonValue } from '../core/state/json';
import { isNote, member } from './document';
import { readJson, type DuplicateKey } from './json';
import { sentence } from './report';
import { printable } from './words';

/** At least one line, without a newline at the end. */
export type Refusal = { readonly ok: false; readonly report: string };

type Judged = { readonly ok: true } | { readonly ok: false; readonly mistakes: readonly string[] };

/** A configuration has a few kB; this only keeps a wrong path from filling the memory. */
const maxBytes = 1024 * 1024;
const maxToldMistakes = 100;

export function readTextFile(path: string): { readonly ok: true; readonly text: string } | Refusal {
  let bytes: Buffer;
  try {
    const stat = statSync(path);
    // Docker makes a directory where a bind mount's source is missing.
    if (stat.isDirectory()) {
      return refused(
        path,
        'is a directory, not a file; where it is mounted into a container, its source was missing when the container was made: copy the file there and make the container anew',
      );
    }
    if (stat.size > maxBytes)
      return refused(path, `has ${stat.size} bytes; a configuration has a few thousand`);
    bytes = readFileSync(path);
  } catch (error: unknown) {
    return refused(path, unreadable(error));
  }
  return isUtf8(bytes)
    ? { ok: true, text: bytes.toString('utf8') }
    : refused(path, 'is not UTF-8 text; save it in that encoding');
}

/** `name` is how the report calls the document; `advice` says what to write where there is nothing. */
export function parseDocument<Judgement extends Judged>(
  text: string,
  {
    name,
    advice,
    judge,
  }: {
    readonly name: string;
    readonly advice: string;
    readonly judge: (document: JsonValue) => Judgement;
  },
): { readonly ok: true; readonly judgement: Extract<Judgement, { ok: true }> } | Refusal {
  // Editors on Windows start UTF-8 files with a byte order mark.
  const content = text.replace(/^\uFEFF/, '');
  if (content.trim() === '') return refused(name, `is empty; ${advice}`);
  const reading = readJson(content);
  if (!reading.ok) return { ok: false, report: jsonReport(name, content, reading) };
  const judgement: Judged = judge(reading.value);
  const repeats = reading.duplicates.filter(({ path }) => !path.some(isNote));
  if (!judgement.ok || repeats.length > 0)
    return mistaken(name, content, repeats, judgement.ok ? [] : judgement.mistakes);
  return { ok: true, judgement: judgement as Extract<Judgement, { ok: true }> };
}

/** A file of another kind may have a mistake in each of its thousands of lines: nobody reads them all. */
function mistaken(
  name: string,
  content: string,
  repeats: readonly DuplicateKey[],
  others: readonly string[],
): Refusal {
  const count = repeats.length + others.length;
  const title = `${printable(name)} has ${count === 1 ? '1 mistake' : `${count} mistakes`}:`;
  const told = [
    ...repeats.slice(0, maxToldMistakes).map((duplicate) => repeatedKey(content, duplicate)),
    ...others.slice(0, Math.max(0, maxToldMistakes - repeats.length)),
  ];
  const rest = count > told.length ? [`and ${count - told.length} more`] : [];
  return { ok: false, report: [title, ...[...told, ...rest].map((line) => `  ${line}`)].join('\n') };
}

function refused(name: string, message: string): Refusal {
  return { ok: false, report: `${printable(name)}: ${message}` };
}

function unreadable(error: unknown): string {
  const code = String(member(error, 'code') ?? error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return 'there is no such file; name the configuration file with -c, or mount it into the container';
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return 'no permission to read the file; allow the user of this process to read it';
  }
  return `the file cannot be read (${printable(code)})`;
}

function jsonReport(
  name: string,
  text: string,
  mistake: { readonly offset: number; readonly message: string },
): string {
  const { line, column, content } = position(text, mistake.offset);
  // A window around the mistake; each character is shown as one column, so that the mark stands below it.
  const from = Math.max(0, column - 1 - 60);
  const window = [...content.slice(from, from + 100)]
    .map((character) => (/[\p{C}\p{Zl}\p{Zp}\s]/u.test(character) ? ' ' : character))
    .join('');
  const before = [...content.slice(from, column - 1)].length;
  const margin = `  ${line} | `;
  return [
    `${printable(name)} is not JSON: line ${line}, column ${column}: ${mistake.message}`,
    `${margin}${window}`.trimEnd(),
    `${' '.repeat(margin.length - 2)}| ${' '.repeat(before)}^`,
  ].join('\n');
}

function repeatedKey(text: string, duplicate: DuplicateKey): string {
  const [first, again] = [position(text, duplicate.first).line, position(text, duplicate.again).line];
  const where = first === again ? `twice on line ${first}` : `on line ${first} and again on line ${again}`;
  return sentence(duplicate.path, `written ${where}; keep one`);
}

/** Line and column count from 1. */
function position(text: string, offset: number) {
  const before = text.slice(0, offset).split('\n');
  const column = (before.at(-1) ?? '').length + 1;
  const start = offset - column + 1;
  const end = text.indexOf('\n', offset);
  return { line: before.length, column, content: text.slice(start, end === -1 ? text.length : end) };
}
