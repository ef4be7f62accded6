/**
 * The same failure with what people use instead, on the same routers and the same EC2: keepalived with the AWS CLI, by
 * VRRP alone and with its own BFD; and the `start` of Pacemaker's agents.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { KeepalivedPair, type KeepalivedWatch } from '../lab/real-router/keepalived';
import { portTowards, sides } from '../lab/real-router/layout';
import { startRealLab, type RealLab } from '../lab/real-router/realLab';
import {
  agents,
  leadToMetadata,
  startAgent,
  type AgentPlan,
  type AgentStart,
} from '../lab/real-router/resourceAgents';
import { targetName } from '../lab/topology/targets';
import { delayEc2, type Ec2Latency } from './traffic';

export type PeerOutage = {
  readonly outageMs: number;
  /** From the last answer to the first request that EC2 gets. */
  readonly untilAskedMs: number;
  readonly lost: number;
};

export type PeerRow = { readonly watch: KeepalivedWatch; readonly outages: readonly PeerOutage[] };

export type AgentRow = { readonly agent: AgentPlan['name']; readonly starts: readonly AgentStart[] };

export type Peers = { readonly keepalived: readonly PeerRow[]; readonly agents: readonly AgentRow[] };

export type PeersOptions = {
  readonly failovers: number;
  readonly ec2: Ec2Latency;
  readonly say: (line: string) => void;
};

const FLOWS_MS = 400;
/** Longer than the CLI takes for what it was started for when everything began. */
const SETTLED_MS = 3_000;

export async function measurePeers({ failovers, ec2, say }: PeersOptions): Promise<Peers> {
  const keepalived: PeerRow[] = [];
  for (const watch of ['VRRP', 'BFD'] as const) {
    keepalived.push({ watch, outages: await measureKeepalived(watch, failovers, ec2) });
    say(`keepalived by ${watch}: ${failovers} done`);
  }
  const rows: AgentRow[] = [];
  for (const agent of agents) {
    rows.push({ agent: agent.name, starts: await measureAgent(agent, failovers, ec2) });
    say(`${agent.name}: ${failovers} done`);
  }
  return { keepalived, agents: rows };
}

async function measureAgent(
  agent: AgentPlan,
  times: number,
  ec2: Ec2Latency,
): Promise<readonly AgentStart[]> {
  const real = await startRealLab({ topology: agent.topology });
  const starts: AgentStart[] = [];
  try {
    leadToMetadata(real);
    while (starts.length < times) {
      delayEc2(real, ec2);
      starts.push(await startAgent(real, agent));
    }
  } finally {
    await real.stop();
  }
  return starts;
}

/** Power off of rtr1, which has everything; each time with both started anew. */
async function measureKeepalived(
  watch: KeepalivedWatch,
  failovers: number,
  ec2: Ec2Latency,
): Promise<readonly PeerOutage[]> {
  const real = await startRealLab();
  const outages: PeerOutage[] = [];
  try {
    while (outages.length < failovers) {
      delayEc2(real, ec2);
      outages.push(await once(real, watch));
    }
  } finally {
    await real.stop();
  }
  return outages;
}

async function once(real: RealLab, watch: KeepalivedWatch): Promise<PeerOutage> {
  const pair = new KeepalivedPair(real, watch);
  try {
    await pair.start();
    await settled(real);
    await real.user.begin();
    await delay(FLOWS_MS);
    const [moves, requests] = [real.vpc.moves.length, real.lab.ec2.requests().at(-1)?.number ?? 0];
    await Promise.all([real.routers.rtr1.powerOff(), pair.kill('rtr1')]);
    await real.until(
      'keepalived to move both addresses',
      () => real.vpc.moves.length >= moves + sides.length,
    );
    await delay(FLOWS_MS);
    const { udp } = await real.user.report();
    const [silence] = [...udp.silences].sort((a, b) => b.untilMs - b.fromMs - (a.untilMs - a.fromMs));
    const asked = real.lab.ec2.requests().find(({ number }) => number > requests);
    if (silence === undefined || asked === undefined) throw new Error('the user has seen no outage');
    return {
      outageMs: silence.untilMs - silence.fromMs,
      untilAskedMs: asked.receivedAt - silence.fromMs,
      lost: udp.sent - udp.answered,
    };
  } finally {
    await pair.stop();
    await real.routers.rtr1.bfdd.kill();
    await real.routers.rtr1.powerOn();
  }
}

/** Everything is on rtr1, and stays there: rtr2 may have been MASTER for a moment before it had heard of rtr1. */
async function settled(real: RealLab): Promise<void> {
  for (let tries = 0; tries < 5; tries += 1) {
    giveToRtr1(real);
    const moves = real.vpc.moves.length;
    await delay(SETTLED_MS);
    if (real.owner === 'rtr1' && real.vpc.moves.length === moves) return;
  }
  throw new Error('keepalived goes on moving the addresses without need');
}

/** As an operator does it. */
function giveToRtr1({ lab, layout }: RealLab): void {
  for (const side of sides)
    lab.world.assign(portTowards(layout, 'rtr1', side).networkInterfaceId, [targetName(layout.gates[side])]);
}
