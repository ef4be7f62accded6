/** The soak in short: what `npm run soak` does for as long as one likes. */
import { soakLab } from '../../lab/soak/lab';
import { soak } from '../../lab/soak/rounds';

const FAILOVERS = 6;
const WITHIN_MS = 120_000;

test(
  `${FAILOVERS} failovers among random faults: none wrong, none missed`,
  async () => {
    const lab = await soakLab();
    try {
      const seed = Date.now() % 1_000_000_000;
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
