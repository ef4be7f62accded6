/**
 * The alarms that this adapter raises by a record of its log, and what to do in OpenStack about some of the core's. The
 * table of all of them is runtime/alarmTable.ts.
 */
import type { CloudAlarms } from '../cloud';

export const OPENSTACK_ALARMS: CloudAlarms = {
  ofCore: {
    'takeover-refused': {
      cause:
        'a role or a policy rule, a port of another network, a router without a gateway to that external network',
      act: '`show ha_alarms` has the words of Neutron; mend that, then `xr-aws-ha check-config --online`; it is tried again by itself every 5 to 10 s',
    },
    'target-lost': {
      cause: 'a person, a script or another cluster moves targets besides the pair',
      act: '`show ha_targets` says who has it; find out in the log of Neutron who moved it',
    },
    'give-back-failed': {
      cause: 'the application credential may not change the ports of the peer, or the peer is gone',
      act: '`xr-aws-ha iam-policy` prints what it needs; where the peer is well, move the targets by hand',
    },
    'cloud-unobserved': {
      cause: 'Neutron, the way to it, DNS, or the token',
      act: '`show ha_health` says which part fails; `xr-aws-ha check-config --online` names what is wrong',
    },
  },
  ofParts: {
    'identity-unread': {
      severity: 'major',
      over: ['identified'],
      about: [],
      means:
        'it is not known which ports of Neutron are those of this router, so nothing can be moved to them',
      cause: 'a wrong id in `cloud.ports`, the metadata service, another project, or no role `reader`',
      act: '`xr-aws-ha check-config --online` names what is wrong; list the ports as `cloud.ports`',
    },
    'token-unread': {
      severity: 'major',
      over: ['token-read'],
      about: [],
      means: 'Keystone gives out no new token; the one at hand is used until Neutron turns it down',
      cause:
        'Keystone is away, or the application credential has ended or is not that of `cloud.credentials_file`',
      act: '`show ha_health` says since when; the log has the words of Keystone. Replace the file where the credential has ended: it is read again each time',
    },
  },
};
