/** The life of the process: how it ends, what it refuses to start with, what it remembers. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../../lab/topology/topology';
import type { RouterName } from '../../lab/topology/plan';
import { eventually } from '../support/eventually';
import {
  attemptsBegun,
  daemonOf,
  generations,
  hasTakenOver,
  moreObservations,
  moveOf,
  nothingMoves,
  openLab,
  openPair,
  reason,
  requestMark,
  role,
  roleOf,
  runCommand,
  takesOver,
  watching,
  writes,
} from './support';

/** A container runtime waits this long, at least, before it kills. */
const STOP_DEADLINE_MS = 5_000;

const statuses = (lab: Lab, name: RouterName): readonly string[] =>
  lab.routers[name].sim.sessions().map(({ status }) => status);

describe.each(generations)('SIGTERM, %s', (generation) => {
  test('ends with 0 in under 5 s and leaves the BFD sessions up; the peer takes nothing over', async () => {
    const lab = await openPair({ generation });
    expect(await daemonOf(lab, 'rtr1').stop('SIGTERM', STOP_DEADLINE_MS)).toEqual({ code: 0, signal: null });
    expect(statuses(lab, 'rtr1')).toEqual(['UP', 'UP']);
    await nothingMoves(lab, 'rtr2');
    expect(statuses(lab, 'rtr2')).toEqual(['UP', 'UP']);

    const again = lab.startDaemon('rtr1');
    await role(again, 'ACTIVE');
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  test('with on_shutdown "unregister" withdraws the BFD sessions, which the peer takes for no failure', async () => {
    const lab = await openPair({ generation, config: { on_shutdown: 'unregister' } });
    expect(await daemonOf(lab, 'rtr1').stop('SIGTERM', STOP_DEADLINE_MS)).toEqual({ code: 0, signal: null });
    expect(statuses(lab, 'rtr1')).toEqual([]);
    await reason(daemonOf(lab, 'rtr2'), /UNCONFIGURED, ignored/);
    await nothingMoves(lab, 'rtr2');
  });

  test('finishes a takeover that is in flight', async () => {
    const lab = await openPair({ generation });
    const rtr2 = daemonOf(lab, 'rtr2');
    lab.ec2.addFault({ kind: 'latency', ms: 1000, action: 'AssignPrivateIpAddresses' });
    await lab.killRouter('rtr1');
    await eventually(() => expect(writes(lab).length).toBeGreaterThanOrEqual(2));
    expect(await rtr2.stop('SIGTERM', STOP_DEADLINE_MS)).toEqual({ code: 0, signal: null });
    expect(lab.ownsAll('rtr2')).toBe(true);
    await reason(rtr2, /took over 172\.31\.101\.10 and 172\.31\.105\.10/);
    expect(attemptsBegun(rtr2)).toEqual([1]);
  });
});

test('SIGINT ends it as SIGTERM does, also while neither EC2 nor the router answers', async () => {
  const lab = await openLab();
  lab.ec2.addFault({ kind: 'blackHole' });
  lab.routers.rtr1.sim.hang();
  const rtr1 = lab.startDaemon('rtr1');
  await reason(rtr1, /waiting for EC2/);
  expect(await rtr1.stop('SIGINT', STOP_DEADLINE_MS)).toEqual({ code: 0, signal: null });
});

describe('a configuration with mistakes', () => {
  const mistakes = {
    ec2_private_endpoint_url: undefined,
    keepalive_s: 'soon',
    redis_prot: 6379,
    bfd_sessions: [{ session_type: 'SINGLE_HOP', intf_name: 'TenGigE0/0/0/1', neigh_ip: '172.31.101' }],
  };

  test('ends `run` with exit 2 and every mistake on stderr', async () => {
    const lab = await openLab();
    lab.writeConfig('rtr1', mistakes);
    const rtr1 = lab.startDaemon('rtr1');
    expect(await rtr1.exited).toEqual({ code: 2, signal: null });
    expect(rtr1.text).toMatch(/config\.ec2_private_endpoint_url: /);
    expect(rtr1.text).toMatch(/config\.keepalive_s: /);
    expect(rtr1.text).toMatch(/config\.redis_prot: .*redis_port/);
    expect(rtr1.text).toMatch(/config\.bfd_sessions\[0\]\.neigh_ip: /);
    expect(lab.routers.rtr1.sim.received()).toEqual([]);
    expect(lab.ec2.requests()).toEqual([]);
  });

  test('is what check-config finds, in the same words, and a good one is printed with its defaults', async () => {
    const lab = await openLab();
    const { configPath } = lab.routers.rtr1;
    const good = await runCommand(['check-config', '-c', configPath]);
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).toMatch(/"role_ttl_s": 30/);
    expect(good.stdout).toMatch(/OK\n$/);

    lab.writeConfig('rtr1', mistakes);
    const bad = await runCommand(['check-config', '-c', configPath]);
    const run = await runCommand(['run', '-c', configPath]);
    expect(bad).toMatchObject({ code: 2, stdout: '' });
    expect(run).toEqual(bad);
    expect(bad.stderr).toMatch(/redis_prot/);
  });

  test('that only this instance shows ends it with exit 2 and every mistake named', async () => {
    const lab = await openLab();
    const intf_list = [
      { secondary_ip: '172.31.101.10', instance_intf_number: 7 },
      { secondary_ip: '10.9.8.7', instance_intf_number: 2 },
      { secondary_ip: '172.31.105.101', instance_intf_number: 2 },
    ];
    lab.writeConfig('rtr1', { action: { method: 'secondary_ip_shift', method_params: { intf_list } } });
    const rtr1 = lab.startDaemon('rtr1');
    expect(await rtr1.exited).toEqual({ code: 2, signal: null });
    expect(rtr1.text).toMatch(/intf_list \(172\.31\.101\.10\): there is no instance_intf_number 7 on i-/);
    expect(rtr1.text).toMatch(/intf_list \(10\.9\.8\.7\): this is not in 172\.31\.105\.0\/24/);
    expect(rtr1.text).toMatch(/intf_list \(172\.31\.105\.101\): this is the primary address of/);
    expect(writes(lab)).toEqual([]);
  });
});

describe.each(generations)('a daemon that was killed, %s', (generation) => {
  test('is right about its role after its restart, ACTIVE or STANDBY, and nobody takes over', async () => {
    const lab = await openPair({ generation });
    await daemonOf(lab, 'rtr1').kill();
    await moreObservations(lab, 'rtr2', 2);
    const rtr1 = lab.startDaemon('rtr1');
    await role(rtr1, 'ACTIVE');
    await daemonOf(lab, 'rtr2').kill();
    const rtr2 = lab.startDaemon('rtr2');
    await watching(rtr2);
    await nothingMoves(lab, 'rtr2');
    await nothingMoves(lab, 'rtr1');
    expect([roleOf(rtr1), roleOf(rtr2)]).toEqual(['ACTIVE', 'STANDBY']);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  test('takes over at its start from a peer that died meanwhile, because it remembers what was armed', async () => {
    const lab = await openPair({ generation });
    await killedStandbyWhosePeerDies(lab);
    const rtr2 = lab.startDaemon('rtr2');
    await hasTakenOver(lab, 'rtr2');
    expect(attemptsBegun(rtr2)).toEqual([1]);
    expect(writes(lab)).toHaveLength(2);
  });

  test.each([
    ['without its memory', forget, /starting without earlier decisions: none are stored/],
    ['with the memory of another boot', rewriteBoot, /starting without earlier decisions: .* another boot/],
    ['with a damaged memory', damage, /starting without earlier decisions/],
  ] as const)('and starts %s takes nothing over', async (_, spoil, words) => {
    const lab = await openPair({ generation });
    await killedStandbyWhosePeerDies(lab);
    spoil(memoryPath(lab));
    const rtr2 = lab.startDaemon('rtr2');
    await reason(rtr2, words);
    await reason(
      rtr2,
      /this router is STANDBY and takes nothing over: .* it has not been UP since this daemon started/,
    );
    await nothingMoves(lab, 'rtr2');
    expect(roleOf(rtr2)).toBe('STANDBY');

    await lab.bootRouter('rtr1');
    lab.startDaemon('rtr1');
    await watching(rtr2);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });
});

test('a takeover that a killed daemon had half done is completed after its restart', async () => {
  const lab = await openPair();
  const [first] = lab.floatingAddresses;
  const held = lab.ec2.addFault({
    kind: 'error',
    code: 'InternalError',
    status: 500,
    action: 'AssignPrivateIpAddresses',
    addresses: ['172.31.105.10'],
  });
  await lab.killRouter('rtr1');
  const rtr2 = daemonOf(lab, 'rtr2');
  await reason(rtr2, /EC2 has moved 172\.31\.101\.10/);
  await eventually(() => expect(readFileSync(memoryPath(lab), 'utf8')).toContain('"intent":{'));
  await rtr2.kill();
  expect(lab.ownerOf(first ?? '')).toBe('rtr2');
  expect(lab.ownsAll('rtr2')).toBe(false);
  lab.ec2.removeFault(held);

  const since = requestMark(lab);
  const again = lab.startDaemon('rtr2');
  await reason(again, /resuming the takeover of 172\.31\.105\.10 that the last run of this daemon had begun/);
  await hasTakenOver(lab, 'rtr2');
  expect(writes(lab, since).map(moveOf)).toEqual([
    `172.31.105.10 -> ${lab.plan.interfaces[1]?.networkInterfaceId.rtr2}`,
  ]);
});

const memoryPath = (lab: Lab): string => join(lab.routers.rtr2.directory, 'state', 'decisions.json');

/** rtr2's daemon is killed once it has stored that both sessions are armed; then rtr1 dies. */
async function killedStandbyWhosePeerDies(lab: Lab): Promise<void> {
  await eventually(() => {
    const stored: unknown = JSON.parse(readFileSync(memoryPath(lab), 'utf8'));
    const armedSessions = lab.plan.interfaces.map(
      ({ name, primaryAddress }) => `${primaryAddress.rtr1} on ${name}`,
    );
    expect(stored).toMatchObject({ wasActive: false, armedSessions, intent: null });
  });
  await daemonOf(lab, 'rtr2').kill();
  await lab.killRouter('rtr1');
  await eventually(() => expect(statuses(lab, 'rtr2')).toEqual(['DOWN', 'DOWN']));
}

function forget(path: string): void {
  rmSync(path);
}

function rewriteBoot(path: string): void {
  const before = readFileSync(path, 'utf8');
  const after = before.replace(/"bootId":"[^"]+"/, '"bootId":"00000000-0000-4000-8000-000000000000"');
  expect(after).not.toBe(before);
  writeFileSync(path, after);
}

function damage(path: string): void {
  const before = readFileSync(path, 'utf8');
  writeFileSync(path, before.slice(0, before.length / 2));
}
