// The self-test as the supervisor reads it: the facts in its first record, then what stands in the way.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { probe } from '../../src/cli/access';
import { selfTest } from '../../src/cli/selfTest';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'self-test-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

type Entry = { readonly event: string; readonly reason?: string; readonly [field: string]: unknown };

function records(config: string | object): readonly Entry[] {
  const path = join(folder, 'config.json');
  if (config !== '') writeFileSync(path, typeof config === 'string' ? config : JSON.stringify({ config }));
  let text = '';
  const out = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  expect(selfTest(path, out)).toBe(0);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Entry);
}

const reasons = (all: readonly Entry[]) => all.flatMap(({ reason }) => reason ?? []);

test('tells kernel, C library, Node and limits', () => {
  const [facts] = records({});
  expect(facts).toMatchObject({ event: 'self-test', node: process.version, uid: process.getuid?.() });
  expect(typeof facts?.['kernel']).toBe('string');
  expect(facts?.['openFiles']).toBeGreaterThan(0);
});

test.each([
  ['by default', {}, 6379],
  ['at a port of its own', { redis_port: '6390' }, 6390],
  ['on another machine', { redis_server: '192.0.2.1' }, null],
  ['not wanted', { store: { type: 'file', path: '/x/show.json' } }, null],
])('Redis in this container: %s', (_name, config, port) => {
  expect(records(config)[0]).toMatchObject({ redisPort: port });
});

test('a configuration that is missing, or no JSON, is named', () => {
  expect(reasons(records(''))[0]).toMatch(
    /config\.json is not there: put the configuration into the directory/,
  );
  expect(reasons(records('{'))[0]).toMatch(/config\.json cannot be read .*; check-config says/);
});

test('a path that cannot be a directory is judged by its nearest parent', () => {
  expect(probe(join(folder, 'not', 'there'), 'write')).toEqual({ outcome: 'open' });
  expect(probe(join(folder, 'not', 'there'), 'read')).toEqual({ outcome: 'missing' });
});
