/** A pair of routers made for many failovers in a short time: quick keepalives, and no dampening to speak of. */
import { startLab, type Lab } from '../topology/topology';

export async function soakLab(): Promise<Lab> {
  const lab = await startLab({
    interfaces: 2,
    fabric: { bringUpMs: 50, detectTimeMs: 100 },
    config: {
      keepalive_s: 1,
      // Longer than the emulator's stale answers here, and far shorter than the delivered 10 s: a round is short.
      staleness_s: 1,
      reestablish_s: 1,
      reestablish_after_interface_s: 0.5,
      damping_half_life_s: 1,
    },
  });
  for (const name of ['rtr1', 'rtr2'] as const) lab.startDaemon(name);
  return lab;
}
