/** The pair in the emulator. */
import { startNeutron, type NeutronEmulator, type NeutronOptions } from '../neutron-emulator/emulator';
import type { NeutronModel, Port } from '../neutron-emulator/model';
import type { RouterName } from '../topology/plan';
import { PAIR, type OpenstackPair } from './pair';

const NETWORK = 'a0000000-0000-4000-8000-000000000001';
const SUBNET = 'a0000000-0000-4000-8000-000000000002';
const ROUTER = 'a0000000-0000-4000-8000-000000000003';
const FLOATING_IP = 'a0000000-0000-4000-8000-000000000004';
const PORT = {
  rtr1: 'b0000000-0000-4000-8000-000000000001',
  rtr2: 'b0000000-0000-4000-8000-000000000002',
} as const;
const CREDENTIAL = {
  id: 'c'.repeat(32),
  secret: 'lab-secret-of-an-application-credential-0123456789',
} as const;

export type EmulatedPair = OpenstackPair & { readonly neutron: NeutronEmulator };

/** Nobody holds anything. */
export async function startEmulatedPair(
  options: Partial<Omit<NeutronOptions, 'model' | 'credentials'>> = {},
): Promise<EmulatedPair> {
  const neutron = await startNeutron({ ...options, model: model(), credentials: [CREDENTIAL] });
  return {
    neutron,
    authUrl: neutron.authUrl,
    credential: CREDENTIAL,
    networkId: NETWORK,
    portId: PORT,
    floatingIpId: FLOATING_IP,
    routerId: ROUTER,
  };
}

function model(): NeutronModel {
  const port = (name: RouterName): Port => ({
    id: PORT[name],
    network_id: NETWORK,
    device_id: PAIR.serverId[name],
    device_owner: 'compute:nova',
    fixed_ips: [{ ip_address: PAIR.address[name], subnet_id: SUBNET }],
    revision_number: 1,
  });
  return {
    subnets: [{ id: SUBNET, network_id: NETWORK, cidr: PAIR.cidr, router_id: ROUTER }],
    ports: [port('rtr1'), port('rtr2')],
    floatingips: [
      {
        id: FLOATING_IP,
        floating_ip_address: PAIR.floatingIp,
        port_id: null,
        fixed_ip_address: null,
        router_id: null,
        status: 'DOWN',
        revision_number: 0,
      },
    ],
    routers: [{ id: ROUTER, routes: [], revision_number: 1 }],
  };
}
