/**
 * Every alarm that the daemon can raise: how bad it is, what it means, what is likely behind it and what to type. The
 * table of docs/operations.md is made from it (`npm run docs`). Those of the core are raised and ended there
 * (core/rules/alarms.ts). Those of a part of the daemon are raised by a record of the log with the code as its `event`,
 * and ended by one of the events that stand here; test/runtime/alarmTable.test.ts holds both against the source. The
 * adapter of the cloud has its own, and says what an operator does there about those of the core.
 */
import type { AlarmEntry, CloudAlarms, PartAlarm } from '../cloud';
import type { AlarmCode } from '../core/state/alarms';
import type { CloudDescription } from '../core/state/plan';

export type AlarmTable = {
  readonly core: Readonly<Record<AlarmCode, AlarmEntry>>;
  readonly parts: { readonly [code: string]: PartAlarm };
};

export function alarmTable(cloud: CloudDescription, { ofCore, ofParts }: CloudAlarms): AlarmTable {
  return { core: coreAlarms(cloud, ofCore), parts: { ...ofParts, ...partAlarms(cloud) } };
}

/** All of them, by code. */
export const allAlarms = ({ core, parts }: AlarmTable): { readonly [code: string]: AlarmEntry } => ({
  ...core,
  ...parts,
});

const coreAlarms = (
  { name, service }: CloudDescription,
  ofCore: CloudAlarms['ofCore'],
): AlarmTable['core'] => ({
  'takeover-stuck': {
    severity: 'critical',
    means: `${name} has neither moved nor refused a part of a takeover for 3 s; where parts wait for limits or for each other, nothing has moved for 3 s`,
    cause: `${name} does not answer, throttles, or turns the credentials down`,
    act: `\`show ha_reason\` says what ${name} last said, \`show ha_health\` whether the endpoint and the credentials are well; the daemon tries on by itself`,
  },
  'takeover-refused': {
    severity: 'critical',
    means: `${name} refuses to move a target and will go on refusing`,
    ...ofCore['takeover-refused'],
  },
  'target-lost': {
    severity: 'major',
    means: 'a target that this router had moved has another owner',
    ...ofCore['target-lost'],
  },
  'local-failure-suspected': {
    severity: 'major',
    means: "this router's own interface went DOWN right after its takeover, so the targets go back",
    cause: 'a link, a line card or a security group of this router',
    act: '`show last_intf_event`, and `show interfaces` in XR; see that the peer has the targets: `show ha_targets`',
  },
  'give-back-failed': {
    severity: 'critical',
    means: 'targets that were to go back, or that `ha switchover` was to hand over, did not go within 10 s',
    ...ofCore['give-back-failed'],
  },
  'maintenance-ahead': {
    severity: 'warning',
    means: 'the cloud has announced maintenance of this router or its peer, which will stop or reboot it',
    cause: 'work on the host, or an Auto Scaling group that ends the instance',
    act: '`show ha_planned` says when; let the other router serve by then: `ha switchover --dry-run`, or set `maintenance`',
  },
  'switchover-missed': {
    severity: 'warning',
    means: 'a switchover that was ordered for later was not carried out, or not as a whole',
    cause: 'the peer was not seen to be well at that time, or this daemon did not run then',
    act: '`show ha_alarms` has the reason; `ha switchover --dry-run` says whether it would be done now',
  },
  unprotected: {
    severity: 'critical',
    means: `no BFD session has been UP for \`evidence_hold_s\` (30 s), and ${name} says that the holder of the targets runs, or does not say how it is: a failure of the peer would not be seen`,
    cause: 'the path of BFD is cut, BFD is not configured at the peer, or its daemon has stopped',
    act: '`show bfd session` in XR on both routers, and the security groups for UDP 3784, 3785 and 4784; `show ha_state` on the peer',
  },
  'redundancy-lost': {
    severity: 'major',
    means:
      'all targets are here and no BFD session has been UP for `evidence_hold_s` (30 s): should this router fail, nothing takes over',
    cause: 'the peer router, its daemon or the path between the two has failed',
    act: '`show ha_state` on the peer, and start what has stopped; `show bfd session` in XR on both routers',
  },
  'takeover-blocked': {
    severity: 'critical',
    means: 'a takeover is called for, and an inhibit or another client of the event streams forbids it',
    cause: 'a maintenance that was not ended',
    act: '`ha release` on this router; where another client has the streams, see `control-lost`',
  },
  'control-lost': {
    severity: 'major',
    means:
      "another client has taken the router's event streams, at most a minute ago: a failure of the peer is seen only when they are taken back, after 10 to 30 s",
    cause: 'a second daemon, or the Python application that this one succeeds, runs on this router',
    act: '`show appmgr application-table` in XR; stop the other one',
  },
  'arrived-while-inhibited': {
    severity: 'minor',
    means: "the peer's operator has handed the targets to this router while it is inhibited",
    cause: 'two people work at the same time',
    act: 'where the work needs this router without traffic: `ha release`, then `ha switchover` on this router',
  },
  'takeover-damped': {
    severity: 'major',
    means: 'the fourth takeover in short order: BFD triggers none for the time that the text says',
    cause: 'the peer, or a link to it, goes up and down',
    act: '`show last_bfd_down_event`, and `show bfd session detail` in XR',
  },
  'preempt-conflict': {
    severity: 'minor',
    means: 'somebody took the targets from this preferred router, and it takes them back no more',
    cause: 'both routers are preferred, or a person moved the targets',
    act: '`show config` on both routers: `preferred` may stand in one of them only; restart the daemon to allow it again',
  },
  'foreign-holder': {
    severity: 'major',
    means: `an instance that is neither router of the pair, or ${service}, holds a target, or a route leads to a gateway: it is left there`,
    cause: 'a person moved it there, or an instance was replaced and `peer_private_ips` was not',
    act: '`show ha_targets` says who has it; move it back, or set `foreign_holder` to `take`',
  },
  'cloud-unobserved': {
    severity: 'critical',
    means: `${name} has not said for \`role_ttl_s\` who holds the targets: the role is not known`,
    ...ofCore['cloud-unobserved'],
  },
});

const partAlarms = ({ name }: CloudDescription): AlarmTable['parts'] => ({
  'config-impossible': {
    severity: 'major',
    over: ['config-fits'],
    about: [],
    means: 'the configuration no longer fits the interfaces of this instance',
    cause: 'an interface was detached, replaced or attached at another index',
    act: '`xr-aws-ha check-config --online` names every mistake',
  },
  'endpoint-unresolved': {
    severity: 'minor',
    over: ['endpoint-resolved'],
    about: ['hostname'],
    means: `the name of the ${name} endpoint cannot be resolved; the addresses that are known are used on`,
    cause: 'DNS of the VPC cannot be reached from the container',
    act: '`xr-aws-ha self-test`; a line for the endpoint in `/etc/hosts` helps meanwhile',
  },
  'endpoint-address-silent': {
    severity: 'minor',
    over: ['endpoint-address-answers'],
    about: ['address'],
    means: `an address of the ${name} endpoint does not answer: others are asked first`,
    cause: 'a zone of the VPC endpoint has failed, or its security group differs',
    act: 'see the network interfaces of the VPC endpoint in that zone',
  },
  'slapi-unreachable': {
    severity: 'critical',
    over: ['slapi-reachable'],
    about: [],
    means: "the router's Service-Layer API stays out of reach: a failure of the peer is not seen by BFD",
    cause: 'gRPC is not configured in XR, or another port, or TLS',
    act: '`show grpc status` in XR, and `grpc_server`, `grpc_port` and `grpc_tls` in `show config`',
  },
  'slapi-refused': {
    severity: 'critical',
    over: ['slapi-reachable'],
    about: [],
    means: 'the router refuses this client of its Service-Layer API',
    cause: 'user or password, `service-layer` is missing under `grpc`, or a version that is too old',
    act: '`show ha_alarms` has the words of the router; `grpc` with `service-layer` in XR, and `grpc_credentials_file`',
  },
  'slapi-config-refused': {
    severity: 'critical',
    over: ['slapi-config-accepted'],
    about: ['subject'],
    means: 'the router refuses a BFD session or an interface, so it cannot be watched',
    cause: 'the key of the configuration that the text names',
    act: '`show ha_alarms` names the key; it is tried again slowly by itself',
  },
  'slapi-below-limits': {
    severity: 'minor',
    over: ['slapi-within-limits'],
    about: ['subject'],
    means: 'a BFD session is configured below the limits of the router',
    cause: 'the interval or the multiplier of the session',
    act: '`show ha_alarms` names the keys',
  },
  'store-away': {
    severity: 'minor',
    over: ['store-back'],
    about: [],
    means: 'Redis does not answer: `show` is out of date until it is back; failover is not affected',
    cause: 'Redis has ended, or `redis_server` and `redis_port` are wrong',
    act: '`show ha_state` says whether it is back; the log of the container says why Redis ended',
  },
  'store-refused': {
    severity: 'minor',
    over: ['store-accepted'],
    about: ['key'],
    means: 'Redis refuses what `show` is to print; failover is not affected',
    cause: 'its memory, its access rules, or a key that is not ours',
    act: 'see the advice in the text',
  },
  'store-unwritable': {
    severity: 'minor',
    over: ['store-writable'],
    about: ['path'],
    means: 'the file of the store cannot be written: `show` is out of date',
    cause: 'a disk that is full or read-only, or the rights of the directory',
    act: '`df -h` and `ls -ld` in the container',
  },
  'memory-unwritable': {
    severity: 'major',
    over: ['memory-writable'],
    about: ['path'],
    means: 'the decision memory cannot be written: a restart of the daemon would forget what is armed',
    cause: 'a disk that is full or read-only, or the rights of `state_dir`',
    act: '`df -h` and `ls -ld` of `state_dir` in the container',
  },
  'journal-unwritable': {
    severity: 'minor',
    over: ['journal-writable'],
    about: ['path'],
    means: 'the journal cannot be written and will have a gap',
    cause: 'a disk that is full, slow or read-only',
    act: '`df -h` of `state_dir` in the container',
  },
  'history-unwritable': {
    severity: 'minor',
    over: ['history-writable'],
    about: ['path'],
    means:
      'the history cannot be written: `show ha_history` lacks what happens now; failover is not affected',
    cause: 'a disk that is full or read-only, or the rights of `state_dir`',
    act: '`df -h` and `ls -ld` of `state_dir` in the container',
  },
  'notification-failing': {
    severity: 'minor',
    over: ['notification-delivered'],
    about: ['receiver'],
    means:
      'a receiver of notifications has not taken one three times in a row; they are kept and tried again',
    cause: 'the receiver, its name, its certificate or its key; a route or filter on the way',
    act: '`show ha_alarms` has what it said; mend it, then `xr-aws-ha notify test`',
  },
  'notifications-unwritable': {
    severity: 'minor',
    over: ['notifications-writable'],
    about: ['path'],
    means:
      'notifications that a receiver has not taken cannot be kept: a restart of the daemon would lose them',
    cause: 'a disk that is full or read-only, or the rights of `state_dir`',
    act: '`df -h` and `ls -ld` of `state_dir` in the container',
  },
  'peer-unwell': {
    severity: 'major',
    over: ['peer-well'],
    about: [],
    means:
      "the peer's daemon has not answered at `peer_status_url` three times in a row, or says that it is not ready: it may not take over from this router",
    cause: "the peer's daemon, its status endpoint, or a filter between the two",
    act: '`show ha_peer` says what it said; `show ha_ready` and `show ha_alarms` on the peer',
  },
  'state-dir-volatile': {
    severity: 'warning',
    over: [],
    about: [],
    means: '`state_dir` is not on a mount of its own: an upgrade of the container forgets what was decided',
    cause: 'the docker options of the application lack the mount',
    act: 'add the mount to the docker options in XR',
  },
  'place-unguarded': {
    severity: 'warning',
    over: [],
    about: ['key'],
    means: 'a second daemon with the same directory would not be noticed',
    cause: 'the file system has no Unix sockets',
    act: 'put the directory on a disk of the router',
  },
  'status-unavailable': {
    severity: 'minor',
    over: ['status-available'],
    about: [],
    means:
      'the status endpoint cannot be opened, so nothing can be probed or scraped; failover is not affected',
    cause: 'another process has its port, or the address of `status_listen` is not here',
    act: '`show ha_alarms` says what to do; it is tried again by itself',
  },
  'status-token-unreadable': {
    severity: 'minor',
    over: [],
    about: [],
    means: 'the token of the status endpoint cannot be read: it answers `/livez` alone',
    cause: '`status_token_file` is missing or empty, or its rights',
    act: 'write one line with the token into that file; it is read again after at most 5 s while requests come, and the alarm ends with a restart',
  },
  'control-unavailable': {
    severity: 'minor',
    over: ['control-available'],
    about: ['path'],
    means: 'the commands of `ha` cannot be taken; failover is not affected',
    cause: 'the directory of `control_socket`',
    act: '`show ha_alarms` says what to do; it is tried again by itself',
  },
  'log-file-unwritable': {
    severity: 'minor',
    over: ['log-file-writable'],
    about: [],
    means: 'the log file cannot be written; records still go to standard output and to syslog',
    cause: 'a disk that is full or read-only, or the rights of the directory',
    act: '`df -h` and `ls -ld` of the directory of `syslog_file` in the container',
  },
  'watchdog-missing': {
    severity: 'minor',
    over: ['watchdog-present'],
    about: [],
    means: 'nothing would end this daemon if it got stuck; the watchdog is started again',
    cause: 'the container has no processes left, or no shell',
    act: '`xr-aws-ha self-test`',
  },
  'no-init': {
    severity: 'warning',
    over: [],
    about: [],
    means: 'the daemon is process 1 of its container, which cannot be ended from within if it got stuck',
    cause: 'the container is started without an init',
    act: 'start it with an init, as the image does',
  },
});
