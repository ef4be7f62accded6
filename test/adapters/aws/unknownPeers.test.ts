// An address by which the peer is to be recognised and which EC2 does not show is told of once, with what to do.
import type { Observation } from '../../../src/core/state/readings';
import { UnknownPeers } from '../../../src/aws/checks/unknownPeers';
import { slot } from '../../support/coreWorld';
import { memoryLog, plan } from './awsLab';

const observation = (...known: readonly string[]): Observation => ({
  instanceId: 'i-own',
  interfaces: [],
  holders: {},
  peers: Object.fromEntries(
    known.map((address) => [
      address,
      { networkInterfaceId: 'eni-1', instanceId: 'i-peer', subnetId: 'subnet-1', slot: slot(1) },
    ]),
  ),
});

const neighbour = plan.sessions[0]!.peerAddress;

test('nothing is said of what EC2 shows, and all else is said once', () => {
  const { log, logged } = memoryLog();
  const peers = new UnknownPeers({ ...plan, peerAddresses: [neighbour, '172.31.2.99'] }, log);
  peers.observed(observation(neighbour, '172.31.2.99'));
  expect(logged()).toEqual([]);
  peers.observed(observation());
  peers.observed(observation());
  expect(logged().map(({ event, level, address }) => [event, level, address])).toEqual([
    ['peer-not-in-ec2', 40, neighbour],
    ['peer-not-in-ec2', 40, '172.31.2.99'],
  ]);
});

test('a neighbour gets the key that is missing, a listed address its own key', () => {
  const { log, logged } = memoryLog();
  new UnknownPeers({ ...plan, peerAddresses: [neighbour, '172.31.2.99'] }, log).observed(observation());
  expect(logged().map(({ reason }) => reason)).toEqual([
    `EC2 shows no interface of another instance with ${neighbour}, so the peer is not recognised by it (foreign_holder, ha switchover): where it is not the address of an interface of the peer's instance (a tunnel's end), list addresses of those in peer_private_ips`,
    'EC2 shows no interface of another instance with 172.31.2.99, so the peer is not recognised by it (foreign_holder, ha switchover): see peer_private_ips',
  ]);
});
