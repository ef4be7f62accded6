/** Each invariant is broken by hand once, since the core never does: a check that cannot fail is none. */
import { violations } from '../../src/core/state/invariants';
import type { Session, State } from '../../src/core/state/state';
import type { Attempt, Call } from '../../src/core/state/attempt';
import { planOf, sessionEvent } from '../support/coreWorld';
import { watching } from './play';

const plan = planOf();

/** A takeover under way, of which both requests have been sent. */
function moving(): State {
  const play = watching('peer', 'gen2');
  play.at(1_000, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
  return play.state;
}

function withAttempt(change: Partial<Attempt>): State {
  const state = moving();
  return { ...state, attempt: { ...state.attempt!, ...change } };
}

function withCall(change: Partial<Call>): State {
  const [first, ...others] = moving().attempt!.calls;
  return withAttempt({ calls: [{ ...first!, ...change }, ...others] });
}

function withSession(change: Partial<Session>): State {
  const { state } = watching('peer');
  return { ...state, sessions: { ...state.sessions, a: { ...state.sessions['a']!, ...change } } };
}

const send = (number: number) => ({ number, startedAt: 0, hedge: false, queued: false });
const observing = (inFlight: number | null, lastNumber: number): State => {
  const { state } = watching('peer');
  return { ...state, observing: { ...state.observing, inFlight, lastNumber } };
};

describe('hold', () => {
  test.each<[string, () => State]>([
    ['while nothing moves', () => watching('peer').state],
    ['while something does', moving],
    [
      'with as many requests in flight as are bounded',
      () => withCall({ outstanding: [1, 2, 3, 4, 5, 6, 7, 8].map(send) }),
    ],
    ['with a session that is unconfigured', () => withSession({ level: 'Unconfigured', armed: false })],
    ['with a session that is armed, fresh and DOWN', () => withSession({ level: 'Down', freshSince: 1 })],
    ['with a session that is not armed and DOWN', () => withSession({ level: 'Down', armed: false })],
    ['with an observation in flight', () => observing(3, 3)],
    ['with none in flight', () => observing(null, 3)],
  ])('%s', (_what, stateOf) => {
    expect(violations(plan, stateOf())).toEqual([]);
  });
});

describe('are broken', () => {
  test.each<[string, () => State, RegExp]>([
    ['by an attempt that is not the newest', () => withAttempt({ number: 0 }), /newest one/],
    ['by a move before anything is known', () => ({ ...moving(), ownership: null }), /before EC2 has said/],
    ['by a call for nothing', () => withCall({ targets: [] }), /call 1 moves at least one target/],
    [
      'by requests without bound',
      () => withCall({ outstanding: [1, 2, 3, 4, 5, 6, 7, 8, 9].map(send) }),
      /call 1 has a bounded number/,
    ],
    [
      'by a target of nobody',
      () => withCall({ targets: [plan.targets[0]!.id, '10.0.0.1'] }),
      /call 1 moves only targets of the plan/,
    ],
    [
      'by a session that is UP and not armed',
      () => withSession({ armed: false }),
      /session a is armed while/,
    ],
    [
      'by a session that is UP and fresh',
      () => withSession({ freshSince: 1 }),
      /session a is not fresh while/,
    ],
    [
      'by an armed session that is unconfigured',
      () => withSession({ level: 'Unconfigured', armed: true }),
      /session a is not armed while unconfigured/,
    ],
    ['by two observations in flight', () => observing(2, 3), /one observation is in flight/],
  ])('%s', (_what, stateOf, sentence) => {
    expect(violations(plan, stateOf())).toEqual([expect.stringMatching(sentence)]);
  });
});
