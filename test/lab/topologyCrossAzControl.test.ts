// The control API on the lab across two zones: an operator's hand on what moves there.
import { ReplaceRouteCommand } from '@aws-sdk/client-ec2';
import { startControl, type Control } from '../../lab/control';
import { startCrossAzLab, type Lab } from '../../lab/topology/topology';
import type { CrossAzPlan } from '../../lab/topology/crossAz';
import { ec2Of } from './ec2Lab';

type RouterName = 'rtr1' | 'rtr2';
const north = 'rtb-0f1e2d3c4b5a69701';

let lab: Lab<CrossAzPlan>;
let control: Control;

beforeEach(async () => {
  lab = await startCrossAzLab();
  control = await startControl(lab);
});
afterEach(async () => {
  await control.stop();
  await lab.stop();
});

const ask = async (method: string, path: string, body?: unknown) => {
  const answer = await fetch(`${control.url}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
};
const done = { status: 200, body: { ok: true } };
const where = { routeTableId: north, destination: { kind: 'ipv4', value: '10.9.0.0/16' } };
const insideOf = (name: RouterName) => lab.plan.interfaces[2]!.networkInterfaceId[name];
const outsideOf = (name: RouterName) => lab.plan.interfaces[1]!.networkInterfaceId[name];

test('the state tells who has each target', async () => {
  const target = {
    target: `${north} 10.9.0.0/16`,
    kind: 'route',
    interface: 'TenGigE0/0/0/2',
    router: 'rtr1',
  };
  expect((await ask('GET', '/state')).body).toMatchObject({
    addresses: [],
    targets: expect.arrayContaining([target]) as unknown,
  });
  expect((await ask('POST', '/links/cut', { interface: 'tunnel-ip1' })).status).toBe(200);
});

test('an operator changes routes', async () => {
  expect(await ask('POST', '/ec2/routes', { ...where, target: insideOf('rtr2') })).toEqual(done);
  expect(lab.ownerOfTarget(lab.plan.targets[0]!)).toBe('rtr2');
  await ask('POST', `/ec2/instances/${lab.plan.instanceId.rtr2}`, { state: 'stopped' });
  expect((await ask('GET', `/ec2/routes?table=${north}`)).body).toContainEqual({
    ...where,
    target: { kind: 'networkInterface', id: insideOf('rtr2') },
    origin: 'CreateRoute',
    state: 'blackhole',
  });
  expect(await ask('POST', '/ec2/routes', { ...where, target: 'tgw-0d91c3f7a25b84e03' })).toEqual(done);
  expect(await ask('POST', '/ec2/routes/delete', where)).toEqual(done);
  expect((await ask('POST', '/ec2/routes/delete', where)).status).toBe(409);
  expect((await ask('POST', '/ec2/routes', { ...where, target: 'eni-1' })).status).toBe(400);
  expect((await ask('GET', `/ec2/targets?target=${north} 10.9.0.0/16`)).body).toMatchObject([
    { from: null, to: insideOf('rtr1') },
    { from: insideOf('rtr1'), to: insideOf('rtr2') },
    { to: 'tgw-0d91c3f7a25b84e03' },
    { to: null, origin: { by: 'operator' } },
  ]);
});

test('an operator moves an Elastic IP, an IPv6 address, a check', async () => {
  const path = `/ec2/elastic-ips/${lab.plan.elasticIps[0]!.allocationId}`;
  const eip = lab.plan.elasticIps[0]!;
  expect(await ask('POST', path, { networkInterfaceId: outsideOf('rtr2') })).toEqual(done);
  expect(lab.ownerOfTarget(eip)).toBe('rtr2');
  expect(
    (await ask('POST', path, { networkInterfaceId: outsideOf('rtr2'), privateIp: '10.9.9.9' })).status,
  ).toBe(409);
  expect(await ask('DELETE', path)).toEqual(done);
  expect(lab.ownerOfTarget(eip)).toBeNull();
  const move = { networkInterfaceId: insideOf('rtr1'), addresses: ['2001:db8:20:12::100'] };
  expect(await ask('POST', '/ec2/assign-ipv6', move)).toEqual(done);
  expect(lab.world.ownerOf('2001:db8:20:12::100')).toBe(insideOf('rtr1'));
  expect(await ask('POST', '/ec2/unassign-ipv6', move)).toEqual(done);
  expect((await ask('POST', '/ec2/unassign-ipv6', move)).status).toBe(409);
  const check = `/ec2/interfaces/${insideOf('rtr1')}/source-dest-check`;
  expect(await ask('POST', check, { on: true })).toEqual(done);
  expect(lab.world.model.networkInterfaces.filter((eni) => eni.sourceDestCheck)).toHaveLength(1);
});

test("the account's buckets and settings", async () => {
  expect((await ask('GET', '/ec2/buckets')).body).toEqual({ on: false, buckets: {} });
  expect(await ask('POST', '/ec2/buckets', { sizes: { ReplaceRoute: { burst: 1, refillPerS: 0 } } })).toEqual(
    done,
  );
  expect((await ask('GET', '/ec2/buckets')).body).toMatchObject({
    on: true,
    buckets: {
      ReplaceRoute: { burst: 1, refillPerS: 0, tokens: 1 },
      CreateRoute: { burst: 50, refillPerS: 5 },
    },
  });
  expect(
    (await ask('POST', '/ec2/buckets', { sizes: { Nothing: { burst: 1, refillPerS: 0 } } })).status,
  ).toBe(409);
  expect(await ask('DELETE', '/ec2/buckets')).toEqual(done);
  expect(lab.ec2.buckets()).toBeNull();
  expect(await ask('POST', '/ec2/settings', { missingRouteCode: 'InvalidRoute.NotFound' })).toEqual(done);
  expect(lab.world.model.settings).toEqual({
    routesPerTable: 1000,
    missingRouteCode: 'InvalidRoute.NotFound',
  });
});

test('a fault for one route among many', async () => {
  const client = ec2Of(lab, 'rtr2');
  const replace = (destination: string) =>
    client.send(
      new ReplaceRouteCommand({
        RouteTableId: north,
        ...(destination.includes(':')
          ? { DestinationIpv6CidrBlock: destination }
          : { DestinationCidrBlock: destination }),
        NetworkInterfaceId: insideOf('rtr2'),
      }),
    );
  const fault = { kind: 'error', code: 'UnauthorizedOperation', naming: ['10.9.0.0/16'] };
  expect((await ask('POST', '/ec2/faults', fault)).status).toBe(200);
  await expect(replace('10.9.0.0/16')).rejects.toMatchObject({ name: 'UnauthorizedOperation' });
  await replace('2001:db8:9::/48');
  client.destroy();
});
