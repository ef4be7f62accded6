import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RotatingFile } from '../../src/telemetry/rotatingFile';
import { eventually } from '../support/eventually';

let dir: string;
let path: string;
let file: RotatingFile | null;
let failures: string[];
let recoveries: number[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xr-aws-ha-log-'));
  path = join(dir, 'log', 'ha.log');
  file = null;
  failures = [];
  recoveries = [];
});

afterEach(async () => {
  await file?.close();
  rmSync(dir, { recursive: true, force: true });
});

function open(maxBytes = 1_000_000): RotatingFile {
  file = new RotatingFile({
    path,
    maxBytes,
    keep: 3,
    retryMs: 20,
    onFailure: (error) => failures.push(error.message),
    onRecovery: (lost) => recoveries.push(lost),
  });
  return file;
}

const read = (name: string) => readFileSync(join(dir, 'log', name), 'utf8');

test('appends to what is there, in order', async () => {
  mkdirSync(join(dir, 'log'));
  writeFileSync(path, 'before\n');
  const log = open();
  const lines = Array.from({ length: 500 }, (_, i) => `line ${i}\n`);
  for (const line of lines) log.write(line);
  await log.flush();
  expect(read('ha.log')).toBe(`before\n${lines.join('')}`);
});

test('rotates by size, keeps three older files, loses no line that still has a place', async () => {
  const log = open(100);
  for (let i = 0; i < 50; i += 1) {
    log.write(`${String(i).padStart(19, '.')}\n`);
    await log.flush();
  }
  expect(readdirSync(join(dir, 'log')).sort()).toEqual(['ha.log', 'ha.log.1', 'ha.log.2', 'ha.log.3']);
  for (const name of readdirSync(join(dir, 'log'))) expect(statSync(join(dir, 'log', name)).size).toBe(100);
  const kept = ['ha.log.3', 'ha.log.2', 'ha.log.1', 'ha.log'].map(read).join('').trimEnd().split('\n');
  expect(kept.map((line) => Number(line.replaceAll('.', '')))).toEqual(
    Array.from({ length: 20 }, (_, i) => i + 30),
  );
});

test('a burst is rotated too, not written into one file', async () => {
  const log = open(100_000);
  for (let i = 0; i < 2_000; i += 1) log.write(`${'x'.repeat(99)}\n`);
  await log.flush();
  expect(statSync(path).size).toBeLessThanOrEqual(100_000);
  expect(existsSync(`${path}.1`)).toBe(true);
});

test('begins a new file where somebody took the old one away', async () => {
  const log = open();
  log.write('one\n');
  await log.flush();
  rmSync(join(dir, 'log'), { recursive: true });
  log.write('two\n');
  await log.flush();
  expect(read('ha.log')).toBe('two\n');
  expect(failures).toEqual([]);
});

test('tells once that it cannot write, keeps the lines, writes them when it can', async () => {
  mkdirSync(join(dir, 'log'));
  mkdirSync(path);
  const log = open();
  log.write('one\n');
  await eventually(() => expect(failures).toHaveLength(1));
  log.write('two\n');
  expect(failures[0]).toContain('EISDIR');
  rmSync(path, { recursive: true });
  await eventually(() => expect(recoveries).toEqual([0]));
  await log.flush();
  expect(read('ha.log')).toBe('one\ntwo\n');
  expect(failures).toHaveLength(1);
});

test('a full disk is survived', async () => {
  path = '/dev/full';
  const log = open();
  log.write('first\n');
  await eventually(() => expect(failures[0]).toContain('ENOSPC'));
  await log.flush();
  log.write('second\n');
  await log.flush();
  expect(failures).toHaveLength(1);
  expect(recoveries).toEqual([]);
});

test('gives up the oldest lines when it cannot write for long, and counts them', async () => {
  mkdirSync(join(dir, 'log'));
  mkdirSync(path);
  const log = open();
  log.write('first\n');
  await eventually(() => expect(failures).toHaveLength(1));
  for (let i = 1; i < 10_000; i += 1) log.write(`${String(i).padStart(99, '.')}\n`);
  rmSync(path, { recursive: true });
  await eventually(() => expect(recoveries).toHaveLength(1));
  await log.flush();
  const lines = read('ha.log').trimEnd().split('\n');
  expect(lines.length).toBeLessThan(3_000);
  expect(lines.at(-1)).toBe('9999'.padStart(99, '.'));
  expect(lines.length + (recoveries[0] ?? 0)).toBe(10_000);
});

test('a device is written to and never renamed', async () => {
  path = '/dev/null';
  const log = open(10);
  for (let i = 0; i < 10; i += 1) {
    log.write('longer than the limit\n');
    await log.flush();
  }
  expect(failures).toEqual([]);
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  expect(existsSync('/dev/null.1')).toBe(false);
});

test('flushSync writes what is queued, before the file was ever opened', () => {
  const log = open();
  log.write('last words\n');
  log.flushSync();
  expect(read('ha.log')).toBe('last words\n');
});
