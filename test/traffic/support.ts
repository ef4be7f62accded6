/** What the tests with real BFD and real packets share. Waiting is for what happens, never for time. */
import { startRealLab, type RealLab, type RealLabOptions } from '../../lab/real-router/realLab';

/** One after another on a busy machine of two cores. */
jest.setTimeout(150_000);

/** Made for many failovers in a short time: quick keepalives, and no dampening to speak of. */
export const quick = {
  keepalive_s: 1,
  staleness_s: 1,
  reestablish_s: 1,
  reestablish_after_interface_s: 0.5,
  damping_half_life_s: 1,
} as const;

/** Both daemons run. The lab ends with `stop`, and with the enclosure in any case. */
export async function openPair(options: RealLabOptions): Promise<RealLab> {
  const real = await startRealLab({ ...options, config: { ...quick, ...options.config } });
  await real.startPair();
  return real;
}
