import { operatorRequests, type OperatorEvent } from '../../src/control/requests';

let events: OperatorEvent[];
beforeEach(() => {
  events = [];
});

const begin = (stored = () => Promise.resolve(true)) =>
  operatorRequests({
    groups: ['default'],
    enqueue: (_, event) => events.push(event),
    wallNow: () => 1_700_000_000_000,
    stored,
  });
const isStopping = { accepted: false, sentence: 'the daemon is stopping' };

test('each command becomes an event with a number of its own', () => {
  const requests = begin();
  void requests.submit({ kind: 'inhibit', forMs: 60_000, why: 'AWS maintenance' });
  void requests.submit({ kind: 'release' });
  void requests.submit({ kind: 'switchover' });
  expect(events).toEqual([
    {
      type: 'inhibitRequested',
      request: 1,
      forMs: 60_000,
      why: 'AWS maintenance',
      wallNow: 1_700_000_000_000,
    },
    { type: 'releaseRequested', request: 2 },
    { type: 'switchoverRequested', request: 3 },
  ]);
  void requests.submit({ kind: 'schedule', atWallMs: 1_700_000_600_000 });
  void requests.submit({ kind: 'cancel' });
  void requests.submit({ kind: 'preview' });
  expect(events.slice(3)).toEqual([
    { type: 'scheduleRequested', request: 4, atWall: 1_700_000_600_000, wallNow: 1_700_000_000_000 },
    { type: 'cancelRequested', request: 5 },
    { type: 'previewRequested', request: 6 },
  ]);
  requests.close();
});

test('answers find who asked, in any order; a second one and a strange number are ignored', async () => {
  const requests = begin();
  const [first, second] = [requests.submit({ kind: 'switchover' }), requests.submit({ kind: 'release' })];
  requests.answer({ request: 2, accepted: true, sentence: 'released' });
  requests.answer({ request: 2, accepted: false, sentence: 'late' });
  requests.answer({ request: 9, accepted: false, sentence: 'strange' });
  requests.answer({ request: 1, accepted: false, sentence: 'not ACTIVE' });
  expect(await Promise.all([first, second])).toEqual([
    { accepted: false, sentence: 'not ACTIVE' },
    { accepted: true, sentence: 'released' },
  ]);
});

describe('what an operator orders has to outlive the daemon', () => {
  const accepted = { request: 1, accepted: true, sentence: 'so it is' };

  test.each([
    ['inhibit', { kind: 'inhibit', forMs: 60_000, why: 'work' }],
    ['release', { kind: 'release' }],
    ['schedule', { kind: 'schedule', atWallMs: 1_700_000_600_000 }],
    ['cancel', { kind: 'cancel' }],
  ] as const)('%s is answered once it is on disk', async (_, command) => {
    let isOnDisk = false;
    let reachesDisk = (): void => undefined;
    const disk = new Promise<boolean>((resolve) => (reachesDisk = () => resolve((isOnDisk = true))));
    const requests = begin(() => disk);
    const answered = requests.submit(command).then((answer) => ({ answer, isOnDisk }));
    requests.answer(accepted);
    await new Promise((resolve) => setImmediate(resolve));
    reachesDisk();
    expect(await answered).toEqual({ answer: { accepted: true, sentence: 'so it is' }, isOnDisk: true });
  });

  test('a disk that does not take it is said', async () => {
    const requests = begin(() => Promise.resolve(false));
    const answer = requests.submit({ kind: 'release' });
    requests.answer(accepted);
    expect(await answered(answer)).toBe(
      'so it is; this is not on disk yet: a daemon that ends now forgets it',
    );
  });

  test.each([
    ['a switchover, which is under way', { kind: 'switchover' }, true],
    ['what is declined', { kind: 'release' }, false],
  ] as const)('%s is answered whatever the disk does', async (_, command, isAccepted) => {
    const requests = begin(() => new Promise(() => undefined));
    const answer = requests.submit(command);
    requests.answer({ ...accepted, accepted: isAccepted });
    expect(await answered(answer)).toBe('so it is');
  });

  const answered = async (answer: Promise<{ readonly sentence: string }>) => (await answer).sentence;
});

test('an answer within enqueue finds who asked', async () => {
  const requests = operatorRequests({
    groups: ['default'],
    enqueue: (_, { request }) => requests.answer({ request, accepted: true, sentence: 'at once' }),
    wallNow: () => 0,
    stored: () => Promise.resolve(true),
  });
  expect(await requests.submit({ kind: 'switchover' })).toEqual({ accepted: true, sentence: 'at once' });
});

test('a seventeenth is declined without an event; an answer makes room', async () => {
  const requests = begin();
  const answers = Array.from({ length: 16 }, () => requests.submit({ kind: 'switchover' }));
  expect(await requests.submit({ kind: 'switchover' })).toEqual({
    accepted: false,
    sentence: '16 commands are waiting for their answers already; try again in a moment',
  });
  expect(events).toHaveLength(16);
  requests.answer({ request: 1, accepted: true, sentence: 'given' });
  void requests.submit({ kind: 'release' });
  expect(events.at(-1)).toEqual({ type: 'releaseRequested', request: 17 });
  requests.close();
  expect(await Promise.all(answers.slice(1))).toEqual(Array(15).fill(isStopping));
});

test('closed: what is pending and what comes later is told so, and nothing reaches the loop', async () => {
  const requests = begin();
  const pending = requests.submit({ kind: 'switchover' });
  requests.close();
  expect(await pending).toEqual(isStopping);
  expect(await requests.submit({ kind: 'release' })).toEqual(isStopping);
  expect(events).toHaveLength(1);
});

test('a command that the core never answers is answered at last, and makes room', async () => {
  jest.useFakeTimers();
  try {
    const requests = begin();
    const pending = Array.from({ length: 16 }, () => requests.submit({ kind: 'switchover' }));
    jest.advanceTimersByTime(30_000);
    for (const answer of await Promise.all(pending)) {
      expect(answer).toEqual({
        accepted: false,
        sentence: 'the command has had no answer for 30 s; show ha_reason tells what the daemon does',
      });
    }
    void requests.submit({ kind: 'switchover' });
    expect(events).toHaveLength(17);
    requests.close();
  } finally {
    jest.useRealTimers();
  }
});

describe('with several groups', () => {
  let told: (readonly [group: string, event: OperatorEvent])[];
  beforeEach(() => {
    told = [];
  });
  const several = () =>
    operatorRequests({
      groups: ['north', 'south'],
      enqueue: (group, event) => told.push([group, event]),
      wallNow: () => 0,
      stored: () => Promise.resolve(true),
    });
  const typesOf = () => told.map(([group, { type }]) => [group, type]);

  test('inhibit and release are for all of them, and one sentence tells what all say', async () => {
    const requests = several();
    const inhibited = requests.submit({ kind: 'inhibit', forMs: 60_000, why: 'work' });
    const released = requests.submit({ kind: 'release' });
    expect(typesOf()).toEqual([
      ['north', 'inhibitRequested'],
      ['south', 'inhibitRequested'],
      ['north', 'releaseRequested'],
      ['south', 'releaseRequested'],
    ]);
    requests.answer({ request: 1, accepted: true, sentence: 'inhibited' });
    requests.answer({ request: 2, accepted: true, sentence: 'inhibited' });
    expect(await inhibited).toEqual({ accepted: true, sentence: 'north, south: inhibited' });
    requests.answer({ request: 4, accepted: false, sentence: 'no' });
    requests.answer({ request: 3, accepted: true, sentence: 'released' });
    expect(await released).toEqual({ accepted: false, sentence: 'north: released; south: no' });
  });

  test('one that is named is told alone', async () => {
    const requests = several();
    const given = requests.submit({ kind: 'switchover', group: 'south' });
    expect(typesOf()).toEqual([['south', 'switchoverRequested']]);
    requests.answer({ request: 1, accepted: true, sentence: 'given' });
    expect(await given).toEqual({ accepted: true, sentence: 'south: given' });
  });

  test('a switchover without a name, and a name that there is not, are declined without an event', async () => {
    const requests = several();
    expect(await requests.submit({ kind: 'switchover' })).toEqual({
      accepted: false,
      sentence: 'no switchover: there are several groups, north, south: say which one with --group',
    });
    expect(await requests.submit({ kind: 'release', group: 'west' })).toEqual({
      accepted: false,
      sentence: 'there is no group west: the groups are north, south',
    });
    expect(told).toEqual([]);
  });

  test('where there are none, a name is declined', async () => {
    expect(await begin().submit({ kind: 'release', group: 'north' })).toEqual({
      accepted: false,
      sentence: 'the configuration has no groups: leave --group out',
    });
  });
});
