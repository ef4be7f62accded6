// The control API: every fault can be asked for over HTTP, and a request that makes no sense is told why.
import { startControl, type Control } from '../../lab/control';
import { withoutConfig } from '../../lab/controlRouters';
import { startLab, type Lab } from '../../lab/topology/topology';

let lab: Lab;
let control: Control;

beforeEach(async () => {
  lab = await startLab();
  control = await startControl(lab);
});
afterEach(async () => {
  await control.stop();
  await lab.stop();
});

async function ask(method: string, path: string, body?: unknown) {
  const answer = await fetch(`${control.url}${path}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
const done = { status: 200, body: { ok: true } };
const sim = () => lab.routers.rtr1.sim.state();

test('GET / lists every route in a line', async () => {
  const { body } = await ask('GET', '/');
  expect(body).toContainEqual('GET /state: everything at a glance');
  expect(body).toContainEqual(expect.stringMatching(/^POST \/routers\/:router\/kill: power off/));
});

test.each(['/routers/:router/kill', '/routers/rtr1/kill'])(
  'GET /?path=%s tells what it takes',
  async (path) => {
    expect((await ask('GET', `/?path=${path}`)).body).toEqual([
      {
        ask: 'POST /routers/:router/kill',
        does: expect.stringContaining('power off') as string,
        body: expect.objectContaining({ type: 'object' }) as object,
      },
    ]);
  },
);

test('GET /?path= of nothing', async () => {
  expect(await ask('GET', '/?path=/nope')).toMatchObject({ status: 404 });
});

test('the log leaves the configuration out', () => {
  const record = { level: 'info', event: 'starting', receivedAtMs: 1 };
  expect(withoutConfig({ ...record, config: { keepalive_s: 10 } })).toEqual(record);
});

test('GET /state tells who holds what and where everything is', async () => {
  const { body } = await ask('GET', '/state');
  expect(body).toMatchObject({
    addresses: [
      { address: '172.31.101.10', router: 'rtr1' },
      { address: '172.31.105.10', router: 'rtr1' },
    ],
    routers: {
      rtr1: { alive: true, daemon: null, instanceState: 'running', configPath: lab.routers.rtr1.configPath },
      rtr2: { alive: true, imds: { url: lab.routers.rtr2.imdsUrl } },
    },
    ec2: { url: lab.ec2.url, faults: [] },
  });
});

test('other software on the router', async () => {
  expect(await ask('POST', '/routers/rtr1/upgrade', { generation: 'gen2' })).toEqual(done);
  expect(sim()).toMatchObject({ alive: true, generation: 'gen2' });
  expect((await ask('POST', '/routers/rtr1/upgrade', { generation: 'gen3' })).status).toBe(400);
});

test('power off and on', async () => {
  expect(await ask('POST', '/routers/rtr1/kill')).toEqual(done);
  expect(sim().alive).toBe(false);
  expect((await ask('POST', '/routers/rtr1/kill')).status).toBe(409);
  expect((await ask('POST', '/routers/rtr1/grpc/start')).status).toBe(409);
  expect((await ask('POST', '/routers/rtr1/imds/start')).status).toBe(409);
  expect((await ask('POST', '/routers/rtr1/daemon/start')).status).toBe(409);
  expect(await ask('POST', '/routers/rtr1/boot')).toEqual(done);
  expect(sim().alive).toBe(true);
  expect((await ask('POST', '/routers/rtr1/boot', {})).status).toBe(409);
});

test('a terminated instance does not boot, and EC2 tells it like every other state', async () => {
  expect(await ask('POST', '/routers/rtr2/kill', { instance: 'terminated' })).toEqual(done);
  expect((await ask('GET', '/state')).body).toMatchObject({
    routers: { rtr2: { alive: false, instanceState: 'terminated' } },
  });
  expect(await ask('POST', '/routers/rtr2/boot')).toMatchObject({
    status: 409,
    body: { error: 'the instance of rtr2 was terminated, which is for good' },
  });
  const path = `/ec2/instances/${lab.plan.instanceId.rtr2}`;
  expect((await ask('POST', path, { state: 'running' })).status).toBe(409);
});

test('maintenance is announced for an instance, and called off', async () => {
  const { rtr2 } = lab.plan.instanceId;
  const announced = () => lab.world.model.instances.find(({ instanceId }) => instanceId === rtr2)?.events;
  const event = { instanceEventId: 'instance-event-0d59937288b749b32', code: 'instance-stop' };
  const path = `/ec2/instances/${rtr2}/events`;
  const events = [{ ...event, notBefore: '2026-12-04T12:00:00Z' }, event];
  expect((await ask('POST', path, { events })).status).toBe(200);
  expect(announced()).toEqual(events);
  expect((await ask('POST', path, { events: [{ ...event, code: 'reboot' }] })).status).toBe(400);
  expect(announced()).toEqual(events);
  expect((await ask('POST', path, { events: [] })).status).toBe(200);
  expect(announced()).toEqual([]);
});

test('EC2 faults are added, listed and removed', async () => {
  const fault = { kind: 'latency', ms: 150 };
  expect((await ask('POST', '/ec2/faults', fault)).body).toEqual({ id: 1 });
  expect((await ask('POST', '/ec2/faults', { kind: 'reset', action: 'Assign*', count: 1 })).body).toEqual({
    id: 2,
  });
  expect((await ask('GET', '/ec2/faults')).body).toMatchObject([{ id: 1, rule: fault }, { id: 2 }]);
  for (const [slip, words] of [
    [{ kind: 'reset', source: 'rtr3' }, /^there is no source rtr3; it is one of: rtr1, rtr2, i-/],
    [{ kind: 'reset', action: 'ReplaceRoutes' }, /^there is no action ReplaceRoutes; it is one of: /],
  ] as const)
    expect(await ask('POST', '/ec2/faults', slip)).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(words) as unknown },
    });
  expect(await ask('DELETE', '/ec2/faults/1')).toEqual(done);
  expect((await ask('DELETE', '/ec2/faults/1')).status).toBe(404);
  expect(lab.ec2.activeFaults()).toMatchObject([{ id: 2, rule: { kind: 'reset' } }]);
  expect(await ask('DELETE', '/ec2/faults')).toEqual(done);
  expect(lab.ec2.activeFaults()).toEqual([]);
});

test('requests to EC2 and their counters', async () => {
  await fetch(lab.ec2.url, { method: 'POST', body: 'Action=DescribeInstances' });
  await fetch(lab.ec2.url, { method: 'POST', body: 'Action=DescribeNetworkInterfaces' });
  expect((await ask('GET', '/ec2/requests?action=DescribeInstances')).body).toMatchObject({
    counters: { received: 2, byAction: { DescribeInstances: 1 } },
    requests: [{ action: 'DescribeInstances', outcome: 'error' }],
  });
  await ask('DELETE', '/ec2/requests');
  expect((await ask('GET', '/ec2/requests')).body).toMatchObject({ counters: { received: 0 }, requests: [] });
});

test('an operator at work in EC2', async () => {
  const to = lab.plan.interfaces[0]!.networkInterfaceId.rtr2;
  const move = { networkInterfaceId: to, addresses: ['172.31.101.10'] };
  expect(await ask('POST', '/ec2/assign', move)).toEqual(done);
  expect(lab.ownerOf('172.31.101.10')).toBe('rtr2');
  expect((await ask('GET', '/ec2/ownership?ip=172.31.101.10')).body).toMatchObject([
    { to: expect.any(String) as string },
    { to },
  ]);
  expect(await ask('POST', '/ec2/unassign', move)).toEqual(done);
  expect(lab.ownerOf('172.31.101.10')).toBeNull();
  const again = await ask('POST', '/ec2/unassign', move);
  expect([again.status, again.body['error']]).toEqual([409, expect.stringContaining('are not assigned')]);
  expect(await ask('POST', `/ec2/interfaces/${to}/detach`)).toEqual(done);
  const instanceId = lab.plan.instanceId.rtr2;
  expect(await ask('POST', `/ec2/interfaces/${to}/attach`, { instanceId, deviceIndex: 1 })).toEqual(done);
  await ask('POST', `/ec2/instances/${instanceId}`, { state: 'stopped', systemStatus: 'impaired' });
  expect(lab.world.model.instances[1]).toMatchObject({ state: 'stopped', systemStatus: 'impaired' });
});

test('links', async () => {
  expect(await ask('POST', '/links/cut', { interface: 'TenGigE0/0/0/2' })).toEqual(done);
  expect(lab.fabric.links().map(({ ends }) => ends.map(({ sends }) => sends))).toEqual([
    [true, true],
    [false, false],
  ]);
  await ask('POST', '/links/heal');
  await ask('POST', '/links/lose', { from: 'rtr2' });
  expect(lab.fabric.links()[1]?.ends).toMatchObject([{ sends: true }, { router: 'rtr2', sends: false }]);
  await ask('POST', '/links/timers', { detectTimeMs: 7 });
  expect([lab.fabric.detectTimeMs, lab.fabric.bringUpMs]).toEqual([7, 100]);
});

test('faults of a router', async () => {
  await ask('POST', '/routers/rtr1/interfaces', { interface: 'TenGigE0/0/0/1', state: 'down' });
  await ask('POST', '/routers/rtr1/hang', { methods: ['SLBfdv4SessionOp'] });
  const late = await ask('POST', '/routers/rtr1/events', { stream: 'bfd', delayMs: 5, copies: 2 });
  await ask('POST', '/routers/rtr1/credentials', { username: 'u', password: 'p' });
  expect(late.body).toEqual({ delayMs: 5, copies: 2, dropNext: 0 });
  expect(sim()).toMatchObject({
    interfaces: [{}, { physical: 'down' }, {}],
    faults: { hung: ['SLBfdv4SessionOp'], bfdEvents: { delayMs: 5 }, credentialsRequired: true },
  });
  await ask('DELETE', '/routers/rtr1/hang');
  await ask('DELETE', '/routers/rtr1/credentials');
  expect(sim().faults).toMatchObject({ hung: null, credentialsRequired: false });
  await ask('POST', '/routers/rtr1/grpc/stop');
  expect(sim().target).toBeNull();
  await ask('POST', '/routers/rtr1/grpc/restart', { keepState: true });
  expect(sim().target).toBe(`127.0.0.1:${lab.routers.rtr1.sim.port}`);
});

test.each([
  ['/streams/cut', { stream: 'bfd', how: 'end' }],
  ['/streams/hijack', { stream: 'interface' }],
  ['/streams/inject', { stream: 'bfd', hex: 'ff00' }],
  ['/streams/inject', { stream: 'bfd', message: { EventType: 'SL_BFD_EVENT_TYPE_ERROR' } }],
  ['/refuse-sessions', { errno: 'SL_SOME_ERR', times: 2 }],
  ['/refuse-init', { errno: 2049 }],
  ['/heartbeat', { ms: 100 }],
  ['/hang', {}],
  ['/imds/forget-tokens', undefined],
])('POST %s %j is done', async (path, body) => {
  expect(await ask('POST', `/routers/rtr1${path}`, body)).toEqual(done);
});

test('the metadata service: faults, credentials, absence', async () => {
  expect((await ask('POST', '/routers/rtr2/imds/faults', { kind: 'blackHole' })).body).toEqual({ id: 1 });
  await ask('DELETE', '/routers/rtr2/imds/faults/1');
  const { body } = await ask('POST', '/routers/rtr2/imds/rotate');
  expect((await ask('POST', '/ec2/routers/rtr2/expire')).body).toEqual({ expired: [body['accessKeyId']] });
  await ask('POST', '/routers/rtr2/imds/stop');
  await expect(fetch(lab.routers.rtr2.imdsUrl)).rejects.toThrow();
  await ask('POST', '/routers/rtr2/imds/start');
  expect((await fetch(lab.routers.rtr2.imdsUrl)).status).toBe(401);
  expect((await ask('GET', '/routers/rtr2/imds/requests')).body).toMatchObject({ counters: { 'GET /': 1 } });
});

test.each([
  ['POST', '/routers/rtr1/kill', { instance: 'burnt' }, 400, 'at instance'],
  ['POST', '/routers/rtr1/kill', { intance: 'stopped' }, 400, 'Unrecognized key: "intance"'],
  ['POST', '/routers/rtr3/kill', {}, 404, 'no router rtr3, only rtr1, rtr2'],
  ['POST', '/routers/rtr1/kill', '{', 400, 'the body is no JSON'],
  ['POST', '/routers/rtr1/interfaces', { interface: 'Te9', state: 'up' }, 404, 'only MgmtEth0/RP0/CPU0/0'],
  ['POST', '/routers/rtr1/bfd', { neighbor: '10.9.9.9', status: 'DOWN' }, 404, 'no session to 10.9.9.9'],
  ['POST', '/routers/rtr1/bfd', { neighbor: '10.9.9', status: 'DOWN' }, 400, 'at neighbor'],
  ['POST', '/ec2/faults', { kind: 'latency' }, 400, 'at ms'],
  ['POST', '/links/cut', { interface: 'Te9' }, 400, 'at interface'],
  ['GET', '/nowhere', undefined, 404, 'GET / lists what can be asked'],
  ['PUT', '/state', {}, 405, '/state takes GET, not PUT'],
  ['GET', '/routers/rtr1/daemon/log', undefined, 409, 'no daemon of this lab runs on rtr1'],
])('%s %s %j is refused with %d', async (method, path, body, status, error) => {
  const answer = await ask(method, path, body);
  expect([answer.status, answer.body['error']]).toEqual([status, expect.stringContaining(error)]);
});
