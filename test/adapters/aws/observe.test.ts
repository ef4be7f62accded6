import fc from '../../support/properties';
import type { Ec2FaultInput } from '../../../lab/ec2-emulator/faults';
import { addressTarget, heldOn } from '../../support/coreWorld';
import { Malformed } from '../../../src/aws/reads/answer';
import {
  observationQuestion,
  readInterfaces,
  type ObservationQuestion,
} from '../../../src/aws/reads/observation';
import { observeOwnership } from '../../../src/aws/reads/observe';
import type { AwsPlan } from '../../../src/aws/description';
import {
  ROUTER_1,
  ROUTER_2,
  addressOf,
  anyNumber,
  eniOf,
  ipv6Of,
  matching,
  now,
  openAwsLab,
  plan,
  targetOf,
  type AwsLab,
} from './awsLab';

function readObservation(question: ObservationQuestion, answered: readonly unknown[]) {
  try {
    return { ok: true, observation: readInterfaces(question, answered).observation } as const;
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, problem: error.message } as const;
    throw error;
  }
}

describe('observing', () => {
  let lab: AwsLab;
  beforeEach(async () => {
    lab = await openAwsLab();
  });
  afterEach(() => lab.close());
  const observe = (timeoutMs = 2_000, of: AwsPlan = plan) =>
    observeOwnership({ ec2: lab.ec2, plan: of, identity: lab.identity, timeoutMs, now });

  test('each answer says what the clock of EC2 says, and when it did', async () => {
    expect(lab.ec2.clock()).toBeNull();
    const [before, wallBefore] = [now(), Date.now()];
    await observe();
    const { dateMs = NaN, sentAt = NaN, receivedAt = NaN } = lab.ec2.clock() ?? {};
    const inOrder = [before, sentAt, receivedAt, now()];
    expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b));
    expect(dateMs % 1000).toBe(0);
    expect(dateMs).toBeGreaterThan(wallBefore - 2000);
    expect(dateMs).toBeLessThanOrEqual(Date.now());
  });

  test('one call shows own interfaces, holders and the peer', async () => {
    const before = now();
    const result = await observe();
    expect(result).toEqual({
      ok: true,
      conflicts: null,
      startedAt: anyNumber,
      observation: {
        instanceId: ROUTER_1,
        interfaces: [0, 1, 2].map((deviceIndex) => ({
          networkInterfaceId: eniOf(1, deviceIndex),
          deviceIndex,
          networkCardIndex: 0,
          subnetId: `subnet-0000000${deviceIndex}`,
          privateIpAddresses: [
            {
              Primary: true,
              PrivateDnsName: matching(/us-west-2/),
              PrivateIpAddress: addressOf(1, deviceIndex),
            },
          ],
        })),
        holders: {
          [targetOf(1)]: heldOn(eniOf(2, 1), ROUTER_2),
          [targetOf(2)]: heldOn(eniOf(2, 2), ROUTER_2),
        },
        peers: {
          [addressOf(2, 1)]: {
            networkInterfaceId: eniOf(2, 1),
            instanceId: ROUTER_2,
            subnetId: 'subnet-00000001',
            slot: { deviceIndex: 1, networkCardIndex: 0 },
          },
        },
      },
      checked: [],
      mistakes: [],
      tables: new Map(),
    });
    expect(lab.emulator.requests()).toHaveLength(1);
    expect(result.startedAt).toBeGreaterThanOrEqual(before);
    expect(result.startedAt).toBeLessThanOrEqual(lab.emulator.requests()[0]?.receivedAt ?? 0);
  });

  test('mine, nobody, and an interface without an instance', async () => {
    lab.world.assign(eniOf(1, 1), [targetOf(1)]);
    lab.world.unassign(eniOf(2, 2), [targetOf(2)]);
    expect(await observe()).toMatchObject({
      observation: { holders: { [targetOf(1)]: heldOn(eniOf(1, 1), ROUTER_1, true), [targetOf(2)]: null } },
    });
    lab.world.assign(eniOf(2, 2), [targetOf(2)]);
    lab.world.detachInterface(eniOf(2, 2));
    expect(await observe()).toMatchObject({
      observation: {
        holders: { [targetOf(2)]: heldOn(eniOf(2, 2), null) },
      },
    });
  });

  test('an address on another interface of this router is not where it belongs', async () => {
    lab.world.assign(eniOf(1, 1), [targetOf(1)]);
    const swapped = { ...plan, targets: plan.targets.map((target) => ({ ...target, deviceIndex: 2 })) };
    expect(await observe(2_000, swapped)).toMatchObject({
      observation: { holders: { [targetOf(1)]: heldOn(eniOf(1, 1), ROUTER_1) } },
    });
  });

  test("an instance id of the peer beside this router's interfaces is not believed", async () => {
    const mistaken = { ...lab.identity, instanceId: ROUTER_2 };
    expect(
      await observeOwnership({ ec2: lab.ec2, plan, identity: mistaken, timeoutMs: 2_000, now }),
    ).toMatchObject({
      ok: false,
      failure: {
        code: 'MalformedAnswer',
        message: matching(/IMDS names other interfaces for i-\w+ than EC2/),
      },
    });
  });

  test('a stale answer is an answer', async () => {
    lab.world.assign(eniOf(1, 1), [targetOf(1)]);
    lab.emulator.addFault({ kind: 'stale', ageMs: 60_000, action: 'Describe*' });
    expect(await observe()).toMatchObject({ observation: { holders: { [targetOf(1)]: { mine: false } } } });
  });

  test('a peer is found by its IPv6 address, in a call of its own', async () => {
    const result = await observe(2_000, { ...plan, peerAddresses: [ipv6Of(2, 2)] });
    expect(result).toMatchObject({
      ok: true,
      observation: {
        peers: {
          [ipv6Of(2, 2)]: {
            networkInterfaceId: eniOf(2, 2),
            instanceId: ROUTER_2,
            subnetId: 'subnet-00000002',
          },
        },
      },
    });
    const filters = lab.emulator
      .requests()
      .map(({ params }) => [params['Filter.1.Name'], params['Filter.1.Value.1']]);
    expect(filters.sort()).toEqual([
      ['addresses.private-ip-address', targetOf(1)],
      ['ipv6-addresses.ipv6-address', ipv6Of(2, 2)],
    ]);
  });

  test.each([
    ['that EC2 does not know', '2001:db8:ffff::1'],
    ['at the end of a tunnel', '10.255.0.2'],
    // Taken for the peer, it would make the real one a third instance.
    ['of this router itself', ipv6Of(1, 1)],
    ['of this router itself', addressOf(1, 1)],
  ])('a neighbour %s is no peer (%s)', async (_what, address) => {
    const result = await observe(2_000, { ...plan, peerAddresses: [address] });
    expect(result.ok && result.observation.peers).toEqual({});
  });

  test('more addresses than one call takes are asked for side by side', async () => {
    const many = Array.from({ length: 250 }, (_, index) => addressTarget(`172.31.1.${index + 2}`, 1));
    const result = await observe(2_000, { ...plan, targets: many });
    expect(result).toMatchObject({
      observation: { holders: { [targetOf(1)]: { mine: false }, '172.31.1.2': null, '172.31.1.251': null } },
    });
    expect(lab.emulator.requests()).toHaveLength(2);
  });

  const spoil = (how: Extract<Ec2FaultInput, { kind: 'malformed' }>['how']): Ec2FaultInput => ({
    kind: 'malformed',
    how,
  });
  const without = (...elements: string[]) => spoil({ as: 'withoutElements', elements });
  const replaced = (element: string, text: string) => spoil({ as: 'replacedText', element, text });
  test.each<[string, Ec2FaultInput, string, string]>([
    ['throttled', { kind: 'throttle' }, 'throttled', 'RequestLimitExceeded'],
    ['refused', { kind: 'error', code: 'UnauthorizedOperation' }, 'refused', 'UnauthorizedOperation'],
    ['black hole', { kind: 'blackHole' }, 'uncertain', 'Timeout'],
    ['latency', { kind: 'latency', ms: 10_000 }, 'uncertain', 'Timeout'],
    ['a stalling body', { kind: 'slowBody', ms: 10_000 }, 'uncertain', 'Timeout'],
    ['reset', { kind: 'reset' }, 'uncertain', 'ECONNRESET'],
    ['an HTML page', { kind: 'garbagePage', status: 200 }, 'uncertain', 'MalformedAnswer'],
    ['an empty body', spoil({ as: 'empty' }), 'uncertain', 'MalformedAnswer'],
    ['half an answer', spoil({ as: 'truncated' }), 'uncertain', 'MalformedAnswer'],
    ['no list of interfaces', without('networkInterfaceSet'), 'uncertain', 'MalformedAnswer'],
    ['no interfaces', replaced('networkInterfaceSet', ''), 'uncertain', 'MalformedAnswer'],
    ['no addresses', without('privateIpAddressesSet'), 'uncertain', 'MalformedAnswer'],
    ['no address in the addresses', without('privateIpAddress'), 'uncertain', 'MalformedAnswer'],
    ['no attachments', without('attachment'), 'uncertain', 'MalformedAnswer'],
    ['no instances', without('instanceId'), 'uncertain', 'MalformedAnswer'],
    ['no device index', without('deviceIndex'), 'uncertain', 'MalformedAnswer'],
    ['no VPC', without('vpcId'), 'uncertain', 'MalformedAnswer'],
    ['another VPC', replaced('vpcId', 'vpc-99999999'), 'uncertain', 'MalformedAnswer'],
    ['other addresses', replaced('privateIpAddress', '10.9.8.7'), 'uncertain', 'MalformedAnswer'],
    ['one address for all', replaced('privateIpAddress', targetOf(1)), 'uncertain', 'MalformedAnswer'],
    ['an index that is none', replaced('deviceIndex', 'one'), 'uncertain', 'MalformedAnswer'],
    ['an instance that is none', replaced('instanceId', '<html>'), 'uncertain', 'MalformedAnswer'],
    ['another instance', replaced('instanceId', ROUTER_2), 'uncertain', 'MalformedAnswer'],
  ])('%s is a failure, never ownership', async (_name, fault, kind, code) => {
    lab.emulator.addFault(fault);
    expect(await observe(400)).toMatchObject({
      ok: false,
      failure: { kind, code },
      startedAt: anyNumber,
    });
  });

  test('works again after any of them', async () => {
    lab.emulator.addFault({ kind: 'blackHole', count: 1 });
    await observe(50);
    expect(await observe()).toMatchObject({ ok: true });
  });
});

describe('reading an answer', () => {
  const own = (deviceIndex: number) => ({
    networkInterfaceId: eniOf(1, deviceIndex),
    deviceIndex,
    networkCardIndex: 0,
    primaryAddress: addressOf(1, deviceIndex),
    subnetId: `subnet-0000000${deviceIndex}`,
    subnetCidr: `172.31.${deviceIndex}.0/24`,
    subnetIpv6Cidrs: [],
    vpcId: 'vpc-0a0a0a0a',
  });
  const question = observationQuestion(plan, {
    instanceId: ROUTER_1,
    region: 'us-west-2',
    availabilityZone: 'us-west-2a',
    interfaces: [own(1), own(2)],
  });
  const member = (router: 1 | 2, deviceIndex: number, ...secondaries: string[]) => ({
    NetworkInterfaceId: eniOf(router, deviceIndex),
    SubnetId: `subnet-0000000${deviceIndex}`,
    VpcId: 'vpc-0a0a0a0a',
    Status: 'in-use',
    PrivateIpAddress: addressOf(router, deviceIndex),
    PrivateIpAddresses: [addressOf(router, deviceIndex), ...secondaries].map((address, index) => ({
      PrivateIpAddress: address,
      Primary: index === 0,
    })),
    Attachment: {
      InstanceId: router === 1 ? ROUTER_1 : ROUTER_2,
      DeviceIndex: deviceIndex,
      NetworkCardIndex: 0,
    },
  });
  const whole = [member(1, 1), member(1, 2), member(2, 1, targetOf(1)), member(2, 2, targetOf(2))];

  test('two holders of one address contradict each other', () => {
    const both = [member(1, 1, targetOf(1)), member(1, 2), member(2, 1, targetOf(1))];
    expect(readObservation(question, both)).toEqual({
      ok: false,
      problem: `${targetOf(1)} is on ${eniOf(1, 1)} and on ${eniOf(2, 1)} at once`,
    });
  });

  test('an interface on another network card is not the one with that device index', () => {
    const other = {
      ...member(1, 2),
      Attachment: { InstanceId: ROUTER_1, DeviceIndex: 1, NetworkCardIndex: 1 },
    };
    const reading = readObservation(question, [member(1, 1), other]);
    const target = { ...addressTarget('172.31.1.11', 1), networkCardIndex: 1 };
    const holders = (targets: AwsPlan['targets']) => {
      const asked = { ...question, targets };
      return readInterfaces(asked, [member(1, 1), other]).observation.holders['172.31.1.11']?.mine;
    };
    expect(reading).toMatchObject({
      observation: { interfaces: [{ networkCardIndex: 0 }, { networkCardIndex: 1 }] },
    });
    expect(holders([addressTarget('172.31.1.11', 1)])).toBe(true);
    expect(holders([target])).toBe(false);
  });

  test('an answer without any interface of ours is not one', () => {
    expect(readObservation(question, [member(2, 1, targetOf(1))])).toMatchObject({ ok: false });
    expect(readObservation(question, [])).toMatchObject({ ok: false });
  });

  test('random values never throw and never become an observation', () => {
    fc.assert(
      fc.property(fc.array(fc.anything()), (members) =>
        expect(readObservation(question, members).ok).toBe(false),
      ),
    );
  });

  test('an answer with one field removed or replaced never gives a target to this router or to nobody', () => {
    expect(readObservation(question, whole)).toMatchObject({ ok: true });
    const paths = [
      'NetworkInterfaceId',
      'SubnetId',
      'VpcId',
      'Status',
      'PrivateIpAddress',
      'PrivateIpAddresses',
      'Attachment',
    ];
    const value = fc.oneof(
      fc.anything(),
      fc.constantFrom<unknown>(undefined, null, '', [], {}, [{}], targetOf(1)),
    );
    fc.assert(
      fc.property(fc.nat(3), fc.constantFrom(...paths), value, (which, path, spoilt) => {
        const reading = readObservation(
          question,
          whole.map((each, index) => (index === which ? { ...each, [path]: spoilt } : each)),
        );
        if (!reading.ok) return;
        for (const holder of Object.values(reading.observation.holders)) {
          expect(holder).toMatchObject({ mine: false });
        }
      }),
      { numRuns: 1000 },
    );
  });
});
