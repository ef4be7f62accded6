/** From heal.json, which has been found right, to the desired state and to what the shells need. */
import { parseDestination } from '../../config/destinations';
import type { Desired, Identity, Pair, Proof, Selector, Slot, TableRoute } from '../core/desired';
import type { HealConfig } from './schema';

export type HealSettings = {
  readonly desired: Desired;
  readonly region: string;
  readonly endpoints: { readonly ec2: string; readonly autoscaling: string; readonly sns: string };
  /** Null where nobody is told. */
  readonly topicArn: string | null;
  readonly sweepMs: number;
};

type IdentityConfig = HealConfig['identities'][number];
type PairConfig = NonNullable<HealConfig['pairs']>[number];

export function settingsOf(heal: HealConfig): HealSettings {
  const publicUrl = (service: string): string =>
    `https://${service}.${heal.region}.amazonaws.com${heal.region.startsWith('cn-') ? '.cn' : ''}`;
  const origin = (written: string | undefined, service: string): string =>
    new URL(written ?? publicUrl(service)).origin;
  return {
    desired: {
      identities: heal.identities.map(identityOf),
      pairs: (heal.pairs ?? []).map(pairOf),
      vpcId: heal.vpc_id,
      stalenessMs: msOfS(heal.staleness_s),
      leaseMs: msOfS(heal.lease_s),
      apiTimeoutMs: msOfS(heal.api_timeout_s),
    },
    region: heal.region,
    endpoints: {
      ec2: origin(heal.ec2_endpoint_url, 'ec2'),
      autoscaling: origin(heal.autoscaling_endpoint_url, 'autoscaling'),
      sns: origin(heal.sns_endpoint_url, 'sns'),
    },
    topicArn: heal.topic_arn ?? null,
    sweepMs: msOfS(heal.sweep_s),
  };
}

function identityOf(written: IdentityConfig): Identity {
  return {
    name: written.name,
    group: written.auto_scaling_group,
    launchHook: written.launch_hook,
    terminateHook: written.terminate_hook,
    interfaces: (written.network_interfaces ?? []).map((entry) => ({
      selector: selectorOf(entry.network_interface_id, entry.network_interface_tag),
      slot: slotOf(entry),
      privateAddresses: entry.private_ips ?? [],
    })),
    volumes: (written.volumes ?? []).map((entry) => ({
      selector: selectorOf(entry.volume_id, entry.volume_tag),
      device: entry.device,
    })),
    elasticIps: (written.elastic_ips ?? []).map((entry) => ({
      allocationId: entry.allocation_id,
      slot: slotOf(entry),
      privateAddress: entry.private_ip ?? null,
    })),
    routes: (written.routes ?? []).map((entry) => ({ ...tableRouteOf(entry), slot: slotOf(entry) })),
    disableSourceDestCheck: written.source_dest_check === 'disable',
    rebootAfterAttach: written.reboot_after_attach,
    restartMs: msOfS(written.restart_s),
    healWithinMs: msOfS(written.heal_within_s),
    proofs: written.proofs.map(proofOf),
  };
}

function pairOf({ name, members, floating }: PairConfig): Pair {
  const [one, other] = members;
  if (one === undefined || other === undefined) throw new Error('a pair without two members');
  return {
    name,
    members: [one, other],
    floating: {
      privateAddresses: floating.private_ips ?? [],
      routes: (floating.routes ?? []).map(tableRouteOf),
      elasticIps: floating.elastic_ips ?? [],
    },
  };
}

function proofOf(written: IdentityConfig['proofs'][number]): Proof {
  switch (written.type) {
    case 'instance_status':
      return { type: 'instanceStatus' };
    case 'application_status':
      return { type: 'applicationStatus' };
    case 'http':
      return {
        type: 'http',
        slot: { networkCardIndex: 0, deviceIndex: written.device_index ?? 0 },
        port: written.port ?? 80,
        path: written.path ?? '/',
      };
    case 'bfd':
      if (written.peer_status_url === undefined) throw new Error('a bfd proof without its URL');
      return { type: 'bfd', peerStatusUrl: new URL(written.peer_status_url).origin };
  }
}

function tableRouteOf(entry: {
  readonly route_table_id?: string | undefined;
  readonly route_table_tag?: { readonly key: string; readonly value: string } | undefined;
  readonly destination: string;
}): TableRoute {
  const destination = parseDestination(entry.destination);
  if (destination === null) throw new Error('a route without a destination');
  return { table: selectorOf(entry.route_table_id, entry.route_table_tag), destination };
}

function selectorOf(
  id: string | undefined,
  tag: { readonly key: string; readonly value: string } | undefined,
): Selector {
  if (id !== undefined) return { id };
  // A file that was accepted has one of the two.
  if (tag === undefined) throw new Error('a thing without id and tag');
  return { tag };
}

function slotOf(entry: { readonly device_index: number; readonly card_index: number }): Slot {
  return { networkCardIndex: entry.card_index, deviceIndex: entry.device_index };
}

function msOfS(seconds: number): number {
  return Math.round(seconds * 1000);
}
