// The lab as a whole: what it starts with, what a failure story does to each of its parts, what it writes
// for the daemons. The clients are bare: no code of the product runs here.
import { existsSync, readFileSync } from 'node:fs';
import { startLab, type Lab, type LabOptions } from '../../lab/topology/topology';
import { planTopology } from '../../lab/topology/plan';
import { RawClient, registered, sessionOp, singleHop, until } from './slapiClient';

let lab: Lab;
const clients: RawClient[] = [];

const begin = async (options: LabOptions = {}) => {
  lab = await startLab({ fabric: { bringUpMs: 1, detectTimeMs: 1 }, ...options });
};
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await lab.stop();
});

const config = (name: 'rtr1' | 'rtr2') =>
  (JSON.parse(readFileSync(lab.routers[name].configPath, 'utf8')) as { config: Record<string, unknown> })
    .config;

/** Programs the router's session on the first link as a daemon would. */
async function program(name: 'rtr1' | 'rtr2') {
  const { sim } = lab.routers[name];
  const client = new RawClient(sim.target, sim.generation);
  clients.push(client);
  const { bfd } = await registered(client);
  const [first] = lab.plan.interfaces;
  const peer = name === 'rtr1' ? 'rtr2' : 'rtr1';
  await client.call(
    'SLBfdv4SessionOp',
    sessionOp('UPDATE', singleHop(first!.primaryAddress[peer], first!.name)),
  );
  return bfd;
}
const status = (name: 'rtr1' | 'rtr2') => lab.routers[name].sim.state().sessions[0]?.status;
async function bothUp() {
  await program('rtr1');
  await program('rtr2');
  await until('both UP', () => status('rtr1') === 'UP' && status('rtr2') === 'UP');
}
const imdsAnswers = (name: 'rtr1' | 'rtr2') =>
  fetch(`${lab.routers[name].imdsUrl}/latest/`).then(
    ({ status: code }) => code === 401,
    () => false,
  );

test('two routers, a link for each interface, everything with the router that is told', async () => {
  await begin({ interfaces: 8, owner: 'rtr2' });
  expect(lab.floatingAddresses).toEqual([
    '172.31.101.10',
    '172.31.105.10',
    '172.31.106.10',
    '172.31.107.10',
    '172.31.108.10',
    '172.31.109.10',
    '172.31.110.10',
    '172.31.111.10',
  ]);
  expect([lab.ownsAll('rtr1'), lab.ownsAll('rtr2')]).toEqual([false, true]);
  expect(lab.fabric.links()).toHaveLength(8);
  expect(lab.routers.rtr1.sim.state().interfaces.map(({ name }) => name)).toContain('TenGigE0/0/0/8');
});

test('addresses that nobody holds', async () => {
  await begin({ owner: null, interfaces: 1 });
  expect(lab.ownerOf('172.31.101.10')).toBeNull();
});

test('generations of the routers', async () => {
  await begin({ generation: 'mixed' });
  expect([lab.routers.rtr1.sim.generation, lab.routers.rtr2.sim.generation]).toEqual(['gen1', 'gen2']);
});

test.each([0, 15, 1.5])('%d interfaces are refused', async (interfaces) => {
  await begin();
  expect(() => planTopology(interfaces)).toThrow(RangeError);
});

test('the configuration of a router points to the lab, extra keys come on top', async () => {
  await begin({ config: { keepalive_s: 2, syslog_file: undefined } });
  const { directory } = lab.routers.rtr1;
  expect(config('rtr1')).toEqual({
    ec2_private_endpoint_url: lab.ec2.url,
    grpc_server: '127.0.0.1',
    grpc_port: lab.routers.rtr1.sim.port,
    action: {
      method: 'secondary_ip_shift',
      method_params: {
        intf_list: [
          { secondary_ip: '172.31.101.10', instance_intf_number: 1 },
          { secondary_ip: '172.31.105.10', instance_intf_number: 2 },
        ],
      },
    },
    bfd_sessions: ['172.31.101.241', '172.31.105.241'].map((neighbor, place) => ({
      session_type: 'SINGLE_HOP',
      intf_name: `TenGigE0/0/0/${place + 1}`,
      neigh_ip: neighbor,
      bfd_desired_tx_int_usec: 50_000,
      detect_multiplier: 3,
      vrf_name: 'default',
    })),
    store: { type: 'file', path: `${directory}/show.json` },
    state_dir: `${directory}/state`,
    control_socket: `${directory}/ha.sock`,
    keepalive_s: 2,
  });
  expect(existsSync(`${directory}/state`)).toBe(true);
  lab.writeConfig('rtr2', { trigger: 'all' });
  expect([config('rtr1')['trigger'], config('rtr2')['trigger'], config('rtr2')['keepalive_s']]).toEqual([
    undefined,
    'all',
    2,
  ]);
});

test('a Redis server for each router', async () => {
  const redis = { rtr1: { host: '127.0.0.1', port: 1 }, rtr2: { host: 'localhost', port: 2 } };
  await begin({ store: { redis } });
  expect(config('rtr2')).toMatchObject({
    store: { type: 'redis' },
    redis_server: 'localhost',
    redis_port: 2,
  });
});

test('a killed router: its peer gets DOWN, its API and IMDS are gone, EC2 knows nothing of it', async () => {
  await begin();
  await bothUp();
  await lab.killRouter('rtr1');
  await until('DOWN', () => status('rtr2') === 'DOWN');
  expect(await imdsAnswers('rtr1')).toBe(false);
  expect(await imdsAnswers('rtr2')).toBe(true);
  expect(lab.routers.rtr1.sim.alive).toBe(false);
  expect(lab.world.model.instances.map(({ state }) => state)).toEqual(['running', 'running']);
  expect(lab.ownsAll('rtr1')).toBe(true);
});

test('booted, it is where it was, with nothing programmed; its session comes up again', async () => {
  await begin();
  await bothUp();
  const { target } = lab.routers.rtr1.sim;
  await lab.killRouter('rtr1', { instance: 'stopped' });
  expect(lab.world.model.instances[0]?.state).toBe('stopped');
  await lab.bootRouter('rtr1');
  expect(lab.routers.rtr1.sim.state()).toMatchObject({ alive: true, target, sessions: [] });
  expect(lab.world.model.instances[0]?.state).toBe('running');
  expect(await imdsAnswers('rtr1')).toBe(true);
  await program('rtr1');
  await until('both UP', () => status('rtr1') === 'UP' && status('rtr2') === 'UP');
});

test('terminated, it is gone for good: interfaces deleted or detached, as each one says', async () => {
  await begin();
  await lab.killRouter('rtr1', { instance: 'terminated' });
  expect([lab.instanceState('rtr1'), lab.instanceState('rtr2')]).toEqual(['terminated', 'running']);
  // The management interface goes with its instance; the others stay, with the floating addresses.
  const left = lab.world.model.networkInterfaces.filter(({ attachment }) => attachment === null);
  expect(left.map(({ networkInterfaceId }) => networkInterfaceId)).toEqual(
    lab.plan.interfaces.map(({ networkInterfaceId }) => networkInterfaceId.rtr1),
  );
  expect(lab.world.model.networkInterfaces).toHaveLength(5);
  for (const { floatingAddress, networkInterfaceId } of lab.plan.interfaces) {
    expect(lab.world.ownerOf(floatingAddress)).toBe(networkInterfaceId.rtr1);
    expect(lab.ownerOf(floatingAddress)).toBeNull();
  }
  await expect(lab.bootRouter('rtr1')).rejects.toThrow('IncorrectInstanceState');
  expect(lab.routers.rtr1.sim.alive).toBe(false);
});

test('a cut link and its healing', async () => {
  await begin();
  await bothUp();
  lab.cutLink();
  await until('both DOWN', () => status('rtr1') === 'DOWN' && status('rtr2') === 'DOWN');
  lab.healLink('TenGigE0/0/0/1');
  await until('both UP', () => status('rtr1') === 'UP' && status('rtr2') === 'UP');
  expect(() => lab.cutLink('TenGigE0/0/0/9')).toThrow('no link TenGigE0/0/0/9');
});

test('an interface that goes down and comes back', async () => {
  await begin();
  await bothUp();
  lab.interfaceDown('rtr1', 'TenGigE0/0/0/1');
  await until('both DOWN', () => status('rtr1') === 'DOWN' && status('rtr2') === 'DOWN');
  lab.interfaceUp('rtr1', 'TenGigE0/0/0/1');
  await until('both UP', () => status('rtr1') === 'UP' && status('rtr2') === 'UP');
});

test('gRPC restarted without its state', async () => {
  await begin();
  await bothUp();
  const { target } = lab.routers.rtr1.sim;
  await lab.restartGrpc('rtr1', { keepState: false });
  expect(lab.routers.rtr1.sim.state()).toMatchObject({ target, sessions: [] });
  expect(status('rtr2')).toBe('NEIGHBOR_UNCONFIG');
});

test('streams cut and taken away', async () => {
  await begin({ generation: 'gen2' });
  const bfd = await program('rtr1');
  lab.hijackStream('rtr1', 'bfd');
  await until('NOTIF_TERM', () => JSON.stringify(bfd.messages).includes('SL_NOTIF_TERM'));
  const again = await program('rtr2');
  lab.cutStream('rtr2', 'bfd');
  await until('UNAVAILABLE', () => again.status()?.code === 14);
});

test('stopped, the lab leaves nothing behind', async () => {
  await begin();
  const { directory, ec2 } = lab;
  await lab.stop();
  expect(existsSync(directory)).toBe(false);
  await expect(fetch(ec2.url)).rejects.toThrow();
});
