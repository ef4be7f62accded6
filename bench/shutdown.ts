/**
 * `npx tsx bench/shutdown.ts`: how long a daemon takes from SIGTERM to its end with `on_shutdown: "switchover"`, by the number
 * of targets, and how much of them is at the peer by then. Two built daemons in the lab, routes in two zones.
 */
import { startCrossAzLab } from '../lab/topology/topology';
import { peerOf, routerNames } from '../lab/topology/plan';
import { nowMs } from './event';

const ROUTES = [2, 20, 100];
const CALL_MS = 150;
const DEADLINE_MS = 30_000;

async function measure(routes: number): Promise<string> {
  const lab = await startCrossAzLab({
    routes,
    elasticIps: 0,
    fabric: { bringUpMs: 50, detectTimeMs: 150 },
    config: { on_shutdown: 'switchover', keepalive_s: 1 },
  });
  try {
    lab.ec2.addFault({ kind: 'latency', ms: CALL_MS });
    for (const name of routerNames)
      lab.writeConfig(name, {
        peer_private_ips: lab.plan.interfaces.map(({ primaryAddress }) => primaryAddress[peerOf(name)]),
      });
    const giver = lab.startDaemon('rtr1');
    const peer = lab.startDaemon('rtr2');
    await Promise.all([
      giver.waitFor(({ ha }) => ha === 'ACTIVE', { deadlineMs: DEADLINE_MS }),
      peer.waitFor(({ reason }) => /STANDBY and watches: all sessions are UP/.test(reason ?? ''), {
        deadlineMs: DEADLINE_MS,
      }),
    ]);
    const begunMs = nowMs();
    const { code } = await giver.stop('SIGTERM', DEADLINE_MS);
    const endedMs = Math.round(nowMs() - begunMs);
    const interfaces = lab.world.model.networkInterfaces;
    const peers = interfaces
      .filter(({ attachment }) => attachment?.instanceId === lab.plan.instanceId.rtr2)
      .map(({ networkInterfaceId }) => networkInterfaceId);
    const given = lab.world.model.routeTables
      .flatMap((table) => table.routes)
      .filter(({ target }) => target.kind === 'networkInterface' && peers.includes(target.id));
    return `${routes} routes: ended with ${code} after ${endedMs} ms, ${given.length} at the peer`;
  } finally {
    await lab.stop();
  }
}

async function main(): Promise<void> {
  for (const routes of ROUTES) process.stdout.write(`${await measure(routes)}\n`);
}

void main();
