import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { version } from '../../package.json';
import type { Event } from '../../src/core/state/model';
import { replay } from '../../src/cli/replay';
import { started, synchronizedWith } from '../core/play';
import { observationOf, planOf, sessionEvent } from '../support/coreWorld';
import { journalOf, type Moment } from '../support/journals';

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'replay-'));
  path = join(folder, 'journal.jsonl');
});
afterAll(() => rmSync(folder, { recursive: true }));

const decided = (now: number): Moment => [now, { type: 'inputDrained', jitter: 0.5 }];
const observed = (number: number, startedAt: number): Event => ({
  type: 'ownershipObserved',
  number,
  startedAt,
  observation: observationOf('peer'),
});

/** A night at rest, and a failover. */
const night: readonly Moment[] = [
  [1_000, started()],
  decided(1_000),
  [1_100, synchronizedWith({})],
  [1_200, observed(1, 1_150)],
  decided(1_200),
  ...Array.from({ length: 100 }, (_, index): readonly Moment[] => {
    const now = (index + 2) * 10_000;
    return [decided(now), [now + 50, observed(index + 2, now)], decided(now + 50)];
  }).flat(),
  [1_012_345, sessionEvent('a', 'Down')],
  [1_012_345, sessionEvent('b', 'Down')],
  decided(1_012_345),
];

function replayed(text: string, all = false) {
  writeFileSync(path, text);
  const said = { out: '', err: '' };
  const code = replay(
    path,
    { all },
    { out: { write: (more) => (said.out += more) }, err: { write: (more) => (said.err += more) } },
  );
  return { code, ...said };
}

test('a failover after a quiet night: what matters is shown with its time, the rest is counted', () => {
  const { code, out, err } = replayed(journalOf(planOf(), night));
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out.split('\n').length).toBeLessThan(25);
  expect(out).toMatch(
    new RegExp(
      `^\nline 1: 2027-01-15T08:00:00.000Z, the daemon starts\n  xr-aws-ha ${version}, boot boot; 2 targets, 2 sessions;`,
    ),
  );
  expect(out).toMatch(/\(\d{3} routine steps in \d{3,4}\.\d s\)\n/);
  expect(out).toMatch(
    /08:16:51\.345 {3}\+1011\.345 {2}bfdSessionChanged: the session a went from UP to DOWN/,
  );
  expect(out).toMatch(/decision: taking over 172\.31\.101\.10 and [^\n]*\n +→ [a-zA-Z]+ /);
  expect(out).toMatch(/\n308 steps in 1 part replayed: the same bit for bit\n$/);
});

test('--all shows every step', () => {
  const { code, out } = replayed(journalOf(planOf(), night), true);
  expect(code).toBe(0);
  expect(out.match(/ decision: /g)).toHaveLength(203);
  expect(out).not.toContain('routine step');
});

test('a decision that this version takes otherwise ends it, with what was written and what is', () => {
  const journal = journalOf(planOf(), night).replace('is STANDBY and watches', 'is STANDBY and sleeps');
  const { code, out, err } = replayed(journal);
  expect(code).toBe(1);
  expect(out).toContain('is STANDBY and sleeps');
  expect(out).not.toContain('bit for bit');
  expect(err).toMatch(
    new RegExp(`^replay: ${path}:6: from here on this version decides otherwise.\n  reason\n`),
  );
  expect(err).toMatch(/as written .*sleeps.*\n +as replayed .*watches/);
  expect(err).toMatch(/this is a defect. Report it with this file.\n$/);
});

test('that another version has written it is said with the difference', () => {
  const journal = journalOf(planOf(), night)
    .replace(`"version":"${version}"`, '"version":"0.9.0"')
    .replace('is STANDBY and watches', 'is STANDBY and sleeps');
  expect(replayed(journal).err).toContain(`0.9.0 wrote the journal and this is ${version}`);
});

test('a last line that was cut off is told, and no fault', () => {
  const { code, out } = replayed(journalOf(planOf(), night).slice(0, -9));
  expect(code).toBe(0);
  expect(out).toContain(
    '  line 309 is cut off: the daemon ended, or the disk was full, while it was written\n',
  );
});

test('a damaged line is named, with what to do', () => {
  const { code, err } = replayed(journalOf(planOf(), night).replace('{"now":1100,', '{"now":,'));
  expect(code).toBe(2);
  expect(err).toBe(
    `replay: ${path}:4: the line is damaged: it is no JSON.\nWhat is above is replayed. Copy the file from the router again; to go on behind the damage, cut the file to begin at the next line that has "journal":"xr-aws-ha".\n`,
  );
});

test('what is no journal is refused, with what is one', () => {
  const { code, out, err } = replayed('{"level":"info"}\n');
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toBe(
    `replay: ${path}:1: the line is no step of a journal.\nGive it a journal: a daemon writes journal.jsonl, and journal.jsonl.1 before it, to its state_dir.\n`,
  );
});

test.each(['missing', 'folder'])('a file that is no file: %s', (name) => {
  const place = join(folder, name);
  if (name === 'folder') mkdirSync(place);
  let err = '';
  const write = (more: string) => (err += more);
  expect(replay(place, { all: false }, { out: { write }, err: { write } })).toBe(2);
  expect(err).toMatch(
    name === 'folder' ? /cannot be read: .*\n$/ : /: there is no such file; a daemon writes /,
  );
});
