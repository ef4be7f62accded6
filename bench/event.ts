/**
 * The two ends of what is measured, the same for the daemon and for the floor: the moment at which the
 * simulated router writes the first BFD DOWN, and the moments at which the emulator has received the writes.
 */
import type { Ec2Emulator } from '../lab/ec2-emulator/emulator';
import { isWrite, type LoggedRequest } from '../lab/ec2-emulator/requestLog';
import type { SimRouter } from '../lab/slapi-sim/router';

export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

const DEADLINE_MS = 15_000;

/** Sets every session to DOWN, as when the peer dies; returns when the first event was written. */
export function peerDies(sim: SimRouter, neighbors: readonly string[]): number {
  let eventMs: number | null = null;
  const off = sim.onEventWritten(({ stream, atMs }) => {
    if (stream === 'bfd') eventMs ??= atMs;
  });
  for (const neighbor of neighbors) sim.forceBfd({ neighbor }, 'DOWN', 'DETECT_EXPIRED');
  off();
  if (eventMs === null) throw new Error('the simulator wrote no BFD event: nobody holds the stream');
  return eventMs;
}

export function peerLives(sim: SimRouter, neighbors: readonly string[]): void {
  for (const neighbor of neighbors) sim.forceBfd({ neighbor }, 'UP');
}

/** The next `count` writes that the emulator receives, in order. Listens from the call on. */
export function nextWrites(
  ec2: Ec2Emulator,
  count: number,
  deadlineMs = DEADLINE_MS,
): Promise<readonly LoggedRequest[]> {
  const seen: LoggedRequest[] = [];
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      clearTimeout(deadline);
      off();
      end();
    };
    const deadline = setTimeout(
      () => settle(() => reject(new Error(`${seen.length} of ${count} writes came in ${deadlineMs} ms`))),
      deadlineMs,
    );
    const off = ec2.onRequest((request) => {
      if (!isWrite(request)) return;
      seen.push(request);
      if (seen.length === count) settle(() => resolve(seen));
    });
  });
}
