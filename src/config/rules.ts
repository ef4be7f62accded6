/**
 * Rules that span keys. They look at whatever part of a document is valid by itself, so that they are
 * checked even when other parts are wrong; a rule with a missing part finds nothing.
 */
import { actionRules } from './actionRules';
import { cloudRules } from './cloudRules';
import { groupRules } from './groupRules';
import { isLinkLocal } from './ipv6';
import { notificationRules } from './notificationRules';
import type { Parts, Rule } from './parts';
import { repeated } from './repeated';
import { statusRules } from './statusRules';
import { place, type Path } from './words';

type SessionParts = Parts['sessions'][number];

/** What tells a session apart on the router, as text; `undefined` where a part of it is missing. */
function keyOf({
  type,
  peerAddress,
  interfaceName,
  vrfName,
  sourceAddress,
}: SessionParts): string | undefined {
  const parts = [type, peerAddress, type === 'MULTI_HOP' ? sourceAddress : interfaceName, vrfName];
  return parts.includes(undefined) ? undefined : parts.join(' ');
}

const isIpv6 = (address: string): boolean => address.includes(':');

const sessionPath = (index: number, ...key: readonly string[]): Path => [
  'config',
  'bfd_sessions',
  index,
  ...key,
];

/** Below this, pauses in the scheduling of a virtual machine look like a failed peer. */
const shortestSensibleDetectionUs = 100_000;

export const rules: readonly Rule[] = [
  {
    severity: 'mistake',
    sentence:
      '`role_ttl_s` is at least `keepalive_s` + 2 x `api_timeout_s`, so that one lost answer does not cost the role.',
    find: ({ keepaliveS, apiTimeoutS, roleTtlS }) => {
      if (keepaliveS === undefined || apiTimeoutS === undefined || roleTtlS === undefined) return [];
      const least = Number((keepaliveS + 2 * apiTimeoutS).toFixed(3));
      if (roleTtlS >= least) return [];
      return [
        {
          path: ['config', 'role_ttl_s'],
          message: `${roleTtlS} is shorter than keepalive_s + 2 x api_timeout_s = ${least}; write at least ${least}, or ask EC2 more often`,
        },
      ];
    },
  },
  {
    severity: 'mistake',
    sentence: '`take_from_running_after_s` is not shorter than `evidence_hold_s`: EC2 is asked first.',
    find: ({ evidenceHoldS, takeFromRunningAfterS }) => {
      if (evidenceHoldS === undefined || takeFromRunningAfterS === undefined) return [];
      if (takeFromRunningAfterS >= evidenceHoldS) return [];
      return [
        {
          path: ['config', 'take_from_running_after_s'],
          message: `${takeFromRunningAfterS} is shorter than evidence_hold_s = ${evidenceHoldS}; write at least ${evidenceHoldS}`,
        },
      ];
    },
  },
  ...cloudRules,
  ...actionRules,
  ...groupRules,
  ...statusRules,
  ...notificationRules,
  {
    severity: 'mistake',
    sentence:
      'No two single-hop sessions have the same `neigh_ip`, `intf_name` and `vrf_name`, and no two multi-hop sessions the same `neigh_ip`, `source_ip` and `vrf_name`.',
    find: ({ sessions }) =>
      repeated(sessions.map(keyOf)).map(({ index, first }) => ({
        path: sessionPath(index),
        message: `the same session as ${place(sessionPath(first))}; remove one of the two`,
      })),
  },
  {
    severity: 'mistake',
    sentence: 'A multi-hop session has a `source_ip`.',
    find: ({ sessions }) =>
      sessions.flatMap(({ type, hasSource }, index) =>
        type === 'MULTI_HOP' && !hasSource
          ? [
              {
                path: sessionPath(index, 'source_ip'),
                message:
                  "missing; a multi-hop session needs it: write this router's own address that the peer router has as its neighbour",
              },
            ]
          : [],
      ),
  },
  {
    severity: 'mistake',
    sentence: 'The `neigh_ip` and the `source_ip` of a session are of one family, and not the same address.',
    find: ({ sessions }) =>
      sessions.flatMap(({ peerAddress, sourceAddress }, index) => {
        if (peerAddress === undefined || sourceAddress === undefined) return [];
        const path = sessionPath(index, 'source_ip');
        if (peerAddress === sourceAddress) {
          const message = `${sourceAddress} is the neigh_ip too; write this router's own address`;
          return [{ path, message }];
        }
        if (isIpv6(peerAddress) === isIpv6(sourceAddress)) return [];
        const family = isIpv6(peerAddress) ? 'IPv6' : 'IPv4';
        return [
          {
            path,
            message: `${sourceAddress} is of another family than the neigh_ip, ${peerAddress}; write an ${family} address`,
          },
        ];
      }),
  },
  {
    severity: 'mistake',
    sentence: 'No address of a multi-hop session is link-local: such addresses are not routed.',
    find: ({ sessions }) =>
      sessions.flatMap(({ type, peerAddress, sourceAddress }, index) => {
        if (type !== 'MULTI_HOP') return [];
        const ends = [
          ['neigh_ip', peerAddress],
          ['source_ip', sourceAddress],
        ] as const;
        return ends.flatMap(([key, address]) =>
          address !== undefined && isLinkLocal(address)
            ? [
                {
                  path: sessionPath(index, key),
                  message: `${address} is a link-local address, which is not routed; write another address, or "SINGLE_HOP"`,
                },
              ]
            : [],
        );
      }),
  },
  {
    severity: 'mistake',
    sentence:
      'No `neigh_ip`, `source_ip` or entry of `peer_private_ips` is one of the floating addresses: those move, and BFD would follow them.',
    find: ({ sessions, addresses, peerPrivateAddresses }) => {
      const places = [
        ...sessions.flatMap(({ peerAddress, sourceAddress }, index) => [
          { path: sessionPath(index, 'neigh_ip'), address: peerAddress, whose: "the peer router's" },
          { path: sessionPath(index, 'source_ip'), address: sourceAddress, whose: "this router's" },
        ]),
        ...peerPrivateAddresses.map((address, index) => ({
          path: ['config', 'peer_private_ips', index],
          address,
          whose: "the peer router's",
        })),
      ];
      return places.flatMap(({ path, address, whose }) =>
        address !== undefined && addresses.includes(address)
          ? [
              {
                path,
                message: `${address} is one of the floating addresses; write ${whose} own (primary) address on that subnet`,
              },
            ]
          : [],
      );
    },
  },
  {
    severity: 'mistake',
    sentence: '`store.path` belongs to `store.type` "file", which needs it.',
    find: ({ storeType, storePath }) => {
      if (storeType === 'file' && storePath === undefined) {
        return [
          { path: ['config', 'store', 'path'], message: 'missing; a store of type "file" needs its path' },
        ];
      }
      if (storeType !== 'redis' || storePath === undefined) return [];
      return [
        {
          path: ['config', 'store', 'path'],
          message: 'a store of type "redis" has no path; remove it, or write "type": "file"',
        },
      ];
    },
  },
  {
    severity: 'warning',
    sentence: 'The detection time, `bfd_desired_tx_int_usec` x `detect_multiplier`, is 100 ms or more.',
    find: ({ sessions }) =>
      sessions.flatMap(({ intervalUs, multiplier }, index) => {
        if (intervalUs === undefined || multiplier === undefined) return [];
        const detectionUs = intervalUs * multiplier;
        if (detectionUs >= shortestSensibleDetectionUs) return [];
        return [
          {
            path: ['config', 'bfd_sessions', index],
            message: `the detection time, ${intervalUs} µs x ${multiplier} = ${detectionUs / 1000} ms, is less than the sensible 100 ms: pauses of a virtual machine then look like a failed peer router`,
          },
        ];
      }),
  },
  {
    severity: 'warning',
    sentence:
      '`grpc_credentials_file` goes with `grpc_tls`, unless the router is reached within this machine.',
    find: ({ grpcServer, isWritten }) =>
      grpcServer === undefined ||
      /^(127\.|localhost$|unix:)/.test(grpcServer) ||
      !isWritten('grpc_credentials_file') ||
      isWritten('grpc_tls')
        ? []
        : [
            {
              path: ['config', 'grpc_credentials_file'],
              message: `without grpc_tls the user name and password cross the network to ${grpcServer} in clear text; configure grpc_tls`,
            },
          ],
  },
  {
    severity: 'warning',
    sentence: '`syslog_port` is used with `syslog_server` only.',
    find: ({ isWritten }) =>
      isWritten('syslog_port') && !isWritten('syslog_server')
        ? [
            {
              path: ['config', 'syslog_port'],
              message: 'not used without syslog_server; add that key or remove this one',
            },
          ]
        : [],
  },
  {
    severity: 'warning',
    sentence: '`source_ip` is used with multi-hop sessions only.',
    find: ({ sessions }) =>
      sessions.flatMap(({ type, hasSource }, index) =>
        type === 'SINGLE_HOP' && hasSource
          ? [
              {
                path: ['config', 'bfd_sessions', index, 'source_ip'],
                message: 'not used for a single-hop session; remove it',
              },
            ]
          : [],
      ),
  },
  {
    severity: 'warning',
    sentence:
      'Sessions are single-hop: multi-hop BFD through the Service-Layer API is unproven on XRv9000 (docs/bfd.md).',
    find: ({ sessions }) =>
      sessions.flatMap(({ type }, index) =>
        type === 'MULTI_HOP'
          ? [
              {
                path: sessionPath(index, 'session_type'),
                message:
                  'multi-hop BFD through the Service-Layer API is unproven on XRv9000: see that the session comes up; it probably needs `bfd multipath include location 0/RP0/CPU0` on the router, and a single-hop session over a GRE tunnel is the alternative',
              },
            ]
          : [],
      ),
  },
  {
    severity: 'warning',
    sentence:
      'No session runs in a tunnel: BFD over a GRE tunnel through the Service-Layer API is unproven on XRv9000 (docs/bfd.md).',
    find: ({ sessions }) =>
      sessions.flatMap(({ interfaceName }, index) =>
        interfaceName !== undefined && /^(tunnel|ti\d)/i.test(interfaceName)
          ? [
              {
                path: sessionPath(index, 'intf_name'),
                message:
                  'BFD over a tunnel through the Service-Layer API is unproven on XRv9000: see that the session comes up, and that it goes down when the peer router fails',
              },
            ]
          : [],
      ),
  },
  {
    severity: 'warning',
    sentence:
      '`peer_private_ips` is there when every `neigh_ip` is link-local: EC2 does not know those, so nothing else tells who the peer is.',
    find: ({ sessions, isWritten }) =>
      isWritten('peer_private_ips') ||
      sessions.length === 0 ||
      !sessions.every(({ peerAddress }) => peerAddress !== undefined && isLinkLocal(peerAddress))
        ? []
        : [
            {
              path: ['config', 'peer_private_ips'],
              message:
                'missing; EC2 does not know link-local addresses, so the peer is not recognised there: list the private addresses of its interfaces, or `ha switchover` and the check of foreign holders do not work',
            },
          ],
  },
];
