/**
 * An observation for when EC2 cannot be asked: the peer holds all targets, and what is not known is named in angle
 * brackets. For showing what a takeover is made of; nothing is decided by it.
 */
import type { Observation } from '../../core/state/readings';
import type { Slot } from '../../core/state/plan';
import type { AwsPlan } from '../description';
import { assumedTable as tableInstead } from '../kinds/route';
import type { InstanceIdentity } from '../reads/instanceIdentity';

export function assumedObservation(plan: AwsPlan, identity: InstanceIdentity | null): Observation {
  const slots = new Map(plan.targets.map((slot) => [slotWords(slot), slot]));
  return {
    instanceId: identity?.instanceId ?? '<this router>',
    interfaces: [...slots].map(([words, slot]) => ({
      deviceIndex: slot.deviceIndex,
      networkCardIndex: slot.networkCardIndex,
      networkInterfaceId:
        identity?.interfaces.find((own) => slotWords(own) === words)?.networkInterfaceId ??
        `<this router's interface with ${words}>`,
      subnetId: '',
      privateIpAddresses: [],
    })),
    holders: Object.fromEntries(
      plan.targets.map((target) => [
        target.id,
        {
          kind: 'interface',
          networkInterfaceId: '<the interface that holds it>',
          attachment: { to: 'instance', instanceId: '<the instance that holds it>' },
          mine: false,
        },
      ]),
    ),
    peers: {},
  };
}

/** Of a table that is known by a tag. */
export function assumedTable(plan: AwsPlan, id: string): string | null {
  return tableInstead(plan.targets.find((each) => each.id === id));
}

function slotWords({ deviceIndex, networkCardIndex }: Slot): string {
  return `device index ${deviceIndex}${networkCardIndex === 0 ? '' : ` on network card ${networkCardIndex}`}`;
}
