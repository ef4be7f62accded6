// Two daemons and one place: the kernel keeps the lock, so whoever dies leaves none behind.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { occupy, type Occupied, type Place } from '../../src/store/occupancy';
import { eventually } from '../support/eventually';

let directory: string;
const held: Occupied[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'occupancy-'));
});
afterEach(async () => {
  for (const each of held.splice(0)) if (each.outcome === 'held') await each.release();
  rmSync(directory, { recursive: true, force: true });
});

const placeIn = (where: string, name = 'state'): Place => ({
  key: 'state_dir',
  path: where,
  directory: where,
  name,
});

async function take(place: Place, who = 'me'): Promise<Occupied> {
  const result = await occupy(place, who);
  held.push(result);
  return result;
}

const sockets = () => readdirSync(directory).filter((name) => name.endsWith('.daemon'));

test('a second one is told who has it, until the first lets go', async () => {
  const first = await take(placeIn(directory), 'the first, pid 7');
  expect(first.outcome).toBe('held');
  expect(await take(placeIn(directory))).toEqual({ outcome: 'taken', by: 'the first, pid 7' });
  expect(sockets()).toHaveLength(1);
  if (first.outcome === 'held') await first.release();
  expect(sockets()).toEqual([]);
  expect((await take(placeIn(directory))).outcome).toBe('held');
});

test('two files of one directory are two places', async () => {
  expect((await take(placeIn(directory, 'a.json'))).outcome).toBe('held');
  expect((await take(placeIn(directory, 'b.json'))).outcome).toBe('held');
});

// Who goes resets the connections of those who ask it: in one of 14 rounds that made all of them go.
test('of several that start together one has it, in each of 40 rounds', async () => {
  for (let round = 0; round < 40; round += 1) {
    const place = placeIn(directory, `state${round}`);
    const results = await Promise.all(Array.from({ length: 5 }, (_, index) => take(place, `${index}`)));
    expect(results.filter(({ outcome }) => outcome === 'held')).toHaveLength(1);
    expect(results.filter(({ outcome }) => outcome === 'taken')).toHaveLength(4);
  }
});

test('what a killed process leaves behind is no lock', async () => {
  const path = join(directory, '.state.0dead.daemon');
  const child = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`,
  ]);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  expect(sockets()).toEqual(['.state.0dead.daemon']);
  expect((await take(placeIn(directory))).outcome).toBe('held');
  expect(sockets()).toHaveLength(1);
});

test('one that is paused keeps it', async () => {
  const path = join(directory, '.state.0paused.daemon');
  const child = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`,
  ]);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.kill('SIGSTOP');
  expect(await take(placeIn(directory))).toMatchObject({
    outcome: 'taken',
    by: expect.stringContaining('is it paused?') as unknown,
  });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
});

test('a directory whose path is longer than that of a socket may be', async () => {
  const deep = join(directory, 'd'.repeat(100), 'e'.repeat(100));
  expect((await take(placeIn(deep), 'deep')).outcome).toBe('held');
  expect(await take(placeIn(deep))).toEqual({ outcome: 'taken', by: 'deep' });
});

test('where no socket can be, nothing is guarded, and that is said', async () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  expect(await take(placeIn(join(file, 'state')))).toMatchObject({
    outcome: 'unguarded',
    cause: expect.stringMatching(/ENOTDIR|EEXIST/) as unknown,
  });
});

test('a socket of others in the directory is none of ours', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(directory, 'control.sock'), resolve));
  expect((await take(placeIn(directory))).outcome).toBe('held');
  await eventually(() => expect(readdirSync(directory)).toContain('control.sock'));
  server.close();
});
