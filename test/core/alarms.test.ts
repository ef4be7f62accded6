/** Alarms as things: each begins, stands and ends, and says so once. */
import { alarmsOf, type AlarmCode, type StoredAlarm } from '../../src/core/state/alarms';
import { sessionEvent, synchronizedEvent, TARGETS } from '../support/coreWorld';
import { answer, interfaceEvent, memoryOf, Play, started, watching } from './play';

const [FIRST, SECOND] = TARGETS;
const down = [sessionEvent('a', 'Down'), sessionEvent('b', 'Down')] as const;
const standing = (play: Play): readonly string[] => Object.values(play.state.alarms).map(({ code }) => code);
const overs = (play: Play, code: AlarmCode): number =>
  play.reasons.filter((reason) => reason.toLowerCase().includes(`alarm ${code} is over`)).length;

/** BFD calls the peer dead at 15 s, and EC2 answers so. */
function takingOver(calls: 'refused' | 'unsent'): Play {
  const play = watching('peer', 'gen2');
  play.live(15_000, { owners: ['peer', 'peer'] });
  play.at(15_000, ...down);
  play.at(15_050, answer('1.1.1', calls), answer('1.2.1', calls));
  play.live(25_000, { owners: ['peer', 'peer'], calls });
  return play;
}

describe('a refusal', () => {
  test('stands since its first time, with all targets that EC2 refuses so, and is told of once', () => {
    const play = takingOver('refused');
    expect(standing(play)).toEqual(['takeover-refused']);
    const [alarm] = alarmsOf(play.state, 'takeover-refused');
    expect(alarm?.about).toEqual([FIRST, SECOND]);
    play.live(120_000, { owners: ['peer', 'peer'], calls: 'refused' });
    expect(alarmsOf(play.state, 'takeover-refused')[0]?.since).toBe(alarm?.since);
    expect(overs(play, 'takeover-refused')).toBe(0);
  });

  test('is over of what is here, and then of all', () => {
    const play = takingOver('refused');
    play.live(36_000, { owners: ['mine', 'peer'], calls: 'refused' });
    expect(alarmsOf(play.state, 'takeover-refused')[0]?.about).toEqual([SECOND]);
    play.live(60_000, { owners: ['mine', 'mine'], calls: 'refused' });
    expect(standing(play)).not.toContain('takeover-refused');
    expect(overs(play, 'takeover-refused')).toBe(1);
  });

  test('is over when nothing has been asked for a minute', () => {
    const play = takingOver('refused');
    play.at(25_000, sessionEvent('a', 'Up'), sessionEvent('b', 'Up'));
    play.live(60_000, { owners: ['peer', 'peer'] });
    expect(standing(play)).toContain('takeover-refused');
    play.live(160_000, { owners: ['peer', 'peer'] });
    expect(standing(play)).toEqual([]);
  });
});

test('a takeover that is stuck is told of once, although it is decided afresh, and is over when it is done', () => {
  const play = takingOver('unsent');
  expect(standing(play)).toEqual(['takeover-stuck']);
  play.live(200_000, { owners: ['peer', 'peer'], calls: 'unsent' });
  expect(play.alarms.filter((code) => code === 'takeover-stuck')).toHaveLength(1);
  expect(overs(play, 'takeover-stuck')).toBe(0);
  play.live(215_000, { owners: ['mine', 'mine'], calls: 'ok' });
  expect(standing(play)).not.toContain('takeover-stuck');
  expect(overs(play, 'takeover-stuck')).toBe(1);
});

describe('redundancy', () => {
  const alone = (until: number): Play => {
    const play = watching('mine', 'gen2');
    play.live(15_000, { owners: ['mine', 'mine'] });
    play.at(15_000, ...down);
    play.live(until, { owners: ['mine', 'mine'] });
    return play;
  };

  test('is lost when no session has been UP for evidence_hold_s, once', () => {
    expect(standing(alone(44_999))).toEqual([]);
    const play = alone(45_000);
    expect(standing(play)).toEqual(['redundancy-lost']);
    play.live(200_000, { owners: ['mine', 'mine'] });
    expect(play.alarms).toEqual(['redundancy-lost']);
  });

  test('is not said to be lost where the router does not tell of sessions', () => {
    const play = watching('mine', 'gen2');
    play.at(15_000, { type: 'streamsLost', cause: 'ended' });
    play.live(80_000, { owners: ['mine', 'mine'] });
    expect(standing(play)).toEqual([]);
  });

  test('is regained with one session, and no loss of this router without the targets', () => {
    const play = alone(50_000);
    play.at(50_000, sessionEvent('b', 'Up'));
    expect(standing(play)).toEqual([]);
    const taken = alone(50_000);
    taken.live(65_000, { owners: ['peer', 'peer'] });
    expect(standing(taken)).not.toContain('redundancy-lost');
    expect(overs(taken, 'redundancy-lost')).toBe(1);
  });
});

describe('of what has happened', () => {
  /** A local failure that was taken for the peer's: given back at once. */
  function gaveBack(): Play {
    const play = watching('peer', 'gen2');
    const owners = ['peer', 'peer'] as const;
    play.live(15_000, { owners });
    play.at(15_000, ...down);
    play.until(15_030);
    play.at(15_040, answer('1.1.1'), answer('1.2.1'));
    play.at(15_100, interfaceEvent('Te1', 'Down'), interfaceEvent('Te2', 'Down'));
    play.live(16_000, { owners, calls: 'ok' });
    return play;
  }
  const restored = (play: Play, at: number): void =>
    void play.at(
      at,
      interfaceEvent('Te1', 'Up'),
      interfaceEvent('Te2', 'Up'),
      sessionEvent('a', 'Up'),
      sessionEvent('b', 'Up'),
    );

  test('an alarm stands five minutes, although all is well again', () => {
    const play = gaveBack();
    expect(standing(play)).toEqual(['local-failure-suspected']);
    const { since = NaN } = alarmsOf(play.state, 'local-failure-suspected')[0] ?? {};
    restored(play, 20_000);
    play.live(since + 299_999, { owners: ['peer', 'peer'] });
    expect(standing(play)).toEqual(['local-failure-suspected']);
    play.live(since + 312_000, { owners: ['peer', 'peer'] });
    expect(standing(play)).toEqual([]);
  });

  test('and longer where it is not', () => {
    const play = gaveBack();
    play.at(20_000, sessionEvent('a', 'Up'), sessionEvent('b', 'Up'));
    play.live(400_000, { owners: ['peer', 'peer'] });
    expect(standing(play)).toEqual(['local-failure-suspected']);
    play.live(411_000, { owners: ['mine', 'peer'] });
    restored(play, 411_000);
    expect(standing(play)).toEqual(['local-failure-suspected']);
    play.live(440_000, { owners: ['peer', 'peer'] });
    expect(standing(play)).toEqual([]);
  });
});

test('no alarm is over in a shutdown or right after a long stall', () => {
  const lost = (): Play => {
    const play = watching('mine', 'gen2');
    play.at(15_000, ...down);
    play.live(50_000, { owners: ['mine', 'mine'] });
    return play;
  };
  const ending = lost();
  ending.at(50_000, { type: 'shutdownRequested', cause: 'SIGTERM' });
  ending.at(50_001, sessionEvent('a', 'Up'));
  expect(standing(ending)).toEqual(['redundancy-lost']);
  const stalled = lost();
  stalled.at(51_500, { type: 'processStalled', forMs: 1_500 });
  stalled.at(51_501, sessionEvent('a', 'Up'));
  expect(standing(stalled)).toEqual(['redundancy-lost']);
  stalled.live(56_000, { owners: ['mine', 'mine'] });
  expect(standing(stalled)).toEqual([]);
});

describe('across a restart', () => {
  const stored = (code: string, change: Partial<StoredAlarm> = {}): StoredAlarm => ({
    key: code,
    code,
    about: [],
    text: 'as before',
    since: 500,
    ...change,
  });
  const restarted = (...alarms: readonly StoredAlarm[]): Play => {
    const play = new Play();
    play.at(1_000, started(memoryOf({ savedAt: 900, alarms })));
    return play;
  };
  const ALL: readonly AlarmCode[] = [
    'control-lost',
    'takeover-refused',
    'takeover-stuck',
    'target-lost',
    'local-failure-suspected',
    'give-back-failed',
    'cloud-unobserved',
    'unprotected',
    'redundancy-lost',
    'takeover-blocked',
    'foreign-holder',
  ];

  test('they stand as before, since the same time, until it is known that they are over', () => {
    const play = restarted(...ALL.map((code) => stored(code, { about: [FIRST] })));
    expect(standing(play)).toEqual(ALL);
    expect(alarmsOf(play.state, 'unprotected')).toEqual([
      { code: 'unprotected', about: [FIRST], text: 'as before', since: 500, lastAt: 1_000 },
    ]);
    expect(play.alarms).toEqual([]);
    play.at(1_100, synchronizedEvent('gen2', 'Up'), play.observed('mine', 'mine', 1_100));
    expect(standing(play)).toEqual([
      'control-lost',
      'target-lost',
      'local-failure-suspected',
      'give-back-failed',
    ]);
    play.live(500_000, { owners: ['mine', 'mine'] });
    expect(standing(play)).toEqual([]);
  });

  test('a restart is what ends a conflict of preferences, and lets BFD trigger again', () => {
    expect(standing(restarted(stored('preempt-conflict'), stored('takeover-damped')))).toEqual([]);
  });

  test('none of another boot, of another version or of another name', () => {
    const play = new Play();
    const alarms = [stored('unprotected')];
    play.at(1_000, started(memoryOf({ savedAt: 900, bootId: 'another', alarms })));
    expect(standing(play)).toEqual([]);
    expect(standing(restarted(stored('of-a-newer-version'), stored('unprotected', { key: 'x' })))).toEqual(
      [],
    );
  });

  test('they are remembered when they change', () => {
    const play = watching('mine', 'gen2');
    play.at(15_000, ...down);
    play.live(46_000, { owners: ['mine', 'mine'] });
    const [kept] = alarmsOf(play.state, 'redundancy-lost');
    const { code, about, text, since } = kept!;
    expect(play.all('remember').at(-1)?.memory.alarms).toEqual([
      { key: 'redundancy-lost', code, about, text, since },
    ]);
    play.at(47_000, sessionEvent('a', 'Up'));
    expect(play.all('remember').at(-1)?.memory.alarms).toEqual([]);
  });
});
