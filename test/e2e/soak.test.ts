/**
 * The soak in short: what `npm run soak` does for as long as one likes. The faults are the same in each run, so that a
 * change is to blame for what it finds; SOAK_SEED draws others.
 */
import { soakLab } from '../../lab/soak/lab';
import { soak } from '../../lab/soak/rounds';

const FAILOVERS = 6;
const WITHIN_MS = 120_000;

test(
  `${FAILOVERS} failovers among random faults: none wrong, none missed`,
  async () => {
    const lab = await soakLab();
    try {
      const seed = Number(process.env['SOAK_SEED'] ?? 1);
      const until = Date.now() + WITHIN_MS;
      const report = await soak({ lab, seed, failovers: FAILOVERS, until, say: () => undefined });
      if (report.failure !== null) throw new Error(report.failure);
      expect(report.failovers).toBe(FAILOVERS);
    } finally {
      await lab.stop();
    }
  },
  WITHIN_MS + 60_000,
);
