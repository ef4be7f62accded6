/** Who holds a target, who is beside it, and in what words: the small questions that the rules ask. */
import { isOnThirdParty } from '../../src/core/rules/foreignHolder';
import { holderWords, isSameHolder, ownerName } from '../../src/core/levels/holders';
import { kindOf } from '../../src/core/kinds';
import type { Holder, InterfaceHolder, Observation } from '../../src/core/state/readings';
import { interfaceFor, peersBeside } from '../../src/core/levels/ownership';
import { EC2, type AwsTarget } from '../../src/aws/description';
import { addressTarget, heldOn, observationOf, planOf, slot } from '../support/coreWorld';
import { watching } from './play';

const PEER: InterfaceHolder = heldOn('eni-peer1', 'i-peer');
const SERVICE = { to: 'service', name: 'amazon-elb' } as const;
const NOWHERE: Holder = { kind: 'nowhere', mine: false, blackhole: true };
const route: AwsTarget = {
  ...slot(1),
  rank: 0,
  kind: 'route',
  id: '10.8.0.0/16 in rtb-1',
  routeTable: { id: 'rtb-1' },
  destination: { kind: 'ipv4', value: '10.8.0.0/16' },
};

test.each<[string, Partial<InterfaceHolder>, boolean]>([
  ['nothing', {}, true],
  ['its interface', { networkInterfaceId: 'eni-peer2' }, false],
  ['its instance', { attachment: { to: 'nothing' } }, false],
  ['whose it is', { attachment: SERVICE }, false],
  ['its private address', { privateAddress: '10.0.0.1' }, false],
  ['that it leads nowhere', { blackhole: true }, false],
])('a holder of which %s has changed', (_what, change, isSame) => {
  expect(isSameHolder(PEER, { ...PEER, ...change })).toBe(isSame);
  expect(isSameHolder(null, { ...PEER, ...change })).toBe(false);
  expect(isSameHolder(null, null)).toBe(true);
});

test.each<[Holder | null, string, string]>([
  [null, 'with no owner', ''],
  [PEER, 'on eni-peer1 of i-peer', 'i-peer'],
  [{ ...PEER, attachment: { to: 'nothing' } }, 'on eni-peer1', 'eni-peer1'],
  [
    { ...PEER, attachment: SERVICE },
    'on eni-peer1 of an AWS service (amazon-elb)',
    'an AWS service (amazon-elb)',
  ],
  [
    { ...PEER, attachment: { to: 'service', name: null } },
    'on eni-peer1 of an AWS service',
    'an AWS service',
  ],
  [{ kind: 'gateway', gatewayId: 'igw-1', mine: false }, 'on igw-1', 'igw-1'],
  [{ kind: 'gateway', gatewayId: 'igw-1', mine: false, blackhole: true }, 'on igw-1, a blackhole', 'igw-1'],
  [NOWHERE, 'a blackhole that leads nowhere', ''],
  [{ ...PEER, blackhole: true }, 'on eni-peer1 of i-peer, a blackhole', 'i-peer'],
  [{ ...PEER, mine: true }, 'on this router', 'i-peer'],
  [{ ...PEER, mine: true, blackhole: true }, 'on this router, a blackhole', 'i-peer'],
])('%j in words', (holder, words, name) => {
  expect([holderWords(EC2, holder), ownerName(EC2, holder)]).toEqual([words, name]);
});

test('addresses of both families belong to a subnet, routes and Elastic IPs do not', () => {
  const at = { ...slot(1), rank: 0, id: 'x' };
  const kinds: readonly AwsTarget[] = [
    addressTarget('10.0.0.1', 1),
    { ...at, kind: 'ipv6Address', address: '2001:db8::a' },
    route,
    { ...at, kind: 'elasticIp', allocationId: 'x', privateAddress: null },
  ];
  expect(kinds.map((target) => kindOf({ cloud: EC2 }, target).belongsToSubnet)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('the interface of a target has its device index on its network card', () => {
  const observation = observationOf('peer');
  const target = addressTarget('10.0.0.1', 1);
  expect(interfaceFor(observation, target)?.networkInterfaceId).toBe('eni-own1');
  expect(interfaceFor(observation, { ...target, networkCardIndex: 1 })).toBeUndefined();
});

test('beside an address is who is on its subnet, beside a route who has its device index', () => {
  const { peers, ...others } = observationOf('peer');
  const [first] = Object.values(peers);
  const elsewhere: Observation = {
    ...others,
    peers: {
      '172.31.101.20': { ...first!, networkInterfaceId: 'eni-subnet', slot: slot(9) },
      '172.31.105.20': { ...first!, networkInterfaceId: 'eni-index', subnetId: 'subnet-9' },
    },
  };
  const beside = (target: AwsTarget) =>
    peersBeside(planOf(), elsewhere, target).map(({ networkInterfaceId }) => networkInterfaceId);
  expect(beside(addressTarget('172.31.101.10', 1))).toEqual(['eni-subnet']);
  expect(beside(route)).toEqual(['eni-index']);
});

test('a third party is on the instance of none of the peer interfaces', () => {
  const { ownership } = watching('peer').state;
  const { observation } = ownership!;
  const [address = '', peer] = Object.entries(observation.peers)[1]!;
  const replaced = { ...observation.peers, [address]: { ...peer, instanceId: 'i-new' } };
  const both = { ...ownership!, observation: { ...observation, peers: replaced } };
  expect(isOnThirdParty(both, '172.31.101.10')).toBe(false);
  const third = heldOn('eni-peer1', 'i-third');
  expect(isOnThirdParty({ ...both, holders: { '172.31.101.10': third } }, '172.31.101.10')).toBe(true);
});
