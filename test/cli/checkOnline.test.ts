// `check-config --online` against the lab's EC2 and IMDS: what it proves, what it names, and what it cannot know.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ec2World } from '../../lab/ec2-emulator/world';
import { checkOnline } from '../../src/cli/checkOnline';
import { addressOf, eniOf, openAwsLab, targetOf, type AwsLab } from '../adapters/aws/awsLab';
import { ALLOCATION, IPV6, newTargetsWorld, TABLE } from '../adapters/aws/targetsLab';

let directory: string;
let lab: AwsLab;
const IMDS = 'AWS_EC2_METADATA_SERVICE_ENDPOINT';
const imdsBefore = process.env[IMDS];

/** An instance type that the lab knows. */
function newWorld(): Ec2World {
  const model = newTargetsWorld().model;
  return new Ec2World({
    ...model,
    instances: model.instances.map((each) => ({ ...each, instanceType: 'c5.large' })),
  });
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-online-'));
  lab = await openAwsLab({ world: newWorld() });
  process.env[IMDS] = lab.imdsEmulator.url;
});
afterEach(async () => {
  if (imdsBefore === undefined) delete process.env[IMDS];
  else process.env[IMDS] = imdsBefore;
  await lab.close();
  rmSync(directory, { recursive: true });
});

type Entry = { readonly [key: string]: unknown };
const slot = { instance_intf_number: 1 };
const action = (method: string, list: string, entries: readonly Entry[]) => ({
  method,
  method_params: { [list]: entries },
});
const addresses = (...entries: readonly Entry[]) => action('secondary_ip_shift', 'intf_list', entries);
const all = [
  addresses({ secondary_ip: targetOf(1), ...slot }, { secondary_ip: IPV6, ...slot }),
  action('route_table_shift', 'route_list', [
    { route_table_id: TABLE, destination: '10.9.0.0/16', ...slot },
    { route_table_id: TABLE, destination: '2001:db8:9::/48', ...slot },
  ]),
  action('elastic_ip_shift', 'eip_list', [{ allocation_id: ALLOCATION, ...slot }]),
];

async function check(extra: Entry = {}, prove = false) {
  const path = join(directory, 'config.json');
  const config = {
    ec2_private_endpoint_url: lab.emulator.url,
    actions: all,
    bfd_sessions: [{ session_type: 'SINGLE_HOP', intf_name: 'TenGigE0/0/0/1', neigh_ip: addressOf(2, 1) }],
    ...extra,
  };
  writeFileSync(path, JSON.stringify({ config }));
  const written = { out: '', err: '' };
  const code = await checkOnline(
    path,
    { prove },
    {
      out: { write: (text) => (written.out += text) },
      err: { write: (text) => (written.err += text) },
    },
  );
  return { code, ...written };
}

test('a configuration that fits: what is permitted, and what cannot be proven; nothing is changed', async () => {
  const before = lab.world.model;
  const { code, out, err } = await check({ source_dest_check: 'disable' });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const lines = out.split('\n').filter((line) => !line.startsWith('warning: config.'));
  expect(lines).toEqual([
    'this router is i-0000000000000001a in us-west-2a, vpc-0a0a0a0a: STANDBY',
    `permitted: ReplaceRoute on ${TABLE}`,
    `permitted: CreateRoute on ${TABLE}`,
    `permitted: AssociateAddress on ${ALLOCATION} to ${eniOf(1, 1)}`,
    `permitted: AssociateAddress on ${ALLOCATION} to ${eniOf(2, 1)}`,
    `permitted: ModifyNetworkInterfaceAttribute on ${eniOf(1, 1)}`,
    'cannot be proven ahead: AssignPrivateIpAddresses and AssignIpv6Addresses, which have no DryRun; on the ACTIVE router --prove-writes writes what is there already',
    "cannot be proven ahead: that the role may write addresses to the peer's interfaces (ha switchover, giving back)",
    'cannot be proven ahead: UnassignIpv6Addresses, which has no DryRun and would take the address away',
    'OK',
    '',
  ]);
  expect(lab.world.model).toBe(before);
});

test('all mistakes at once: a wrong interface number, a missing Elastic IP, a check that is on, a denied action', async () => {
  lab.world.commit(
    {
      ok: true,
      value: {
        ...lab.world.model,
        networkInterfaces: lab.world.model.networkInterfaces.map((each) =>
          each.networkInterfaceId === eniOf(1, 1) ? { ...each, sourceDestCheck: true } : each,
        ),
      },
    },
    { by: 'operator' },
  );
  lab.emulator.addFault({ kind: 'error', code: 'UnauthorizedOperation', action: 'ReplaceRoute' });
  const { code, out, err } = await check({
    actions: [
      addresses({ secondary_ip: targetOf(2), instance_intf_number: 7 }),
      all[1],
      action('elastic_ip_shift', 'eip_list', [{ allocation_id: 'eipalloc-0000000f', ...slot }]),
    ],
  });
  expect(code).toBe(2);
  expect(out).not.toContain('OK');
  const [title, ...mistakes] = err.trimEnd().split('\n');
  expect(title).toBe('The configuration does not fit this instance:');
  expect(mistakes).toEqual([
    expect.stringMatching(/there is no instance_intf_number 7 on i-0000000000000001a/),
    expect.stringMatching(/eip_list \(eipalloc-0000000f\): this account has no such Elastic IP/),
    expect.stringMatching(/config\.source_dest_check: the source\/destination check of eni-000000011 is on/),
    expect.stringMatching(
      /EC2 denies ReplaceRoute on rtb-00000001: allow ec2:ReplaceRoute in the policy of the role/,
    ),
  ]);
});

test('a read that is denied is named', async () => {
  lab.emulator.addFault({ kind: 'error', code: 'UnauthorizedOperation', action: 'DescribeAddresses' });
  const { code, out, err } = await check();
  expect(code).toBe(2);
  expect(err).toContain('EC2 denies DescribeAddresses on everything: allow ec2:DescribeAddresses');
  expect(out).toContain('permitted: DescribeRouteTables on everything');
});

test('an endpoint of another Region is named without a call', async () => {
  const { code, err } = await check({
    ec2_private_endpoint_url: 'http://vpce-0123-abcd.ec2.eu-west-1.vpce.amazonaws.com:1',
  });
  expect(code).toBe(4);
  expect(err).toContain(
    'config.ec2_private_endpoint_url: this is an endpoint of eu-west-1, and this router is in us-west-2',
  );
});

test.each([
  ['EC2', () => lab.emulator.stop(), /not all could be checked: EC2: /],
  ['IMDS', () => lab.imdsEmulator.stop(), /not all could be checked: IMDS at .* cannot be read/],
])('%s that cannot be reached: exit code 4, and why', async (_name, stop, words) => {
  await stop();
  const { code, out, err } = await check();
  expect(code).toBe(4);
  expect(err).toMatch(words);
  expect(out).not.toContain('OK');
});

test('too many addresses for the type of the instance are counted with those that are there', async () => {
  const many = Array.from({ length: 10 }, (_, place) => ({
    secondary_ip: `172.31.1.${50 + place}`,
    ...slot,
  }));
  const { code, err } = await check({ actions: [addresses(...many)] });
  expect(code).toBe(2);
  expect(err).toContain(
    `${eniOf(1, 1)}, device index 1, would have 11 IPv4 addresses with all that float, and c5.large allows 10`,
  );
  const nine = await check({ actions: [addresses(...many.slice(1))] });
  expect(nine).toMatchObject({ code: 0, err: '' });
});

test('without addresses that float, room for them is no question', async () => {
  const { code, out } = await check({ actions: all.slice(1) });
  expect(code).toBe(0);
  expect(out).not.toContain('room for all addresses');
  expect(lab.emulator.requests().map(({ action: name }) => name)).not.toContain('DescribeInstanceTypes');
});

test('without the optional permissions it says what is not known', async () => {
  for (const name of ['DescribeInstanceTypes', 'DescribeInstanceStatus'])
    lab.emulator.addFault({ kind: 'error', code: 'UnauthorizedOperation', action: name });
  const { code, out } = await check();
  expect(code).toBe(0);
  expect(out).toContain(
    'not checked: room for all addresses: EC2 does not say how many addresses c5.large allows',
  );
  expect(out).toContain('warning: DescribeInstanceStatus, which is optional: UnauthorizedOperation');
});

describe('--prove-writes', () => {
  const writes = () => lab.emulator.requests().filter(({ action: name }) => name.startsWith('Assign'));
  const mine = (secondary: string) => ({
    actions: [addresses({ secondary_ip: secondary, ...slot })],
  });

  test('on a STANDBY nothing is written', async () => {
    const { code, out } = await check(mine(targetOf(1)), true);
    expect(code).toBe(0);
    expect(out).toContain('not proven: writes, because not all targets are on this router');
    expect(writes()).toEqual([]);
  });

  test('on the ACTIVE what is there is written again, without reassignment', async () => {
    lab.world.commit(
      {
        ok: true,
        value: {
          ...lab.world.model,
          networkInterfaces: lab.world.model.networkInterfaces.map((each) =>
            each.networkInterfaceId === eniOf(1, 1) ? { ...each, secondaryIps: ['172.31.1.77'] } : each,
          ),
        },
      },
      { by: 'operator' },
    );
    const { code, out } = await check(mine('172.31.1.77'), true);
    expect(code).toBe(0);
    expect(out).toContain(`permitted: AssignPrivateIpAddresses on 172.31.1.77 to ${eniOf(1, 1)}`);
    expect(writes().map(({ params }) => params['AllowReassignment'])).toEqual(['false']);
    lab.emulator.addFault({
      kind: 'error',
      code: 'UnauthorizedOperation',
      action: 'AssignPrivateIpAddresses',
    });
    const denied = await check(mine('172.31.1.77'), true);
    expect(denied.code).toBe(2);
    expect(denied.err).toContain('EC2 denies AssignPrivateIpAddresses on 172.31.1.77');
  });
});
