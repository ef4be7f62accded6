/** The pair in the real services: a project with its user and application credential, and what it has in Neutron. */
import { z } from 'zod';
import { routerNames, type RouterName } from '../topology/plan';
import { PAIR, type OpenstackPair } from './pair';
import { ADMIN, RealServices, type ServiceOptions } from './realServices';

export type Credential = OpenstackPair['credential'];

export type RealPair = OpenstackPair & {
  readonly services: RealServices;
  /** One more application credential of the pair's user, for reading alone: Keystone's access rules let nothing else through. */
  readonly readingOnly: () => Promise<Credential>;
};

/** Nobody holds anything. In an empty directory. */
export async function startRealPair(directory: string, options: ServiceOptions = {}): Promise<RealPair> {
  const services = await RealServices.start(directory, options);
  const { authUrl, networkUrl } = services;
  const admin = await tokenOf(authUrl, passwordOf(ADMIN.name, ADMIN.password), ADMIN.project);
  const keystone = caller(authUrl, admin);
  const neutron = caller(`${networkUrl}/v2.0`, admin);
  const { projectId, makeCredential } = await makeProject(keystone, authUrl, networkUrl);
  return {
    ...(await makeNetworks(neutron, projectId)),
    authUrl,
    credential: await makeCredential('routers'),
    readingOnly: () =>
      makeCredential('reading-only', [{ service: 'network', method: 'GET', path: '/v2.0/**' }]),
    services,
  };
}

type Call = (method: string, path: string, body?: object) => Promise<unknown>;

/** @throws Error with what the service has said. */
export const caller =
  (base: string, token: string): Call =>
  async (method, path, body) => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { 'x-auth-token': token, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}: ${text}`);
    const answer: unknown = text === '' ? null : JSON.parse(text);
    return answer;
  };

const passwordOf = (name: string, password: string) => ({
  methods: ['password'],
  password: { user: { name, domain: { id: 'default' }, password } },
});

async function tokenOf(authUrl: string, identity: object, project: string): Promise<string> {
  const scope = { project: { name: project, domain: { id: 'default' } } };
  const response = await fetch(`${authUrl}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth: { identity, scope } }),
  });
  const token = response.headers.get('x-subject-token');
  if (token === null) throw new Error(`no token: ${await response.text()}`);
  return token;
}

const ID = z.object({ id: z.string() });
const CREDENTIAL = z.object({ application_credential: z.object({ id: z.string(), secret: z.string() }) });

/** Of what a POST has made. */
async function make(call: Call, path: string, name: string, body: object): Promise<string> {
  const answer = z.record(z.string(), z.unknown()).parse(await call('POST', path, { [name]: body }));
  return ID.parse(answer[name]).id;
}

async function makeProject(keystone: Call, authUrl: string, networkUrl: string) {
  const roles = z
    .object({ roles: z.array(z.object({ id: z.string(), name: z.string() })) })
    .parse(await keystone('GET', '/roles')).roles;
  const projectId = await make(keystone, '/projects', 'project', { name: 'pair' });
  const userId = await make(keystone, '/users', 'user', { name: 'pair', password: 'pair' });
  for (const { id, name } of roles)
    if (name === 'member' || name === 'reader')
      await keystone('PUT', `/projects/${projectId}/users/${userId}/roles/${id}`);
  const service = await make(keystone, '/services', 'service', { name: 'neutron', type: 'network' });
  await make(keystone, '/endpoints', 'endpoint', {
    service_id: service,
    interface: 'public',
    region_id: 'r1',
    url: networkUrl,
  });
  const makeCredential = async (name: string, rules?: readonly object[]): Promise<Credential> => {
    const own = caller(authUrl, await tokenOf(authUrl, passwordOf('pair', 'pair'), 'pair'));
    const answer = await own('POST', `/users/${userId}/application_credentials`, {
      application_credential: {
        name,
        roles: [{ name: 'member' }, { name: 'reader' }],
        ...(rules === undefined ? {} : { access_rules: rules }),
      },
    });
    return CREDENTIAL.parse(answer).application_credential;
  };
  return { projectId, makeCredential };
}

async function makeNetworks(
  neutron: Call,
  projectId: string,
): Promise<Omit<OpenstackPair, 'authUrl' | 'credential'>> {
  const own = { project_id: projectId };
  const external = await make(neutron, '/networks', 'network', {
    name: 'external',
    'router:external': true,
    'provider:network_type': 'flat',
    'provider:physical_network': 'external',
  });
  await subnet(external, PAIR.externalCidr);
  const networkId = await make(neutron, '/networks', 'network', { name: 'pair', ...own });
  const inside = await subnet(networkId, PAIR.cidr, own);
  const routerId = await make(neutron, '/routers', 'router', {
    name: 'pair',
    ...own,
    external_gateway_info: { network_id: external },
  });
  await neutron('PUT', `/routers/${routerId}/add_router_interface`, { subnet_id: inside });
  const ports = await Promise.all(routerNames.map(async (name) => [name, await port(name)] as const));
  const floatingIpId = await make(neutron, '/floatingips', 'floatingip', {
    ...own,
    floating_network_id: external,
    floating_ip_address: PAIR.floatingIp,
  });
  const portId = Object.fromEntries(ports) as Record<RouterName, string>;
  return { networkId, routerId, floatingIpId, portId };

  function subnet(network: string, cidr: string, more: object = {}): Promise<string> {
    return make(neutron, '/subnets', 'subnet', {
      network_id: network,
      cidr,
      ip_version: 4,
      enable_dhcp: false,
      ...more,
    });
  }

  function port(name: RouterName): Promise<string> {
    return make(neutron, '/ports', 'port', {
      ...own,
      name,
      network_id: networkId,
      device_id: PAIR.serverId[name],
      device_owner: 'compute:nova',
      fixed_ips: [{ ip_address: PAIR.address[name] }],
    });
  }
}
