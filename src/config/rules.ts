/**
 * Rules that span keys. They look at whatever part of a document is valid by itself, so that they are
 * checked even when other parts are wrong; a rule with a missing part finds nothing.
 */
import type { z } from 'zod';
import { entries, isObject, member } from './document';
import { groupRules } from './groupRules';
import { configSchema, groupSchema, interfaceEntrySchema, sessionSchema, storeSchema } from './schema';
import { repeated } from './repeated';
import { place, type Path } from './words';

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
  const addressesOf = (action: unknown) =>
    entries(member(member(action, 'method_params'), 'intf_list')).map((entry) =>
      valid(interfaceEntrySchema.shape.secondary_ip, member(entry, 'secondary_ip')),
    );
  return {
    hasConfig: isObject(config),
    isWritten,
    keepaliveS: valid(shape.keepalive_s, member(config, 'keepalive_s')),
    apiTimeoutS: valid(shape.api_timeout_s, member(config, 'api_timeout_s')),
    roleTtlS: valid(shape.role_ttl_s, member(config, 'role_ttl_s')),
    evidenceHoldS: valid(shape.evidence_hold_s, member(config, 'evidence_hold_s')),
    takeFromRunningAfterS: valid(
      shape.take_from_running_after_s,
      member(config, 'take_from_running_after_s'),
    ),
    endpointUrl: valid(shape.ec2_private_endpoint_url, member(config, 'ec2_private_endpoint_url')),
    grpcServer: valid(shape.grpc_server, member(config, 'grpc_server')),
    storeType: valid(storeSchema.shape.type, member(store, 'type')),
    storePath: member(store, 'path'),
    addresses: addressesOf(member(config, 'action')),
    groups: entries(member(config, 'groups')).map((group) => ({
      name: valid(groupSchema.shape.name, member(group, 'name')),
      /** Undefined where the key is absent, which means all of them. */
      sessions:
        member(group, 'bfd_sessions') === undefined
          ? undefined
          : entries(member(group, 'bfd_sessions')).map((name) => valid(sessionSchema.shape.name, name)),
      addresses: addressesOf(member(group, 'action')),
    })),
    sessions: entries(member(config, 'bfd_sessions')).map((session) => ({
      name: valid(sessionSchema.shape.name, member(session, 'name')),
      type: valid(sessionSchema.shape.session_type, member(session, 'session_type')),
      peerAddress: valid(sessionSchema.shape.neigh_ip, member(session, 'neigh_ip')),
      interfaceName: valid(sessionSchema.shape.intf_name, member(session, 'intf_name')),
      vrfName: valid(sessionSchema.shape.vrf_name, member(session, 'vrf_name')),
      sourceAddress: member(session, 'source_ip'),
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

const interfaceListPath = ['config', 'action', 'method_params', 'intf_list'] as const;

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
  {
    severity: 'mistake',
    sentence: 'Each `secondary_ip` stands in `intf_list` once.',
    find: ({ addresses }) =>
      repeated(addresses).map(({ index, first }) => ({
        path: [...interfaceListPath, index, 'secondary_ip'],
        message: `${addresses[index]} is in the list already, at ${place([...interfaceListPath, first])}; remove one of the two`,
      })),
  },
  {
    severity: 'mistake',
    sentence: 'No two sessions have the same `neigh_ip`, `intf_name` and `vrf_name`.',
    find: ({ sessions }) =>
      repeated(
        sessions.map(({ peerAddress, interfaceName, vrfName }) =>
          peerAddress === undefined || interfaceName === undefined || vrfName === undefined
            ? undefined
            : `${peerAddress} ${interfaceName} ${vrfName}`,
        ),
      ).map(({ index, first }) => ({
        path: ['config', 'bfd_sessions', index],
        message: `the same session as ${place(['config', 'bfd_sessions', first])}; remove one of the two`,
      })),
  },
  {
    severity: 'mistake',
    sentence: 'No `neigh_ip` is one of the floating addresses: those move, and BFD would follow them.',
    find: ({ sessions, addresses, groups }) =>
      sessions.flatMap(({ peerAddress }, index) =>
        peerAddress !== undefined &&
        [...addresses, ...groups.flatMap((group) => group.addresses)].includes(peerAddress)
          ? [
              {
                path: ['config', 'bfd_sessions', index, 'neigh_ip'],
                message: `${peerAddress} is one of the floating addresses; write the peer router's own (primary) address on that subnet`,
              },
            ]
          : [],
      ),
  },
  ...groupRules,
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
    sentence: '`ec2_private_endpoint_url` is an https URL; http is for a lab.',
    find: ({ endpointUrl }) =>
      endpointUrl === undefined || !/^http:/i.test(endpointUrl)
        ? []
        : [
            {
              path: ['config', 'ec2_private_endpoint_url'],
              message: 'http is not encrypted; use it in a lab only and https:// with AWS',
            },
          ],
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
      sessions.flatMap(({ type, sourceAddress }, index) =>
        type === 'SINGLE_HOP' && sourceAddress !== undefined
          ? [
              {
                path: ['config', 'bfd_sessions', index, 'source_ip'],
                message: 'not used for a single-hop session; remove it',
              },
            ]
          : [],
      ),
  },
];
