/**
 * `report FILE|FOLDER...`: the journals of both routers as one story, for a terminal and as one HTML file. One file is
 * read at a time and only what the story needs of it is kept, so that four full generations fit into little memory.
 */
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { version } from '../../package.json';
import { printable } from '../config/words';
import { htmlOf } from '../report/html';
import { momentsOf } from '../report/moments';
import { pairOf, type Source } from '../report/pair';
import { boundOf, rangeOf, type Bound } from '../report/range';
import { storyOf } from '../report/story';
import { textOf } from '../report/text';
import { rangeWords } from '../report/words';
import { readSmallFile } from '../store/smallFile';
import { systemError } from '../store/systemError';

export type ReportArguments = {
  readonly paths: readonly string[];
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly html: string | undefined;
};

type Output = { write(text: string): unknown };

export const reportExitCodes = { told: 0, failed: 1, noStory: 2 } as const;

/** More than a generation has. */
const MAX_BYTES = 64 * 1024 * 1024;
const FILES_MAX = 64;

/** Returns the exit code; never throws. */
export function report(
  { paths, since, until, html }: ReportArguments,
  { out, err }: { readonly out: Output; readonly err: Output },
): number {
  const problems: string[] = [];
  const bounds = [boundFrom('--since', since, problems), boundFrom('--until', until, problems)] as const;
  const files = paths.flatMap((path) => filesOf(path, problems));
  if (files.length > FILES_MAX) problems.push(`${files.length} journals are more than ${FILES_MAX}`);
  const sources = problems.length > 0 ? [] : files.flatMap((file) => sourceOf(file, problems));
  if (problems.length > 0) return refuse(err, problems);
  const pair = pairOf(sources);
  if (!pair.ok) return refuse(err, [pair.problem]);
  const story = storyOf(pair.routers, rangeOf(...bounds), pair.limits);
  if (!(story.from < story.to && story.to > story.whole.from && story.from < story.whole.to)) {
    const own = rangeWords(story.whole);
    return refuse(err, [`there is nothing between --since and --until: the journals are of ${own}`]);
  }
  for (const line of textOf(story, version, printable)) out.write(`${line}\n`);
  if (html === undefined) return reportExitCodes.told;
  try {
    writeFileSync(html, htmlOf(story, version), { mode: 0o600 });
    err.write(`report: ${html} is written\n`);
    return reportExitCodes.told;
  } catch (error: unknown) {
    err.write(`report: ${html} cannot be written: ${printable(systemError(error).message)}\n`);
    return reportExitCodes.failed;
  }
}

function refuse(err: Output, problems: readonly string[]): number {
  for (const problem of problems) err.write(`report: ${printable(problem)}\n`);
  err.write(`${WHAT_TO_GIVE}\n`);
  return reportExitCodes.noStory;
}

const WHAT_TO_GIVE =
  'Give it the journals of both routers: a file or a folder for each, with journal.jsonl and journal.jsonl.1 as they lie in state_dir.';

function boundFrom(option: string, text: string | undefined, problems: string[]): Bound | null {
  if (text === undefined) return null;
  const bound = boundOf(text);
  if (bound === null)
    problems.push(
      `${option} is a time in UTC (2026-11-30T03:10, 03:10) or how long before the end (30m, 2h), not '${text}'`,
    );
  return bound;
}

// --- Files ---------------------------------------------------------------------------------------

type File = { readonly path: string; readonly name: string; readonly group: string | null };

const JOURNAL = /^journal(?:-(.+))?\.jsonl(?:\.1)?$/;

/** A folder stands for the journals in it; a file for itself and the generation before it. */
function filesOf(path: string, problems: string[]): readonly File[] {
  try {
    const status = statSync(path, { throwIfNoEntry: false });
    if (status === undefined) {
      problems.push(`${path}: there is no such file`);
      return [];
    }
    if (!status.isDirectory()) return [`${path}.1`, path].filter(isThere).map(fileOf);
    const names = readdirSync(path).filter((name) => JOURNAL.test(name));
    if (names.length === 0) problems.push(`${path}: there is no journal in this folder`);
    // The generation before comes first.
    return names
      .sort((a, b) => (b === `${a}.1` ? 1 : a < b ? -1 : 1))
      .map((name) => fileOf(join(path, name)));
  } catch (error: unknown) {
    problems.push(`${path} cannot be read: ${systemError(error).message}`);
    return [];
  }
}

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** Folders that every router has. */
const NAMELESS = ['state', 'xr-aws-ha', 'lib', 'var', ''];

/** A router is called like its file, or where that has the daemon's own name, like the folder around it. */
function fileOf(path: string): File {
  const own = JOURNAL.exec(basename(path));
  if (own === null)
    return {
      path,
      name: basename(path)
        .replace(/\.1$/, '')
        .replace(/\.[a-z]+$/, ''),
      group: null,
    };
  let folder = dirname(resolve(path));
  while (NAMELESS.includes(basename(folder)) && folder !== dirname(folder)) folder = dirname(folder);
  return { path, name: basename(folder) || 'router', group: own[1] ?? null };
}

function sourceOf(file: File, problems: string[]): readonly Source[] {
  const read = readSmallFile(file.path, MAX_BYTES);
  switch (read.outcome) {
    case 'missing':
      problems.push(`${file.path}: there is no such file`);
      return [];
    case 'unreadable':
      problems.push(`${file.path} cannot be read: ${read.cause}`);
      return [];
    case 'text': {
      const told = momentsOf(read.text);
      if (told.parts.length === 0) problems.push(`${file.path}: ${told.limits[0] ?? 'it is empty'}`);
      return [{ ...file, ...told }];
    }
  }
}
