// Moving routes, Elastic IPs and IPv6 addresses: the calls, their order, and what each way of failing means.
import type { Ec2FaultInput } from '../../../lab/ec2-emulator/faults';
import type { RequestedMove } from '../../../src/core/state/model';
import type { AwsPlan, AwsTarget } from '../../../src/aws/description';
import { addressOf, eniOf, openAwsLab, plan, moverOf, type AwsLab } from './awsLab';
import {
  ALLOCATION,
  IPV6,
  PREFIX_LIST,
  TABLE,
  TAGGED,
  elasticIpTarget,
  ipv6Target,
  newTargetsWorld,
  routeTarget,
  taggedTarget,
} from './targetsLab';

let lab: AwsLab;
beforeEach(async () => {
  lab = await openAwsLab({ world: newTargetsWorld() });
});
afterEach(() => lab.close());

const OWN = eniOf(1, 1);

function move(target: AwsTarget, change: Partial<RequestedMove> = {}) {
  const of: AwsPlan = { ...plan, targets: [target] };
  const mover = moverOf(lab.ec2, { plan: of });
  return mover.send({
    attempt: 1,
    call: 1,
    send: 1,
    timeoutMs: 2_000,
    networkInterfaceId: OWN,
    targets: [target.id],
    allowReassignment: true,
    rank: 0,
    ...change,
  });
}

const actions = () => lab.emulator.requests().map(({ action }) => action);
const refuse = (action: string, code: string): Ec2FaultInput => ({
  kind: 'error',
  code,
  action,
  count: 1,
});

describe('a route', () => {
  const target = routeTarget('10.9.0.0/16');
  const leadsTo = (value: string, table = TABLE) =>
    lab.world.model.routeTables
      .find(({ routeTableId }) => routeTableId === table)
      ?.routes.find(({ destination }) => destination.value === value)?.target;

  test('that is there is replaced', async () => {
    expect(await move(target)).toMatchObject({ failure: null });
    expect(actions()).toEqual(['ReplaceRoute']);
    expect(leadsTo('10.9.0.0/16')).toEqual({ kind: 'networkInterface', id: OWN });
  });

  test.each(['InvalidParameterValue', 'InvalidRoute.NotFound'] as const)(
    'that is not there is created (%s)',
    async (missingRouteCode) => {
      lab.world.changeSettings({ missingRouteCode });
      expect(await move(routeTarget('10.10.0.0/16'))).toMatchObject({ failure: null });
      expect(actions()).toEqual(['ReplaceRoute', 'CreateRoute']);
      expect(leadsTo('10.10.0.0/16')).toEqual({ kind: 'networkInterface', id: OWN });
    },
  );

  test('that somebody creates meanwhile is replaced after all', async () => {
    lab.emulator.addFault(refuse('ReplaceRoute', 'InvalidParameterValue'));
    expect(await move(target)).toMatchObject({ failure: null });
    expect(actions()).toEqual(['ReplaceRoute', 'CreateRoute', 'ReplaceRoute']);
    expect(leadsTo('10.9.0.0/16')).toEqual({ kind: 'networkInterface', id: OWN });
  });

  test('is claimed by creating it, and lost where it is there', async () => {
    const claim = { allowReassignment: false };
    expect(await move(routeTarget('10.10.0.0/16'), claim)).toMatchObject({ failure: null });
    expect(await move(target, claim)).toMatchObject({
      failure: { kind: 'refused', code: 'RouteAlreadyExists' },
    });
    expect(actions()).toEqual(['CreateRoute', 'CreateRoute']);
  });

  test('of IPv6 in a table of both families', async () => {
    expect(await move(routeTarget('2001:db8:9::/48', 'ipv6'))).toMatchObject({ failure: null });
    expect(leadsTo('2001:db8:9::/48')).toEqual({ kind: 'networkInterface', id: OWN });
    expect(leadsTo('::/0')).toEqual({ kind: 'gateway', id: 'igw-00000001' });
  });

  test('of a prefix list, in the table that the observation has found by its tag', async () => {
    const tagged = taggedTarget(PREFIX_LIST, 'prefixList');
    expect(await move(tagged)).toMatchObject({ failure: { kind: 'refused' } });
    const mover = moverOf(lab.ec2, { plan: { ...plan, targets: [tagged] }, tableOf: () => TAGGED });
    const request = { attempt: 1, call: 1, send: 1, timeoutMs: 2_000, networkInterfaceId: OWN, rank: 0 };
    const outcome = await mover.send({ ...request, targets: [tagged.id], allowReassignment: true });
    expect(outcome).toMatchObject({ failure: null });
    expect(leadsTo(PREFIX_LIST, TAGGED)).toEqual({ kind: 'networkInterface', id: OWN });
  });

  test('what EC2 says otherwise is passed on', async () => {
    lab.emulator.addFault(refuse('ReplaceRoute', 'UnauthorizedOperation'));
    expect(await move(target)).toMatchObject({ failure: { kind: 'refused', code: 'UnauthorizedOperation' } });
    expect(actions()).toEqual(['ReplaceRoute']);
  });
});

describe('an Elastic IP', () => {
  const at = () => {
    const [eip] = lab.world.model.elasticIps;
    return eip?.association && [eip.association.networkInterfaceId, eip.association.privateIp];
  };

  test('goes to the primary address, or to the one that is given', async () => {
    expect(await move(elasticIpTarget())).toMatchObject({ failure: null });
    expect(at()).toEqual([OWN, addressOf(1, 1)]);
    lab.world.assign(OWN, ['172.31.1.50']);
    const given = { privateAddress: '172.31.1.50' };
    expect(await move(elasticIpTarget('172.31.1.50'), given)).toMatchObject({ failure: null });
    expect(at()).toEqual([OWN, '172.31.1.50']);
  });

  test('that is there already is a success', async () => {
    await move(elasticIpTarget());
    expect(await move(elasticIpTarget())).toMatchObject({ failure: null });
    expect(at()).toEqual([OWN, addressOf(1, 1)]);
  });

  test('is claimed only while it is free', async () => {
    const claim = { allowReassignment: false };
    expect(await move(elasticIpTarget(), claim)).toMatchObject({
      failure: { kind: 'refused', code: 'Resource.AlreadyAssociated' },
    });
    lab.world.disassociateAddress(ALLOCATION);
    expect(await move(elasticIpTarget(), claim)).toMatchObject({ failure: null });
  });
});

describe('an IPv6 address', () => {
  const releases = [{ networkInterfaceId: eniOf(2, 1), targets: [IPV6] }];
  const holds = (eni: string) =>
    lab.world.model.networkInterfaces
      .find(({ networkInterfaceId }) => networkInterfaceId === eni)
      ?.ipv6Addresses?.includes(IPV6) === true;

  test('is taken off its holder and then assigned', async () => {
    expect(await move(ipv6Target, { releases })).toMatchObject({ failure: null });
    expect(actions()).toEqual(['UnassignIpv6Addresses', 'AssignIpv6Addresses']);
    expect([holds(OWN), holds(eniOf(2, 1))]).toEqual([true, false]);
  });

  test('that the holder has lost already is assigned all the same', async () => {
    lab.world.unassignIpv6(eniOf(2, 1), [IPV6]);
    expect(await move(ipv6Target, { releases })).toMatchObject({ failure: null });
    expect(holds(OWN)).toBe(true);
  });

  test('a claim unassigns nothing', async () => {
    expect(await move(ipv6Target, { releases, allowReassignment: false })).toMatchObject({
      failure: { kind: 'refused' },
    });
    expect(actions()).toEqual(['AssignIpv6Addresses']);
    expect(holds(eniOf(2, 1))).toBe(true);
  });

  test.each(['PrivateIpAddressLimitExceeded', 'RequestLimitExceeded', 'InternalError'])(
    'unassigned and not assigned (%s): the outcome is not known, and the next try mends it',
    async (code) => {
      lab.emulator.addFault(refuse('AssignIpv6Addresses', code));
      expect(await move(ipv6Target, { releases })).toMatchObject({ failure: { kind: 'uncertain', code } });
      expect([holds(OWN), holds(eniOf(2, 1))]).toEqual([false, false]);
      expect(await move(ipv6Target, { releases })).toMatchObject({ failure: null });
      expect(holds(OWN)).toBe(true);
    },
  );

  test('that may not be unassigned is refused, with both reasons', async () => {
    lab.emulator.addFault(refuse('UnassignIpv6Addresses', 'UnauthorizedOperation'));
    const { failure } = await move(ipv6Target, { releases });
    expect(failure).toMatchObject({ kind: 'refused' });
    expect(failure?.message).toMatch(/unassigning before: UnauthorizedOperation/);
    expect(holds(eniOf(2, 1))).toBe(true);
  });

  test('throttled before anything was unassigned: nothing is done', async () => {
    lab.emulator.addFault(refuse('UnassignIpv6Addresses', 'RequestLimitExceeded'));
    expect(await move(ipv6Target, { releases })).toMatchObject({ failure: { kind: 'throttled' } });
    expect(actions()).toEqual(['UnassignIpv6Addresses']);
  });
});
