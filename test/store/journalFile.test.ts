import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JournalFile } from '../../src/store/journalFile';
import { eventually } from '../support/eventually';
import { eventsOf, recordingLogger, type LogRecord } from '../support/logRecords';

let directory: string;
let path: string;
let file: JournalFile;
let records: LogRecord[];

function open(maxBytes = 1_000): JournalFile {
  const logger = recordingLogger();
  ({ records } = logger);
  file = new JournalFile({ path, log: logger.log, maxBytes, retry: { firstMs: 10, lastMs: 20 } });
  return file;
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-journal-'));
  path = join(directory, 'state', 'journal.jsonl');
});
afterEach(async () => {
  await file.close();
  rmSync(directory, { recursive: true, force: true });
});

const read = (name = path): string => readFileSync(name, 'utf8');
const written = (text: string, name = path) => eventually(() => expect(read(name)).toBe(text));

/** As the journal of the core does it. */
function line(text: string, header = `header before ${text}`): void {
  if (file.needsHeader) file.begin(header);
  file.append(text, true);
}

test('begins with a header, in a directory that nobody else may read the file in', async () => {
  open();
  line('one');
  line('two');
  await written('header before one\none\ntwo\n');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(file.health()).toMatchObject({ state: 'ok', failures: 0 });
});

test('the next run goes on in the same file, with a header of its own, also behind a torn line', async () => {
  open();
  line('one');
  await written('header before one\none\n');
  await file.close();
  writeFileSync(path, `${read()}to`);
  open();
  line('two');
  await written('header before one\none\nto\nheader before two\ntwo\n');
});

test('a full generation is kept beside the next, and the one before it goes', async () => {
  open(100);
  for (let n = 10; n < 40; n += 1) line(`${n}`.padEnd(29, '.'), `header ${n}`);
  await file.close();
  expect(read()).toMatch(/^header 3\d\n/);
  expect(read(`${path}.1`)).toMatch(/^header \d\d\n/);
  const kept = `${read(`${path}.1`)}${read()}`.match(/^\d\d/gm) ?? [];
  // Nothing is missing between the two.
  expect(kept.at(-1)).toBe('39');
  expect(kept.map(Number)).toEqual(kept.map((_, index) => 40 - kept.length + index));
  expect(statSync(`${path}.1`).size).toBeLessThan(200);
});

test('what is routine is written too, if a moment later', async () => {
  open();
  file.begin('header');
  file.append('one', false);
  expect(existsSync(path)).toBe(false);
  await written('header\none\n');
});

test('close writes what waits', async () => {
  open();
  file.begin('header');
  file.append('one', false);
  await file.close();
  expect(read()).toBe('header\none\n');
});

test('a process that ends writes what waits, each line once although it was being written', () => {
  open(60);
  mkdirSync(join(directory, 'state'));
  line('one');
  line('two');
  line('x'.repeat(60));
  line('three');
  file.flushSync();
  expect(read(`${path}.1`)).toBe(`header before one\none\ntwo\n${'x'.repeat(60)}\n`);
  expect(read()).toBe('header before three\nthree\n');
});

test('a file that is removed is begun anew', async () => {
  open();
  line('one');
  await written('header before one\none\n');
  renameSync(path, `${path}.copy`);
  line('two');
  await eventually(() => expect(file.needsHeader).toBe(true));
  expect(file.lostLines).toBe(1);
  line('three');
  await written('header before three\nthree\n');
  expect(file.lostLines).toBe(0);
  expect(eventsOf(records)).toEqual([]);
});

test('a file that was cut short goes on behind what is left of it', async () => {
  open();
  line('one');
  await written('header before one\none\n');
  truncateSync(path, 6);
  line('two');
  await eventually(() => expect(file.needsHeader).toBe(true));
  line('three');
  await written('header\nheader before three\nthree\n');
});

test('a place that cannot be written to is said once, what waits is bounded, and the gap is counted', async () => {
  mkdirSync(path, { recursive: true });
  open(10_000_000);
  const long = 'x'.repeat(1_000);
  let headers = 0;
  for (let n = 0; n < 2_000; n += 1) {
    if (file.needsHeader) headers += 1;
    line(long);
  }
  await eventually(() => expect(file.health().failures).toBeGreaterThan(2));
  expect(file.health().state).toBe('failing');
  expect(eventsOf(records)).toEqual(['journal-unwritable']);
  // Each time that too much waited, all of it was given up.
  expect(headers).toBeGreaterThan(3);
  rmSync(path, { recursive: true });
  await eventually(() => expect(eventsOf(records)).toEqual(['journal-unwritable', 'journal-writable']));
  expect(statSync(path).size).toBeLessThan(600_000);
  expect(read()).toMatch(/^header before x/);
  expect(file.health()).toMatchObject({ state: 'ok', failures: 0 });
});
