// Who holds routes, Elastic IPs and IPv6 addresses, read from EC2's own answers.
import fc from '../../support/properties';
import { Malformed } from '../../../src/aws/reads/answer';
import { readElasticIps } from '../../../src/aws/reads/elasticIps';
import type { KnownInterfaces } from '../../../src/aws/reads/observation';
import { readRoutes } from '../../../src/aws/reads/routeTables';
import { observeOwnership, type ObservationResult } from '../../../src/aws/reads/observe';
import { startMistakes } from '../../../src/aws/checks/startChecks';
import type { AwsPlan, AwsTarget } from '../../../src/aws/description';
import { heldOn } from '../../support/coreWorld';
import { ROUTER_1, ROUTER_2, VPC, eniOf, now, openAwsLab, plan, targetOf, type AwsLab } from './awsLab';
import {
  ALLOCATION,
  IPV6,
  PREFIX_LIST,
  TABLE,
  TAGGED,
  elasticIpTarget,
  ipv6Target,
  mixedPlan,
  newTargetsWorld,
  routeTarget,
  taggedTarget,
} from './targetsLab';

let lab: AwsLab;
beforeEach(async () => {
  lab = await openAwsLab({ world: newTargetsWorld() });
});
afterEach(() => lab.close());

const observe = (of: AwsPlan = mixedPlan) =>
  observeOwnership({ ec2: lab.ec2, plan: of, identity: lab.identity, timeoutMs: 2_000, now });
const observing = (...targets: readonly AwsTarget[]) => observe({ ...plan, targets });

function holders(result: ObservationResult) {
  if (!result.ok) throw new Error(result.failure.message);
  return result.observation.holders;
}

const peer = heldOn(eniOf(2, 1), ROUTER_2);
const own = heldOn(eniOf(1, 1), ROUTER_1, true);

test('one of each kind at the peer, in one call of each sort', async () => {
  const result = await observe();
  expect(holders(result)).toEqual({
    [targetOf(1)]: peer,
    [IPV6]: peer,
    [`10.9.0.0/16 in ${TABLE}`]: peer,
    [`2001:db8:9::/48 in ${TABLE}`]: peer,
    [`${PREFIX_LIST} in the table tagged ha=north`]: peer,
    [ALLOCATION]: { ...peer, privateAddress: '172.31.1.12' },
  });
  expect(result).toMatchObject({
    mistakes: [],
    tables: new Map([
      [`10.9.0.0/16 in ${TABLE}`, TABLE],
      [`2001:db8:9::/48 in ${TABLE}`, TABLE],
      [`${PREFIX_LIST} in the table tagged ha=north`, TAGGED],
    ]),
  });
  // Both families of addresses, tables by id and by tag, allocations.
  expect(
    lab.emulator
      .requests()
      .map(({ action }) => action)
      .sort(),
  ).toEqual([
    'DescribeAddresses',
    'DescribeNetworkInterfaces',
    'DescribeNetworkInterfaces',
    'DescribeRouteTables',
    'DescribeRouteTables',
  ]);
});

test('a missing route and a free Elastic IP have no holder; gateways are foreign; what is propagated does not count', async () => {
  lab.world.disassociateAddress(ALLOCATION);
  const result = await observing(
    routeTarget('10.10.0.0/16'),
    routeTarget('::/0', 'ipv6'),
    // The same text is no destination of another kind.
    routeTarget('10.7.0.0/16'),
    taggedTarget('10.8.0.0/16'),
    elasticIpTarget(),
  );
  const gateway = { kind: 'gateway', mine: false };
  expect(holders(result)).toEqual({
    [`10.10.0.0/16 in ${TABLE}`]: null,
    [`::/0 in ${TABLE}`]: { ...gateway, gatewayId: 'igw-00000001' },
    [`10.7.0.0/16 in ${TABLE}`]: null,
    '10.8.0.0/16 in the table tagged ha=north': { ...gateway, gatewayId: 'nat-00000001' },
    [ALLOCATION]: null,
  });
});

test.each(['stopped', 'terminated'] as const)(
  'a route to a router that is %s is a blackhole',
  async (state) => {
    lab.world.setInstanceState(ROUTER_2, state);
    const shown = holders(await observing(routeTarget('10.9.0.0/16')))[`10.9.0.0/16 in ${TABLE}`];
    expect(shown).toMatchObject({ networkInterfaceId: eniOf(2, 1), mine: false, blackhole: true });
  },
);

test('an Elastic IP is where it belongs on the right address only', async () => {
  const request = { allocationId: ALLOCATION, networkInterfaceId: eniOf(1, 1), privateIp: undefined };
  lab.world.associateAddress(request);
  const at = async (privateAddress: string | null) =>
    holders(await observing(elasticIpTarget(privateAddress)))[ALLOCATION];
  expect(await at(null)).toEqual({ ...own, privateAddress: '172.31.1.11' });
  expect(await at('172.31.1.11')).toEqual({ ...own, privateAddress: '172.31.1.11' });
  expect(await at('172.31.1.100')).toEqual({ ...own, mine: false, privateAddress: '172.31.1.11' });
});

test('routes and IPv6 addresses of this router are its own', async () => {
  lab.world.setRoute(
    { routeTableId: TABLE, destination: { kind: 'ipv4', value: '10.9.0.0/16' } },
    { kind: 'networkInterface', id: eniOf(1, 1) },
  );
  lab.world.unassignIpv6(eniOf(2, 1), [IPV6]);
  lab.world.assignIpv6(eniOf(1, 1), [IPV6]);
  expect(holders(await observing(routeTarget('10.9.0.0/16'), ipv6Target))).toEqual({
    [`10.9.0.0/16 in ${TABLE}`]: own,
    [IPV6]: own,
  });
});

test('one kind that fails is no observation', async () => {
  for (const action of ['DescribeRouteTables', 'DescribeAddresses', 'DescribeNetworkInterfaces']) {
    lab.emulator.addFault({ kind: 'error', code: 'UnauthorizedOperation', action, count: 1 });
    expect(await observe()).toMatchObject({ ok: false, failure: { code: 'UnauthorizedOperation' } });
    lab.emulator.clearFaults();
  }
});

test('what the VPC does not have is named', async () => {
  const result = await observing(
    routeTarget('10.9.0.0/16', 'ipv4', 'rtb-0000000f'),
    { ...taggedTarget('10.9.0.0/16'), routeTable: { tag: { key: 'ha', value: 'south' } } } as AwsTarget,
    { ...elasticIpTarget(), id: 'eipalloc-0000000f', allocationId: 'eipalloc-0000000f' } as AwsTarget,
  );
  expect(result).toMatchObject({
    ok: true,
    mistakes: [
      'route_list (10.9.0.0/16 in rtb-0000000f): this VPC has no route table rtb-0000000f.',
      'route_list (10.9.0.0/16 in the table tagged ha=north): this VPC has no table tagged ha=south.',
      'eip_list (eipalloc-0000000f): this account has no such Elastic IP in this Region.',
    ],
  });
});

test('a device index that does not exist is named for every kind', () => {
  const elsewhere = [routeTarget('10.9.0.0/16'), elasticIpTarget(), ipv6Target].map((target) => ({
    ...target,
    deviceIndex: 7,
  }));
  const mistakes = startMistakes({ ...plan, targets: elsewhere }, lab.identity);
  expect(mistakes).toHaveLength(3);
  for (const mistake of mistakes) expect(mistake).toMatch(/there is no instance_intf_number 7 on/);
  const outside = startMistakes({ ...plan, targets: [elasticIpTarget('10.0.0.1')] }, lab.identity);
  expect(outside).toEqual([expect.stringMatching(/10\.0\.0\.1 is not in 172\.31\.1\.0\/24/)]);
});

describe('answers that are none', () => {
  const known: KnownInterfaces = {
    vpcIds: [VPC],
    attachmentOf: () => undefined,
    described: () => undefined,
    placeOf: () => undefined,
  };
  const malformedOnly = (read: () => unknown): boolean => {
    try {
      read();
      return true;
    } catch (error) {
      return error instanceof Malformed;
    }
  };
  const route = mixedPlan.targets.filter((target) => target.kind === 'route');
  const eip = mixedPlan.targets.filter((target) => target.kind === 'elasticIp');
  const table = (routes: unknown): unknown => ({ RouteTableId: TABLE, VpcId: VPC, Routes: routes, Tags: [] });
  const odd = fc.oneof(
    fc.anything(),
    fc.constantFrom('', 'eni-', 'blackhole', 'active', eniOf(2, 1), '10.9.0.0/16'),
  );

  test('are malformed as a whole, whatever they hold, and nothing in them is this router', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record(
            {
              DestinationCidrBlock: fc.oneof(fc.constant('10.9.0.0/16'), odd),
              State: odd,
              NetworkInterfaceId: odd,
              InstanceId: odd,
              GatewayId: odd,
              Origin: odd,
            },
            { requiredKeys: [] },
          ),
        ),
        (routes) => malformedOnly(() => readRoutes(route, [table(routes)], known)),
      ),
    );
    fc.assert(fc.property(odd, (routes) => malformedOnly(() => readRoutes(route, [table(routes)], known))));
    fc.assert(
      fc.property(
        fc.array(
          fc.record(
            {
              AllocationId: fc.oneof(fc.constant(ALLOCATION), odd),
              NetworkInterfaceId: odd,
              PrivateIpAddress: odd,
              InstanceId: odd,
              AssociationId: odd,
            },
            { requiredKeys: [] },
          ),
        ),
        (members) => malformedOnly(() => readElasticIps(eip, members, known)),
      ),
    );
    fc.assert(
      fc.property(fc.array(fc.anything()), (members) =>
        malformedOnly(() => readRoutes(route, members, known)),
      ),
    );
  });

  test.each<[what: string, routes: readonly object[]]>([
    [
      'twice the same route',
      Array(2).fill({
        DestinationCidrBlock: '10.9.0.0/16',
        State: 'active',
        NetworkInterfaceId: eniOf(2, 1),
      }),
    ],
    [
      'an origin that cannot be written as text and no state',
      [
        {
          DestinationCidrBlock: '10.9.0.0/16',
          NetworkInterfaceId: eniOf(2, 1),
          Origin: { toString: 0 },
        },
      ],
    ],
    ['no state', [{ DestinationCidrBlock: '10.9.0.0/16', NetworkInterfaceId: eniOf(2, 1) }]],
    ['no target', [{ DestinationCidrBlock: '10.9.0.0/16', State: 'active' }]],
    [
      'an interface that is none',
      [{ DestinationCidrBlock: '10.9.0.0/16', State: 'active', NetworkInterfaceId: 'eni-x' }],
    ],
  ])('%s is malformed', (_what, routes) => {
    expect(() => readRoutes(route, [table(routes)], known)).toThrow(Malformed);
  });

  test('a table of another VPC, and an Elastic IP on no address, are malformed', () => {
    const other = { RouteTableId: TABLE, VpcId: 'vpc-0b0b0b0b', Routes: [] };
    expect(() => readRoutes(route, [other], known)).toThrow(/vpc-0b0b0b0b was not asked about/);
    const member = { AllocationId: ALLOCATION, NetworkInterfaceId: eniOf(2, 1), PrivateIpAddress: '1.2.3' };
    expect(() => readElasticIps(eip, [member], known)).toThrow(Malformed);
  });
});
