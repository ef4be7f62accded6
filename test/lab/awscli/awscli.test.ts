/**
 * The lab's AWS, read by a client that has nothing to do with this project: Debian's AWS CLI with AWS's own models. It
 * parses each answer and each refusal, and nothing in them is invented.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
} from '@aws-sdk/client-ec2';
import { autoScalingService } from '../../../lab/autoscaling-emulator/actions';
import { AutoScaling } from '../../../lab/autoscaling-emulator/autoScaling';
import type { CredentialSet } from '../../../lab/ec2-emulator/credentials';
import type { Ec2FaultInput } from '../../../lab/ec2-emulator/faults';
import { ec2Service } from '../../../lab/ec2-emulator/services';
import { Ec2World } from '../../../lab/ec2-emulator/world';
import { Topics } from '../../../lab/sns-emulator/topics';
import { AWS_CLI, hasAwsCli } from '../../../scripts/awsCli';
import { credentialSet, dataA, instanceA, routeTableId, startLab, type Ec2Lab } from '../ec2Lab';
import { answered, groups, refused, region, TOPIC, WAITING } from './calls';
import { BotocoreClient, CLEAN_ENVIRONMENT, type Call, type Said } from './client';

const installed = hasAwsCli();
if (!installed)
  console.warn(
    "NOT CHECKED: whether Debian's AWS CLI reads the lab's AWS. It is not installed here: npx tsx scripts/needAwsCli.ts",
  );

const INTERFACES = 'DescribeNetworkInterfaces.networkInterfaceSet[]';
const OF_INSTANCE = 'DescribeInstances.reservationSet[].instancesSet[].networkInterfaceSet[]';
/** Members that AWS has added since Debian's models (January 2023), as the SDK calls them. */
const YOUNGER: Readonly<Record<string, string>> = {
  [`${INTERFACES}.availabilityZoneId is invented`]: 'AvailabilityZoneId',
  [`${INTERFACES}.ipv6AddressesSet[].isPrimaryIpv6 is invented`]: 'IsPrimaryIpv6',
  [`${OF_INSTANCE}.ipv6AddressesSet[].isPrimaryIpv6 is invented`]: 'IsPrimaryIpv6',
  'DescribeAddresses.addressesSet[].serviceManaged is invented': 'ServiceManaged',
};
/** Of no model, but in the examples of AWS's reference, which show what comes over the wire. */
const SHOWN: Readonly<Record<string, string>> = {
  'AssignPrivateIpAddresses.return is invented':
    'https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignPrivateIpAddresses.html#API_AssignPrivateIpAddresses_Examples',
  'AssociateAddress.return is invented':
    'https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html#API_AssociateAddress_Examples',
};

type Aws = { readonly lab: Ec2Lab; readonly waiting: string; readonly end: () => Promise<void> };

async function startAws(): Promise<Aws> {
  const world = new Ec2World(region);
  const scaling = new AutoScaling({ world });
  const services = [autoScalingService(scaling), new Topics([TOPIC]).service()];
  const lab = await startLab({ world, services });
  for (const group of groups) scaling.createGroup(group);
  const [waiting] = scaling.group('rtr2')?.members ?? [];
  const end = async () => {
    scaling.stop();
    await lab.close();
  };
  return { lab, waiting: waiting?.instanceId ?? '', end };
}

const credentials = credentialSet(instanceA);

const named = ({ service, operation, parameters }: Call): string =>
  `${service} ${operation} ${JSON.stringify(parameters)}`;

(installed ? describe : describe.skip)('read by the AWS CLI of Debian', () => {
  let client: BotocoreClient;
  let aws: Aws;
  beforeAll(() => {
    client = new BotocoreClient(region.region);
  });
  afterAll(() => client.close());
  beforeEach(async () => {
    aws = await startAws();
  });
  afterEach(() => aws.end());

  /** One after the other. */
  async function ask(calls: readonly Call[], as: CredentialSet = credentials): Promise<readonly Said[]> {
    const said: Said[] = [];
    for (const call of calls) {
      const meant = JSON.parse(JSON.stringify(call).replaceAll(WAITING, aws.waiting)) as Call;
      said.push(await client.call(aws.lab.emulator.url, meant, as));
    }
    return said;
  }

  test('every action answers, and botocore finds nothing in it that AWS does not know', async () => {
    const said = await ask(answered);
    const wrong = answered.flatMap((call, place) => {
      const { error, strange = ['no answer'] } = said[place] ?? {};
      const unexplained = strange.filter((each) => !Object.keys({ ...YOUNGER, ...SHOWN }).includes(each));
      return error === undefined && unexplained.length === 0
        ? []
        : [{ call: named(call), error, unexplained }];
    });
    expect(wrong).toEqual([]);
    const all = [
      ec2Service,
      autoScalingService(new AutoScaling({ world: aws.lab.world })),
      new Topics([]).service(),
    ];
    const there = all.flatMap(({ signingName, actionNames }) =>
      actionNames.map((name) => `${signingName} ${name}`),
    );
    const asked = answered.map(({ service, operation }) => `${service} ${operation}`);
    // Debian's models have no application status checks: test/lab/applicationChecks.test.ts reads them with the SDK.
    const known = there.filter((action) => !action.includes('ApplicationStatus'));
    expect([...new Set(asked)].sort()).toEqual(known.sort());
  });

  test('what is younger than the models of Debian is read by the SDK, whose models are of today', async () => {
    const sdk = aws.lab.client();
    const { NetworkInterfaces } = await sdk.send(new DescribeNetworkInterfacesCommand({}));
    const { Reservations } = await sdk.send(new DescribeInstancesCommand({}));
    const { Addresses } = await sdk.send(new DescribeAddressesCommand({}));
    const read = JSON.stringify({ NetworkInterfaces, Reservations, Addresses });
    for (const member of Object.values(YOUNGER)) expect(read).toContain(`"${member}":`);
  });

  test('what is read is what is there', async () => {
    const [interfaces, tables, activities] = await ask([
      {
        service: 'ec2',
        operation: 'DescribeNetworkInterfaces',
        parameters: { NetworkInterfaceIds: [dataA] },
      },
      { service: 'ec2', operation: 'DescribeRouteTables', parameters: { RouteTableIds: [routeTableId] } },
      {
        service: 'autoscaling',
        operation: 'DescribeLifecycleHooks',
        parameters: { AutoScalingGroupName: 'rtr2' },
      },
    ]);
    expect(interfaces?.output).toMatchObject({
      NetworkInterfaces: [
        {
          NetworkInterfaceId: dataA,
          SourceDestCheck: false,
          Attachment: { InstanceId: instanceA, DeviceIndex: 1, Status: 'attached' },
          PrivateIpAddresses: [{ Primary: true }, { Association: { PublicIp: '203.0.113.10' } }, {}],
        },
      ],
    });
    expect(tables?.output).toMatchObject({ RouteTables: [{ Tags: [{ Key: 'ha', Value: 'north' }] }] });
    expect(activities?.output).toMatchObject({ LifecycleHooks: [{ HeartbeatTimeout: 60 }] });
  });

  test('every refusal is read with its code, its words and the id of the request', async () => {
    const said = await ask(refused.map(([, call]) => call));
    const heard = refused.map(([, call], place) => heardOf(call, said[place]));
    expect(heard).toEqual(refused.map(([code, call]) => ({ call: named(call), code, strange: [] })));
  });

  test.each<[code: string, service: Call['service'], fault: Ec2FaultInput]>([
    ['RequestLimitExceeded', 'ec2', { kind: 'throttle' }],
    ['Throttling', 'autoscaling', { kind: 'throttle' }],
    ['InternalError', 'ec2', { kind: 'error', code: 'InternalError' }],
    ['UnauthorizedOperation', 'ec2', { kind: 'error', code: 'UnauthorizedOperation' }],
    ['AccessDenied', 'autoscaling', { kind: 'error', code: 'UnauthorizedOperation' }],
  ])('%s of %s, which a fault brings', async (code, service, fault) => {
    aws.lab.emulator.addFault(fault);
    const operation = service === 'ec2' ? 'DescribeAddresses' : 'DescribeAutoScalingGroups';
    const call = { service, operation, parameters: {} };
    const [said] = await ask([call]);
    expect(heardOf(call, said)).toEqual({ call: named(call), code, strange: [] });
  });

  test.each<[ec2: string, others: string, as: CredentialSet]>([
    ['AuthFailure', 'SignatureDoesNotMatch', { ...credentials, secretAccessKey: 'another' }],
    ['RequestExpired', 'ExpiredToken', { ...credentials, accessKeyId: 'ASIAOLD', expiresAt: 0 }],
  ])('credentials that are not taken: %s, %s', async (ofEc2, ofOthers, as) => {
    if (as.expiresAt === 0) aws.lab.registry.register(as);
    const calls: readonly Call[] = [
      { service: 'ec2', operation: 'DescribeAddresses', parameters: {} },
      { service: 'sns', operation: 'Publish', parameters: { TopicArn: TOPIC, Message: 'x' } },
    ];
    const said = await ask(calls, as);
    expect(said.map(({ error, strange }) => [error?.Code, strange])).toEqual([
      [ofEc2, []],
      [ofOthers, []],
    ]);
  });

  test('the command itself: a table of what is there, a change, and a refusal in its own words', async () => {
    const interfaces = await cli(
      aws,
      'ec2',
      'describe-network-interfaces',
      '--query',
      'NetworkInterfaces[].NetworkInterfaceId',
    );
    expect(JSON.parse(interfaces.out)).toContain(dataA);
    const replace = [
      'ec2',
      'replace-route',
      '--route-table-id',
      routeTableId,
      '--network-interface-id',
      dataA,
    ];
    expect(await cli(aws, ...replace, '--destination-cidr-block', '10.9.0.0/16')).toMatchObject({
      code: 0,
      out: '',
    });
    const refusal = await cli(aws, ...replace, '--destination-cidr-block', '10.99.0.0/16');
    expect(refusal).toMatchObject({
      code: 254,
      err: expect.stringMatching(
        /An error occurred \(InvalidParameterValue\) when calling the ReplaceRoute operation.*: There is no route defined for '10.99.0.0\/16'/,
      ) as unknown,
    });
  });
});

function heardOf(call: Call, said: Said | undefined) {
  const { error, requestId, strange = [] } = said ?? {};
  const lacks = [
    ...(error?.Message === undefined || error.Message === '' ? ['no words'] : []),
    ...(typeof requestId === 'string' && requestId !== '' ? [] : ['no id of the request']),
  ];
  return { call: named(call), code: error?.Code, strange: [...strange, ...lacks] };
}

async function cli({ lab }: Aws, ...args: readonly string[]) {
  const env = {
    ...CLEAN_ENVIRONMENT,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
  };
  const all = [...args, '--endpoint-url', lab.emulator.url, '--region', region.region, '--output', 'json'];
  try {
    const { stdout, stderr } = await promisify(execFile)(AWS_CLI, all, { env });
    return { code: 0, out: stdout, err: stderr };
  } catch (error: unknown) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

test('each refusal that the code of the lab has is among those that are provoked here', () => {
  const lab = join(__dirname, '../../../lab');
  const sources = ['ec2-emulator', 'autoscaling-emulator', 'sns-emulator'].flatMap((folder) =>
    readdirSync(join(lab, folder))
      // What only an operator of the lab does, and no call of the API.
      .filter((name) => name.endsWith('.ts') && name !== 'changes.ts')
      .map((name) => readFileSync(join(lab, folder, name), 'utf8')),
  );
  const codes = sources.flatMap((text) =>
    [...text.matchAll(/refused\(\s*'([\w.]+)'/g)].map(([, code = '']) => code),
  );
  const elsewhere = [
    // By credentials.
    'RequestExpired',
    // Of making routers, tables and interfaces in the lab.
    'InvalidSubnetID.NotFound',
    'InsufficientFreeAddressesInSubnet',
    'InvalidVpcID.NotFound',
    // Of actions that Debian's AWS CLI does not know yet: the SDK provokes it (test/lab/applicationChecks.test.ts).
    'InvalidApplicationStatusCheckID.NotFound',
  ];
  const provoked = [...refused.map(([code]) => code), ...elsewhere];
  expect([...new Set(codes)].filter((code) => !provoked.includes(code))).toEqual([]);
});
