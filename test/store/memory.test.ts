import fc from '../support/properties';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Memory } from '../../src/core/state/model';
import { openMemory, parseMemory, readBootId } from '../../src/store/memory';
import { eventually } from '../support/eventually';
import { eventsOf, recordingLogger } from '../support/logRecords';

const memory: Memory = {
  bootId: 'b2b9a6f6-6a0b-4f0e-9b1c-0e2d9a4c7c11',
  savedAt: 1_234_567.25,
  wasActive: false,
  armedSessions: ['default/TenGigE0/0/0/2/172.31.105.206'],
  intent: { startedAt: 1_234_500, targets: ['172.31.105.10', '172.31.101.10'] },
  beenActive: true,
  inhibit: { until: 2_000_000, untilWall: 1_800_000_000_000, forMs: 1_800_000, why: 'maintenance' },
  scheduled: { at: 1_900_000, atWall: 1_800_000_000_000 },
  damping: { penalty: 1_500, at: 1_234_000, suppressedUntil: null },
  alarms: [
    { key: 'takeover-refused Code', code: 'takeover-refused', about: ['172.31.105.10'], text: 'a', since: 1 },
  ],
};

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xr-aws-ha-memory-'));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

test.each([
  ['of another instance', 'i-0b', 'peer-1', null],
  ['of the same instance, whose peer has changed', 'i-0a', 'peer-2', memory],
  ['before its instance is known, with the same peer', null, 'peer-1', memory],
  ['before its instance is known, with another peer', null, 'peer-2', null],
] as const)('the decisions of i-0a are there for a router %s only where they are its own', async (...row) => {
  const [, instance, peer, expected] = row;
  const { log, records } = recordingLogger();
  const first = openMemory(dir, ['default'], log, 'peer-1');
  first.own('i-0a');
  first.save('default', memory);
  await first.close();
  const next = openMemory(dir, ['default'], log, peer);
  await eventually(() => expect(next.namesInstance()).toBe(true));
  if (instance !== null) next.own(instance);
  expect(next.load('default')).toEqual(expected);
  expect(eventsOf(records)).toEqual(expected === null ? ['memory-of-another'] : []);
  if (expected === null)
    expect(records[0]?.reason).toMatch(
      /those of i-0a with the peer peer-1, and this router is .* with the peer peer-\d: they are not used$/,
    );
});

test('what was saved last is loaded by the next life', async () => {
  const { log, records } = recordingLogger();
  const first = openMemory(dir, ['default'], log);
  expect(first.load('default')).toBeNull();
  for (let i = 0; i < 500; i += 1) first.save('default', { ...memory, savedAt: i });
  first.save('default', memory);
  await first.close();
  // A disk that is busy may take longer to sync than close() waits.
  await eventually(() => expect(openMemory(dir, ['default'], log).load('default')).toEqual(memory));
  expect(readdirSync(dir)).toEqual(['decisions.json']);
  expect(statSync(join(dir, 'decisions.json')).mode & 0o777).toBe(0o600);
  expect(records).toEqual([]);
});

test('says when all that was saved so far is on disk, and when it cannot be', async () => {
  const { log } = recordingLogger();
  const stateDir = join(dir, 'state');
  const file = openMemory(stateDir, ['default'], log);
  expect(await file.stored()).toBe(true);
  for (const savedAt of [1, 2, 3]) {
    file.save('default', { ...memory, savedAt });
    expect(await file.stored()).toBe(true);
    expect(openMemory(stateDir, ['default'], log).load('default')).toMatchObject({ savedAt });
  }
  const early = [1, 2].map((step) => {
    file.save('default', { ...memory, savedAt: 10 + step });
    return file.stored();
  });
  expect(await Promise.all(early)).toEqual([true, true]);
  expect(openMemory(stateDir, ['default'], log).load('default')).toMatchObject({ savedAt: 12 });
  rmSync(stateDir, { recursive: true });
  writeFileSync(stateDir, '');
  file.save('default', memory);
  expect(await file.stored()).toBe(false);
  await file.close();
});

test('makes its directory, as deep as it is', async () => {
  const { log } = recordingLogger();
  const file = openMemory(join(dir, 'a', 'b'), ['default'], log);
  file.save('default', memory);
  await file.close();
  await eventually(() =>
    expect(openMemory(join(dir, 'a', 'b'), ['default'], log).load('default')).toEqual(memory),
  );
});

test('goes on where it cannot save, says so once, and saves when it can', async () => {
  const { log, records } = recordingLogger();
  const stateDir = join(dir, 'state');
  writeFileSync(stateDir, '');
  const file = openMemory(stateDir, ['default'], log);
  file.save('default', memory);
  await eventually(() => expect(eventsOf(records)).toEqual(['memory-unwritable']));
  rmSync(stateDir);
  await eventually(() => expect(eventsOf(records)).toEqual(['memory-unwritable', 'memory-writable']));
  expect(openMemory(stateDir, ['default'], log).load('default')).toEqual(memory);
  await file.close();
});

test.each([
  ['empty', ''],
  ['truncated', JSON.stringify(memory).slice(0, -5)],
  ['another program’s', '{"name": "xr-aws-ha", "version": "1.0.0"}'],
  ['a list', '[]'],
  ['null', 'null'],
  ['too large', ' '.repeat(2 * 1024 * 1024)],
])('a file that is %s counts as none, with one warning', (_, text) => {
  writeFileSync(join(dir, 'decisions.json'), text);
  const { log, records } = recordingLogger();
  expect(openMemory(dir, ['default'], log).load('default')).toBeNull();
  expect(eventsOf(records)).toEqual(['memory-unreadable']);
});

test('a directory or a pipe in its place counts as none and holds nothing up', () => {
  mkdirSync(join(dir, 'decisions.json'));
  const { log, records } = recordingLogger();
  expect(openMemory(dir, ['default'], log).load('default')).toBeNull();
  rmSync(join(dir, 'decisions.json'), { recursive: true });
  execFileSync('mkfifo', [join(dir, 'decisions.json')]);
  expect(openMemory(dir, ['default'], log).load('default')).toBeNull();
  expect(eventsOf(records)).toEqual(['memory-unreadable', 'memory-unreadable']);
});

describe('with several groups', () => {
  const both = ['north', 'south'] as const;
  const path = () => join(dir, 'decisions.json');
  const { log } = recordingLogger();
  const inhibitOnly = {
    ...memory,
    wasActive: false,
    armedSessions: [],
    intent: null,
    beenActive: false,
    scheduled: null,
    damping: null,
    alarms: [],
  };

  test('each has its own memory in the one file, and one that has saved nothing keeps what was there', async () => {
    const first = openMemory(dir, both, log);
    first.save('north', memory);
    first.save('south', { ...memory, savedAt: 7 });
    await first.close();
    await eventually(() =>
      expect(openMemory(dir, both, log).load('south')).toEqual({ ...memory, savedAt: 7 }),
    );
    const second = openMemory(dir, both, log);
    for (const group of both) second.load(group);
    second.save('south', { ...memory, savedAt: 8 });
    await second.close();
    await eventually(() =>
      expect(openMemory(dir, both, log).load('south')).toEqual({ ...memory, savedAt: 8 }),
    );
    expect(openMemory(dir, both, log).load('north')).toEqual(memory);
    expect(readdirSync(dir)).toEqual(['decisions.json']);
  });

  test('of the memory of a single group only an inhibit is theirs, and the only group has all of it', () => {
    writeFileSync(path(), JSON.stringify(memory));
    expect(openMemory(dir, ['north'], log).load('north')).toEqual(memory);
    expect(openMemory(dir, both, log).load('north')).toEqual(inhibitOnly);
    writeFileSync(path(), JSON.stringify({ ...memory, inhibit: null }));
    expect(openMemory(dir, both, log).load('north')).toBeNull();
  });

  test('a group that the file does not know is inhibited where all in the file are, until the first of them ends', () => {
    const later = { ...memory, inhibit: { ...memory.inhibit!, untilWall: 1_900_000_000_000 } };
    writeFileSync(path(), JSON.stringify({ groups: { north: later, south: memory } }));
    expect(openMemory(dir, ['default'], log).load('default')).toEqual(inhibitOnly);
    writeFileSync(path(), JSON.stringify({ groups: { north: later, south: { ...memory, inhibit: null } } }));
    expect(openMemory(dir, ['default'], log).load('default')).toBeNull();
  });

  test('one damaged memory makes none of them count', () => {
    writeFileSync(path(), JSON.stringify({ groups: { north: memory, south: { ...memory, savedAt: -1 } } }));
    const { log: own, records } = recordingLogger();
    const file = openMemory(dir, both, own);
    expect([file.load('north'), file.load('south')]).toEqual([null, null]);
    expect(eventsOf(records)).toEqual(['memory-unreadable']);
  });
});

describe('the parser', () => {
  const times = fc.double({ min: 0, max: Number.MAX_SAFE_INTEGER, noNaN: true }).map((n) => n + 0);
  const id = fc.string({ minLength: 1, maxLength: 256 });
  const memories: fc.Arbitrary<Memory> = fc.record({
    bootId: fc.string({ minLength: 1, maxLength: 64 }),
    savedAt: times,
    wasActive: fc.boolean(),
    armedSessions: fc.array(id),
    intent: fc.option(fc.record({ startedAt: times, targets: fc.array(id, { minLength: 1 }) })),
    beenActive: fc.boolean(),
    inhibit: fc.option(
      fc.record({
        until: times,
        untilWall: fc.nat(),
        forMs: fc.nat(604_800_000),
        why: fc.string({ maxLength: 200 }),
      }),
    ),
    scheduled: fc.option(fc.record({ at: times, atWall: fc.nat() })),
    damping: fc.option(fc.record({ penalty: fc.nat(10_000), at: times, suppressedUntil: fc.option(times) })),
    alarms: fc.array(
      fc.record({
        key: fc.string({ maxLength: 256 }),
        code: fc.string({ maxLength: 64 }),
        about: fc.array(id),
        text: fc.string({ maxLength: 400 }),
        since: times,
      }),
    ),
  });

  test('takes what the writer writes', () => {
    fc.assert(
      fc.property(memories, (value) => {
        const written: unknown = JSON.parse(JSON.stringify(value));
        expect(parseMemory(JSON.stringify(value))).toEqual(written);
      }),
    );
  });

  test('drops members that a newer version may have added', () => {
    expect(parseMemory(JSON.stringify({ ...memory, mood: { until: 1 } }))).toEqual(memory);
  });

  test('reads what an older version has written, which did not know of inhibit, dampening and alarms', () => {
    const { beenActive: _b, inhibit: _i, damping: _d, alarms: _a, ...older } = memory;
    expect(parseMemory(JSON.stringify(older))).toEqual({
      ...older,
      beenActive: false,
      inhibit: null,
      damping: null,
      alarms: [],
    });
  });

  test('refuses a memory with any member wrong or absent', () => {
    const wrong = fc.oneof(
      fc.constantFrom(undefined, -1, '', {}, [], [''], [1], 'yes', 1e300, { startedAt: 1 }, { targets: [] }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...(Object.keys(memory) as (keyof Memory)[])), wrong, (member, value) => {
        const rightAfterAll =
          (member === 'bootId' && value === 'yes') ||
          (['armedSessions', 'alarms'].includes(member) && Array.isArray(value) && value.length === 0) ||
          (value === undefined &&
            ['beenActive', 'inhibit', 'scheduled', 'damping', 'alarms'].includes(member));
        fc.pre(!rightAfterAll);
        expect(parseMemory(JSON.stringify({ ...memory, [member]: value }))).toBeNull();
      }),
    );
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseMemory(text)).toBeNull();
      }),
    );
  });

  test('takes no truncation for a memory', () => {
    const whole = JSON.stringify(memory);
    for (let end = 0; end < whole.length; end += 1) expect(parseMemory(whole.slice(0, end))).toBeNull();
  });
});

test('the boot id is the kernel’s and stays', () => {
  expect(readBootId()).toMatch(/^[0-9a-f-]{36}$/);
  expect(readBootId()).toBe(readBootId());
});
