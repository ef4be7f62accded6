/** What the emulated Neutron knows: ports, floating IPs and routers of one project. Names are those of Neutron's API. */

export type FixedIp = { readonly ip_address: string; readonly subnet_id: string };

export type Port = {
  readonly id: string;
  readonly network_id: string;
  readonly device_id: string;
  readonly device_owner: string;
  readonly fixed_ips: readonly FixedIp[];
  readonly revision_number: number;
};

export type FloatingIp = {
  readonly id: string;
  readonly floating_ip_address: string;
  readonly port_id: string | null;
  readonly fixed_ip_address: string | null;
  readonly router_id: string | null;
  /** No agent reports here: it stays what it is, whatever moves. */
  readonly status: string;
  readonly revision_number: number;
};

export type Route = { readonly destination: string; readonly nexthop: string };

export type Router = {
  readonly id: string;
  readonly routes: readonly Route[];
  readonly revision_number: number;
};

export type Subnet = {
  readonly id: string;
  readonly network_id: string;
  readonly cidr: string;
  /** The router that has an interface on it. */
  readonly router_id: string;
};

export type NeutronModel = {
  readonly subnets: readonly Subnet[];
  readonly ports: readonly Port[];
  readonly floatingips: readonly FloatingIp[];
  readonly routers: readonly Router[];
};

/** An error as Neutron answers it. */
export class NeutronError extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
  }
}

const number = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

export function isIn(cidr: string, address: string): boolean {
  const [network = '', length = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(length));
  return Math.floor(number(address) / size) === Math.floor(number(network) / size);
}
