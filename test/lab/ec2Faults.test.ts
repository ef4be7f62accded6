import {
  AssignPrivateIpAddressesCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
} from '@aws-sdk/client-ec2';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { Ec2FaultInput } from '../../lab/ec2-emulator/faults';
import {
  connectionLost,
  credentialSet,
  dataA,
  dataB,
  instanceA,
  instanceB,
  startLab,
  until,
  vip1,
  vip2,
} from './ec2Lab';
import type { Ec2Lab } from './ec2Lab';

let lab: Ec2Lab;
beforeEach(async () => {
  lab = await startLab();
});
afterEach(() => lab.close());

const take = (
  client: EC2Client = lab.client(),
  options: { abortSignal?: AbortSignal } = {},
  ...ips: string[]
) =>
  client.send(
    new AssignPrivateIpAddressesCommand({
      NetworkInterfaceId: dataB,
      PrivateIpAddresses: ips.length > 0 ? ips : [vip1],
      AllowReassignment: true,
    }),
    options,
  );
const look = (client: EC2Client = lab.client()) => client.send(new DescribeNetworkInterfacesCommand({}));
const lastRequest = () => lab.emulator.requests().at(-1)!;
const moveOf = (ip: string) => lab.world.ownershipHistory(ip).find(({ to }) => to === dataB);

describe('which requests a rule hits', () => {
  const broken: Ec2FaultInput = { kind: 'error', code: 'Unavailable' };
  const outcomes = () => lab.emulator.requests().map(({ action, outcome }) => [action, outcome]);

  test('an action, or all that start alike', async () => {
    lab.emulator.addFault({ ...broken, action: 'DescribeNetwork*' });
    await take();
    await expect(look()).rejects.toMatchObject({ name: 'Unavailable', $metadata: { httpStatusCode: 503 } });
    await lab.client().send(new DescribeInstancesCommand({}));
    expect(outcomes()).toEqual([
      ['AssignPrivateIpAddresses', 'ok'],
      ['DescribeNetworkInterfaces', 'error'],
      ['DescribeInstances', 'ok'],
    ]);
  });

  test.each([
    ['access key', credentialSet(instanceA).accessKeyId],
    ['instance', instanceA],
  ])('one router, by %s', async (_what, source) => {
    lab.emulator.addFault({ ...broken, source });
    await expect(look(lab.client())).rejects.toMatchObject({ name: 'Unavailable' });
    await look(lab.client({}, instanceB));
  });

  test('a role means both routers', async () => {
    lab.emulator.addFault({ ...broken, source: credentialSet(instanceA).role });
    await expect(look(lab.client({}, instanceA))).rejects.toMatchObject({ name: 'Unavailable' });
    await expect(look(lab.client({}, instanceB))).rejects.toMatchObject({ name: 'Unavailable' });
  });

  test('counted rules of a kind queue up, and are gone when spent', async () => {
    const first = lab.emulator.addFault({ ...broken, count: 1 });
    lab.emulator.addFault({ ...broken, code: 'InternalError', count: 1 });
    await expect(look()).rejects.toMatchObject({ name: 'Unavailable' });
    expect(lab.emulator.activeFaults()).toMatchObject([
      { id: first + 1, hits: 0, rule: { code: 'InternalError' } },
    ]);
    await expect(look()).rejects.toMatchObject({ name: 'InternalError', $metadata: { httpStatusCode: 500 } });
    await look();
    expect(lab.emulator.activeFaults()).toEqual([]);
  });

  test('a rule with a duration ends by itself, others when removed', async () => {
    lab.emulator.addFault({ ...broken, durationMs: 1 });
    await until(() => lab.emulator.activeFaults().length === 0);
    const id = lab.emulator.addFault(broken);
    lab.emulator.addFault(broken);
    expect([lab.emulator.removeFault(id), lab.emulator.removeFault(id)]).toEqual([true, false]);
    lab.emulator.clearFaults();
    await look();
  });

  test('a rule that makes no sense is refused, whoever sends it', () => {
    expect(() => lab.emulator.addFault(JSON.parse('{"kind":"latency","ms":-1}') as Ec2FaultInput)).toThrow(
      'ms',
    );
    expect(() => lab.emulator.addFault(JSON.parse('{"kind":"flood"}') as Ec2FaultInput)).toThrow('kind');
    expect(() => lab.emulator.addFault(JSON.parse('{"kind":"reset","cuont":1}') as Ec2FaultInput)).toThrow(
      'cuont',
    );
  });
});

describe('latency', () => {
  test('before the change: the address moves late', async () => {
    lab.emulator.addFault({ kind: 'latency', ms: 60 });
    await take();
    expect((moveOf(vip1)?.atMs ?? 0) - lastRequest().receivedAt).toBeGreaterThanOrEqual(60);
  });

  test('after it: the address has moved, the answer is late', async () => {
    lab.emulator.addFault({ kind: 'latency', ms: 60, when: 'after' });
    await take();
    expect((lastRequest().endedAt ?? 0) - (moveOf(vip1)?.atMs ?? Infinity)).toBeGreaterThanOrEqual(60);
  });

  test('the change is made even when the client has given up', async () => {
    lab.emulator.addFault({ kind: 'latency', ms: 60 });
    const abort = new AbortController();
    lab.emulator.onRequest(() => abort.abort());
    await expect(take(lab.client(), { abortSignal: abort.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
    await until(() => lab.world.ownerOf(vip1) === dataB && lastRequest().outcome === 'clientGone');
    expect(lastRequest()).toMatchObject({ applied: true, httpStatus: null });
  });
});

describe('throttle', () => {
  test('refuses with RequestLimitExceeded', async () => {
    lab.emulator.addFault({ kind: 'throttle' });
    await expect(take()).rejects.toMatchObject({
      name: 'RequestLimitExceeded',
      $metadata: { httpStatusCode: 503 },
    });
    expect(lab.world.ownerOf(vip1)).toBe(dataA);
  });

  test('with a bucket, each action has its burst', async () => {
    lab.emulator.addFault({ kind: 'throttle', bucket: { burst: 2, refillPerS: 0 } });
    await take();
    await take();
    await expect(take()).rejects.toMatchObject({ name: 'RequestLimitExceeded' });
    await look();
    expect(lab.emulator.counters()).toEqual({
      received: 4,
      byAction: { AssignPrivateIpAddresses: 3, DescribeNetworkInterfaces: 1 },
      dryRuns: {},
      byOutcome: { ok: 3, error: 1 },
    });
  });

  test('and the bucket fills up again', async () => {
    lab.emulator.addFault({ kind: 'throttle', bucket: { burst: 1, refillPerS: 20 } });
    await take();
    await until(() =>
      take().then(
        () => true,
        () => false,
      ),
    );
  });
});

describe('error', () => {
  test('only for a call that names the address; the call is all or nothing', async () => {
    lab.emulator.addFault({ kind: 'error', code: 'InvalidParameterValue', addresses: [vip2] });
    await expect(take(lab.client(), {}, vip1, vip2)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    expect(lab.world.ownerOf(vip1)).toBe(dataA);
    await take(lab.client(), {}, vip1);
    expect([lab.world.ownerOf(vip1), lab.world.ownerOf(vip2)]).toEqual([dataB, dataA]);
  });

  test('after the change: an error, but the address has moved', async () => {
    lab.emulator.addFault({ kind: 'error', code: 'InternalError', when: 'after' });
    await expect(take()).rejects.toMatchObject({ name: 'InternalError' });
    expect(lab.world.ownerOf(vip1)).toBe(dataB);
    expect(lastRequest()).toMatchObject({ outcome: 'error', errorCode: 'InternalError', applied: true });
  });

  test('with a status and text of its own', async () => {
    lab.emulator.addFault({ kind: 'error', code: 'Odd', message: 'a < b & c', status: 418 });
    await expect(take()).rejects.toMatchObject({
      name: 'Odd',
      message: 'a < b & c',
      $metadata: { httpStatusCode: 418 },
    });
  });
});

describe.each(['before', 'after'] as const)('%s the change', (when) => {
  const ownerThen = when === 'before' ? dataA : dataB;

  test('reset: the connection breaks', async () => {
    lab.emulator.addFault({ kind: 'reset', when });
    await expect(take()).rejects.toThrow(connectionLost);
    expect(lab.world.ownerOf(vip1)).toBe(ownerThen);
    expect(lastRequest()).toMatchObject({ outcome: 'reset', applied: when === 'after', faults: ['reset'] });
  });

  test('blackHole: nothing comes until the client gives up', async () => {
    lab.emulator.addFault({ kind: 'blackHole', when });
    const givesUp = new AbortController();
    // Not before the request is there: a busy machine takes its time.
    lab.emulator.onRequest(() => setTimeout(() => givesUp.abort(), 20));
    await expect(take(lab.client(), { abortSignal: givesUp.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(lab.world.ownerOf(vip1)).toBe(ownerThen);
    await until(() => lastRequest().outcome === 'clientGone');
  });
});

test('reset in the middle of the answer: status and half the body come, and the address has moved', async () => {
  lab.emulator.addFault({ kind: 'reset', when: 'midAnswer', count: 2 });
  const half = await fetch(lab.emulator.url, { method: 'POST', body: 'Action=DescribeInstances' });
  expect(half.status).toBe(401);
  await expect(half.text()).rejects.toThrow('terminated');
  await expect(take()).rejects.toThrow('aborted');
  expect(lab.world.ownerOf(vip1)).toBe(dataB);
  expect(lastRequest()).toMatchObject({ outcome: 'reset', httpStatus: 200, applied: true });
});

describe('slowBody', () => {
  test('the body comes in pieces, whole at last', async () => {
    lab.emulator.addFault({ kind: 'slowBody', ms: 50, pieces: 5 });
    expect((await look()).NetworkInterfaces).toHaveLength(4);
  });

  test('a stall after the headers outlasts a timeout for headers', async () => {
    lab.emulator.addFault({ kind: 'slowBody', ms: 600_000 });
    const client = lab.client({
      requestHandler: { requestTimeout: 5000, throwOnRequestTimeout: true, socketTimeout: 100 },
    });
    await expect(look(client)).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

describe('malformed', () => {
  test('without elements', async () => {
    lab.emulator.addFault({
      kind: 'malformed',
      how: { as: 'withoutElements', elements: ['privateIpAddressesSet', 'attachment'] },
    });
    const [first] = (await look()).NetworkInterfaces ?? [];
    expect(first?.NetworkInterfaceId).toBeDefined();
    expect(first).not.toHaveProperty('PrivateIpAddresses');
    expect(first).not.toHaveProperty('Attachment');
  });

  test('with another text', async () => {
    lab.emulator.addFault({
      kind: 'malformed',
      how: { as: 'replacedText', element: 'deviceIndex', text: 'first' },
    });
    const indexes = (await look()).NetworkInterfaces?.map((eni) => eni.Attachment?.DeviceIndex);
    expect(indexes).toEqual([NaN, NaN, NaN, NaN]);
  });

  test('truncated', async () => {
    lab.emulator.addFault({ kind: 'malformed', how: { as: 'truncated' } });
    const outcome = await look().then(
      (answer) => answer.NetworkInterfaces,
      (error: unknown) => error,
    );
    expect(outcome instanceof Error || outcome === undefined).toBe(true);
  });

  test('empty', async () => {
    lab.emulator.addFault({ kind: 'malformed', how: { as: 'empty' } });
    expect((await look()).NetworkInterfaces).toBeUndefined();
  });
});

test('stale: reads show the past, writes do not; the write after a stale read is still all there', async () => {
  const id = lab.emulator.addFault({ kind: 'stale', ageMs: 60_000 });
  await take();
  const holder = async () =>
    (await look()).NetworkInterfaces?.find((eni) =>
      eni.PrivateIpAddresses?.some(({ PrivateIpAddress }) => PrivateIpAddress === vip1),
    )?.NetworkInterfaceId;
  expect(await holder()).toBe(dataA);
  lab.emulator.removeFault(id);
  expect(await holder()).toBe(dataB);
});

test('stale: the past catches up', async () => {
  lab.emulator.addFault({ kind: 'stale', ageMs: 30 });
  await take();
  await until(async () => {
    const { NetworkInterfaces } = await look();
    const b = NetworkInterfaces?.find((eni) => eni.NetworkInterfaceId === dataB);
    return b?.PrivateIpAddresses?.some(({ PrivateIpAddress }) => PrivateIpAddress === vip1) ?? false;
  });
});

test.each([502, 200])('garbagePage: an HTML page with status %d, and nothing is changed', async (status) => {
  lab.emulator.addFault({ kind: 'garbagePage', status });
  const outcome = await take().then(
    (answer) => answer.NetworkInterfaceId,
    (error: unknown) => error,
  );
  expect(outcome instanceof Error || outcome === undefined).toBe(true);
  expect(lastRequest()).toMatchObject({ outcome: 'garbagePage', httpStatus: status, applied: false });
  expect(lab.world.ownerOf(vip1)).toBe(dataA);
});
