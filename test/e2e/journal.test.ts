/** The journals that daemons leave behind, replayed by the built program as an operator does. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../../lab/topology/topology';
import type { RouterName } from '../../lab/topology/plan';
import { eventually } from '../support/eventually';
import {
  daemonOf,
  generations,
  moreObservations,
  openPair,
  record,
  runCommand,
  show,
  takesOver,
  watching,
} from './support';

function journalOf(lab: Lab, name: RouterName): string {
  const config = JSON.parse(readFileSync(lab.routers[name].configPath, 'utf8')) as {
    readonly config: { readonly state_dir: string };
  };
  return join(config.config.state_dir, 'journal.jsonl');
}

/** A generation, src/store/journalFile.ts. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Replays the journal; the daemon that writes it has ended. */
async function replays(path: string): Promise<string> {
  const { code, stdout, stderr } = await runCommand(['replay', path]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/replayed: the same bit for bit\n$/);
  return stdout;
}

describe.each(generations)('%s', (generation) => {
  test('a failover: both routers tell it as their logs do, and the same core decides the same', async () => {
    const lab = await openPair({ generation });
    await takesOver(lab, 'rtr2', () => lab.cutLink());
    const daemons = { rtr1: daemonOf(lab, 'rtr1'), rtr2: daemonOf(lab, 'rtr2') };
    for (const name of ['rtr1', 'rtr2'] as const) {
      const daemon = daemons[name];
      await daemon.stop();
      const told = await replays(journalOf(lab, name));
      const notable = daemon.records.filter(
        ({ event, level }) => event === 'decision' && (level === 'info' || level === 'error'),
      );
      expect(notable.length).toBeGreaterThan(1);
      for (const { reason: sentence } of notable) expect(told).toContain(sentence);
    }
    const told = await replays(journalOf(lab, 'rtr2'));
    expect(told).toMatch(/decision: .*taking over [^]*→ sendCall 1\.1\.1: /i);
    expect(told).toMatch(/EC2 confirms attempt 1/);
    const text = readFileSync(journalOf(lab, 'rtr2'), 'utf8');
    const issued = lab.credentials.issuedTo(lab.plan.instanceId.rtr2);
    expect(issued).not.toEqual([]);
    for (const { accessKeyId, secretAccessKey, sessionToken } of issued) {
      for (const secret of [accessKeyId, secretAccessKey, sessionToken]) expect(text).not.toContain(secret);
    }
  });
});

test('a daemon that is killed and started anew, and a generation that is full: each replays by itself', async () => {
  const lab = await openPair();
  const path = journalOf(lab, 'rtr2');
  const first = daemonOf(lab, 'rtr2');
  await moreObservations(lab, 'rtr2', 4);
  await first.kill();
  // The kill may come in the middle of a line.
  appendFileSync(path, '{"now":1');
  // Empty lines count for nothing but bytes: the next run fills the generation.
  appendFileSync(path, '\n'.repeat(MAX_BYTES - statSync(path).size - 12_000));
  const second = lab.startDaemon('rtr2');
  await watching(second);
  await eventually(() => expect(existsSync(`${path}.1`)).toBe(true));
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  await second.stop();

  const before = await replays(`${path}.1`);
  expect(before.match(/, the daemon starts\n/g)).toHaveLength(2);
  expect(before).toMatch(/line \d+ is cut off: [^\n]*\n\nline \d+: [^\n]*, the daemon starts\n/);
  const after = await replays(path);
  expect(after).toMatch(/^\nline 1: .*, goes on, the role is STANDBY\n/);
  expect(after).toMatch(/EC2 confirms attempt 1: all targets are on this router/);
  expect(statSync(path).size).toBeLessThan(MAX_BYTES);
});

test('a journal that cannot be written is said once and shown, the takeover goes on, and the gap is told', async () => {
  const lab = await openPair();
  const path = journalOf(lab, 'rtr2');
  const rtr2 = daemonOf(lab, 'rtr2');
  await eventually(() => expect(existsSync(path)).toBe(true));
  const since = rtr2.mark();
  // No rights keep root from writing; a directory in the file's place does.
  renameSync(path, `${path}.away`);
  mkdirSync(path);
  await record(rtr2, /"level":"warn".*"event":"journal-unwritable","code":"EISDIR"/, since);
  await takesOver(lab, 'rtr2', () => lab.cutLink());
  await eventually(async () => {
    const { stdout } = await show(lab, 'rtr2', 'ha_health');
    expect(stdout).toMatch(/"journal": \{\s*"state": "failing"/);
  }, 10_000);
  rmSync(path, { recursive: true });
  await record(rtr2, /"event":"journal-writable"/, since);
  await moreObservations(lab, 'rtr2', 4);
  await rtr2.stop();
  expect(rtr2.records.filter(({ event }) => event === 'journal-unwritable')).toHaveLength(1);
  expect(await replays(path)).toMatch(/^\nline 1: .*\d+ lines before this could not be written\n/);
  await replays(`${path}.away`);
});
