/**
 * Planned switchovers between two healthy routers, to and fro: two built daemons, the command by their control sockets, and
 * what EC2 and the roles of both show of it.
 */
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DaemonProcess, DaemonRecord } from '../lab/daemonProcess';
import { isWrite } from '../lab/ec2-emulator/requestLog';
import { peerOf, type RouterName } from '../lab/topology/plan';
import { startLab, type Lab } from '../lab/topology/topology';
import { nowMs } from './event';
import type { Count } from './statistics';

export type Switchover = {
  /** Milliseconds since the command was sent, until EC2 has made the last change. */
  readonly allMovedMs: number;
  readonly writes: number;
  /** Milliseconds for which both daemons have said ACTIVE; 0 for never. */
  readonly bothActiveMs: number;
};

export type SwitchoverRow = {
  readonly interfaces: number;
  readonly callMs: number;
  readonly switchovers: readonly Switchover[];
};

/** Far below the default of 10 s, so that both know each other's role again soon. */
const KEEPALIVE_S = 0.5;
const READY_MS = 30_000;
/** What belongs to a switchover has arrived by then. */
const QUIET_MS = 1_500;

export async function measureSwitchovers(
  { interfaces, callMs }: Pick<SwitchoverRow, 'interfaces' | 'callMs'>,
  samples: number,
): Promise<SwitchoverRow> {
  const lab = await startLab({
    interfaces,
    fabric: { bringUpMs: 50, detectTimeMs: 150 },
    // In quick succession: none is held back, and an answer of EC2 is believed soon after a write.
    config: { keepalive_s: KEEPALIVE_S, staleness_s: 0.2, damping_half_life_s: 1 },
  });
  try {
    lab.ec2.addFault({ kind: 'latency', ms: callMs });
    const daemons = { rtr1: lab.startDaemon('rtr1'), rtr2: lab.startDaemon('rtr2') };
    await Promise.all([
      says(daemons.rtr1, ({ ha }) => ha === 'ACTIVE'),
      says(daemons.rtr2, ({ reason }) => /STANDBY and watches: all sessions are UP/.test(reason ?? '')),
    ]);
    const switchovers: Switchover[] = [];
    let from: RouterName = 'rtr1';
    // The first of a process is none of those that are counted.
    for (let count = 0; count <= 2 * Math.ceil(samples / 2); count += 1) {
      const switchover = await once(lab, daemons, from);
      if (count > 0) switchovers.push(switchover);
      from = peerOf(from);
    }
    return { interfaces, callMs, switchovers };
  } finally {
    await lab.stop();
  }
}

export function switchoverCounts(rows: readonly SwitchoverRow[]): readonly Count[] {
  return rows.map(({ interfaces, switchovers }) => ({
    what: `writes of a switchover, ${interfaces} interfaces`,
    expected: interfaces,
    seen: switchovers.map(({ writes }) => writes),
  }));
}

type Daemons = { readonly [Name in RouterName]: DaemonProcess };

async function once(lab: Lab, daemons: Daemons, from: RouterName): Promise<Switchover> {
  const to = peerOf(from);
  await delay(QUIET_MS);
  const since = { from: daemons[from].mark(), to: daemons[to].mark() };
  let writes = 0;
  const off = lab.ec2.onRequest((asked) => {
    if (isWrite(asked)) writes += 1;
  });
  const begunMs = nowMs();
  await order(join(lab.routers[from].directory, 'ha.sock'));
  const [active, given] = await Promise.all([
    says(daemons[to], ({ ha }) => ha === 'ACTIVE', since.to),
    says(daemons[from], ({ ha }) => ha !== undefined && ha !== 'ACTIVE', since.from),
  ]);
  await delay(QUIET_MS);
  off();
  if (!lab.ownsAll(to)) throw new Error(`not all addresses have moved to ${to}`);
  const moves = lab.plan.interfaces.map(
    ({ floatingAddress }) => lab.world.ownershipHistory(floatingAddress).at(-1)?.atMs ?? Number.NaN,
  );
  return {
    allMovedMs: Math.max(...moves) - begunMs,
    writes,
    bothActiveMs: Math.max(0, given.receivedAtMs - active.receivedAtMs),
  };
}

const says = (daemon: DaemonProcess, what: (record: DaemonRecord) => boolean, since = 0) =>
  daemon.waitFor(what, { since, deadlineMs: READY_MS });

/** What `ha switchover` sends; the answer comes when EC2 has moved everything. @throws Error where it is declined. */
async function order(socketPath: string): Promise<void> {
  const answer = await new Promise<string>((resolve, reject) => {
    const asking = request({ socketPath, method: 'POST', path: '/command', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve(text));
    });
    asking.on('error', reject).end(JSON.stringify({ kind: 'switchover' }));
  });
  if (!/"accepted":true/.test(answer)) throw new Error(`the switchover was not accepted: ${answer}`);
}
