/**
 * What the application credential of both routers needs for this configuration: its roles, the rules of Neutron's policy
 * that it has to pass, and the access rules that narrow it to what is used.
 */
import type { OpenstackSettings } from '../../config/settings';
import type { Kind, OpenstackPlan } from '../description';

type AccessRule = {
  readonly service: 'network' | 'compute';
  readonly method: 'GET' | 'PUT';
  readonly path: string;
};

export type NeutronRights = {
  readonly roles: readonly string[];
  /** Names of Neutron's policy, and of Nova's where it is asked. */
  readonly policy_rules: readonly string[];
  /** As `openstack application credential create --access-rules` takes them. */
  readonly access_rules: readonly AccessRule[];
};

const rule = (method: AccessRule['method'], path: string): AccessRule => ({
  service: 'network',
  method,
  path,
});

/** The list of ports is read for every kind: it shows who is who. */
const READS = { policy: ['get_port'], access: [rule('GET', '/v2.0/ports')] };

const RIGHTS: {
  readonly [K in Kind]: { readonly policy: readonly string[]; readonly access: readonly AccessRule[] };
} = {
  floatingIp: {
    policy: ['get_floatingip', 'update_floatingip'],
    access: [rule('GET', '/v2.0/floatingips'), rule('PUT', '/v2.0/floatingips/*')],
  },
  extraRoute: {
    policy: ['get_router', 'update_router', 'remove_extraroutes'],
    access: [
      rule('GET', '/v2.0/routers'),
      rule('GET', '/v2.0/routers/*'),
      rule('PUT', '/v2.0/routers/*'),
      rule('PUT', '/v2.0/routers/*/remove_extraroutes'),
    ],
  },
  fixedAddress: {
    policy: ['get_port', 'update_port', 'update_port:fixed_ips', 'update_port:fixed_ips:ip_address'],
    access: [rule('GET', '/v2.0/ports/*'), rule('PUT', '/v2.0/ports/*')],
  },
};

/** Where Nova's endpoint ends in the project's id, as older ones do, the path has it too. */
const SERVERS = {
  policy: ['os_compute_api:servers:show'],
  access: [{ service: 'compute', method: 'GET', path: '/v2.1/servers/*' } as const],
};

export function neutronRights(
  { targets }: OpenstackPlan,
  { askNova }: Pick<OpenstackSettings, 'askNova'>,
): NeutronRights {
  const kinds = [...new Set(targets.map(({ kind }) => kind))];
  const all = [READS, ...kinds.map((kind) => RIGHTS[kind]), ...(askNova ? [SERVERS] : [])];
  return {
    roles: ['member', 'reader'],
    policy_rules: [...new Set(all.flatMap(({ policy }) => policy))],
    access_rules: all.flatMap(({ access }) => access),
  };
}

export const NEUTRON_RIGHTS_EXPLAINED = `For the application credential of both routers, in the project that has the ports:
  roles: member moves; reader beside it, or with Neutron's new defaults its readings are empty
  access_rules: optional, with --access-rules; Neutron then needs service_type = network in its [keystone_authtoken]
  openstack application credential create --restricted --role member --role reader NAME -f json
`;
