/** What of a document the rules look at: the values that are valid by themselves; and what a rule is. */
import type { z } from 'zod';
import { entries, isObject, member } from './document';
import { canonicalIpv6 } from './ipv6';
import { groupSchema } from './groupSchema';
import { configSchema, storeSchema } from './schema';
import { peerPrivateAddressSchema, sessionSchema } from './sessionSchema';
import { receiverNameSchema } from './notificationSchema';
import { cloudSchema } from './openstackSchema';
import type { Path } from './words';
import { writtenActions } from './writtenActions';

export type Finding = { readonly path: Path; readonly message: string };

export type Rule = {
  readonly severity: 'mistake' | 'warning';
  /** The rule as the reference states it. */
  readonly sentence: string;
  readonly find: (parts: Parts) => readonly Finding[];
};

/** The valid values of a document, `undefined` where there is none. */
export type Parts = ReturnType<typeof partsOf>;

export function partsOf(document: unknown) {
  const config = member(document, 'config');
  const { shape } = configSchema;
  const isWritten = (key: keyof typeof shape) => member(config, key) !== undefined;
  const store = member(config, 'store');
  const actions = writtenActions(config);
  return {
    isWritten,
    hasConfig: isObject(config),
    actions,
    keepaliveS: valid(shape.keepalive_s, member(config, 'keepalive_s')),
    apiTimeoutS: valid(shape.api_timeout_s, member(config, 'api_timeout_s')),
    roleTtlS: valid(shape.role_ttl_s, member(config, 'role_ttl_s')),
    evidenceHoldS: valid(shape.evidence_hold_s, member(config, 'evidence_hold_s')),
    takeFromRunningAfterS: valid(
      shape.take_from_running_after_s,
      member(config, 'take_from_running_after_s'),
    ),
    endpointUrl: valid(shape.ec2_private_endpoint_url, member(config, 'ec2_private_endpoint_url')),
    cloudUrls: (['auth_url', 'network_url'] as const).map((key) => ({
      key,
      url: valid(cloudSchema.shape[key], member(member(config, 'cloud'), key)),
    })),
    grpcServer: valid(shape.grpc_server, member(config, 'grpc_server')),
    storeType: valid(storeSchema.shape.type, member(store, 'type')),
    storePath: member(store, 'path'),
    statusListen: valid(shape.status_listen, member(config, 'status_listen')),
    /** Names of receivers, by the list that they are in. */
    receivers: (['webhooks', 'syslog_servers', 'sns', 'snmp'] as const).flatMap((list) =>
      entries(member(member(config, 'notifications'), list)).map((receiver, index) => ({
        list,
        index,
        name: valid(receiverNameSchema, member(receiver, 'name')),
      })),
    ),
    snmpManagers: entries(member(member(config, 'notifications'), 'snmp')).map((manager) => ({
      version: member(manager, 'snmp_version'),
      has: (key: string) => member(manager, key) !== undefined,
    })),
    /** Of the floating addresses, as in the plan. */
    addresses: actions.flatMap((action) =>
      action.entries.flatMap(({ key, id }) => (key === 'secondary_ip' && id !== undefined ? [id] : [])),
    ),
    peerPrivateAddresses: entries(member(config, 'peer_private_ips')).map((address) =>
      valid(peerPrivateAddressSchema, address),
    ),
    groups: entries(member(config, 'groups')).map((group) => ({
      name: valid(groupSchema.shape.name, member(group, 'name')),
      isObject: isObject(group),
      has: (key: 'action' | 'actions') => member(group, key) !== undefined,
      /** Undefined where the key is absent, which means all of them. */
      sessions:
        member(group, 'bfd_sessions') === undefined
          ? undefined
          : entries(member(group, 'bfd_sessions')).map((name) => valid(sessionSchema.shape.name, name)),
    })),
    sessions: entries(member(config, 'bfd_sessions')).map((session) => ({
      name: valid(sessionSchema.shape.name, member(session, 'name')),
      type: valid(sessionSchema.shape.session_type, member(session, 'session_type')),
      peerAddress: comparable(valid(sessionSchema.shape.neigh_ip, member(session, 'neigh_ip'))),
      interfaceName: valid(sessionSchema.shape.intf_name, member(session, 'intf_name')),
      vrfName: valid(sessionSchema.shape.vrf_name, member(session, 'vrf_name')),
      hasSource: member(session, 'source_ip') !== undefined,
      sourceAddress: comparable(valid(sessionSchema.shape.source_ip, member(session, 'source_ip'))),
      intervalUs: valid(
        sessionSchema.shape.bfd_desired_tx_int_usec,
        member(session, 'bfd_desired_tx_int_usec'),
      ),
      multiplier: valid(sessionSchema.shape.detect_multiplier, member(session, 'detect_multiplier')),
    })),
  };
}

function valid<T extends z.ZodType>(field: T, value: unknown): z.output<T> | undefined {
  const reading = field.safeParse(value);
  return reading.success ? reading.data : undefined;
}

/** IPv6 in its canonical form, so that one address is one text. */
function comparable(address: string | undefined): string | undefined {
  return address === undefined ? undefined : (canonicalIpv6(address) ?? address);
}
