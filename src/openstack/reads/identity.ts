/**
 * Who this router is: its ports in the order in which the configuration counts them, and the server that they are of. Where
 * the configuration does not list the ports, the metadata service does.
 * https://docs.openstack.org/nova/latest/user/metadata.html
 */
import { z } from 'zod';
import type { Failure } from '../../core/state/readings';
import type { IdentityReading } from '../../transport/identity';
import type { Neutron } from '../transport/neutron';
import type { Service } from '../transport/service';
import { fieldsOf, Malformed, membersOf, type Port } from './answer';

export type Identity = {
  /** `device_id` of the ports: the server as Nova calls it. */
  readonly serverId: string;
  /** By number: `instance_intf_number`. */
  readonly ports: readonly Port[];
};

const TIMEOUT_MS = 10_000;

/** Never rejects. */
export async function readIdentity(
  neutron: Neutron,
  metadata: Pick<Service, 'call'>,
  listed: readonly string[] | null,
): Promise<IdentityReading<Identity>> {
  try {
    const portIds = listed ?? (await portsOfMetadata(metadata));
    const query = portIds.map((id) => `id=${encodeURIComponent(id)}`).join('&');
    const answer = await neutron.call(
      { action: 'GET ports', method: 'GET', path: `/v2.0/ports?${query}&${fieldsOf('ports')}` },
      TIMEOUT_MS,
    );
    if (!answer.ok)
      return failed(`Neutron does not show the ports of this router: ${wordsOf(answer.failure)}`);
    return { ok: true, identity: identityOf(portIds, membersOf('ports', answer.body)) };
  } catch (error) {
    if (error instanceof Malformed) return failed(error.message);
    throw error;
  }
}

function identityOf(portIds: readonly string[], shown: readonly Port[]): Identity {
  const ports = portIds.map((id) => {
    const port = shown.find((each) => each.id === id);
    if (port === undefined)
      throw new Malformed(
        `Neutron shows no port ${id}: it is of another project, or the application credential lacks the role reader`,
      );
    return port;
  });
  const servers = [...new Set(ports.map(({ device_id: device }) => device))];
  const [serverId = ''] = servers;
  if (servers.length > 1 || serverId === '')
    throw new Malformed(
      `the ports of this router are not of one server: ${ports.map(({ id, device_id: device }) => `${id} is of ${device === '' ? 'none' : device}`).join(', ')}`,
    );
  return { serverId, ports };
}

const NETWORK_DATA = z.object({
  links: z.array(z.object({ vif_id: z.string().regex(/^[\w-]{1,64}$/) })).min(1),
});

async function portsOfMetadata(metadata: Pick<Service, 'call'>): Promise<readonly string[]> {
  const path = '/openstack/latest/network_data.json';
  const answer = await metadata.call({ action: 'GET network_data.json', method: 'GET', path }, TIMEOUT_MS);
  if (!answer.ok)
    throw new Malformed(
      `the metadata service does not say which ports this router has (${wordsOf(answer.failure)}): list them as ports`,
    );
  const { success, data } = NETWORK_DATA.safeParse(answer.body);
  if (!success) throw new Malformed(`the metadata service answers ${path} without links that have a vif_id`);
  return data.links.map(({ vif_id: id }) => id);
}

const failed = (problem: string): IdentityReading<Identity> => ({ ok: false, problem });
const wordsOf = ({ code, message }: Failure): string => `${code}: ${message}`;
