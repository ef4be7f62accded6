import { addressTarget } from '../../support/coreWorld';
import { startMistakes } from '../../../src/aws/checks/startChecks';
import type { AwsPlan } from '../../../src/aws/description';
import { plan } from './awsLab';
import { ipv6Target } from './targetsLab';

const own = (deviceIndex: number, networkCardIndex = 0) => ({
  networkInterfaceId: `eni-0000001${deviceIndex}`,
  deviceIndex,
  networkCardIndex,
  primaryAddress: `172.31.${deviceIndex}.11`,
  subnetId: `subnet-0000000${deviceIndex}`,
  subnetCidr: `172.31.${deviceIndex}.0/24`,
  // That of device index 2 is not known.
  subnetIpv6Cidrs: deviceIndex === 2 ? [] : [`2001:db8:0:${deviceIndex}::/64`, '2001:db8:0:ff00::/56'],
  vpcId: 'vpc-0a0a0a0a',
});
const identity = {
  instanceId: 'i-00000001',
  region: 'us-west-2',
  availabilityZone: 'us-west-2a',
  interfaces: [own(0), own(1), own(2), own(3, 1)],
};
const withTarget = (address: string, deviceIndex: number): AwsPlan => ({
  ...plan,
  targets: [addressTarget(address, deviceIndex)],
});

test('a plan that fits has no mistakes', () => {
  expect(startMistakes(plan, identity)).toEqual([]);
});

test.each([
  [
    'a device index that does not exist',
    '172.31.1.100',
    7,
    /instance_intf_number 7.*0 \(172\.31\.0\.0\/24\), 1 \(/,
  ],
  ['one that exists on another card only', '172.31.3.100', 3, /instance_intf_number 3/],
  [
    'another subnet',
    '172.31.2.100',
    1,
    /not in 172\.31\.1\.0\/24, the subnet of eni-00000011, device index 1/,
  ],
  ['the network address', '172.31.1.0', 1, /keeps for itself/],
  ['the last of the reserved ones', '172.31.1.3', 1, /keeps for itself/],
  ['the broadcast address', '172.31.1.255', 1, /keeps for itself/],
  ['a primary address', '172.31.2.11', 2, /primary address of eni-00000012/],
])('%s', (_name, address, deviceIndex, sentence) => {
  expect(startMistakes(withTarget(address, deviceIndex), identity)).toEqual([
    expect.stringMatching(sentence),
  ]);
});

test.each(['172.31.1.4', '172.31.1.254'])('%s is allowed', (address) => {
  expect(startMistakes(withTarget(address, 1), identity)).toEqual([]);
});

const withIpv6Target = (address: string, deviceIndex: number): AwsPlan => ({
  ...plan,
  targets: [{ ...ipv6Target, kind: 'ipv6Address', id: address, address, deviceIndex }],
});

test.each([
  ['2001:db8:0:1::100', 1],
  ['2001:db8:0:ff7f::1', 1],
  ['2001:db8:9::1', 2],
])('%s is allowed on device index %i', (address, deviceIndex) => {
  expect(startMistakes(withIpv6Target(address, deviceIndex), identity)).toEqual([]);
});

test('an IPv6 address of another subnet is named', () => {
  expect(startMistakes(withIpv6Target('2001:db8:0:2::100', 1), identity)).toEqual([
    'config.action.method_params.intf_list (2001:db8:0:2::100): this is not in 2001:db8:0:1::/64, 2001:db8:0:ff00::/56, ' +
      'the IPv6 of the subnet of eni-00000011, device index 1: give an address of that subnet, or another instance_intf_number.',
  ]);
});

test('an address of this router among those of the peer is named', () => {
  expect(startMistakes({ ...plan, peerAddresses: ['172.31.1.12', '172.31.2.11'] }, identity)).toEqual([
    expect.stringMatching(/^config\.peer_private_ips: 172\.31\.2\.11 is this router's own address/),
  ]);
});

test('every mistake is named, also a peer that is this router', () => {
  const mistaken: AwsPlan = {
    ...plan,
    targets: [addressTarget('10.0.0.1', 1), addressTarget('172.31.2.255', 2)],
    sessions: [
      {
        id: 'peer',
        peerAddress: '172.31.1.12',
        interfaceName: 'TenGigE0/0/0/0',
        txIntervalMs: 50,
        detectionTimeMs: 150,
      },
      {
        id: 'self',
        peerAddress: '172.31.1.11',
        interfaceName: 'TenGigE0/0/0/1',
        txIntervalMs: 50,
        detectionTimeMs: 150,
      },
    ],
  };
  expect(startMistakes(mistaken, identity)).toEqual([
    expect.stringMatching(/^config\.action\.method_params\.intf_list \(10\.0\.0\.1\): /),
    expect.stringMatching(/^config\.action\.method_params\.intf_list \(172\.31\.2\.255\): /),
    expect.stringMatching(/^config\.bfd_sessions\[1\]\.neigh_ip: 172\.31\.1\.11 /),
  ]);
});

test('of several groups the one is named that has the target', () => {
  const target = { ...withTarget('172.31.1.3', 1) };
  expect(startMistakes(target, identity, [{ name: 'north', plan: target }])).toEqual([
    expect.stringMatching(/^config\.groups, north: intf_list \(172\.31\.1\.3\): .*keeps for itself/),
  ]);
});
