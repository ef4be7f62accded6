/** `show ha_history`, from the file that a daemon has written. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readHistoryPath, showHistory } from '../../src/cli/showHistory';
import { durationWords } from '../../src/history/entry';
import { keepHistory } from '../../src/history/keep';
import { planOf } from '../support/coreWorld';
import { eventually } from '../support/eventually';
import { recordingLogger } from '../support/logRecords';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'history-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = () => join(folder, 'history.jsonl');

function run({ last = null as number | null, json = false } = {}) {
  let out = '';
  let err = '';
  const code = showHistory(
    path(),
    { last, json },
    { out: { write: (text) => (out += text) }, err: { write: (text) => (err += text) } },
  );
  return { code, out, err };
}

function keep(version = '1.2.3') {
  const { log, records } = recordingLogger();
  const kept = keepHistory({
    stateDir: folder,
    groups: [{ name: 'default', plan: planOf() }],
    router: 'rtr2',
    version,
    bootId: 'boot',
    now: () => performance.now(),
    log,
    tell: () => {},
  });
  return { ...kept, records };
}

test('what one run has kept the next goes on with, another version too', async () => {
  const first = keep();
  first.history.readiness(true, 'ready');
  first.history.readiness(false, 'not ready: the clock is off');
  first.history.readiness(true, 'ready');
  first.history.stopped();
  await first.close();
  expect(statSync(path()).mode & 0o777).toBe(0o600);
  const second = keep('1.3.0');
  await second.close();
  const { code, out, err } = run();
  expect([code, err]).toEqual([0, '']);
  const lines = out.split('\n');
  expect(lines[1]).toMatch(/^History of rtr2, all 3, as of \S+Z; times in UTC$/);
  expect(lines[3]).toMatch(
    /^\S+Z {2}0\.\d{3} s {2}start {6}stopped {6}xr-aws-ha 1\.2\.3 started -> the daemon was told to stop$/,
  );
  expect(lines[4]).toMatch(/^\S+Z {2}0\.\d{3} s {2}not-ready {2}ready again {2}not ready: the clock is off$/);
  expect(lines[5]).toMatch(/^\S+Z {2}- {8}start {6}under way {4}xr-aws-ha 1\.3\.0 started$/);
  expect(lines.slice(6)).toEqual([
    '',
    expect.stringMatching(/^BFD sessions since /),
    'none has gone down',
    '',
  ]);
});

test('--last is what it says, and JSON has all for a machine', async () => {
  const { history, close } = keep();
  for (let i = 0; i < 30; i += 1)
    history.alarms([
      {
        key: `${i}`,
        code: 'store-away',
        severity: 'minor',
        group: null,
        about: [],
        text: `no ${i}`,
        since: i,
      },
    ]);
  await close();
  const alarms = (out: string) => [...out.matchAll(/no \d+/g)].map(([text]) => text);
  expect(alarms(run().out)).toHaveLength(20);
  expect(alarms(run({ last: 2 }).out)).toEqual(['no 28', 'no 29']);
  const all = JSON.parse(run({ json: true }).out) as { entries: readonly object[] };
  expect(all.entries).toHaveLength(31);
  expect(all).toMatchObject({ router: 'rtr2', sessions: {} });
  expect(all.entries.at(-1)).toMatchObject({ what: 'store-away', outcome: 'under way', ended: null });
  expect(JSON.parse(run({ json: true, last: 1 }).out)).toMatchObject({ entries: [{ cause: 'no 29' }] });
});

test('nothing yet, and what is no history', async () => {
  expect(run()).toMatchObject({ code: 3, out: '' });
  expect(run().err).toContain(`nothing has been written to ${path()} yet`);
  writeFileSync(path(), '{"another":"file"}\n');
  expect(run()).toMatchObject({ code: 4, out: '' });
  const { close, records } = keep();
  await close();
  expect(records).toMatchObject([{ level: 40, event: 'history-unreadable' }]);
  expect(run().code).toBe(0);
});

test('a disk that does not take it is said once, and it is written when it does', async () => {
  mkdirSync(path());
  const { history, close, records } = keep();
  const events = () => records.map(({ event }) => event);
  await eventually(() => expect(events()).toContain('history-unwritable'));
  rmSync(path(), { recursive: true });
  await eventually(() => expect(events()).toContain('history-writable'));
  history.stopped();
  await close();
  expect(readFileSync(path(), 'utf8')).toContain('"outcome":"stopped"');
});

test('where it is stands in the configuration, as far as that can be read', () => {
  const config = join(folder, 'config.json');
  expect(readHistoryPath(config)).toBe('/var/lib/xr-aws-ha/history.jsonl');
  writeFileSync(config, '{"config": {"state_dir": "/tmp/state", "unknown": 1}}');
  expect(readHistoryPath(config)).toBe('/tmp/state/history.jsonl');
});

test.each([
  [152, '0.152 s'],
  [41_400, '41 s'],
  [720_000, '12 min'],
  [3 * 3_600_000 + 300_000, '3 h 5 min'],
  [2 * 86_400_000 + 4 * 3_600_000, '2 d 4 h'],
])('%d ms are %s', (ms, words) => {
  expect(durationWords(ms)).toBe(words);
});
