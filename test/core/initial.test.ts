import { initialState } from '../../src/core/state/state';
import { planOf } from '../support/coreWorld';

test('at first nothing is known, armed, begun or alarmed about, and all is due', () => {
  const session = {
    level: 'Unknown',
    changedAt: 0,
    changeSeen: false,
    lastUpAt: null,
    armed: false,
    disarmedBy: 'start',
    freshSince: null,
    heldUntil: null,
  };
  const local = { level: 'Unknown', changedAt: 0, cameUpAt: null };
  expect(initialState(planOf())).toMatchObject({
    streams: {
      phase: 'connecting',
      generation: null,
      answersAboutInterfaces: false,
      everSynchronized: false,
    },
    unwatched: null,
    sessions: { a: session, b: session },
    interfaces: { Te1: local, Te2: local },
    ownership: null,
    role: { haState: 'UNKNOWN', why: 'unobserved' },
    observing: {
      lastNumber: 0,
      inFlight: null,
      nextAt: 0,
      closelyUntil: 0,
      failures: 0,
      retry: false,
    },
    evidence: { lastNumber: 0, inFlight: null, tookFromRunning: false },
    beenActive: false,
    blocked: false,
    alarms: {},
    lastAttempt: 0,
    attempt: null,
    wakeAt: 0,
  });
});
