/** Steps as they go over the wire, and what an answer means: a server that answers as it is told. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { answersTo, look } from '../../src/heal/aws/look';
import { perform } from '../../src/heal/aws/perform';
import { openServices, type Services } from '../../src/heal/aws/services';
import { parseRecord } from '../../src/heal/core/record';
import type { Step } from '../../src/heal/core/steps';
import { desiredOf, record } from './healWorld';

const asked: URLSearchParams[] = [];
let answers: (action: string) => { readonly status: number; readonly xml: string };
let server: Server;
let services: Services;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const parameters = new URLSearchParams(body);
      asked.push(parameters);
      const { status, xml } = answers(parameters.get('Action') ?? '');
      response.writeHead(status, { 'content-type': 'text/xml' }).end(xml);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  services = openServices(
    { endpoints: { ec2: url, autoscaling: url, sns: url }, region: 'us-west-2' },
    pino({ level: 'silent' }),
    {
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLEEXAMPLE00',
      AWS_SECRET_ACCESS_KEY: 'secretsecretsecret',
      AWS_SESSION_TOKEN: 't',
    },
  );
});

beforeEach(() => {
  asked.length = 0;
  answers = (action) => ({ status: 200, xml: `<${action}Response><${action}Result/></${action}Response>` });
});

afterAll(() => {
  services.stop();
  server.close();
});

const to = () => ({
  services,
  timeoutMs: 2_000,
  topicArn: 'arn:aws:sns:us-west-2:123456789012:healing',
  eventId: 'event-1',
});
const complete: Step = {
  do: 'complete',
  group: 'rtr1',
  hook: 'heal-launch',
  instanceId: 'i-1',
  result: 'CONTINUE',
};
const error = (code: string, message: string) => () => ({
  status: 400,
  xml: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
});

test.each<[step: Step, parameters: { readonly [name: string]: string }]>([
  [complete, { Action: 'CompleteLifecycleAction', LifecycleActionResult: 'CONTINUE', InstanceId: 'i-1' }],
  [
    {
      do: 'attachInterface',
      interfaceId: 'eni-1',
      instanceId: 'i-1',
      slot: { networkCardIndex: 0, deviceIndex: 2 },
    },
    { Action: 'AttachNetworkInterface', NetworkInterfaceId: 'eni-1', DeviceIndex: '2' },
  ],
  [
    { do: 'keepVolume', volumeId: 'vol-1', instanceId: 'i-1', device: '/dev/sdf' },
    { Action: 'ModifyInstanceAttribute', 'BlockDeviceMapping.1.Ebs.DeleteOnTermination': 'false' },
  ],
  [
    {
      do: 'associateAddress',
      allocationId: 'eipalloc-1',
      interfaceId: 'eni-1',
      privateAddress: '10.0.0.4',
      reassociate: false,
    },
    { Action: 'AssociateAddress', AllowReassociation: 'false', PrivateIpAddress: '10.0.0.4' },
  ],
  [
    {
      do: 'replaceRoute',
      tableId: 'rtb-1',
      destination: { kind: 'ipv6', value: '2001:db8::/48' },
      interfaceId: 'eni-1',
    },
    { Action: 'ReplaceRoute', DestinationIpv6CidrBlock: '2001:db8::/48', NetworkInterfaceId: 'eni-1' },
  ],
])('$do', async (step, parameters) => {
  expect(await perform(to(), step)).toBeNull();
  expect(Object.fromEntries(asked[0] ?? [])).toMatchObject(parameters);
});

test('an action that is over is the end, not an error; any other refusal is one', async () => {
  answers = error('ValidationError', 'No active Lifecycle Action found with instance ID i-1');
  expect(await perform(to(), complete)).toBeNull();
  answers = error('AccessDenied', 'not allowed');
  expect(await perform(to(), complete)).toEqual({
    kind: 'refused',
    code: 'AccessDenied',
    message: 'not allowed',
  });
  answers = error('Throttling', 'Rate exceeded');
  expect(await perform(to(), complete)).toMatchObject({ kind: 'throttled', code: 'Throttling' });
});

test('messages go out before the record says so, with the id of the event', async () => {
  const message = {
    id: 'rtr1:7:healing-began:i-1',
    identity: 'rtr1',
    kind: 'healing-began' as const,
    code: null,
    instanceId: 'i-1',
    text: 'healing of rtr1 began',
  };
  expect(
    await perform(to(), { do: 'tell', group: 'rtr1', messages: [message], record: record() }),
  ).toBeNull();
  expect(asked.map((each) => each.get('Action'))).toEqual(['Publish', 'CreateOrUpdateTags']);
  expect(JSON.parse(asked[0]?.get('Message') ?? '')).toEqual({ ...message, event: 'event-1' });
  expect(parseRecord(asked[1]?.get('Tags.member.1.Value') ?? '')).toEqual(record());
});

test('messages that do not go out are not written down', async () => {
  answers = error('AuthorizationError', 'no');
  const message = {
    id: 'x',
    identity: 'rtr1',
    kind: 'alarm-raised' as const,
    code: 'missing',
    instanceId: null,
    text: 't',
  };
  expect(
    await perform(to(), { do: 'tell', group: 'rtr1', messages: [message], record: record() }),
  ).toMatchObject({
    code: 'AuthorizationError',
  });
  expect(asked).toHaveLength(1);
});

test('what cannot be read is said of each reading, and nothing rejects', async () => {
  answers = () => ({ status: 200, xml: '<html>a proxy</html>' });
  const seen = await look(to(), desiredOf('network-function'), { owner: 'me', keepsLease: false }, Date.now);
  expect(seen.groups).toEqual({});
  expect(seen.unread.map((each) => each.replace(/:.*/, ''))).toEqual([
    'DescribeAutoScalingGroups',
    'DescribeVolumes',
    'DescribeAddresses',
    'DescribeNetworkInterfaces',
  ]);
  expect(seen.unread[0]).toContain('MalformedAnswer');
});

test('hooks, and a group that does not exist', async () => {
  answers = (action) => ({
    status: 200,
    xml:
      action === 'DescribeLifecycleHooks'
        ? '<DescribeLifecycleHooksResponse><DescribeLifecycleHooksResult><LifecycleHooks><member><LifecycleHookName>heal-launch</LifecycleHookName><LifecycleTransition>autoscaling:EC2_INSTANCE_LAUNCHING</LifecycleTransition><HeartbeatTimeout>300</HeartbeatTimeout></member></LifecycleHooks></DescribeLifecycleHooksResult></DescribeLifecycleHooksResponse>'
        : `<${action}Response><${action}Result><AutoScalingGroups/></${action}Result></${action}Response>`,
  });
  expect(await answersTo(to(), [{ ask: 'hooks', group: 'nat' }])).toEqual({
    'hooks nat': {
      kind: 'hooks',
      hooks: { 'heal-launch': { transition: 'launching', heartbeatTimeoutMs: 300_000 } },
    },
  });
  const seen = await look(to(), desiredOf('nat'), { owner: 'me', keepsLease: false }, Date.now);
  expect(seen.groups).toEqual({ nat: null });
});
