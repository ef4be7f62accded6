/**
 * From the configuration file to the settings of the daemon, or to one report of all its mistakes. Nothing
 * here throws for what a file may hold, and no other file is opened.
 */
import { hostname } from 'node:os';
import type { JsonObject } from '../core/state/json';
import type { Plan, PlannedSession, Timing } from '../core/state/plan';
import { EC2 } from '../aws/description';
import { OPENSTACK } from '../openstack/description';
import { groupsOf } from './groups';
import { receiversOf } from './receivers';
import { parseListenPlace } from './listenPlace';
import { canonicalIpv6, isLinkLocal } from './ipv6';
import { parseDocument, readTextFile } from './reading';
import { judge } from './report';
import type { Config } from './schema';
import type { BfdSessionSettings, CloudSettings, Ec2Settings, OpenstackSettings, Settings } from './settings';
import { awsTargetsOf, openstackTargetsOf } from './targets';

export type Loaded =
  | {
      readonly ok: true;
      readonly settings: Settings;
      /** The configuration with defaults filled in, by the keys of the file. */
      readonly effective: { readonly config: Config };
    }
  /** At least one line, without a newline at the end. */
  | { readonly ok: false; readonly report: string };

const advice =
  'write the configuration as {"config": {...}}, see the examples secondary-ip-rtr1.json and secondary-ip-rtr2.json';

export function loadConfig(path: string): Loaded {
  const reading = readTextFile(path);
  return reading.ok ? parseConfig(reading.text, path) : reading;
}

/** `name` is how the report calls the document. */
export function parseConfig(text: string, name: string): Loaded {
  const reading = parseDocument(text, { name, advice, judge });
  if (!reading.ok) return reading;
  const { config, document, warnings } = reading.judgement;
  return { ok: true, settings: settingsOf(config, document, warnings), effective: { config } };
}

function settingsOf(config: Config, document: JsonObject, warnings: readonly string[]): Settings {
  const sessions = config.bfd_sessions.map(sessionOf);
  const plannedSessions = sessions.map(plannedSession);
  const common = {
    sessions: plannedSessions,
    peerAddresses: peerAddresses(config),
    trigger: config.trigger,
    preferred: config.preferred,
    foreignHolder: config.foreign_holder,
    onPeerWithdrawn: config.on_peer_withdrawn,
    handsOver: {
      beforeMaintenanceMs:
        config.maintenance === undefined ? null : msOfS(config.maintenance.switch_over_before_s),
      atShutdown: config.on_shutdown === 'switchover',
    },
    timing: timingOf(config),
  };
  const cloud = cloudOf(config, common);
  return {
    groups: cloud.groups,
    whole: cloud.whole,
    cloud,
    slapi: {
      target: config.grpc_server.startsWith('unix:')
        ? config.grpc_server
        : `${config.grpc_server}:${config.grpc_port}`,
      tls:
        config.grpc_tls === undefined
          ? null
          : { caFile: config.grpc_tls.ca_file, serverName: config.grpc_tls.server_name },
      credentialsFile: config.grpc_credentials_file ?? null,
      sessions,
      retryIntervalMs: msOfS(config.global_retry_interval),
      retryCount: config.global_retry_count,
    },
    store:
      config.store.type === 'file' && config.store.path !== undefined
        ? { type: 'file', path: config.store.path }
        : { type: 'redis', host: config.redis_server, port: config.redis_port },
    log: {
      router: config.router_name ?? hostname(),
      level: config.log_level,
      file: config.syslog_file,
      syslog:
        config.syslog_server === undefined ? null : { host: config.syslog_server, port: config.syslog_port },
    },
    stateDir: config.state_dir,
    controlSocket: config.control_socket,
    status: statusOf(config),
    peerStatus: peerStatusOf(config),
    notifications: receiversOf(config),
    onShutdown: config.on_shutdown === 'unregister' ? 'unregister' : 'keep',
    document,
    warnings,
  };
}

function cloudOf(config: Config, common: Omit<Plan, 'targets' | 'cloud'>): CloudSettings {
  if (config.cloud === undefined) {
    const plan = { ...common, cloud: EC2 };
    const groups = groupsOf(config, plan, awsTargetsOf);
    const whole = { ...plan, targets: groups.flatMap(({ plan: own }) => own.targets) };
    return { type: 'aws', groups, whole, ec2: ec2Of(config) };
  }
  const timing = { ...common.timing, ...NEUTRON_TIMING };
  const plan = { ...common, timing, cloud: OPENSTACK };
  const groups = groupsOf(config, plan, openstackTargetsOf);
  const whole = { ...plan, targets: groups.flatMap(({ plan: own }) => own.targets) };
  return { type: 'openstack', groups, whole, openstack: openstackOf(config.cloud, config) };
}

/**
 * What Neutron has written can be read at once, and an answer that is older is known by its revision. A second request
 * for the same move would only keep it from the first: the adapter sends one when the first is hopeless.
 */
const NEUTRON_TIMING = { stalenessMs: 0, hedgeMs: 8_000, hedgeLeastMs: 8_000 } as const;

function ec2Of(config: Config): Ec2Settings {
  const { ec2_private_endpoint_url: url } = config;
  // A configuration that was accepted has one.
  if (url === undefined) throw new Error('no endpoint of EC2');
  return {
    endpointUrl: new URL(url).origin,
    apiTimeoutMs: msOfS(config.api_timeout_s),
    sourceDestCheck: config.source_dest_check,
    applicationStatusCheck: config.application_status_check ?? null,
    limits: limitsOf(config.api_limits),
  };
}

function openstackOf(cloud: NonNullable<Config['cloud']>, config: Config): OpenstackSettings {
  return {
    authUrl: cloud.auth_url.replace(/\/+$/, ''),
    credentialsFile: cloud.credentials_file,
    caFile: cloud.ca_file ?? null,
    networkUrl: cloud.network_url?.replace(/\/+$/, '') ?? null,
    region: cloud.region ?? null,
    visibility: cloud.interface,
    metadataUrl: cloud.metadata_url.replace(/\/+$/, ''),
    ports: cloud.ports ?? null,
    askNova: cloud.ask_nova,
    apiTimeoutMs: msOfS(config.api_timeout_s),
  };
}

function statusOf({
  status_listen: listen,
  status_token_file: tokenFile,
  status_tls: tls,
}: Config): Settings['status'] {
  const place = listen === undefined ? null : parseListenPlace(listen);
  if (place === null) return null;
  return {
    place,
    tokenFile: tokenFile ?? null,
    tls: tls === undefined ? null : { certFile: tls.cert_file, keyFile: tls.key_file },
  };
}

function peerStatusOf(config: Config): Settings['peerStatus'] {
  if (config.peer_status_url === undefined) return null;
  return {
    url: new URL(config.peer_status_url).origin,
    tokenFile: config.peer_status_token_file ?? null,
    caFile: config.peer_status_ca_file ?? null,
  };
}

function timingOf(config: Config): Timing {
  return {
    keepaliveIntervalMs: msOfS(config.keepalive_s),
    roleTtlMs: msOfS(config.role_ttl_s),
    stalenessMs: msOfS(config.staleness_s),
    reestablishAfterInterfaceMs: msOfS(config.reestablish_after_interface_s),
    reestablishMs: msOfS(config.reestablish_s),
    settleMs: config.settle_ms,
    hedgeMs: config.hedge_ms,
    hedgeLeastMs: Math.min(config.hedge_least_ms, config.hedge_ms),
    armedTtlMs: msOfS(config.armed_ttl_s),
    partialHoldMs: msOfS(config.partial_hold_s),
    evidenceHoldMs: msOfS(config.evidence_hold_s),
    takeFromRunningAfterMs:
      config.take_from_running_after_s === undefined ? null : msOfS(config.take_from_running_after_s),
    dampingHalfLifeMs: msOfS(config.damping_half_life_s),
    preemptDelayMs: msOfS(config.preempt_delay_s),
    ownStallHoldMs: msOfS(config.own_stall_hold_s),
  };
}

function sessionOf(session: Config['bfd_sessions'][number]): BfdSessionSettings {
  const inVrf = session.vrf_name === 'default' ? '' : ` in vrf ${session.vrf_name}`;
  const peerAddress = canonicalAddress(session.neigh_ip);
  const sourceAddress =
    session.session_type === 'MULTI_HOP' && session.source_ip !== undefined
      ? canonicalAddress(session.source_ip)
      : null;
  const where = sourceAddress === null ? `on ${session.intf_name}` : `from ${sourceAddress}`;
  return {
    id: `${peerAddress} ${where}${inVrf}`,
    interfaceName: session.intf_name,
    peerAddress,
    sourceAddress,
    vrfName: session.vrf_name,
    desiredMinTxIntervalUs: session.bfd_desired_tx_int_usec,
    detectMult: session.detect_multiplier,
  };
}

function plannedSession(session: BfdSessionSettings): PlannedSession {
  const { id, interfaceName, desiredMinTxIntervalUs, detectMult } = session;
  // Several interfaces may have a neighbour of the same link-local address (RFC 4007 section 11).
  const peerAddress = isLinkLocal(session.peerAddress)
    ? `${session.peerAddress}%${interfaceName}`
    : session.peerAddress;
  const txIntervalMs = desiredMinTxIntervalUs / 1000;
  return { id, peerAddress, interfaceName, txIntervalMs, detectionTimeMs: txIntervalMs * detectMult };
}

/** A tunnel's address may be that of a third instance in EC2, so those that are listed stand in place of all. */
function peerAddresses({ peer_private_ips: listed, bfd_sessions: sessions }: Config): readonly string[] {
  const neighbours = sessions.map(({ neigh_ip: address }) => canonicalAddress(address));
  return [...new Set(listed ?? neighbours.filter((address) => !isLinkLocal(address)))];
}

function canonicalAddress(address: string): string {
  return canonicalIpv6(address) ?? address;
}

function limitsOf(limits: Config['api_limits']): Ec2Settings['limits'] {
  const limitOf = ({ burst, refill_per_s: refillPerS }: Config['api_limits']['replace_route']) => ({
    burst,
    refillPerS,
  });
  return {
    AssignPrivateIpAddresses: limitOf(limits.assign_private_ip_addresses),
    AssignIpv6Addresses: limitOf(limits.assign_ipv6_addresses),
    UnassignIpv6Addresses: limitOf(limits.unassign_ipv6_addresses),
    ReplaceRoute: limitOf(limits.replace_route),
    CreateRoute: limitOf(limits.create_route),
    AssociateAddress: limitOf(limits.associate_address),
  };
}

function msOfS(seconds: number): number {
  return Math.round(seconds * 1000);
}
