/** The built daemon when its event loop is stuck, and what it says of its parts while it is not. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually';
import { daemonOf, openLab, openPair, record, role, show, takesOver, watching } from './support';

type Line = { readonly [field: string]: unknown };

test('a daemon that is stuck is ended with a clear last line; started again, it does its work', async () => {
  const lab = await openLab();
  const { directory } = lab.routers.rtr2;
  // The product has no such switch: a busy loop is slipped in from outside.
  const preload = join(directory, 'stuck.js');
  writeFileSync(preload, "process.on('SIGUSR2', () => { for (;;); });");
  const active = lab.startDaemon('rtr1');
  const rtr2 = lab.startDaemon('rtr2', { env: { NODE_OPTIONS: `--require ${preload}` } });
  await Promise.all([role(active, 'ACTIVE'), watching(rtr2)]);
  await eventually(async () => {
    const { stdout } = await show(lab, 'rtr2', 'ha_health');
    expect(stdout).toMatch(/"watchdog": \{\s+"state": "ok"/);
  }, 20_000);

  process.kill(rtr2.pid ?? Number.NaN, 'SIGUSR2');
  expect(await rtr2.exited).toEqual({ code: null, signal: 'SIGKILL' });
  const lines = readFileSync(join(directory, 'ha_app_bkp.log'), 'utf8').trimEnd().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '') as Line).toMatchObject({
    level: 'fatal',
    event: 'loop-stalled',
    pid: rtr2.pid,
    reason: 'the event loop was stuck at 4 looks in a row, 3 s apart',
    processState: 'R',
  });

  await watching(lab.startDaemon('rtr2'));
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});

test('show ha_health tells how each part does, and the log when one fails', async () => {
  const lab = await openPair();
  const parts = async (): Promise<Line> => {
    const { stdout } = await show(lab, 'rtr2', 'ha_health');
    return JSON.parse(stdout.slice(stdout.indexOf('{'))) as Line;
  };
  const expected = [
    'api_observation',
    'ec2_credentials',
    'router_init_stream',
    'router_bfd_stream',
    'router_interface_stream',
    'decision_memory',
    'journal',
    'store',
    'watchdog',
    'loop',
  ];
  await eventually(async () => {
    const ok = { state: 'ok', last_ok_s: expect.any(Number) as unknown, failures: 0 };
    // STANDBY, it has written nothing yet.
    const api_writes = { state: 'waiting', last_ok_s: null, failures: 0 };
    const others = Object.fromEntries(expected.map((part) => [part, ok]));
    expect(await parts()).toEqual({ ...others, api_writes });
  });

  const daemon = daemonOf(lab, 'rtr2');
  const since = daemon.mark();
  const fault = lab.ec2.addFault({ kind: 'blackHole' });
  await record(daemon, /"event":"health","reason":"not well: api_observation"/, since);
  await eventually(async () => {
    const { api_observation } = await parts();
    expect(api_observation).toMatchObject({ state: 'failing' });
  });
  lab.ec2.removeFault(fault);
  await record(daemon, /"event":"health","reason":"no part of the daemon fails"/, since);
});
