/** Router A of the stories: what it is asked to do, and what EC2 shows it. */
import type { Holder, Observation } from '../../src/core/model';
import type { Plan } from '../../src/core/plan';
import { TIMING } from '../support/coreWorld';

export const TARGETS = ['10.0.1.100', '10.0.2.100', '10.0.2.101'] as const;
const PEERS = ['10.0.1.2', '10.0.2.2', '10.0.3.2'] as const;

/** Its peer is on a subnet without a target. */
export const THIRD_SESSION = { id: 'rtrB-c', peerAddress: '10.0.3.2', interfaceName: 'Te2' };

export const PLAN: Plan = {
  targets: [
    { address: TARGETS[0], deviceIndex: 1 },
    { address: TARGETS[1], deviceIndex: 2 },
    { address: TARGETS[2], deviceIndex: 2 },
  ],
  sessions: [
    { id: 'rtrB-a', peerAddress: PEERS[0], interfaceName: 'Te0' },
    { id: 'rtrB-b', peerAddress: PEERS[1], interfaceName: 'Te1' },
  ],
  trigger: 'any',
  timing: TIMING,
};

export type Owner = 'A' | 'B' | '-';

export function observationOf(owners: readonly Owner[], detached: number): Observation {
  const holder = (owner: Owner | undefined, deviceIndex: number): Holder | null =>
    owner === undefined || owner === '-'
      ? null
      : {
          networkInterfaceId: `eni-${owner}${deviceIndex}`,
          instanceId: `i-${owner}`,
          mine: owner === 'A',
        };
  return {
    interfaces: [1, 2]
      .filter((deviceIndex) => deviceIndex !== detached)
      .map((deviceIndex) => ({
        networkInterfaceId: `eni-A${deviceIndex}`,
        deviceIndex,
        subnetId: `subnet-${deviceIndex}`,
        privateIpAddresses: [],
      })),
    holders: Object.fromEntries(
      PLAN.targets.map(({ address, deviceIndex }, index) => [address, holder(owners[index], deviceIndex)]),
    ),
    peers: Object.fromEntries(
      PEERS.map((address, index) => [
        address,
        { networkInterfaceId: `eni-B${index + 1}`, instanceId: 'i-B', subnetId: `subnet-${index + 1}` },
      ]),
    ),
  };
}
