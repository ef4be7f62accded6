/** A failover of two real daemons, told afterwards from their journals as after a real night. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machineClock } from '../../lab/labClock';
import type { Lab } from '../../lab/topology/topology';
import { WallClock } from '../../lab/wallClock';
import { reportOf } from '../../lab/demo/operator';
import { daemonOf, moreObservations, openLab, reason, record, role, takesOver, watching } from './support';

/** Times in journal and report are whole milliseconds. */
const ROUNDED_MS = 2;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'report-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function told(lab: Lab): Promise<string> {
  const html = join(folder, 'report.html');
  const { exitCode, stdout, stderr } = await reportOf(lab, html);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: `report: ${html} is written\n` });
  expect(readFileSync(html, 'utf8')).toMatch(/<\/html>\n$/);
  return stdout;
}

test('a power loss, a takeover and a return with the old journal: one story, right by EC2 and the lab', async () => {
  const lab = await openLab({ keepState: true });
  // The clock of one router is wrong, as clocks are when a night is looked into.
  const clock = new WallClock(lab.directory);
  clock.setOffset(90_000);
  const active = lab.startDaemon('rtr1', { env: clock.env });
  const standby = lab.startDaemon('rtr2');
  await Promise.all([role(active, 'ACTIVE'), watching(standby)]);
  await moreObservations(lab, 'rtr1', 8);
  let killedAtMs = NaN;
  await takesOver(lab, 'rtr2', () => {
    killedAtMs = machineClock.nowMs();
    return lab.killRouter('rtr1');
  });
  const moves = lab.floatingAddresses.map(
    (address) => lab.world.ownershipHistory(address).at(-1)?.atMs ?? NaN,
  );
  await lab.bootRouter('rtr1');
  await watching(lab.startDaemon('rtr1', { env: clock.env }));
  await moreObservations(lab, 'rtr1', 2);
  for (const name of ['rtr1', 'rtr2'] as const) await daemonOf(lab, name).stop();

  const text = await told(lab);
  expect(text).toMatch(/^xr-aws-ha [\d.]+ report: what rtr1 and rtr2 tell\n/);
  expect(text).toMatch(/rtr1: right to ± [01]\.\d\d s; its own clock was (89|90|91)\.\d\d s ahead of EC2's/);
  expect(text).toMatch(/rtr2: right to ± [01]\.\d\d s; its own clock was 0\.\d+ s (ahead of|behind) EC2's/);
  expect(text).toMatch(
    /rtr2 took over: first call to EC2 after [^,]*, all moved after [^,]*, counted from BFD DOWN/,
  );
  for (const address of lab.floatingAddresses)
    expect(text).toMatch(
      new RegExp(
        `${address.replaceAll('.', '\\.')}\n +rtr1 until [\\d:.]+, then rtr2; without a holder: \\d`,
      ),
    );
  expect(text.replace(/\s+/g, ' ')).toMatch(
    /the journal has no line for \d+\.\d s: the daemon ended and started anew/,
  );
  expect(text).not.toMatch(/What this report cannot tell/);
  // From the router's word that the peer is DOWN to EC2's that the last one has moved. By the lab's own clock this began
  // after the power loss and before the record of it came, and ended after EC2 had moved it and before the timeline came.
  const down = await record(standby, /"event":"bfdSessionChanged".*went from UP to DOWN/);
  const done = await record(standby, /takeoverTimeline/);
  const [, seconds = ''] = /time without a holder: (\d+\.\d+) s in all/.exec(text) ?? [];
  const toldMs = Number(seconds) * 1_000;
  expect(toldMs).toBeGreaterThanOrEqual(Math.max(...moves) - down.receivedAtMs - ROUNDED_MS);
  expect(toldMs).toBeLessThanOrEqual(done.receivedAtMs - killedAtMs + ROUNDED_MS);
});

test('the state of a router that lost its power is gone, unless the lab keeps it; kept, it is of another boot', async () => {
  for (const keepState of [false, true]) {
    const lab = await openLab({ keepState });
    const journal = join(lab.routers.rtr1.directory, 'state', 'journal.jsonl');
    const first = lab.startDaemon('rtr1');
    await role(first, 'ACTIVE');
    await moreObservations(lab, 'rtr1', 4);
    await lab.killRouter('rtr1');
    await lab.bootRouter('rtr1');
    expect(existsSync(journal)).toBe(keepState);
    const second = lab.startDaemon('rtr1');
    await reason(second, keepState ? /another boot|rebooted|since .* boot/ : /none are stored/);
    await role(second, 'ACTIVE');
    await second.stop();
    const boots = readFileSync(journal, 'utf8').match(/"bootId":"[^"]+","now"/g);
    expect(new Set(boots).size).toBe(keepState ? 2 : 1);
  }
});
