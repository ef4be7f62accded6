/** The same failure with what people use instead, on the same routers and the same EC2: keepalived with the AWS CLI. */
import { setTimeout as delay } from 'node:timers/promises';
import { KeepalivedPair } from '../lab/real-router/keepalived';
import { portTowards, sides } from '../lab/real-router/layout';
import { startRealLab, type RealLab } from '../lab/real-router/realLab';
import { targetName } from '../lab/topology/targets';
import { delayEc2, type Ec2Latency } from './traffic';

export type PeerOutage = {
  readonly outageMs: number;
  /** From the last answer to the first request that EC2 gets. */
  readonly untilAskedMs: number;
  readonly lost: number;
};

const FLOWS_MS = 400;
const SETTLES_MS = 1_000;

/** Power off of rtr1, which has everything; each time with both started anew. */
export async function measureKeepalived(failovers: number, ec2: Ec2Latency): Promise<readonly PeerOutage[]> {
  const real = await startRealLab();
  const outages: PeerOutage[] = [];
  try {
    while (outages.length < failovers) {
      delayEc2(real, ec2);
      outages.push(await once(real));
    }
  } finally {
    await real.stop();
  }
  return outages;
}

async function once(real: RealLab): Promise<PeerOutage> {
  giveBack(real);
  const pair = new KeepalivedPair(real);
  try {
    await pair.start();
    await delay(SETTLES_MS);
    if (real.owner !== 'rtr1') throw new Error('keepalived has moved the addresses without need');
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

/** As an operator does it. */
function giveBack({ lab, layout }: RealLab): void {
  for (const side of sides)
    lab.world.assign(portTowards(layout, 'rtr1', side).networkInterfaceId, [targetName(layout.gates[side])]);
}
