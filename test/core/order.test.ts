/**
 * Rule 1: events of one moment are judged together. Sources that know nothing of each other may say things in any
 * order, so where the rules do not make the order of two events mean something, they commute; where they do, it is
 * said here what it means.
 */
import fc from '../support/properties';
import type { Event } from '../../src/core/state/model';
import type { Plan } from '../../src/core/state/plan';
import { initialState, type State } from '../../src/core/state/state';
import { step } from '../../src/core/step';
import { planOf, sessionEvent } from '../support/coreWorld';
import { deepFreeze, equals } from './equality';
import { answer, interfaceEvent, interfacesAnswered, watching } from './play';
import { move, story, type Move } from './stories';

/** Two kinds of events, and what two events of these kinds must not have in common for the claim to be made. */
type Pair = {
  readonly kinds: readonly [Event['type'], Event['type']];
  readonly unless?: (one: Event, other: Event) => boolean;
};

const sameSession = (one: Event, other: Event): boolean =>
  'session' in one && 'session' in other && one.session === other.session;
const sameInterface = (one: Event, other: Event): boolean =>
  'interfaceName' in one && 'interfaceName' in other && one.interfaceName === other.interfaceName;

/** A refusal may add calls, numbered as they come, or be held against a claim: which came first then is to be seen. */
const isRefusal = (event: Event): boolean =>
  event.type === 'callAnswered' && event.failure?.kind === 'refused';
const sameCallOrRefused = (one: Event, other: Event): boolean =>
  isRefusal(one) || isRefusal(other) || !('call' in one && 'call' in other) || one.call === other.call;

/**
 * The router speaks on two streams and answers questions on a third, EC2 answers each request on its own: between
 * these there is no order. Left out on purpose, each with its reason in the tests below: a session and a reading of
 * ownership, a session and a confirmed write, a reading and a write, a notification and an answer about an
 * interface. Also left out is what replaces all levels (streams lost or back, levels read again, a stall): rule 13
 * has notifications before it overruled and those after it believed. And two events that tell of the same session
 * or interface: the later one is true.
 */
const COMMUTING: readonly Pair[] = [
  { kinds: ['bfdSessionChanged', 'bfdSessionChanged'], unless: sameSession },
  { kinds: ['interfaceChanged', 'interfaceChanged'], unless: sameInterface },
  { kinds: ['bfdSessionChanged', 'interfaceChanged'] },
  { kinds: ['bfdSessionChanged', 'interfacesAnswered'] },
  { kinds: ['bfdSessionChanged', 'observationFailed'] },
  { kinds: ['bfdSessionChanged', 'holdersAnswered'] },
  { kinds: ['bfdSessionChanged', 'switchoverRequested'] },
  { kinds: ['interfaceChanged', 'ownershipObserved'] },
  { kinds: ['interfaceChanged', 'observationFailed'] },
  { kinds: ['interfaceChanged', 'holdersAnswered'] },
  { kinds: ['interfaceChanged', 'callAnswered'] },
  { kinds: ['interfaceChanged', 'switchoverRequested'] },
  { kinds: ['callAnswered', 'callAnswered'], unless: sameCallOrRefused },
  { kinds: ['callAnswered', 'observationFailed'] },
  { kinds: ['callAnswered', 'holdersAnswered'] },
  { kinds: ['observationFailed', 'holdersAnswered'] },
];

function pairOf(one: Event, other: Event): Pair | undefined {
  return COMMUTING.find(
    ({ kinds: [first, second], unless }) =>
      ((one.type === first && other.type === second) || (one.type === second && other.type === first)) &&
      unless?.(one, other) !== true,
  );
}

function both(plan: Plan, state: State, now: number, first: Event, second: Event) {
  const one = step(plan, state, first, now);
  const other = step(plan, one.state, second, now);
  const decided = step(plan, other.state, { type: 'inputDrained', jitter: 0.5 }, now);
  const effects = [...one.effects, ...other.effects].map((effect) => JSON.stringify(effect)).sort();
  return { state: other.state, effects, decided };
}

/** Tries the pairs in the states of a story; tells of each that has changed places. */
function swap(
  [plan, moves]: readonly [Plan, readonly Move[]],
  pairs: readonly (readonly [Move, Move])[],
): readonly Pair[] {
  let state = initialState(plan);
  let now = 1_000;
  return moves.flatMap((one, index) => {
    now += one.afterMs;
    ({ state } = step(plan, state, one.eventOf(state, now, plan), now));
    deepFreeze(state);
    const [first, second] = pairs[index % pairs.length]!.map((move) => move.eventOf(state, now, plan));
    const pair = pairOf(first!, second!);
    if (pair === undefined) return [];
    const [forth, back] = [both(plan, state, now, first!, second!), both(plan, state, now, second!, first!)];
    if (!equals(forth, back)) {
      throw new Error(
        `${pair.kinds.join(' and ')} do not commute: ${JSON.stringify([first, second, forth, back])}`,
      );
    }
    return [pair];
  });
}

const pairs = fc.array(fc.tuple(move, move), { minLength: 20, maxLength: 40 });

// Claimed of each pair above, in every state that a story reaches: both orders give the same state, the same effects,
// and the same decision in the same words.
test('independent events of one moment commute', () => {
  fc.assert(
    fc.property(story, pairs, (story, pairs) => void swap(story, pairs)),
    { numRuns: 100 },
  );
});

test('every pair of which that is claimed is tried', () => {
  const tried = fc
    .sample(fc.tuple(story, pairs), { numRuns: 150, seed: 1 })
    .flatMap(([story, pairs]) => swap(story, pairs));
  expect(COMMUTING.filter((pair) => !tried.includes(pair))).toEqual([]);
});

describe('the order means something', () => {
  // Rule 2: in either order the session is disarmed; the reason tells which end has seen the failure first.
  test('of a session that goes DOWN and the observation that ends being ACTIVE', () => {
    const down = watching('mine');
    down.at(1_500);
    down.at(10_300);
    down.take(sessionEvent('a', 'Down'));
    down.take(down.observed('peer'));
    expect(down.state.sessions['a']).toMatchObject({ armed: false, disarmedBy: 'loss' });

    const lost = watching('mine');
    lost.at(1_500);
    lost.at(10_300);
    lost.take(lost.observed('peer'));
    lost.take(sessionEvent('a', 'Down'));
    expect(lost.state.sessions['a']).toMatchObject({ armed: false, disarmedBy: 'sameFailure' });
  });

  // Rule 4: only who holds everything has nothing to do but to look; who is still taking it over has.
  test('of a session that goes DOWN and the answer that makes this router ACTIVE', () => {
    const lookedClosely = (events: readonly Event[]): boolean => {
      const play = watching('peer', 'gen2');
      play.at(1_500, sessionEvent('a', 'Down'));
      play.at(1_520);
      play.take(answer('1.1.1'));
      for (const event of events) play.take(event);
      return play.state.observing.closelyUntil > 0;
    };
    expect(lookedClosely([sessionEvent('b', 'Down'), answer('1.2.1')])).toBe(false);
    expect(lookedClosely([answer('1.2.1'), sessionEvent('b', 'Down')])).toBe(true);
  });

  // Section 3: a reading that began before the last confirmed write is discarded.
  test('of a confirmed write and an observation that began before it', () => {
    const begun = () => {
      const play = watching('peer', 'gen2');
      play.at(1_500, sessionEvent('a', 'Down'));
      play.at(1_520);
      play.at(10_250);
      return play;
    };
    const read = begun();
    read.take(read.observed('none', 'peer'));
    read.take(answer('1.1.1'));
    expect(read.state.ownership?.observation.holders['172.31.101.10']).toBeNull();

    const written = begun();
    const observation = written.observed('none', 'peer', 10_250);
    written.now = 10_260;
    written.take(answer('1.1.1'));
    written.take(observation);
    expect(written.state.ownership?.observation.holders['172.31.101.10']).not.toBeNull();
  });

  // Rule 5: the answer to a question may have been overtaken by a notification, so that one is the newer word.
  test('of a notification and an answer about the same interface', () => {
    const levelAfter = (events: readonly Event[]): string | undefined => {
      const play = watching('peer', 'gen1', planOf());
      play.at(1_500, sessionEvent('a', 'Down'));
      play.now = 1_502;
      for (const event of events) play.take(event);
      return play.state.interfaces['Te1']?.level;
    };
    const told = interfaceEvent('Te1', 'Down');
    const asked = interfacesAnswered(1, { Te1: 'Up' });
    expect(levelAfter([told, asked])).toBe('Down');
    expect(levelAfter([asked, told])).toBe('Down');
    const back = interfaceEvent('Te1', 'Up');
    const gone = interfacesAnswered(1, { Te1: 'Down' });
    expect(levelAfter([gone, back])).toBe('Up');
    expect(levelAfter([back, gone])).toBe('Down');
  });
});
