/** Each fault once, with the packets of a user: what moves, what does not, and for how long nothing gets through. */
import { playFault } from '../../lab/real-router/failover';
import { powerOff, realFaults } from '../../lab/real-router/faults';
import { detectionMs, type RealLab } from '../../lab/real-router/realLab';
import { openPair } from './support';

/** On top of the detection time, for daemon, EC2, VPC and a machine that has other things to do. */
const BEYOND_DETECTION_MS = 1_500;

describe.each(['gen1', 'gen2'] as const)('single-hop BFD in one zone, %s', (generation) => {
  let real: RealLab;

  beforeAll(async () => {
    real = await openPair({ generation });
  });
  afterAll(() => real.stop());

  test.each(realFaults)('$name', async (fault) => {
    const { outage, called, user } = await playFault(real, fault);
    expect(outage !== null).toBe(called);
    const bound = fault.userSuffers ? detectionMs(real.bfd) + BEYOND_DETECTION_MS : BEYOND_DETECTION_MS;
    expect(user.udp.longestSilenceMs).toBeLessThan(bound);
    expect(user.udp.lostOnTheWayThere + user.udp.lostOnTheWayBack).toBeLessThan(bound);
    expect(user.udp.duplicates).toBe(0);
    expect(user.tcp.broken).toBe(0);
  });
});

describe.each(['gen1', 'gen2'] as const)('multi-hop BFD across two zones, %s', (generation) => {
  test('power off: the route and the Elastic IP move, and packets with them', async () => {
    const real = await openPair({ generation, topology: 'two-zones' });
    try {
      const { outage, user } = await playFault(real, powerOff);
      expect(outage?.outageMs).toBeLessThan(detectionMs(real.bfd) + BEYOND_DETECTION_MS);
      expect(user.tcp.broken).toBe(0);
    } finally {
      await real.stop();
    }
  });
});
