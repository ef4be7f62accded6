// The model of the predecessor, two of them on the lab's routers: what each does at EC2 and at its router.
import { startPredecessor, type PredecessorPeer } from '../../lab/predecessorPeer';
import { startLab, type Lab } from '../../lab/topology/topology';
import type { RouterName } from '../../lab/topology/plan';
import { eventually } from '../support/eventually';

let lab: Lab;
const peers: PredecessorPeer[] = [];

beforeEach(async () => {
  lab = await startLab({
    fabric: { bringUpMs: 1, detectTimeMs: 1 },
    sim: { initialStatus: 'UNKNOWN' },
  });
});
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.kill();
  await lab.stop();
});

async function begin(name: RouterName): Promise<PredecessorPeer> {
  const peer = await startPredecessor(lab, name, { pollMs: 20 });
  peers.push(peer);
  return peer;
}

const statuses = (name: RouterName) => lab.routers[name].sim.sessions().map(({ status }) => status);
const bothUp = () =>
  eventually(() =>
    expect([statuses('rtr1'), statuses('rtr2')]).toEqual([Array(2).fill('UP'), Array(2).fill('UP')]),
  );

async function pair() {
  const [rtr1, rtr2] = [await begin('rtr1'), await begin('rtr2')];
  await bothUp();
  expect([rtr1.state, rtr2.state]).toEqual(['ACTIVE', 'STANDBY']);
  return { rtr1, rtr2 };
}

const assigns = () => lab.ec2.requests().filter(({ action }) => action === 'AssignPrivateIpAddresses');
const polls = () => lab.ec2.requests().filter(({ action }) => action === 'DescribeInstances').length;
async function morePolls(count: number) {
  const before = polls();
  await eventually(() => expect(polls()).toBeGreaterThanOrEqual(before + count));
}

test('STANDBY and a session goes DOWN: each address is moved by a request of its own', async () => {
  const { rtr1, rtr2 } = await pair();
  rtr1.kill();
  lab.routers.rtr1.sim.kill();
  await eventually(() => expect(rtr2.state).toBe('ACTIVE'));
  expect(lab.ownsAll('rtr2')).toBe(true);
  expect(assigns().map(({ params }) => params['PrivateIpAddress.1'])).toEqual(
    expect.arrayContaining([...lab.floatingAddresses]),
  );
  expect(assigns().every(({ params }) => params['PrivateIpAddress.2'] === undefined)).toBe(true);
});

test('EC2 refuses: it is asked again until it agrees', async () => {
  const { rtr2 } = await pair();
  const refusal = lab.ec2.addFault({ kind: 'throttle', action: 'AssignPrivateIpAddresses' });
  lab.cutLink();
  await eventually(() => expect(assigns().length).toBeGreaterThan(4));
  lab.ec2.removeFault(refusal);
  await eventually(() => expect(rtr2.state).toBe('ACTIVE'));
});

test('DOWN while ACTIVE is forgotten, also when the addresses have gone', async () => {
  const { rtr1, rtr2 } = await pair();
  lab.cutLink();
  await eventually(() => expect([rtr1.state, rtr2.state]).toEqual(['STANDBY', 'ACTIVE']));
  await morePolls(8);
  expect(assigns().every(({ instanceId }) => instanceId === lab.plan.instanceId.rtr2)).toBe(true);
});

test('its own interface is DOWN: that the session is too says nothing', async () => {
  await pair();
  lab.interfaceDown('rtr2', 'TenGigE0/0/0/1');
  await eventually(() => expect(statuses('rtr2')).toContain('DOWN'));
  await morePolls(8);
  expect(assigns()).toEqual([]);
});

test('EC2 does not answer: UNKNOWN, and a DOWN is forgotten', async () => {
  const { rtr2 } = await pair();
  const away = lab.ec2.addFault({ kind: 'reset', source: lab.plan.instanceId.rtr2 });
  await eventually(() => expect(rtr2.state).toBe('UNKNOWN'));
  lab.cutLink();
  await eventually(() => expect(statuses('rtr2')).toEqual(['DOWN', 'DOWN']));
  await morePolls(8);
  lab.ec2.removeFault(away);
  await eventually(() => expect(rtr2.state).toBe('STANDBY'));
  await morePolls(8);
  expect(assigns()).toEqual([]);
});

test('stopped it withdraws its sessions, killed it leaves them, started it removes those of an earlier run', async () => {
  const { rtr1 } = await pair();
  await rtr1.stop();
  expect(statuses('rtr1')).toEqual([]);
  await eventually(() => expect(statuses('rtr2')).toEqual(['NEIGHBOR_UNCONFIG', 'NEIGHBOR_UNCONFIG']));
  const again = await begin('rtr1');
  await bothUp();
  again.kill();
  await morePolls(4);
  expect(statuses('rtr1')).toEqual(['UP', 'UP']);

  lab.fabric.bringUpMs = 600_000;
  await begin('rtr1');
  expect(statuses('rtr2')).toEqual(['NEIGHBOR_UNCONFIG', 'NEIGHBOR_UNCONFIG']);
  expect(assigns()).toEqual([]);
});

test('after the end of its event stream it hears nothing any more', async () => {
  const { rtr2 } = await pair();
  lab.cutStream('rtr2', 'bfd');
  lab.cutLink();
  await eventually(() => expect(statuses('rtr2')).toEqual(['DOWN', 'DOWN']));
  await morePolls(8);
  expect([rtr2.state, assigns()]).toEqual(['STANDBY', []]);
});
