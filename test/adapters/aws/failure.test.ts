import { DescribeAddressesCommand } from '@aws-sdk/client-ec2';
import type { Ec2FaultInput } from '../../../lab/ec2-emulator/faults';
import { classify } from '../../../src/aws/transport/failure';
import { eniOf, matching, memoryLog, now, openAwsLab, targetOf, type AwsLab, until, moverOf } from './awsLab';
import { openEc2 } from '../../../src/aws/transport/ec2';

const request = {
  attempt: 1,
  call: 1,
  networkInterfaceId: eniOf(1, 1),
  targets: [targetOf(1)],
  rank: 0,
  allowReassignment: true,
  send: 1,
};

describe('what a failed call means', () => {
  let lab: AwsLab;
  beforeEach(async () => {
    lab = await openAwsLab();
  });
  afterEach(() => lab.close());

  const kinds: [string, string, number | undefined][] = [
    ['throttled', 'RequestLimitExceeded', undefined],
    ['throttled', 'Throttling', 400],
    ['unsent', 'AuthFailure', undefined],
    ['unsent', 'RequestExpired', undefined],
    ['unsent', 'SignatureDoesNotMatch', undefined],
    ['unsent', 'InvalidSecurity.RequestHasExpired', 403],
    ['unsent', 'IncorrectState', undefined],
    ['refused', 'UnauthorizedOperation', undefined],
    ['refused', 'InvalidParameterValue', undefined],
    ['refused', 'PrivateIpAddressLimitExceeded', undefined],
    ['refused', 'InvalidNetworkInterfaceID.NotFound', undefined],
    ['refused', 'Resource.AlreadyAssigned', undefined],
    ['refused', 'NobodyHasSeenThisCode', 400],
    ['uncertain', 'InternalError', undefined],
    ['uncertain', 'Unavailable', undefined],
    ['uncertain', 'ServiceUnavailable', undefined],
    ['uncertain', 'NobodyHasSeenThisCode', 500],
  ];
  test.each(kinds)('%s: %s (%s)', async (kind, code, status) => {
    lab.emulator.addFault({ kind: 'error', code, ...(status === undefined ? {} : { status }) });
    const { failure, apiRequestId } = await moverOf(lab.ec2).send({
      ...request,
      timeoutMs: 2_000,
    });
    expect(failure).toMatchObject({ kind, code });
    expect(apiRequestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  const applied = targetOf(1);
  const uncertain: [string, Ec2FaultInput, string, boolean][] = [
    ['reset before the change', { kind: 'reset' }, 'ECONNRESET', false],
    ['reset in the middle of the answer', { kind: 'reset', when: 'midAnswer' }, 'ECONNRESET', true],
    ['reset after the change', { kind: 'reset', when: 'after' }, 'ECONNRESET', true],
    ['never answered', { kind: 'blackHole' }, 'Timeout', false],
    ['never answered, but done', { kind: 'blackHole', when: 'after' }, 'Timeout', true],
    ['answered too late', { kind: 'latency', ms: 60_000, when: 'after' }, 'Timeout', true],
    ['a body that stalls', { kind: 'slowBody', ms: 60_000 }, 'Timeout', true],
    ['an HTML page', { kind: 'garbagePage', status: 200 }, 'MalformedAnswer', false],
    ['an HTML page as error', { kind: 'garbagePage', status: 502 }, 'MalformedAnswer', false],
    ['an HTML page as 4xx', { kind: 'garbagePage', status: 403 }, 'MalformedAnswer', false],
    ['half an answer', { kind: 'malformed', how: { as: 'truncated' } }, 'MalformedAnswer', true],
    ['an empty answer', { kind: 'malformed', how: { as: 'empty' } }, 'MalformedAnswer', true],
    [
      'no interface',
      { kind: 'malformed', how: { as: 'withoutElements', elements: ['networkInterfaceId'] } },
      'MalformedAnswer',
      true,
    ],
    [
      'another interface',
      { kind: 'malformed', how: { as: 'replacedText', element: 'networkInterfaceId', text: 'eni-99999999' } },
      'MalformedAnswer',
      true,
    ],
  ];
  test.each(uncertain)('uncertain: %s', async (_name, fault, code, isDone) => {
    lab.emulator.addFault(fault);
    const { failure } = await moverOf(lab.ec2).send({ ...request, timeoutMs: 300 });
    expect(failure).toMatchObject({ kind: 'uncertain', code });
    expect(lab.world.ownerOf(applied)).toBe(eniOf(isDone ? 1 : 2, 1));
  });

  test('credentials that EC2 turns down are replaced, and the next try goes through', async () => {
    const mover = moverOf(lab.ec2);
    lab.registry.expire(lab.imdsEmulator.currentCredentials().accessKeyId);
    const fresh = lab.imdsEmulator.rotateCredentials();
    const { failure } = await mover.send({ ...request, timeoutMs: 2_000 });
    expect(failure).toMatchObject({ kind: 'unsent', code: 'RequestExpired' });
    expect(failure?.message).not.toContain('ASIA');
    const path = '/latest/meta-data/iam/security-credentials/ha-role';
    await until('IMDS was asked again', () => lab.imdsEmulator.counters()[`GET ${path}`] === 2);
    let send = 1;
    await until('the fresh credentials are in use', () => {
      void mover.send({ ...request, send: (send += 1), timeoutMs: 2_000 });
      return lab.emulator
        .requests()
        .some(({ accessKeyId, outcome }) => accessKeyId === fresh.accessKeyId && outcome === 'ok');
    });
  });
});

describe('a code that may mean the credentials or the call', () => {
  let lab: AwsLab;
  beforeEach(async () => {
    lab = await openAwsLab();
  });
  afterEach(() => lab.close());
  const message = 'You do not have permission to access the specified resource.';
  const fault = (code: string, status: number, action: string): Ec2FaultInput => ({
    kind: 'error',
    code,
    status,
    message,
    action,
  });
  const answeredOthers = () =>
    lab.emulator
      .requests()
      .filter(({ action, endedAt }) => action === 'DescribeNetworkInterfaces' && endedAt !== null).length;
  /** As the rules do it: again while it may be worth it. */
  const outcomes = async (tries: number) => {
    const mover = moverOf(lab.ec2);
    const seen: string[] = [];
    for (let send = 1; send <= tries; send += 1) {
      const { failure } = await mover.send({ ...request, send, timeoutMs: 2_000 });
      seen.push(`${failure?.kind}: ${failure?.message}`);
      await until('EC2 was asked for something else', () => answeredOthers() >= send);
    }
    return seen;
  };
  const turnedDown = `unsent: EC2 does not accept the credentials or the time of the request: ${message}`;

  test.each([
    ['AuthFailure', 400],
    ['AuthFailure', 401],
    ['AuthFailure', 403],
    ['InvalidClientTokenId', 403],
    ['SignatureDoesNotMatch', 403],
  ])(
    '%s (%s) of one action alone is a refusal the second time, in the words of EC2',
    async (code, status) => {
      lab.emulator.addFault(fault(code, status, 'AssignPrivateIpAddresses'));
      const refusal = `refused: ${message} (EC2 accepts the same credentials for other calls)`;
      expect(await outcomes(3)).toEqual([turnedDown, refusal, refusal]);
    },
  );

  test('of every action it is the credentials, however often', async () => {
    lab.emulator.addFault(fault('AuthFailure', 401, '*'));
    expect(await outcomes(3)).toEqual([turnedDown, turnedDown, turnedDown]);
  });

  test('of every action after a good while it is the credentials: what EC2 accepted before does not count', async () => {
    await lab.ec2.call('DescribeAddresses', 2_000, (client, options) =>
      client.send(new DescribeAddressesCommand({}), options),
    );
    lab.emulator.addFault(fault('AuthFailure', 401, '*'));
    expect(await outcomes(2)).toEqual([turnedDown, turnedDown]);
  });

  test('what EC2 quotes of the request is withheld, and the rest is told', async () => {
    const { sessionToken, accessKeyId } = lab.imdsEmulator.currentCredentials();
    lab.emulator.addFault({
      kind: 'error',
      code: 'SignatureDoesNotMatch',
      message: `The signature does not match. x-amz-security-token:${sessionToken} of ${accessKeyId} ${'ab'.repeat(32)} end`,
    });
    expect(await outcomes(1)).toEqual([
      'unsent: EC2 does not accept the credentials or the time of the request: ' +
        'The signature does not match. x-amz-security-token:[withheld] of [withheld] [withheld] end',
    ]);
  });
});

describe('unsent: EC2 certainly has not received it', () => {
  const provider = Object.assign(
    async () => ({ accessKeyId: 'ASIAABCDEFGHIJKL', secretAccessKey: 's'.repeat(40), sessionToken: 't' }),
    { memoized: true as const },
  );
  const send = async (endpointUrl: string, credentials = provider) => {
    const ec2 = openEc2({
      endpointUrl,
      region: 'us-west-2',
      credentials: { provider: credentials, refreshNow: async () => {} },
      log: memoryLog().log,
      now,
    });
    const outcome = await moverOf(ec2).send({ ...request, timeoutMs: 2_000 });
    ec2.stop();
    return outcome.failure;
  };

  test('the connection is refused', async () => {
    const lab = await openAwsLab();
    const { url } = lab.emulator;
    await lab.close();
    expect(await send(url)).toMatchObject({ kind: 'unsent', code: 'ECONNREFUSED' });
  });

  test('the name cannot be resolved', async () => {
    expect(await send('http://no-such-name.invalid')).toMatchObject({
      kind: 'unsent',
      message: matching(/no-such-name/),
    });
  });

  test('there are no credentials', async () => {
    const none = Object.assign(() => Promise.reject(new Error('not read yet')), { memoized: true as const });
    expect(await send('http://127.0.0.1:1', none)).toEqual({
      kind: 'unsent',
      code: 'Unknown',
      message: 'not read yet',
    });
  });
});

test('a message is one short line and never quotes what was signed', () => {
  const failure = classify(new Error(`a\nb ${'c'.repeat(1000)}`), { sent: true, timedOutAfterMs: null });
  expect(failure).toMatchObject({
    kind: 'uncertain',
    code: 'Unknown',
    message: matching(/^a b c{296}$/),
  });
});
