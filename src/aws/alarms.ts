/**
 * The alarms that this adapter raises by a record of its log, and what to do in AWS about some of the core's. The table of
 * all of them is runtime/alarmTable.ts.
 */
import type { CloudAlarms } from '../cloud';

export const AWS_ALARMS: CloudAlarms = {
  ofCore: {
    'takeover-refused': {
      cause: 'a permission of the role, the limit of addresses of the interface, the wrong subnet',
      act: '`show ha_alarms` has the words of EC2; mend that, then `xr-aws-ha check-config --online`; it is tried again by itself every 5 to 10 s',
    },
    'target-lost': {
      cause: 'a person, a script or another cluster moves targets besides the pair',
      act: '`show ha_targets` says who has it; find out in CloudTrail who moved it',
    },
    'give-back-failed': {
      cause: 'the role may not write to the interfaces of the peer, or the peer is gone',
      act: '`xr-aws-ha iam-policy` prints what the role needs; where the peer is well, move the targets by hand',
    },
    'cloud-unobserved': {
      cause: 'the endpoint, its security group, DNS, the role or the metadata service',
      act: '`show ha_health` says which part fails; `xr-aws-ha check-config --online` names what is wrong',
    },
  },
  ofParts: {
    'clock-off': {
      severity: 'critical',
      over: ['clock-right'],
      about: [],
      means:
        "this router's clock is four minutes or more from that of EC2, which refuses what is signed five minutes off: a takeover would be refused",
      cause: 'NTP is not configured in XR, or its server is away',
      act: '`show clock` and `show ntp status` in XR; it ends by itself when the clock is right',
    },
    'source-dest-check-on': {
      severity: 'critical',
      over: ['source-dest-check-off'],
      about: ['networkInterfaceId'],
      means:
        'the source/destination check of an interface is on, so EC2 drops what this router forwards there',
      cause: 'the interface is new, or a person has switched the check on',
      act: '`aws ec2 modify-network-interface-attribute --no-source-dest-check --network-interface-id ENI`, or set `source_dest_check` to `disable`',
    },
    'source-dest-check-stays-on': {
      severity: 'critical',
      over: ['source-dest-check-off'],
      about: ['networkInterfaceId'],
      means: 'EC2 does not switch that check off, although `source_dest_check` is `disable`',
      cause: 'the role may not modify the interface',
      act: '`xr-aws-ha iam-policy` prints what the role needs; it is tried again with each keepalive',
    },
    'permission-denied': {
      severity: 'critical',
      over: [],
      about: ['action', 'on'],
      means: 'EC2 would deny a call that a takeover may need, as a DryRun has shown',
      cause: 'the policy of the role, a boundary or a policy of the organisation',
      act: '`xr-aws-ha iam-policy` prints what the role needs; after that `xr-aws-ha check-config --online`, and a restart of the daemon, which asks again',
    },
    'permission-unknown': {
      severity: 'warning',
      over: [],
      about: ['action', 'on'],
      means: 'EC2 did not answer the question whether it would permit a call',
      cause: 'EC2 throttled, or the connection failed in that moment',
      act: '`xr-aws-ha check-config --online` asks again',
    },
    'refusal-foreseen': {
      severity: 'major',
      over: ['refusal-not-foreseen'],
      about: ['target'],
      means: 'EC2 would refuse a part of a takeover, as its readings show',
      cause: 'no room on the interface, another subnet or zone, a service that manages the resource',
      act: '`show ha_alarms` says what; mend it, and see it with `xr-aws-ha plan`',
    },
    'route-table-ambiguous': {
      severity: 'major',
      over: ['route-table-clear'],
      about: ['table'],
      means: 'a tag names no route table, or several: the one that had it first is used on',
      cause: 'the tag was given to a second table, or taken away',
      act: 'give the tag to one table, or write `route_table_id`',
    },
    'peer-not-in-ec2': {
      severity: 'warning',
      over: ['peer-in-ec2'],
      about: ['address'],
      means:
        'EC2 shows no interface of another instance with an address of the peer, so it is not recognised by it',
      cause: "the address is a tunnel's end, or the peer's instance is gone",
      act: 'list addresses of its instance in `peer_private_ips`; until then `ha switchover` and `foreign_holder` do not know it',
    },
    'identity-unread': {
      severity: 'major',
      over: ['identified'],
      about: [],
      means: 'the instance metadata service does not say who this router is, so EC2 cannot be asked',
      cause: 'IMDS is switched off, its hop limit is 1, or a route or filter in XR hides 169.254.169.254',
      act: '`xr-aws-ha self-test`; in AWS see the metadata options of the instance',
    },
    'credentials-unread': {
      severity: 'major',
      over: ['credentials-read'],
      about: [],
      means: 'the credentials of the role cannot be read; those at hand are used until they expire',
      cause: 'no instance profile, the metadata service, or a clock that is wrong',
      act: '`show ha_health` says since when; see the instance profile, and `show clock` in XR',
    },
  },
};
