/**
 * Two routers that are well, on links that lose 1 % and a CPU that is busy: nothing moves that BFD has not called for.
 * Short here; `XR_AWS_HA_WATCH_S=600 npm run test:traffic -- watch` is the long one.
 */
import { watch } from '../../lab/real-router/watch';
import { openPair } from './support';

const seconds = Number(process.env['XR_AWS_HA_WATCH_S'] ?? 20);

test(
  `no false alarm in ${seconds} s`,
  async () => {
    const real = await openPair({ generation: 'mixed', bfd: { intervalMs: 100, multiplier: 3 } });
    try {
      const seen = await watch(real, { seconds, loss: 0.01, hungry: 1 });
      process.stdout.write(
        `watch of ${seconds} s: ${seen.bfdDowns} times BFD DOWN, ${seen.takeovers} takeovers, ` +
          `${seen.user.udp.sent - seen.user.udp.answered} of ${seen.user.udp.sent} packets lost\n`,
      );
      expect(seen.falseTakeovers).toBe(0);
      // The loss is there: a watch of quiet links would prove nothing.
      expect(seen.user.udp.answered).toBeLessThan(seen.user.udp.sent);
      await real.settled();
    } finally {
      await real.stop();
    }
  },
  (seconds + 120) * 1000,
);
