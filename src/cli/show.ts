/**
 * `show redundancy` and `show KEY`: the daemon's state as the predecessor printed it, to the byte, because
 * operators and their tools read it through `appmgr application exec`. What goes wrong is said on the
 * error output, with what to do, and an exit code: 1 alarms stand or not ready, 2 a wrong command, 3 nothing
 * written yet, 4 the store is away, 5 what is shown is old. Loads next to nothing: the whole command has 150 ms.
 */
import { closest } from '../config/closest';
import { entries, member } from '../config/document';
import { printable } from '../config/words';
import type { StoreSettings } from '../config/settings';
import { HISTORY_KEY } from '../history/entry';
import { indexName, isStoreKey, listedKeys, storeKeys, type StoreEntry, type StoreKey } from '../store/entry';
import { readEntry, readIndex, type Unreadable } from '../store/reading';
import { jsonOf } from '../store/storeFile';
import { stalenessOf, stalenessWords, type Staleness } from './liveness';
import { alarmsIn, alarmsPage } from './showAlarms';
import { readinessIn, readinessPage } from './showReady';
import type { FoundStore } from './storeSettings';

export type Output = { write(text: string): unknown };

export const showExitCodes = {
  shown: 0,
  wantsPerson: 1,
  wrongCommand: 2,
  nothingWritten: 3,
  storeAway: 4,
  stale: 5,
} as const;

export type ShowOptions = {
  readonly store: FoundStore;
  /** Where the daemon can be asked whether it lives. */
  readonly socketPath: string;
  readonly json?: boolean;
};

/** What is so now; the others say what once happened. */
const OF_NOW: readonly StoreKey[] = [
  'ha_state',
  'ha_reason',
  'ha_health',
  'ha_alarms',
  'ha_ready',
  'ha_peer',
  'ha_targets',
  'ha_planned',
  'ha_groups',
  'ha_interfaces',
];

/** `show KEY`; `key` is undefined where none was given. Resolves to the exit code; never rejects. */
export async function show(
  key: string | undefined,
  { store, socketPath, json = false }: ShowOptions,
  { out, err }: { readonly out: Output; readonly err: Output },
): Promise<number> {
  if (key === indexName) return showIndex(store, { out, err });
  if (key === undefined || !isStoreKey(key)) {
    err.write(wrongCommand(key));
    return showExitCodes.wrongCommand;
  }
  const reading = await readEntry(store.settings, key);
  switch (reading.outcome) {
    case 'entry': {
      const staleness = await stalenessIn(key, reading.entry, store, socketPath);
      out.write(json ? jsonEntry(key, reading.entry, staleness) : page(key, reading.entry, staleness));
      if (key === 'ha_state' && !json) err.write(await plannedWords(store));
      if (staleness !== null && !json && key !== 'ha_state') err.write(staleWords(key, staleness));
      if (staleness !== null) return showExitCodes.stale;
      return wantsPerson(key, reading.entry) ? showExitCodes.wantsPerson : showExitCodes.shown;
    }
    case 'missing':
      err.write(nothingWritten(key));
      return showExitCodes.nothingWritten;
    case 'away':
    case 'refused':
      err.write(storeAway(store, reading));
      return showExitCodes.storeAway;
  }
}

function wantsPerson(key: StoreKey, entry: StoreEntry): boolean {
  if (key === 'ha_ready') return readinessIn(entry)?.ready === false;
  return key === 'ha_alarms' && (alarmsIn(entry)?.length ?? 0) > 0;
}

async function stalenessIn(
  key: StoreKey,
  entry: StoreEntry,
  { settings }: FoundStore,
  socketPath: string,
): Promise<Staleness> {
  if (!OF_NOW.includes(key)) return null;
  const reading = key === 'ha_alarms' ? null : await readEntry(settings, 'ha_alarms');
  const alarms = reading === null ? entry : reading.outcome === 'entry' ? reading.entry : null;
  return stalenessOf(alarms, socketPath, Date.now());
}

function page(key: StoreKey, entry: StoreEntry, staleness: Staleness): string {
  if (key === 'ha_state' && staleness !== null)
    return formatEntry({ ...entry, value: `${entry.value} (${stalenessWords(staleness)})` });
  const readiness = key === 'ha_ready' ? readinessIn(entry) : null;
  if (readiness !== null) return readinessPage(entry, readiness);
  const alarms = key === 'ha_alarms' ? alarmsIn(entry) : null;
  return alarms === null ? formatEntry(entry) : alarmsPage(entry, alarms);
}

/** On the error output, so that what reads the value goes on reading it. */
function staleWords(key: StoreKey, staleness: NonNullable<Staleness>): string {
  const hint = staleness.answers
    ? 'See show ha_health, and the log of the daemon.'
    : 'Is the daemon running, in this container? Its log says why it ended.';
  return `show: ${key} is ${stalenessWords(staleness)}.\n${hint}\n`;
}

/** What is to come, on the error output too: the value stays one of the three words. */
async function plannedWords({ settings }: FoundStore): Promise<string> {
  const reading = await readEntry(settings, 'ha_planned');
  if (reading.outcome !== 'entry') return '';
  const texts = entries(member(jsonOf(reading.entry.value), 'planned')).flatMap((each) => {
    const text = member(each, 'text');
    return typeof text === 'string' ? [text] : [];
  });
  return texts.map((text) => `show: ${printable(text)}.\n`).join('');
}

/** Times with their zone: the predecessor's have none, and are those of this machine. */
function jsonEntry(key: StoreKey, { value, timestamp }: StoreEntry, staleness: Staleness): string {
  const at = new Date(timestamp.replace(/^(\d+)\/(\d+)\/(\d+) (.*)\d{3}$/, '$1-$2-$3T$4'));
  const written = {
    key,
    last_created: Number.isNaN(at.getTime()) ? timestamp : at.toISOString(),
    stale: staleness === null ? null : { age_s: staleness.ageS, daemon_answers: staleness.answers },
    value: jsonOf(value) ?? value,
  };
  return `${JSON.stringify(written, null, 2)}\n`;
}

/** An empty line, the time, an empty line, the value. */
export function formatEntry({ value, timestamp }: StoreEntry): string {
  const json = jsonOf(value);
  return `\nLast Created: ${timestamp}\n\n${json === null ? value : JSON.stringify(json, null, 2)}\n`;
}

async function showIndex(
  store: FoundStore,
  { out, err }: { readonly out: Output; readonly err: Output },
): Promise<number> {
  const reading = await readIndex(store.settings);
  switch (reading.outcome) {
    case 'index': {
      if (reading.names.length === 0) {
        err.write(nothingWritten(null));
        return showExitCodes.nothingWritten;
      }
      out.write(`${JSON.stringify(inOrder(reading.names), null, 2)}\n`);
      return showExitCodes.shown;
    }
    case 'away':
    case 'refused':
      err.write(storeAway(store, reading));
      return showExitCodes.storeAway;
  }
}

/** A Redis set has no order: always the same one is easier to read and to compare. */
function inOrder(names: readonly string[]): readonly string[] {
  const known: readonly string[] = listedKeys.filter((key) => names.includes(key));
  return [...known, ...names.filter((name) => !known.includes(name)).sort()];
}

function wrongCommand(key: string | undefined): string {
  const words = [indexName, ...storeKeys, HISTORY_KEY];
  const suggestion = key === undefined ? null : closest(key, words);
  const mistake = key === undefined ? 'what to show is missing.' : `there is no ${JSON.stringify(key)}.`;
  return [
    `show: ${mistake}${suggestion === null ? '' : ` Did you mean ${suggestion}?`}`,
    `Use show with one of: ${words.join(', ')}`,
    '',
  ].join('\n');
}

/** For most keys the daemon's start is enough to be written; some wait for something to happen. */
function nothingWritten(key: StoreKey | null): string {
  if (key === null) {
    return 'show: nothing has been written yet.\nIs the daemon running? Its log says how far it has come.\n';
  }
  const waitsFor: { readonly [K in StoreKey]?: string } = {
    last_bfd_down_event: 'It is written when a BFD session goes down: none has been reported down so far.',
    last_intf_event: 'It is written when an interface changes its state: none has been reported so far.',
    ha_groups:
      'It is written where the configuration has several groups; of one, ha_state and ha_reason tell all.',
    ha_peer: 'It is written where the configuration has peer_status_url.',
    bfd_neighbors: 'It is written when a BFD session comes up: none has been reported up so far.',
  };
  const hint =
    waitsFor[key] ??
    'The daemon writes it soon after its start. Is it running? Its log says how far it has come.';
  return `show: nothing has been written to ${key} yet.\n${hint}\n`;
}

function storeAway({ settings, configPath, doubt }: FoundStore, reading: Unreadable): string {
  const lines = [`show: ${whatIsWrong(settings, reading)}`];
  if (doubt !== null) lines.push(`The default store was tried because ${doubt}.`);
  lines.push(whatToCheck(settings, reading, configPath), '');
  return lines.join('\n');
}

function whatIsWrong(settings: StoreSettings, { outcome, cause }: Unreadable): string {
  switch (settings.type) {
    case 'redis': {
      const address = `${settings.host}:${settings.port}`;
      return outcome === 'refused'
        ? `Redis at ${address} answers with an error: ${cause}`
        : `Redis at ${address} does not answer: ${cause}`;
    }
    case 'file':
      return `the store file cannot be read: ${cause}`;
  }
}

function whatToCheck(settings: StoreSettings, { outcome }: Unreadable, configPath: string): string {
  if (settings.type === 'file') return `Check the file, and store.path in ${configPath}.`;
  if (outcome === 'refused') return 'Check the log of Redis. The daemon itself needs no Redis to fail over.';
  return `Check that Redis runs, and redis_server and redis_port in ${configPath}. The daemon itself needs no Redis to fail over.`;
}
