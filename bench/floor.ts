/**
 * What the bench itself takes: the same simulator, emulator, network and change of processes, with the least
 * that can be put in the daemon's place. A latency of the daemon is to be read beside this.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { CredentialRegistry } from '../lab/ec2-emulator/credentials';
import { startEc2Emulator } from '../lab/ec2-emulator/emulator';
import { Ec2World } from '../lab/ec2-emulator/world';
import { SimRouter } from '../lab/slapi-sim/router';
import { ec2Model, planTopology } from '../lab/topology/plan';
import { nextWrites, peerDies, peerLives } from './event';
import type { FloorTask } from './floorClient';

export type FloorSample = { readonly firstWriteMs: number; readonly lastWriteMs: number };

export type Floor = {
  /** Of its client. */
  readonly pid: number;
  /** To be called when nothing else is at work. */
  sample(): Promise<FloorSample>;
  stop(): Promise<void>;
};

/** `asks`: one question to the router between the event and the writes, as rule 5 of the daemon demands. */
export async function openFloor({
  interfaces,
  asks,
}: {
  readonly interfaces: number;
  readonly asks: boolean;
}): Promise<Floor> {
  const plan = planTopology(interfaces);
  const world = new Ec2World(ec2Model(plan, 'rtr1'));
  const ec2 = await startEc2Emulator({
    world,
    credentials: new CredentialRegistry(),
    verifySignatures: false,
  });
  const names = plan.interfaces.map(({ name }) => name);
  const sim = new SimRouter({ name: 'rtr2', generation: 'gen1', interfaces: names });
  await sim.start();
  const watched = plan.interfaces.slice(0, 2);
  const neighbors = watched.map(({ primaryAddress }) => primaryAddress.rtr1);
  const task: FloorTask = {
    target: sim.target,
    ec2Port: Number(new URL(ec2.url).port),
    sessions: watched.map(({ name, primaryAddress }) => ({ interface: name, neighbor: primaryAddress.rtr1 })),
    moves: plan.interfaces.map(({ networkInterfaceId, floatingAddress }) => ({
      networkInterfaceId: networkInterfaceId.rtr2,
      address: floatingAddress,
    })),
    asks,
  };
  // It ends by itself when the channel to us closes, whatever becomes of us.
  const client = fork(join(__dirname, 'floorClient.ts'), [JSON.stringify(task)]);
  const gone = once(client, 'exit');
  const stop = async (): Promise<void> => {
    if (client.connected) client.disconnect();
    await gone;
    sim.close();
    await ec2.stop();
  };
  const isReady = await Promise.race([once(client, 'message').then(() => true), gone.then(() => false)]);
  if (!isReady) {
    await stop();
    throw new Error('the client of the floor ended early');
  }
  peerLives(sim, neighbors);
  return {
    pid: client.pid ?? Number.NaN,
    sample: async () => {
      const writes = nextWrites(ec2, interfaces);
      const eventMs = peerDies(sim, neighbors);
      const receivedMs = (await writes).map(({ receivedAt }) => receivedAt - eventMs);
      for (const { networkInterfaceId, floatingAddress } of plan.interfaces) {
        world.assign(networkInterfaceId.rtr1, [floatingAddress]);
      }
      peerLives(sim, neighbors);
      return { firstWriteMs: Math.min(...receivedMs), lastWriteMs: Math.max(...receivedMs) };
    },
    stop,
  };
}
