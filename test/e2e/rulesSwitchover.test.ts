/** A planned handover: `ha switchover`. */
import type { Lab } from '../../lab/topology/topology';
import { routerNames } from '../../lab/topology/plan';
import {
  daemonOf,
  moveOf,
  nothingMoves,
  openPair,
  reason,
  requestMark,
  role,
  roleOf,
  takesOver,
  watching,
  writes,
} from './support';
import { MOVE, alarm, alarmsOf, ha, moveTo, owners, placeOf, settled, soon } from './rulesSupport';

test('the ACTIVE router gives, the peer is ACTIVE with its next observation, and when it dies the giver comes back', async () => {
  const lab = await openPair({ config: soon });
  const since = requestMark(lab);
  const daemons = routerNames.map((name) => daemonOf(lab, name));
  const marks = daemons.map((daemon) => daemon.mark());
  const given = await ha(lab, 'rtr1', 'switchover');
  expect(given).toMatchObject({ code: 0, stderr: '' });
  const lines = given.stdout.split('\n');
  expect(lines).toContain(
    'switched over 172.31.101.10 and 172.31.105.10 to the peer; it knows with its next keepalive. Whether the peer is inhibited cannot be seen from here: type show ha_reason there',
  );
  expect(lines).toContain(
    'switched over 172.31.101.10 and 172.31.105.10: EC2 has shown them at the peer for a keepalive, and every session is UP',
  );
  expect(given.stdout).toMatch(
    /\nsince the decision \(\d+ requests to EC2\):\n +\d+ ms {2}first request sent\n +\d+ ms {2}all moved\n/,
  );
  await settled(lab, 'rtr2');
  expect(writes(lab, since, 'rtr1').map(moveOf).sort()).toEqual([
    moveTo(lab, 0, 'rtr2'),
    moveTo(lab, 1, 'rtr2'),
  ]);
  expect(writes(lab, since, 'rtr2')).toEqual([]);
  expect(daemons.flatMap((daemon, place) => alarmsOf(daemon, marks[place]))).toEqual([]);

  await takesOver(lab, 'rtr1', () => lab.killRouter('rtr2'));
});

test('a peer that dies while it is given the addresses does not keep them', async () => {
  const lab = await openPair({ config: soon });
  const rtr1 = daemonOf(lab, 'rtr1');
  lab.ec2.addFault({ kind: 'latency', ms: 600, action: MOVE, count: 2 });
  const dies = new Promise<void>((resolve, reject) => {
    const off = lab.ec2.onRequest(({ action }) => {
      if (action !== MOVE) return;
      off();
      lab.killRouter('rtr2').then(resolve, reject);
    });
  });
  const given = await ha(lab, 'rtr1', 'switchover');
  await dies;
  expect(given.stdout).toMatch(/^switched over 172\.31\.101\.10 and 172\.31\.105\.10 to the peer/m);
  expect(given.code).toBe(3);
  await reason(rtr1, /taking over 172\.31\.101\.10 and 172\.31\.105\.10: the session/);
  await role(rtr1, 'ACTIVE');
  await nothingMoves(lab, 'rtr1', { request: requestMark(lab), record: rtr1.mark() });
  expect(owners(lab)).toEqual(['rtr1', 'rtr1']);
});

test('a switchover is declined, with the reason, where the peer cannot be seen to be well', async () => {
  const lab = await openPair();
  const declined = async (name: 'rtr1' | 'rtr2', words: RegExp) => {
    const { code, stdout, stderr } = await ha(lab, name, 'switchover');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(words);
    await reason(daemonOf(lab, name), words);
  };
  await declined('rtr2', /^no switchover: this router is not ACTIVE/m);

  await ha(lab, 'rtr1', 'inhibit', '--for', '10m', '--why', 'change freeze');
  await declined('rtr1', /no switchover: inhibited by an operator until .*Z \(change freeze\)/);
  await ha(lab, 'rtr1', 'release');

  const since = daemonOf(lab, 'rtr1').mark();
  await lab.killRouter('rtr2');
  await reason(daemonOf(lab, 'rtr1'), /staying ACTIVE: the sessions .* are DOWN/, since);
  await declined(
    'rtr1',
    /no switchover: the peer is not seen to be well: 172\.31\.101\.241 on TenGigE0\/0\/0\/1 is DOWN and 172\.31\.105\.241 on TenGigE0\/0\/0\/2 is DOWN/,
  );
  await nothingMoves(lab, 'rtr1');
  expect(roleOf(daemonOf(lab, 'rtr1'))).toBe('ACTIVE');
});

describe('EC2 does not let the router write', () => {
  /** Denies rtr1 every move of this address, or of all. */
  function deny(lab: Lab, place: number | null): number {
    const addresses = place === null ? lab.floatingAddresses : [placeOf(lab, place).floatingAddress];
    return lab.ec2.addFault({
      kind: 'error',
      code: 'UnauthorizedOperation',
      action: MOVE,
      source: lab.plan.instanceId.rtr1,
      addresses: [...addresses],
    });
  }

  const config = { ...soon, partial_hold_s: 1.5 };
  const gaveUp = (left: string) =>
    new RegExp(
      `gave up switching ${left} over after 10 s: see that this router may write to the peer's interfaces`,
    );

  // Two of them give up after 10 s, so it is done side by side.
  test("to any of the peer's interfaces: they stay; to one of them: whoever has the lowest address gets the rest", async () => {
    await Promise.all([deniedAll(), deniedLowest(), deniedHigher()]);
  });

  async function deniedAll(): Promise<void> {
    const lab = await openPair({ config });
    const rtr1 = daemonOf(lab, 'rtr1');
    deny(lab, null);
    const { code, stderr } = await ha(lab, 'rtr1', 'switchover');
    expect(code).toBe(1);
    expect(stderr).toMatch(gaveUp('172.31.101.10 and 172.31.105.10'));
    await alarm(rtr1, 'give-back-failed', gaveUp('172.31.101.10 and 172.31.105.10'));
    await settled(lab, 'rtr1');
    expect(writes(lab, 0, 'rtr2')).toEqual([]);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  }

  async function deniedLowest(): Promise<void> {
    const lab = await openPair({ config });
    const rtr1 = daemonOf(lab, 'rtr1');
    deny(lab, 0);
    const { code, stderr } = await ha(lab, 'rtr1', 'switchover');
    expect(code).toBe(3);
    expect(stderr).toMatch(gaveUp('172.31.101.10'));
    await reason(rtr1, /repairing: taking 172\.31\.105\.10, because this router holds 172\.31\.101\.10/);
    await settled(lab, 'rtr1');
    expect(writes(lab, 0, 'rtr2')).toEqual([]);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  }

  async function deniedHigher(): Promise<void> {
    const lab = await openPair({ config });
    deny(lab, 1);
    const { code, stdout } = await ha(lab, 'rtr1', 'switchover');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^switched over 172\.31\.101\.10 and 172\.31\.105\.10 to the peer/m);
    await alarm(daemonOf(lab, 'rtr1'), 'takeover-refused', /EC2 refuses to move 172\.31\.105\.10/);
    await reason(daemonOf(lab, 'rtr2'), /repairing: taking 172\.31\.105\.10/);
    await settled(lab, 'rtr2');
    lab.ec2.clearFaults();
    await watching(daemonOf(lab, 'rtr1'));
    await takesOver(lab, 'rtr1', () => lab.killRouter('rtr2'));
  }
});
