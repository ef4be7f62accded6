/**
 * From the configuration file to the settings of the daemon, or to one report of all its mistakes. Nothing
 * here throws for what a file may hold, and no other file is opened.
 */
import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import type { JsonObject } from '../core/state/model';
import type { PlannedSession, Timing } from '../core/state/plan';
import { isNote, member } from './document';
import { groupsOf } from './groups';
import { canonicalIpv6, isLinkLocal } from './ipv6';
import { readJson, type DuplicateKey } from './json';
import { judge, sentence } from './report';
import type { Config } from './schema';
import type { BfdSessionSettings, Ec2Settings, Settings } from './settings';
import { printable } from './words';

export type Loaded =
  | {
      readonly ok: true;
      readonly settings: Settings;
      /** The configuration with defaults filled in, by the keys of the file. */
      readonly effective: { readonly config: Config };
    }
  /** At least one line, without a newline at the end. */
  | { readonly ok: false; readonly report: string };

/** A configuration has a few kB; this only keeps a wrong path from filling the memory. */
const maxBytes = 1024 * 1024;
const maxToldMistakes = 100;

const advice =
  'write the configuration as {"config": {...}}, see the examples secondary-ip-rtr1.json and secondary-ip-rtr2.json';

export function loadConfig(path: string): Loaded {
  let bytes: Buffer;
  try {
    const stat = statSync(path);
    // Docker makes a directory where a bind mount's source is missing.
    if (stat.isDirectory()) {
      return refused(
        path,
        'is a directory, not a file; where it is mounted into a container, its source was missing when the container was made: copy the file there and make the container anew',
      );
    }
    if (stat.size > maxBytes)
      return refused(path, `has ${stat.size} bytes; a configuration has a few thousand`);
    bytes = readFileSync(path);
  } catch (error: unknown) {
    return refused(path, unreadable(error));
  }
  return isUtf8(bytes)
    ? parseConfig(bytes.toString('utf8'), path)
    : refused(path, 'is not UTF-8 text; save it in that encoding');
}

/** `name` is how the report calls the document. */
export function parseConfig(text: string, name: string): Loaded {
  // Editors on Windows start UTF-8 files with a byte order mark.
  const content = text.replace(/^\uFEFF/, '');
  if (content.trim() === '') return refused(name, `is empty; ${advice}`);
  const reading = readJson(content);
  if (!reading.ok) return { ok: false, report: jsonReport(name, content, reading) };
  const judgement = judge(reading.value);
  const repeats = reading.duplicates.filter(({ path }) => !path.some(isNote));
  if (!judgement.ok || repeats.length > 0)
    return mistaken(name, content, repeats, judgement.ok ? [] : judgement.mistakes);
  return {
    ok: true,
    settings: settingsOf(judgement.config, judgement.document, judgement.warnings),
    effective: { config: judgement.config },
  };
}

/** A file of another kind may have a mistake in each of its thousands of lines: nobody reads them all. */
function mistaken(
  name: string,
  content: string,
  repeats: readonly DuplicateKey[],
  others: readonly string[],
): Loaded {
  const count = repeats.length + others.length;
  const title = `${printable(name)} has ${count === 1 ? '1 mistake' : `${count} mistakes`}:`;
  const told = [
    ...repeats.slice(0, maxToldMistakes).map((duplicate) => repeatedKey(content, duplicate)),
    ...others.slice(0, Math.max(0, maxToldMistakes - repeats.length)),
  ];
  const rest = count > told.length ? [`and ${count - told.length} more`] : [];
  return { ok: false, report: [title, ...[...told, ...rest].map((line) => `  ${line}`)].join('\n') };
}

function refused(name: string, message: string): Loaded {
  return { ok: false, report: `${printable(name)}: ${message}` };
}

function unreadable(error: unknown): string {
  const code = String(member(error, 'code') ?? error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return 'there is no such file; name the configuration file with -c, or mount it into the container';
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return 'no permission to read the file; allow the user of this process to read it';
  }
  return `the file cannot be read (${printable(code)})`;
}

function jsonReport(
  name: string,
  text: string,
  mistake: { readonly offset: number; readonly message: string },
): string {
  const { line, column, content } = position(text, mistake.offset);
  // A window around the mistake; each character is shown as one column, so that the mark stands below it.
  const from = Math.max(0, column - 1 - 60);
  const window = [...content.slice(from, from + 100)]
    .map((character) => (/[\p{C}\p{Zl}\p{Zp}\s]/u.test(character) ? ' ' : character))
    .join('');
  const before = [...content.slice(from, column - 1)].length;
  const margin = `  ${line} | `;
  return [
    `${printable(name)} is not JSON: line ${line}, column ${column}: ${mistake.message}`,
    `${margin}${window}`.trimEnd(),
    `${' '.repeat(margin.length - 2)}| ${' '.repeat(before)}^`,
  ].join('\n');
}

function repeatedKey(text: string, duplicate: DuplicateKey): string {
  const [first, again] = [position(text, duplicate.first).line, position(text, duplicate.again).line];
  const where = first === again ? `twice on line ${first}` : `on line ${first} and again on line ${again}`;
  return sentence(duplicate.path, `written ${where}; keep one`);
}

/** Line and column count from 1. */
function position(text: string, offset: number) {
  const before = text.slice(0, offset).split('\n');
  const column = (before.at(-1) ?? '').length + 1;
  const start = offset - column + 1;
  const end = text.indexOf('\n', offset);
  return { line: before.length, column, content: text.slice(start, end === -1 ? text.length : end) };
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
    timing: timingOf(config),
  };
  const groups = groupsOf(config, common);
  return {
    groups,
    whole: { ...common, targets: groups.flatMap(({ plan }) => plan.targets) },
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
    ec2: {
      endpointUrl: new URL(config.ec2_private_endpoint_url).origin,
      apiTimeoutMs: msOfS(config.api_timeout_s),
      sourceDestCheck: config.source_dest_check,
      limits: limitsOf(config.api_limits),
    },
    store:
      config.store.type === 'file' && config.store.path !== undefined
        ? { type: 'file', path: config.store.path }
        : { type: 'redis', host: config.redis_server, port: config.redis_port },
    log: {
      level: config.log_level,
      file: config.syslog_file,
      syslog:
        config.syslog_server === undefined ? null : { host: config.syslog_server, port: config.syslog_port },
    },
    stateDir: config.state_dir,
    controlSocket: config.control_socket,
    onShutdown: config.on_shutdown,
    document,
    warnings,
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
  return { id, peerAddress, interfaceName, detectionTimeMs: (desiredMinTxIntervalUs * detectMult) / 1000 };
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
