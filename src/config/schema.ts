/**
 * The configuration, key by key: the only place where a key, its default, its range, the range that is
 * sensible, its unit and its sentence are written. The reference in config/ is generated from here with
 * `npx tsx scripts/docs.ts`. Rules that span keys are in rules.ts.
 */
import type { z } from 'zod';
import {
  absolutePath,
  anyText,
  choice,
  decimal,
  givenName,
  host,
  hostOrSocket,
  keys,
  listenPlace,
  listOf,
  mandatory,
  optional,
  serviceUrl,
  socketPath,
  wholeNumber,
  withDefault,
  yesOrNo,
} from './fields';
import { notificationsSchema } from './notificationSchema';
import { actionSchema } from './actionSchema';
import { groupSchema, trigger } from './groupSchema';
import { limitsSchema } from './limitsSchema';
import { cloudSchema } from './openstackSchema';
import { peerPrivateAddressSchema, sessionSchema } from './sessionSchema';
import { defaultControlSocket } from './socketPath';

const port = () => wholeNumber({ from: 1, to: 65_535 });
const seconds = (from: number, to: number) => decimal({ from, to, unit: 's' });
const milliseconds = (from: number, to: number) => wholeNumber({ from, to, unit: 'ms' });

const grpcTlsSchema = keys(
  {
    ca_file: mandatory(absolutePath('/app/onbox/ems.pem'), {
      description: 'Certificate to trust, PEM: a copy of /misc/config/grpc/ems.pem of the router.',
    }),
    server_name: withDefault(host(), 'ems.cisco.com', {
      description:
        "Name the router's certificate is checked for; the one XR makes itself says ems.cisco.com.",
    }),
  },
  'write {"ca_file": PATH}',
);

const maintenanceSchema = keys(
  {
    switch_over_before_s: mandatory(seconds(60, 86_400), {
      description: 'How long before the announced beginning the targets are handed over.',
      atLeast: { limit: 120, because: 'a switchover that does not work is tried again after a minute' },
    }),
  },
  'write {"switch_over_before_s": SECONDS}',
);

export const storeSchema = keys(
  {
    type: mandatory(choice(['redis', 'file']), {
      description: 'Where the state for `show` is kept: the Redis server of redis_server, or one file.',
    }),
    path: optional(absolutePath('/var/lib/xr-aws-ha/show.json'), {
      description: 'The file; for type "file" only, and mandatory there.',
    }),
  },
  'write {"type": "redis"} or {"type": "file", "path": PATH}',
);

export const endpointExample = 'https://vpce-0123456789abcdef0-abcdefgh.ec2.us-west-2.vpce.amazonaws.com';

export const configSchema = keys(
  {
    ec2_private_endpoint_url: optional(serviceUrl(endpointExample), {
      description:
        "URL of the VPC's interface endpoint for EC2: scheme and host, no path. http is for a lab without certificates. Mandatory, unless there is a `cloud`.",
      format: 'uri',
      dropIn: true,
    }),
    cloud: optional(cloudSchema, {
      description: 'The cloud where the targets are, if it is not AWS (docs/openstack.md). Absent: AWS.',
    }),
    action: optional(actionSchema, {
      description:
        'What is moved to this router when the peer router fails. Mandatory, unless there are `actions` or `groups`.',
      dropIn: true,
    }),
    actions: optional(listOf(actionSchema, 'list the actions, each as one writes "action"'), {
      description: 'In place of `action`, where things of several kinds move together.',
    }),
    groups: optional(
      listOf(groupSchema, 'list at least one group as {"name": NAME, "action": {...}}, or write "action"'),
      {
        description:
          'In place of `action`: groups of targets, each with a role, takeovers and a preference of its own, for pairs of which both routers serve.',
      },
    ),
    bfd_sessions: mandatory(
      listOf(
        sessionSchema,
        'list at least one BFD session to the peer router, with "session_type", "intf_name" and "neigh_ip"',
      ),
      {
        description: 'BFD sessions to the peer router, which the daemon programs into this router.',
        dropIn: true,
      },
    ),
    peer_private_ips: optional(
      listOf(
        peerPrivateAddressSchema,
        'list addresses of the peer router as EC2 shows them, or leave the key out',
      ),
      {
        description:
          "Private (IPv4) addresses of the peer router's interfaces, one on each subnet of a floating address, used only to recognise the peer in EC2. Absent: the `neigh_ip` of the sessions. Needed where EC2 does not know those: the ends of a tunnel, link-local addresses.",
      },
    ),
    grpc_server: withDefault(hostOrSocket(), '127.0.0.1', {
      description:
        "The router's gRPC server: host name or IPv4 address, or `unix:` and the absolute path of its socket (`grpc local-connection`).",
      dropIn: true,
    }),
    grpc_port: withDefault(port(), 57_777, {
      description: 'Its port (`grpc port` on the router); not used with a `unix:` socket.',
      dropIn: true,
    }),
    redis_server: withDefault(host(), '127.0.0.1', {
      description: 'Redis server that keeps the state for `show`.',
      dropIn: true,
    }),
    redis_port: withDefault(port(), 6379, { description: 'Its port.', dropIn: true }),
    global_retry_interval: withDefault(seconds(1, 3600), 30, {
      description: 'Longest pause between two attempts to reach the router; the first ones follow faster.',
      atMost: { limit: 300, because: 'after a restart of gRPC the router stays without a standby that long' },
      dropIn: true,
    }),
    global_retry_count: withDefault(wholeNumber({ from: 1, to: 1000 }), 5, {
      description: 'Failed attempts in a row until an alarm is raised. Trying goes on for ever.',
      atMost: { limit: 100, because: 'the alarm comes late' },
      dropIn: true,
    }),
    syslog_server: optional(host(), {
      description: 'Syslog server that gets a copy of the log.',
      dropIn: true,
    }),
    syslog_port: withDefault(port(), 514, {
      description: 'Its UDP port; used with syslog_server only.',
      dropIn: true,
    }),
    syslog_file: withDefault(absolutePath('/var/log/ha_app_bkp.log'), '/var/log/ha_app_bkp.log', {
      description: 'Log file, rotated.',
      dropIn: true,
    }),
    grpc_tls: optional(grpcTlsSchema, {
      description: 'Present: gRPC is encrypted. Absent: plain text, the router needs `no-tls`.',
    }),
    grpc_credentials_file: optional(absolutePath('/app/onbox/grpc-credentials'), {
      description:
        'File of two lines, user name and password, sent with each gRPC call. Absent: none are sent.',
    }),
    keepalive_s: withDefault(seconds(0.5, 3600), 10, {
      description: 'Interval of asking EC2 who holds the floating addresses.',
      atLeast: { limit: 2, because: "the calls eat into the account's EC2 request quota" },
      atMost: { limit: 60, because: 'a change made outside the routers is noticed late' },
    }),
    api_timeout_s: withDefault(seconds(0.1, 60), 1, {
      description: 'How long a question to EC2 may take; then it has failed and is asked again.',
      atLeast: { limit: 0.5, because: 'EC2 often takes longer than that to answer' },
      atMost: { limit: 10, because: 'a dead connection to EC2 is noticed late' },
    }),
    role_ttl_s: withDefault(seconds(1, 86_400), 30, {
      description:
        'How long a role (ACTIVE or STANDBY) counts without EC2 confirming it; then it is UNKNOWN.',
      atMost: { limit: 300, because: '`show ha_state` may then be wrong for that long' },
    }),
    staleness_s: withDefault(seconds(0, 300), 10, {
      description:
        'EC2 may answer with the state before a change for this long: such an answer is asked for again, not believed.',
      atLeast: { limit: 2, because: 'an old answer may be taken for a lost address' },
      atMost: { limit: 60, because: 'an address that somebody takes after a takeover is noticed late' },
    }),
    trigger: withDefault(trigger(), 'any', {
      description:
        'How many sessions have to be down for a takeover: any one, or all of those that can testify (they have been up, and their local interface is up).',
    }),
    reestablish_s: withDefault(seconds(0, 600), 10, {
      description:
        'How long a session that had to be programmed anew may take to come up before it counts as down.',
      atLeast: { limit: 3, because: 'BFD may need longer to come up, and a takeover would follow' },
      atMost: { limit: 60, because: 'a peer that failed in the meantime is noticed late' },
    }),
    reestablish_after_interface_s: withDefault(seconds(0, 600), 5, {
      description:
        'How long a local interface must have been up again before its sessions may cause a takeover.',
      atLeast: {
        limit: 2,
        because: 'BFD needs time to come up after its interface, and a takeover would follow',
      },
      atMost: { limit: 60, because: 'a peer that failed in the meantime is noticed late' },
    }),
    settle_ms: withDefault(milliseconds(0, 1000), 20, {
      description:
        'How long a takeover waits for news of the local interface, on routers that have no question for it (XR 24.4.1 and later). A router that repeats the state when it is subscribed again is asked so, and its answer ends the wait.',
      atMost: { limit: 100, because: 'every takeover waits that long' },
    }),
    hedge_ms: withDefault(milliseconds(50, 8000), 700, {
      description:
        'When EC2 has not answered a takeover call for this long, the same call is made on a second connection: the longest time, used until the daemon has seen how long EC2 takes here.',
      atLeast: { limit: 200, because: 'most takeover calls are then made twice' },
      atMost: { limit: 2000, because: 'a takeover over a dead connection takes that long' },
    }),
    hedge_least_ms: withDefault(milliseconds(50, 8000), 200, {
      description:
        'The shortest time for the same, where EC2 answers quickly. The daemon takes what seven of ten answers have not exceeded lately, half as much again as the median at least. With the value of `hedge_ms` it learns nothing.',
      atLeast: { limit: 100, because: 'a moment without the processor is then taken for a silent EC2' },
    }),
    armed_ttl_s: withDefault(seconds(0, 86_400), 600, {
      description:
        'How long after it stopped a restarted daemon still trusts what it remembers of its sessions.',
      atMost: { limit: 3600, because: 'the sessions may have changed since' },
    }),
    partial_hold_s: withDefault(seconds(1, 3600), 25, {
      description:
        'How long EC2 has to show the same partial ownership until the router that holds the lowest address takes the rest.',
      atLeast: { limit: 10, because: 'a takeover that is still under way may be taken for a lasting state' },
      atMost: { limit: 300, because: 'addresses stay on two routers for that long' },
    }),
    evidence_hold_s: withDefault(seconds(1, 3600), 30, {
      description:
        'How long no BFD session may be up until EC2 is asked how the holder is; a holder that is stopped, gone or impaired is taken over from.',
      atLeast: { limit: 10, because: 'BFD needs time to come up after a start' },
      atMost: { limit: 300, because: 'a peer that failed while BFD was down is noticed late' },
    }),
    take_from_running_after_s: optional(seconds(10, 86_400), {
      description:
        'Present: when no BFD session has been up for this long, take over from a holder that EC2 says is running; once per run of the daemon, and never after having been ACTIVE. Absent: never, which risks an outage where the holder hangs and BFD has never been up.',
    }),
    on_peer_withdrawn: withDefault(choice(['stay', 'take']), 'stay', {
      description:
        'What to do where the peer has withdrawn all BFD sessions (AdminDown, its side removed) and EC2 says that its instance runs: leave the targets there and raise an alarm, or take them after `evidence_hold_s`. With `stay` a peer that reloads inside a running instance is an outage until BFD is back; with `take` the targets are taken from a peer that is well when somebody only stops its BFD or its daemon.',
    }),
    damping_half_life_s: withDefault(seconds(1, 3600), 60, {
      description:
        'A takeover that BFD triggers adds a penalty of 1000, which fades to half in this time; above 3000 none is triggered until it is below 1500.',
      atLeast: { limit: 10, because: 'routers that take from each other in turn are hardly held back' },
      atMost: { limit: 600, because: 'after several failures in a row the next one is an outage for long' },
    }),
    preferred: withDefault(yesOrNo(), false, {
      description:
        'Whether this router takes the addresses back when it is well again (preemption); for one router of a pair at most.',
    }),
    preempt_delay_s: withDefault(seconds(1, 86_400), 60, {
      description:
        'How long a preferred router has to be STANDBY with all sessions up before it takes the addresses.',
      atLeast: { limit: 10, because: 'a router that comes and goes takes the addresses each time' },
    }),
    foreign_holder: withDefault(choice(['refuse', 'take']), 'refuse', {
      description:
        'What to do with an address that an instance outside the pair holds: leave it there and raise an alarm, or take it like any other.',
    }),
    source_dest_check: withDefault(choice(['report', 'disable']), 'report', {
      description:
        "What to do where EC2's source/destination check is on for an interface that is to forward: say so, or switch it off (which needs the permission ec2:ModifyNetworkInterfaceAttribute).",
    }),
    application_status_check: optional(givenName('asc-0123456789abcdef0'), {
      description:
        "Present: the id of an application status check of EC2 that asks the `/livez` of both routers' daemons (see docs/status.md). While no BFD session is up, a router that runs and fails it, while this one passes it, is taken over from after `evidence_hold_s`. Needs `status_listen`, and the permission ec2:DescribeApplicationStatus.",
    }),
    api_limits: withDefault(
      limitsSchema,
      {
        assign_private_ip_addresses: { burst: 100, refill_per_s: 5 },
        assign_ipv6_addresses: { burst: 100, refill_per_s: 5 },
        unassign_ipv6_addresses: { burst: 50, refill_per_s: 5 },
        replace_route: { burst: 50, refill_per_s: 5 },
        create_route: { burst: 50, refill_per_s: 5 },
        associate_address: { burst: 50, refill_per_s: 5 },
      },
      {
        description:
          "EC2's limits of the calls that move things, which the account has in this Region: change them where AWS has raised them. What exceeds them is sent at their pace.",
      },
    ),
    own_stall_hold_s: withDefault(seconds(0, 60), 3, {
      description:
        'How long a session that went down right after this router had stalled (a paused virtual machine) may take to come up again before it counts as down.',
      atLeast: { limit: 1, because: 'BFD may need longer to come up, and a takeover would follow' },
      atMost: { limit: 10, because: 'a peer that failed in the meantime is noticed late' },
    }),
    on_shutdown: withDefault(choice(['keep', 'unregister', 'switchover']), 'keep', {
      description:
        'What happens when the daemon is told to stop: `keep` leaves the BFD sessions up, `unregister` removes them, for taking the router out of service; `switchover` leaves them up too, and the ACTIVE router hands its targets to the peer before it ends, for at most 4 s, where the peer is seen to be well.',
    }),
    maintenance: optional(maintenanceSchema, {
      description:
        "Present: the ACTIVE router hands its targets to the peer ahead of its own maintenance that the cloud has announced, where the peer is known to have none that begins as soon. Absent: it raises an alarm alone. An Auto Scaling group that ends this router's instance counts as maintenance that begins now.",
    }),
    store: withDefault(
      storeSchema,
      { type: 'redis' },
      { description: 'Where the state for `show` is kept.' },
    ),
    state_dir: withDefault(absolutePath('/var/lib/xr-aws-ha'), '/var/lib/xr-aws-ha', {
      description:
        'Directory for what must survive a restart: which sessions were up, and a takeover in progress. Mount it from the router, or an upgrade loses it.',
    }),
    control_socket: withDefault(socketPath(defaultControlSocket), defaultControlSocket, {
      description:
        'Unix socket on which the daemon takes the commands of `ha`; only its own user can open it.',
    }),
    status_listen: optional(listenPlace(), {
      description:
        'Where the status endpoint listens: probes, the status and metrics over HTTP (docs/status.md). Absent: there is none.',
    }),
    status_token_file: optional(absolutePath('/app/onbox/status-token'), {
      description:
        'File of one line, the token that requests to the status endpoint have to bring (`Authorization: Bearer TOKEN`); /livez needs none. Absent: it answers everybody who reaches it.',
    }),
    status_tls: optional(
      keys(
        {
          cert_file: mandatory(absolutePath('/app/onbox/status-cert.pem'), {
            description: 'Certificate, PEM, with those that lead to the authority.',
          }),
          key_file: mandatory(absolutePath('/app/onbox/status-key.pem'), { description: 'Its key, PEM.' }),
        },
        'write {"cert_file": PATH, "key_file": PATH}',
      ),
      {
        description:
          'Present: the status endpoint is HTTPS. Both files are read again every 30 s, so a new certificate needs no restart. Absent: plain HTTP.',
      },
    ),
    peer_status_url: optional(serviceUrl('http://172.31.101.154:9469', 'the token stands in a file'), {
      description:
        'URL of the status endpoint of the peer router: scheme, host and port. It is read with each keepalive, for `show ha_peer`, readiness and the alarm `peer-unwell`, and never for a decision. Absent: it is not.',
      format: 'uri',
    }),
    peer_status_token_file: optional(absolutePath('/app/onbox/peer-status-token'), {
      description: 'File of one line, the token that the endpoint of the peer wants.',
    }),
    peer_status_ca_file: optional(absolutePath('/app/onbox/peer-ca.pem'), {
      description: 'Certificate to trust there, PEM, where its URL is https.',
    }),
    notifications: optional(notificationsSchema, {
      description:
        'Who is told of takeovers, changes of role, alarms and readiness, as they happen (docs/notifications.md). Absent: nobody.',
    }),
    log_level: withDefault(choice(['debug', 'info', 'warn', 'error']), 'info', {
      description: 'The least important records that are logged.',
    }),
    router_name: optional(givenName('rtr1'), {
      description:
        'What log records, alarms and `show` call this router. By default the host name, which may be the same on both routers.',
    }),
  },
  'write an object with the keys "ec2_private_endpoint_url", "action" and "bfd_sessions"',
);

export const documentSchema = keys(
  {
    $schema: optional(anyText('write the place of schema.json, or leave the key out'), {
      description: 'For editors: where schema.json is. The daemon does not read it.',
    }),
    config: mandatory(configSchema, { description: 'The configuration.', dropIn: true }),
  },
  'write {"config": {...}}',
);

/** The configuration with defaults filled in. */
export type Config = z.output<typeof configSchema>;
