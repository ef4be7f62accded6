/**
 * `show ha_history [--last N]`: what has happened on this router, one line each, the latest last; and how often each BFD
 * session has come and gone. Read from the file in state_dir, so it is there while nothing runs.
 */
import { member } from '../config/document';
import { printable } from '../config/words';
import { durationWords, entryJson, isoTime, type Entry, type Kept } from '../history/entry';
import { historyPath, readHistory } from '../history/file';
import { readLooseConfig } from './looseConfig';
import { showExitCodes, type Output } from './show';

const DEFAULT_STATE_DIR = '/var/lib/xr-aws-ha';
const LAST_DEFAULT = 20;
/** More targets than this are not named in a line. */
const NAMED_MAX = 4;

/** Where the history is, as far as the configuration file can be read. */
export function readHistoryPath(configPath: string): string {
  const stateDir = member(readLooseConfig(configPath).config, 'state_dir');
  return historyPath(typeof stateDir === 'string' && stateDir.startsWith('/') ? stateDir : DEFAULT_STATE_DIR);
}

/** `last`: how many lines; null for those that a screen has, or all of them as JSON. Returns the exit code. */
export function showHistory(
  path: string,
  { last, json }: { readonly last: number | null; readonly json: boolean },
  { out, err }: { readonly out: Output; readonly err: Output },
): number {
  const reading = readHistory(path);
  switch (reading.outcome) {
    case 'kept':
      out.write(json ? historyJson(reading.kept, last) : historyPage(reading.kept, last ?? LAST_DEFAULT));
      return showExitCodes.shown;
    case 'missing':
      err.write(
        `show: nothing has been written to ${path} yet.\nThe daemon writes it at its start. Is it running? Is state_dir in the configuration the daemon's?\n`,
      );
      return showExitCodes.nothingWritten;
    case 'unreadable':
      err.write(
        `show: the history cannot be read: ${reading.cause}.\nCheck state_dir in the configuration.\n`,
      );
      return showExitCodes.storeAway;
  }
}

function historyJson(kept: Kept, last: number | null): string {
  const value = {
    router: kept.router,
    as_of: isoTime(kept.savedAt),
    entries: lastOf(kept.entries, last ?? kept.entries.length).map(entryJson),
    sessions_counted_since: isoTime(kept.countedSince),
    sessions: Object.fromEntries(
      Object.entries(kept.sessions).map(([id, { up, down, lastDownAt }]) => [
        id,
        { up, down, last_down: lastDownAt === null ? null : isoTime(lastDownAt) },
      ]),
    ),
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

function historyPage(kept: Kept, last: number): string {
  const entries = lastOf(kept.entries, last);
  const rows = entries.map(cellsOf);
  const widths = [0, 1, 2, 3].map((i) => Math.max(0, ...rows.map((cells) => (cells[i] ?? '').length)));
  const lines = rows.map((cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const all = kept.entries.length;
  const shown = entries.length === all ? `all ${all}` : `the last ${entries.length} of ${all}`;
  const sessions = Object.entries(kept.sessions).map(([id, { up, down, lastDownAt }]) => {
    const lastDown = lastDownAt === null ? '' : `, the last time at ${isoTime(lastDownAt)}`;
    return `${printable(id)}: DOWN ${countWords(down)}${lastDown}; UP again ${countWords(up)}`;
  });
  return [
    '',
    `History of ${printable(kept.router)}, ${shown}, as of ${isoTime(kept.savedAt)}; times in UTC`,
    '',
    ...lines,
    '',
    `BFD sessions since ${isoTime(kept.countedSince)}:`,
    ...(sessions.length === 0 ? ['none has gone down'] : sessions),
    '',
  ].join('\n');
}

const countWords = (count: number): string => (count === 1 ? 'once' : `${count} times`);

const lastOf = (entries: readonly Entry[], count: number): readonly Entry[] =>
  count === 0 ? [] : entries.slice(-count);

/** When it began, for how long, what, how it ended, why. */
function cellsOf(entry: Entry): readonly string[] {
  const { began, ended, what, group, about, outcome, cause, result, times } = entry;
  const more = about.length > NAMED_MAX ? ['...'] : [];
  const concerns = [
    ...(group === null ? [] : [`group ${group}`]),
    ...about.slice(0, NAMED_MAX),
    ...more,
  ].join(', ');
  const often = times === 1 ? '' : ` (${times} times)`;
  const words = [concerns, cause, result === cause ? '' : result].filter((each) => each !== '');
  return [
    isoTime(began),
    ended === null || entry.kind === 'role' ? '-' : durationWords(ended - began),
    `${what}${often}`,
    outcome,
    words.join(' -> '),
  ].map(printable);
}
