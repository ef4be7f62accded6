import { DescribeNetworkInterfacesCommand } from '@aws-sdk/client-ec2';
import type { EC2ClientConfig } from '@aws-sdk/client-ec2';
import { credentialSet, instanceA, startLab } from './ec2Lab';
import type { Ec2Lab } from './ec2Lab';

let lab: Ec2Lab;
beforeEach(async () => {
  lab = await startLab();
});
afterEach(() => lab.close());

const ask = (config?: EC2ClientConfig) => lab.client(config).send(new DescribeNetworkInterfacesCommand({}));
const good = credentialSet(instanceA);

test('a well signed request passes and is known by its instance', async () => {
  await ask();
  expect(lab.emulator.requests()).toMatchObject([
    { accessKeyId: good.accessKeyId, instanceId: instanceA, outcome: 'ok' },
  ]);
});

test.each<[string, EC2ClientConfig]>([
  ['an unknown access key', { credentials: { ...good, accessKeyId: 'ASIAUNKNOWN' } }],
  ['another secret', { credentials: { ...good, secretAccessKey: 'guess' } }],
  ['another session token', { credentials: { ...good, sessionToken: 'guess' } }],
  [
    'no session token',
    { credentials: { accessKeyId: good.accessKeyId, secretAccessKey: good.secretAccessKey } },
  ],
  ['another Region', { region: 'eu-west-1' }],
])('%s: AuthFailure', async (_what, config) => {
  await expect(ask(config)).rejects.toMatchObject({
    name: 'AuthFailure',
    $metadata: { httpStatusCode: 401 },
  });
  expect(lab.emulator.requests()).toMatchObject([
    { outcome: 'error', errorCode: 'AuthFailure', applied: false },
  ]);
});

test('credentials that have expired: RequestExpired', async () => {
  lab.registry.expire(good.accessKeyId);
  await expect(ask()).rejects.toMatchObject({ name: 'RequestExpired', $metadata: { httpStatusCode: 400 } });
});

test('a signature from a clock that is far off: RequestExpired', async () => {
  await expect(ask({ systemClockOffset: -10 * 60_000 })).rejects.toMatchObject({ name: 'RequestExpired' });
});

test('a body changed on the way, or no signature at all: AuthFailure', async () => {
  const client = lab.client();
  client.middlewareStack.add(
    (next) => (args) => {
      const { request } = args as { request: { body: string } };
      request.body = request.body.replace('MaxResults=10', 'MaxResults=99');
      return next(args);
    },
    { step: 'deserialize', priority: 'low' },
  );
  await client.send(new DescribeNetworkInterfacesCommand({ MaxResults: 11 }));
  await expect(client.send(new DescribeNetworkInterfacesCommand({ MaxResults: 10 }))).rejects.toMatchObject({
    name: 'AuthFailure',
  });
  const unsigned = await fetch(lab.emulator.url, { method: 'POST', body: 'Action=DescribeInstances' });
  expect(unsigned.status).toBe(401);
  expect(await unsigned.text()).toMatch(
    /<Response><Errors><Error><Code>AuthFailure<\/Code><Message>[^<]+<\/Message><\/Error><\/Errors><RequestID>/,
  );
});

test('the check can be turned off', async () => {
  const open = await startLab({ verifySignatures: false });
  try {
    const answer = await fetch(open.emulator.url, { method: 'POST', body: 'Action=DescribeInstances' });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toMatch(/^<\?xml .*\n<DescribeInstancesResponse xmlns="[^"]+"><requestId>/);
  } finally {
    await open.close();
  }
});
