/** Two routers with their networks, engines and packages, on one lab. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isWrite } from '../../lab/ec2-emulator/requestLog';
import { startLab, type Lab } from '../../lab/topology/topology';
import { routerNames, type RouterName } from '../../lab/topology/plan';
import { openHost, type RouterHost } from './host';
import { ENDPOINT_ADDRESS, ENDPOINT_NAME, GRPC_PORT, openNetwork, type RouterNetwork } from './namespace';

export const HOSTS = `127.0.0.1 localhost\n${ENDPOINT_ADDRESS} ${ENDPOINT_NAME}\n`;

export type Pair = {
  readonly lab: Lab;
  readonly hosts: Readonly<Record<RouterName, RouterHost>>;
  /** config.json of a router, with the addresses that it has in its own network. */
  config(name: RouterName, extra?: object): string;
  /** Requests to move addresses, since the mark. */
  writesSince(mark: number): number;
  mark(): number;
  stop(): Promise<void>;
};

export async function openPair(directory: string): Promise<Pair> {
  mkdirSync(directory, { recursive: true });
  const lab = await startLab({
    generation: 'gen1',
    interfaces: 2,
    fabric: { bringUpMs: 50, detectTimeMs: 150 },
  });
  const networks: RouterNetwork[] = [];
  const opened = new Map<RouterName, RouterHost>();
  const stop = async (): Promise<void> => {
    await Promise.all([...opened.values()].map((host) => host.stop()));
    await Promise.all(networks.map((network) => network.stop()));
    await lab.stop();
  };
  try {
    for (const name of routerNames) {
      const network = await openNetwork(lab, name, directory);
      networks.push(network);
      opened.set(name, await openHost(join(directory, name), network.namespace));
    }
  } catch (error: unknown) {
    await stop();
    throw error;
  }
  const host = (name: RouterName): RouterHost => {
    const found = opened.get(name);
    if (found === undefined) throw new Error(`no host ${name}`);
    return found;
  };
  const inContainer = {
    ec2_private_endpoint_url: `http://${ENDPOINT_NAME}`,
    grpc_port: GRPC_PORT,
    // The defaults of the product, in place of the lab's own.
    store: undefined,
    state_dir: undefined,
    control_socket: undefined,
    syslog_file: undefined,
    keepalive_s: 1,
  };
  return {
    lab,
    hosts: { rtr1: host('rtr1'), rtr2: host('rtr2') },
    config: (name, extra = {}) =>
      `${JSON.stringify(lab.writeConfig(name, { ...inContainer, ...extra }), null, 2)}\n`,
    mark: () => lab.ec2.requests().at(-1)?.number ?? 0,
    writesSince: (mark) =>
      lab.ec2.requests().filter((request) => request.number > mark && isWrite(request)).length,
    stop,
  };
}
