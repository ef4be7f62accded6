import { instanceOf } from '../../src/core/levels/holders';
import type { Event } from '../../src/core/state/model';
import { planOf, sessionEvent, TARGETS, type Owner } from '../support/coreWorld';
import { answer, asked, watching, type Play, type World } from './play';

const [FIRST, SECOND] = TARGETS;
type Observed = Extract<Event, { type: 'ownershipObserved' }>;
const down = [sessionEvent('a', 'Down'), sessionEvent('b', 'Down')] as const;

/** BFD calls the peer dead at 15 s, while EC2 shows these owners. */
function failed(owners: readonly [Owner, Owner], world: Partial<World> = {}, plan = planOf()): Play {
  const play = watching('peer', 'gen2', plan);
  play.live(15_000, { owners, ...world });
  play.at(15_000, ...down);
  play.live(15_500, { owners, ...world });
  return play;
}

describe('foreign holder (rule 18)', () => {
  test('its target is refused; the others go on', () => {
    expect(asked(failed(['third', 'peer']))).toEqual([`take ${SECOND}`]);
  });

  test('of all targets: nothing is taken, and the sentence says from whom', () => {
    const play = failed(['third', 'third']);
    expect(asked(play)).toEqual([]);
    expect(play.state.verdict).toMatch(/held by i-third.* neither router of this pair/);
  });

  test('`foreign_holder: take` allows it', () => {
    const play = failed(['third', 'peer'], {}, planOf({ foreignHolder: 'take' }));
    expect(asked(play)).toEqual([`take ${FIRST}`, `take ${SECOND}`]);
    expect(play.alarms).not.toContain('foreign-holder');
  });

  test('only where the instance of the peer is known', () => {
    const play = failed(['third', 'peer'], { peerIsKnown: false });
    expect(asked(play)).toEqual([`take ${FIRST}`, `take ${SECOND}`]);
    expect(play.alarms).not.toContain('foreign-holder');
  });

  test.each<Owner>(['detached', 'misplaced', 'none'])('%s is nobody foreign', (owner) => {
    expect(asked(failed([owner, 'peer']))).toContain(`take ${FIRST}`);
  });

  test('an interface of the peer that is attached to nothing says nothing of its instance', () => {
    const play = watching('peer', 'gen2');
    play.at(10_200);
    const event = play.observed('third', 'peer') as Observed;
    const peers = Object.entries(event.observation.peers).map(
      ([address, peer]) => [address, { ...peer, instanceId: null }] as const,
    );
    play.take({ ...event, observation: { ...event.observation, peers: Object.fromEntries(peers) } });
    expect(instanceOf(play.state.ownership?.holders[FIRST])).toBe('i-third');
    expect(play.alarms).toEqual([]);
  });

  test('alarms once, early, and again when it is another target or another time', () => {
    const play = watching('peer');
    const alarms = (): number => play.alarms.filter((code) => code === 'foreign-holder').length;
    play.live(60_000, { owners: ['third', 'peer'] });
    expect(alarms()).toBe(1);
    play.live(80_000, { owners: ['third', 'third'] });
    expect(alarms()).toBe(2);
    play.live(100_000, { owners: ['peer', 'peer'] });
    play.live(120_000, { owners: ['third', 'peer'] });
    expect(alarms()).toBe(3);
  });

  test('one that appears before anything has moved is not taken from', () => {
    const play = watching('peer', 'gen2');
    play.live(9_900, { owners: ['peer', 'peer'] });
    play.at(9_900, ...down);
    play.at(9_950, answer('1.1.1', 'throttled'), answer('1.2.1', 'throttled'));
    play.live(11_000, { owners: ['third', 'peer'], calls: 'throttled' });
    play.forget();
    play.live(12_000, { owners: ['third', 'peer'], calls: 'throttled' });
    expect(play.all('sendCall').flatMap(({ targets }) => targets)).not.toContain(FIRST);
    expect(play.all('sendCall').flatMap(({ targets }) => targets)).toContain(SECOND);
  });
});

describe('the bounds of rule 18', () => {
  test('what nobody holds is claimed as soon as ever, although a third instance holds another target', () => {
    const play = watching('peer', 'gen2');
    play.live(21_000, { owners: ['third', 'none'] });
    expect(asked(play)).toEqual([`claim ${SECOND}`]);
  });

  test('another target of as many is alarmed about once too', () => {
    const play = watching('peer');
    play.live(20_000, { owners: ['third', 'peer'] });
    play.live(80_000, { owners: ['peer', 'third'] });
    expect(play.alarms.filter((code) => code === 'foreign-holder').length).toBe(2);
  });
});
