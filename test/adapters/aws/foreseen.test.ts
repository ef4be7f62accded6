// What EC2 would refuse to move and a reading shows: in which words, where, and how the daemon says it.
import { ForeseenRefusals } from '../../../src/aws/checks/foreseen';
import type { KnownInterface } from '../../../src/aws/reads/shownInterface';
import type { Shown } from '../../../src/aws/kinds/kind';
import { foreseeRefusals } from '../../../src/aws/reads/refusals';
import type { Holder, Observation } from '../../../src/core/state/readings';
import type { AwsTarget } from '../../../src/aws/description';
import { addressTarget, observationOf, planOf, TARGETS } from '../../support/coreWorld';
import { memoryLog } from './awsLab';

const slot = { deviceIndex: 2, networkCardIndex: 0, rank: 0 };
const [, ADDRESS] = TARGETS;
const IPV6 = '2001:db8:0:105::10';
const OWN = 'eni-own2';
const PEERS = 'eni-peer2';
const private2 = addressTarget(ADDRESS, 2);
const ipv6: AwsTarget = { kind: 'ipv6Address', id: IPV6, address: IPV6, ...slot };
const elasticIp = (privateAddress: string | null = null): AwsTarget => ({
  kind: 'elasticIp',
  id: 'eipalloc-1',
  allocationId: 'eipalloc-1',
  privateAddress,
  ...slot,
});
const route = (kind: 'ipv4' | 'prefixList', value: string): AwsTarget => ({
  kind: 'route',
  id: 'the route',
  routeTable: { id: 'rtb-1' },
  destination: { kind, value },
  ...slot,
});

const known = (networkInterfaceId: string, primaryAddress: string, change = {}): KnownInterface => ({
  networkInterfaceId,
  vpcId: 'vpc-1',
  zone: 'us-west-2a',
  primaryAddress,
  primaryAddresses: [primaryAddress],
  addresses: [primaryAddress],
  describedAddresses: [{ PrivateIpAddress: primaryAddress }],
  managedBy: null,
  ...change,
});
const ownKnown = (change = {}) => known(OWN, '172.31.105.100', change);
const peersKnown = (change = {}) => known(PEERS, '172.31.105.20', change);

function on(networkInterfaceId: string, instanceId: string, isMine = false): Holder {
  const attachment = { to: 'instance', instanceId } as const;
  return { kind: 'interface', networkInterfaceId, attachment, mine: isMine };
}

type Case = {
  readonly target?: AwsTarget;
  readonly others?: readonly AwsTarget[];
  readonly own?: object;
  readonly peers?: object;
  readonly holder?: Holder | null;
  readonly shown?: Partial<Shown>;
};

/** What is foreseen of the target, by interface. At the peer it is not, unless it is said so. */
function foreseen({ target = private2, others = [], own, peers, holder, shown }: Case) {
  const plan = planOf({ targets: [target, ...others] });
  const elsewhere = on('eni-other', 'i-other');
  const holders = { [target.id]: holder === undefined ? elsewhere : holder };
  const described = [ownKnown(own), peersKnown(peers)];
  const refusals = foreseeRefusals(
    plan,
    { ...observationOf('peer'), holders },
    {
      described: (id) => described.find(({ networkInterfaceId }) => networkInterfaceId === id),
      elasticIps: new Map(),
      vpcs: new Map(),
      limits: null,
      ...shown,
    },
  );
  return refusals[target.id] ?? {};
}

const onPeer = on(PEERS, 'i-peer');
const mine = on(OWN, 'i-own', true);
const managed = { managedBy: 'eks.amazonaws.com' };
const limits = { type: 'c5.large', ipv4: 3, ipv6: 2 };
const withEip = (allocation: string) => ({
  describedAddresses: [
    {
      PrivateIpAddress: '172.31.105.100',
      Association: { AllocationId: allocation, PublicIp: '203.0.113.9' },
    },
  ],
});
const eip = (change: object) => ({
  elasticIps: new Map([['eipalloc-1', { service: null, borderGroup: null, ...change }]]),
});

test.each<[string, Case, string, RegExp]>([
  [
    'an interface that a service manages',
    { own: managed },
    OWN,
    /eni-own2 is managed by eks\.amazonaws\.com/,
  ],
  ['the same for IPv6', { target: ipv6, own: managed }, OWN, /eni-own2 is managed by/],
  ['the same for an Elastic IP', { target: elasticIp(), own: managed }, OWN, /eni-own2 is managed by/],
  ['the same at the peer', { peers: managed }, PEERS, /eni-peer2 is managed by/],
  [
    'a primary address of the peer',
    { holder: onPeer, peers: { primaryAddresses: [ADDRESS] } },
    OWN,
    /172\.31\.105\.10 is the primary address of eni-peer2/,
  ],
  [
    'a primary IPv6 address of the peer',
    { target: ipv6, holder: onPeer, peers: { primaryAddresses: ['172.31.105.20', IPV6] } },
    OWN,
    /2001:db8:0:105::10 is the primary address of eni-peer2/,
  ],
  [
    'more addresses than the type allows',
    { own: { addresses: ['172.31.105.100', '172.31.105.1', '172.31.105.2'] }, shown: { limits } },
    OWN,
    /eni-own2, device index 2, would have 4 IPv4 addresses with all that float, and c5\.large allows 3/,
  ],
  [
    '... all that float counted',
    { others: [addressTarget('172.31.105.11', 2), addressTarget('172.31.105.12', 2)], shown: { limits } },
    OWN,
    /would have 4 IPv4 addresses/,
  ],
  [
    '... of IPv6',
    { target: ipv6, own: { addresses: ['172.31.105.100', '2001:db8::1', '2001:db8::2'] }, shown: { limits } },
    OWN,
    /would have 3 IPv6 addresses with all that float, and c5\.large allows 2/,
  ],
  [
    'an Elastic IP of a service',
    { target: elasticIp(), shown: eip({ service: 'alb' }) },
    OWN,
    /it is managed by the AWS service alb/,
  ],
  [
    'an Elastic IP of another network border group',
    { target: elasticIp(), shown: eip({ borderGroup: 'us-west-2-lax-1' }) },
    OWN,
    /of the network border group us-west-2-lax-1, and eni-own2 is in us-west-2a: take an Elastic IP of us-west-2$/,
  ],
  [
    '... the router in a Wavelength Zone',
    {
      target: elasticIp(),
      own: { zone: 'us-west-2-wl1-las-wlz-1' },
      shown: eip({ borderGroup: 'us-west-2' }),
    },
    OWN,
    /take an Elastic IP of us-west-2-wl1-las-wlz-1$/,
  ],
  [
    'an address with an Elastic IP of its own',
    { target: elasticIp(), own: withEip('eipalloc-2') },
    OWN,
    /172\.31\.105\.100 of eni-own2 has the Elastic IP 203\.0\.113\.9 \(eipalloc-2\)/,
  ],
  [
    'a private_ip that is not there',
    { target: elasticIp('172.31.105.9') },
    OWN,
    /172\.31\.105\.9 is not on eni-own2: assign it there, or name another private_ip/,
  ],
  [
    'a route table of another VPC',
    { target: route('ipv4', '10.0.0.0/8'), shown: { vpcs: new Map([['the route', 'vpc-2']]) } },
    OWN,
    /its route table is of vpc-2, and eni-own2 of vpc-1/,
  ],
  [
    'a route that belongs to a gateway endpoint',
    {
      target: route('prefixList', 'pl-1'),
      holder: { kind: 'gateway', gatewayId: 'vpce-0123', mine: false },
    },
    OWN,
    /it leads to the gateway endpoint vpce-0123/,
  ],
])('%s', (_what, given, where, words) => {
  expect(foreseen(given)[where]).toMatch(words);
});

test.each<[string, Case]>([
  ['nothing special', {}],
  [
    'a managed interface of the peer that has it, as a place for it',
    { peers: managed, target: elasticIp(), holder: onPeer },
  ],
  [
    'as many addresses as the type allows',
    { own: { addresses: ['172.31.105.100', '172.31.105.1'] }, shown: { limits } },
  ],
  [
    'an address that is there already',
    { own: { addresses: ['172.31.105.100', ADDRESS, '172.31.105.2'] }, shown: { limits } },
  ],
  [
    'room at the peer, whose type is not known',
    { holder: mine, peers: { addresses: ['1.1.1.1', '1.1.1.2', '1.1.1.3'] }, shown: { limits } },
  ],
  ['an Elastic IP of this zone', { target: elasticIp(), shown: eip({ borderGroup: 'us-west-2' }) }],
  [
    'an Elastic IP of a Local Zone',
    {
      target: elasticIp(),
      own: { zone: 'us-west-2-lax-1b' },
      peers: { zone: 'us-west-2-lax-1a' },
      shown: eip({ borderGroup: 'us-west-2-lax-1' }),
    },
  ],
  ['the Elastic IP itself on the address', { target: elasticIp(), own: withEip('eipalloc-1') }],
  [
    'a public address that is no Elastic IP',
    {
      target: elasticIp(),
      own: {
        describedAddresses: [{ PrivateIpAddress: '172.31.105.100', Association: { PublicIp: '1.2.3.4' } }],
      },
    },
  ],
  ['a private_ip that floats', { target: elasticIp(ADDRESS), others: [private2] }],
  [
    'a route to an interface that a service manages',
    { target: route('ipv4', '10.0.0.0/8'), own: managed, shown: { vpcs: new Map([['the route', 'vpc-1']]) } },
  ],
  [
    'a route that leads to a Gateway Load Balancer',
    {
      target: route('ipv4', '10.0.0.0/8'),
      holder: { kind: 'gateway', gatewayId: 'vpce-0123', mine: false },
    },
  ],
])('nothing is foreseen of %s', (_what, given) => {
  expect(foreseen(given)).toEqual({});
});

test('nothing is foreseen where the target is already', () => {
  expect(foreseen({ own: managed, holder: mine })).not.toHaveProperty(OWN);
  expect(foreseen({ peers: managed, holder: onPeer })).not.toHaveProperty(PEERS);
});

describe('the daemon', () => {
  const plan = planOf({ targets: [private2, elasticIp()] });
  const both: Observation['holders'] = { [ADDRESS]: onPeer, 'eipalloc-1': onPeer };
  const refusing = (...ids: readonly string[]) =>
    Object.fromEntries(ids.map((id) => [id, { [OWN]: 'it is managed' }]));

  function told(...observations: readonly Partial<Observation>[]) {
    const { log, logged } = memoryLog();
    const refusals = new ForeseenRefusals(plan, log);
    for (const each of observations) refusals.observed({ ...observationOf('peer'), holders: both, ...each });
    return logged().map(({ event, reason }) => `${String(event)}: ${String(reason)}`);
  }
  const wouldRefuse = (id: string) => `refusal-foreseen: EC2 would refuse to move ${id} here: it is managed`;
  const wouldNotRefuse = (id: string) =>
    `refusal-not-foreseen: EC2 shows nothing any more for which it would refuse ${id}`;
  const mended = 'refusal-not-foreseen: EC2 shows nothing any more that it would refuse in a takeover';

  test('says each once, and once that nothing is left', () => {
    const refused = { refusals: refusing(ADDRESS, 'eipalloc-1') };
    expect(told(refused, refused, { refusals: refusing(ADDRESS) }, {}, {})).toEqual([
      wouldRefuse(ADDRESS),
      wouldRefuse('eipalloc-1'),
      wouldNotRefuse('eipalloc-1'),
      mended,
    ]);
  });

  test('says what a reading shows that lacks a kind of target, and takes it for no word about that one', () => {
    const part = { holders: { [ADDRESS]: onPeer } };
    expect(
      told({ ...part, refusals: refusing(ADDRESS) }, { refusals: refusing(ADDRESS, 'eipalloc-1') }, part, {}),
    ).toEqual([wouldRefuse(ADDRESS), wouldRefuse('eipalloc-1'), wouldNotRefuse(ADDRESS), mended]);
  });

  test('says nothing of what is here already', () => {
    expect(told({ refusals: refusing(ADDRESS), holders: { [ADDRESS]: mine, 'eipalloc-1': mine } })).toEqual(
      [],
    );
  });
});
