/**
 * Records beside the bundle what V8 makes of it (src/codeCache.ts): of a daemon that starts in the lab, sees its peer die
 * and takes over, so that what is seldom run has been compiled too.
 */
import { join } from 'node:path';
import { startLab } from '../lab/topology/topology';

const PATIENCE_MS = 30_000;

/** `dist`: the bundle, whose files get theirs. Rejects when the daemon does not get through. */
export async function recordCodeOf(dist: string): Promise<void> {
  const lab = await startLab({
    interfaces: 2,
    fabric: { bringUpMs: 2 ** 31 - 1, detectTimeMs: 2 ** 31 - 1 },
  });
  try {
    const { sim, configPath } = lab.routers.rtr2;
    const start = `require(${JSON.stringify(join(dist, 'codeCache.js'))}).recordCode(); require(${JSON.stringify(join(dist, 'main.js'))})`;
    const daemon = lab.startDaemon('rtr2', {
      command: [process.execPath, '-e', start, 'main.js', 'run', '-c', configPath],
    });
    const heard = (pattern: RegExp) =>
      daemon.waitFor(({ reason }) => pattern.test(reason ?? ''), { deadlineMs: PATIENCE_MS });
    const setBfd = (state: 'UP' | 'DOWN') => {
      for (const { address } of lab.plan.paths) sim.forceBfd({ neighbor: address.rtr1 }, state);
    };
    await daemon.waitFor(({ event }) => event === 'streamsSynchronized', { deadlineMs: PATIENCE_MS });
    setBfd('UP');
    await heard(/this router is STANDBY and watches: all sessions are UP/i);
    setBfd('DOWN');
    await heard(/EC2 confirms attempt \d+: all targets/);
    const { code } = await daemon.stop();
    if (code !== 0) throw new Error(`the daemon has ended with ${code}:\n${daemon.tail()}`);
  } finally {
    await lab.stop();
  }
}
