import { addressTarget } from '../../support/coreWorld';
import { Pacer } from '../../../src/aws/moves/pacer';
import { openMover } from '../../../src/aws/moves/moves';
import { openEc2, type Ec2 } from '../../../src/aws/transport/ec2';
import {
  memoryLog,
  eniOf,
  matching,
  now,
  openAwsLab,
  targetOf,
  type AwsLab,
  until,
  moverOf,
  limits,
  plan,
} from './awsLab';

const move = (deviceIndex: number, attempt = 1) => ({
  attempt,
  call: deviceIndex,
  networkInterfaceId: eniOf(1, deviceIndex),
  targets: [targetOf(deviceIndex)],
  rank: 0,
  allowReassignment: true,
});

describe('taking addresses over', () => {
  let lab: AwsLab;
  beforeEach(async () => {
    lab = await openAwsLab();
  });
  afterEach(() => lab.close());
  const writes = () => lab.emulator.requests().filter(({ action }) => action === 'AssignPrivateIpAddresses');

  test('one call moves the addresses of an interface and is confirmed', async () => {
    const outcome = await moverOf(lab.ec2).send({
      ...move(1),
      send: 1,
      timeoutMs: 2_000,
    });
    expect(outcome).toMatchObject({ failure: null, apiRequestId: matching(/^[0-9a-f-]{36}$/) });
    expect(lab.world.ownerOf(targetOf(1))).toBe(eniOf(1, 1));
    expect(writes().map(({ params }) => params)).toEqual([
      expect.objectContaining({
        NetworkInterfaceId: eniOf(1, 1),
        'PrivateIpAddress.1': targetOf(1),
        AllowReassignment: 'true',
      }),
    ]);
    expect(outcome.sentAt).toBeLessThanOrEqual(writes()[0]?.receivedAt ?? 0);
  });

  test('nothing is sent before the release; then the prepared request goes out', async () => {
    const mover = moverOf(lab.ec2);
    mover.prepare(move(1));
    mover.prepare(move(2));
    // Connections are opened ahead, one per prepared request; a rehearsal ends when all is built.
    await mover.rehearse([move(1), move(2)]);
    await until('connections stand', () => lab.emulator.connectionsAccepted >= 2);
    expect(lab.emulator.requests()).toEqual([]);
    const keyBefore = lab.imdsEmulator.currentCredentials().accessKeyId;
    const [one, two] = await Promise.all([
      mover.send({ ...move(1), send: 1, timeoutMs: 2_000 }),
      mover.send({ ...move(2), send: 1, timeoutMs: 2_000 }),
    ]);
    expect([one.failure, two.failure]).toEqual([null, null]);
    expect(new Set(writes().map(({ connectionId }) => connectionId)).size).toBe(2);
    expect(writes().every(({ accessKeyId }) => accessKeyId === keyBefore)).toBe(true);
  });

  test('what was discarded is not sent; a later send builds anew', async () => {
    const mover = moverOf(lab.ec2);
    mover.prepare(move(1));
    mover.discard(1);
    const outcome = await mover.send({ ...move(1), send: 1, timeoutMs: 2_000 });
    expect(outcome.failure).toBeNull();
    expect(writes()).toHaveLength(1);
  });

  test('discarding one attempt leaves another alone', async () => {
    const mover = moverOf(lab.ec2);
    mover.prepare(move(1, 7));
    mover.discard(6);
    expect(await mover.send({ ...move(1, 7), send: 1, timeoutMs: 2_000 })).toMatchObject({
      failure: null,
    });
  });

  test('a request prepared too long ago, or for something else, is built anew', async () => {
    let time = 0;
    const mover = openMover({
      ec2: lab.ec2,
      plan: { ...plan, targets: [...plan.targets, addressTarget('172.31.2.200', 2)] },
      pacer: new Pacer(limits, now),
      now: () => time,
    });
    mover.prepare(move(1));
    time = 240_000;
    expect(await mover.send({ ...move(1), send: 1, timeoutMs: 2_000 })).toMatchObject({ failure: null });
    mover.prepare({ ...move(2), targets: ['172.31.2.200'] });
    expect(await mover.send({ ...move(2), send: 1, timeoutMs: 2_000 })).toMatchObject({ failure: null });
    expect(writes().map(({ params }) => params['PrivateIpAddress.1'])).toEqual([targetOf(1), targetOf(2)]);
  });

  const asked = () => writes().map(({ params }) => params['AllowReassignment']);

  test('a claim moves a free address, and is refused where another interface holds one of them', async () => {
    const mover = moverOf(lab.ec2);
    lab.world.unassign(eniOf(2, 1), [targetOf(1)]);
    const claim = { allowReassignment: false, send: 1, timeoutMs: 2_000 };
    expect(await mover.send({ ...move(1), ...claim })).toMatchObject({ failure: null });
    expect(lab.world.ownerOf(targetOf(1))).toBe(eniOf(1, 1));
    const { failure } = await mover.send({ ...move(2), ...claim });
    expect(failure).toMatchObject({ kind: 'refused', code: 'InvalidParameterValue' });
    expect(lab.world.ownerOf(targetOf(2))).toBe(eniOf(2, 2));
    expect(asked()).toEqual(['false', 'false']);
  });

  test.each([true, false])('what was prepared with %s is not sent for the other', async (prepared) => {
    const mover = moverOf(lab.ec2);
    mover.prepare({ ...move(1), allowReassignment: prepared });
    await mover.send({ ...move(1), allowReassignment: !prepared, send: 1, timeoutMs: 2_000 });
    expect(asked()).toEqual([String(!prepared)]);
  });

  test('a claim does not use what was rehearsed, and leaves it for the takeover', async () => {
    let time = 0;
    let built = 0;
    const counting = {
      ...lab.ec2,
      prepare: ((...args) => ((built += 1), lab.ec2.prepare(...args))) as Ec2['prepare'],
    };
    const mover = openMover({
      ec2: counting,
      plan,
      pacer: new Pacer(limits, now),
      now: () => (time += 1),
    });
    await mover.rehearse([move(1)]);
    await mover.send({ ...move(1), allowReassignment: false, send: 1, timeoutMs: 2_000 });
    expect(built).toBe(2);
    await mover.send({ ...move(1), send: 2, timeoutMs: 2_000 });
    expect(built).toBe(2);
    expect(asked()).toEqual(['false', 'true']);
  });

  test('a hedge goes out on another connection, and both answers are told apart', async () => {
    const mover = moverOf(lab.ec2);
    lab.emulator.addFault({ kind: 'blackHole', count: 1 });
    const first = mover.send({ ...move(1), send: 1, timeoutMs: 800 });
    await until('the first has arrived', () => writes().length === 1);
    const second = await mover.send({ ...move(1), send: 2, timeoutMs: 2_000 });
    expect(second.failure).toBeNull();
    expect((await first).failure).toMatchObject({ kind: 'uncertain', code: 'Timeout' });
    expect(new Set(writes().map(({ connectionId }) => connectionId)).size).toBe(2);
  });

  test('after a timeout no old connection is trusted', async () => {
    const mover = moverOf(lab.ec2);
    lab.ec2.warm(3);
    await until('three connections stand', () => lab.emulator.connectionsAccepted === 3);
    lab.emulator.addFault({ kind: 'blackHole', count: 1 });
    await mover.send({ ...move(1), send: 1, timeoutMs: 100 });
    expect(await mover.send({ ...move(1), send: 2, timeoutMs: 2_000 })).toMatchObject({ failure: null });
    expect(writes().at(-1)?.connectionId).toBe(4);
  });

  test('a connection that EC2 has closed while idle is not used', async () => {
    const mover = moverOf(lab.ec2);
    await mover.send({ ...move(1), send: 1, timeoutMs: 2_000 });
    lab.emulator.closeIdleConnections();
    const request = { ...move(2), timeoutMs: 2_000 };
    // The end of the connection may be on its way still: then the request meets a reset, and the next does not.
    const first = await mover.send({ ...request, send: 1 });
    const last = first.failure === null ? first : await mover.send({ ...request, send: 2 });
    expect([null, 'uncertain']).toContain(first.failure?.kind ?? null);
    expect(last.failure).toBeNull();
    expect(lab.emulator.connectionsAccepted).toBe(2);
  });

  test('a rehearsal sends nothing, and opens what is missing once', async () => {
    const mover = moverOf(lab.ec2);
    for (let time = 0; time < 3; time += 1) await mover.rehearse([move(1), move(2)]);
    await until('three connections stand', () => lab.emulator.connectionsAccepted === 3);
    await mover.rehearse([move(1), move(2)]);
    expect(lab.emulator.connectionsAccepted).toBe(3);
    expect(lab.emulator.requests()).toEqual([]);
    lab.emulator.closeIdleConnections();
  });

  test('a request that could not be signed is built anew when it is sent', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = lab.imdsEmulator.currentCredentials();
    let available = false;
    const provider = Object.assign(
      async () => {
        if (!available) throw new Error('not read yet');
        return { accessKeyId, secretAccessKey, sessionToken };
      },
      { memoized: true as const },
    );
    const { log } = memoryLog();
    const credentials = { provider, refreshNow: async () => {} };
    const ec2 = openEc2({ endpointUrl: lab.emulator.url, region: 'us-west-2', credentials, log, now });
    const mover = moverOf(ec2);
    mover.prepare(move(1));
    await mover.rehearse([move(1)]);
    available = true;
    expect(await mover.send({ ...move(1), send: 1, timeoutMs: 2_000 })).toMatchObject({ failure: null });
    ec2.stop();
  });
});
