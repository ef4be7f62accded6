/** The journals that daemons leave behind, replayed by the built program as an operator does. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../../lab/topology';
import type { RouterName } from '../../lab/topologyPlan';
import { eventually } from '../support/eventually';
import {
  daemonOf,
  generations,
  moreObservations,
  openPair,
  reason,
  roleOf,
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

const linesOf = (path: string): readonly string[] => readFileSync(path, 'utf8').trimEnd().split('\n');

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
    expect(told).toMatch(/decision: .*taking over [^]*→ prepareTakeover 1\.1: [^]*→ sendTakeover 1\.1\.1: /i);
    expect(told).toMatch(/EC2 confirms attempt 1/);
  });
});
