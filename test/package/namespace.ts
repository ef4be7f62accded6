/**
 * The network of one router as its containers see it: a namespace of its own without any way out, in which XR's gRPC
 * server, the metadata service and the EC2 endpoint answer at their usual addresses. They are those of the lab, reached
 * through a relay.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Lab } from '../../lab/topology/topology';
import type { RouterName } from '../../lab/topology/plan';
import { run } from '../../scripts/package/shell';

export const GRPC_PORT = 57777;
export const ENDPOINT_ADDRESS = '198.51.100.10';
export const ENDPOINT_NAME = 'vpce-0123456789abcdef0-abcdefgh.ec2.us-west-2.vpce.amazonaws.com';
const METADATA_ADDRESS = '169.254.169.254';

export type RouterNetwork = { readonly namespace: string; stop(): Promise<void> };

export async function openNetwork(lab: Lab, name: RouterName, directory: string): Promise<RouterNetwork> {
  const namespace = `xr-aws-ha-${process.pid}-${name}`;
  run('ip', ['netns', 'add', namespace]);
  const parts: { readonly servers: Server[]; relay: ChildProcess | null } = { servers: [], relay: null };
  const stop = async (): Promise<void> => {
    const { relay, servers } = parts;
    if (relay !== null && relay.exitCode === null && relay.signalCode === null) {
      const gone = once(relay, 'exit');
      relay.kill('SIGKILL');
      await gone;
    }
    for (const server of servers) server.close();
    spawnSync('ip', ['netns', 'del', namespace]);
  };
  try {
    const inside = (...args: readonly string[]) => run('ip', ['-n', namespace, ...args]);
    inside('link', 'set', 'lo', 'up');
    inside('addr', 'add', `${METADATA_ADDRESS}/32`, 'dev', 'lo');
    inside('addr', 'add', `${ENDPOINT_ADDRESS}/32`, 'dev', 'lo');
    const { sim, imdsUrl } = lab.routers[name];
    const places = [
      { address: `127.0.0.1:${GRPC_PORT}`, port: sim.port },
      { address: `${METADATA_ADDRESS}:80`, port: Number(new URL(imdsUrl).port) },
      { address: `${ENDPOINT_ADDRESS}:80`, port: Number(new URL(lab.ec2.url).port) },
    ];
    const relayArgs: string[] = [];
    for (const [index, { address, port }] of places.entries()) {
      const path = join(directory, `relay-${name}-${index}`);
      const server = createServer({ allowHalfOpen: true }, (near) => {
        const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
        near.pipe(far).pipe(near);
        near.on('error', () => far.destroy()).on('close', () => far.destroy());
        far.on('error', () => near.destroy()).on('close', () => near.destroy());
      });
      parts.servers.push(server);
      await new Promise<void>((resolve) => server.listen(path, resolve));
      relayArgs.push(address, path);
    }
    const relay = spawn(
      'nsenter',
      [`--net=/run/netns/${namespace}`, process.execPath, join(__dirname, 'relay.cjs'), ...relayArgs],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    parts.relay = relay;
    await once(relay.stdout, 'data');
    return { namespace, stop };
  } catch (error: unknown) {
    await stop();
    throw error;
  }
}
