/** One receiver in virtual time: it hangs, refuses, answers 500, and comes back. */
import { Outbox, PENDING_MAX, type Pending } from '../../src/notify/outbox';
import type { Notification } from '../../src/notify/notification';
import { delivered, failed, type Delivery } from '../../src/notify/receiver';
import { recordingLogger } from '../support/logRecords';
import { VirtualTimer, WALL } from './virtualTimer';

const note = (number: number): Notification => ({
  id: `n${number}`,
  type: 'alarm.raised',
  at: WALL + number,
  router: 'rtr2',
  severity: 'minor',
  text: `no ${number}`,
  folded: 0,
  entry: null,
});

type Answer = Delivery | Promise<Delivery> | 'hangs';

function outboxWith({
  answers = () => delivered('ok'),
  pending = { dropped: null, notifications: [] },
}: { answers?: (notification: Notification) => Answer; pending?: Pending } = {}) {
  const timer = new VirtualTimer();
  const { log, records } = recordingLogger();
  const received: string[] = [];
  const tried: string[] = [];
  const texts: string[] = [];
  const saved: number[] = [];
  const world = { answers, held: -Infinity };
  let ids = 0;
  const outbox = new Outbox({
    name: 'noc',
    router: 'rtr2',
    timer,
    random: () => 0.5,
    newId: () => `own${(ids += 1)}`,
    pending,
    save: () => saved.push(outbox.pending.notifications.length),
    heldUntil: () => world.held,
    log,
    deliver: (notification) => {
      tried.push(notification.id);
      const answer = world.answers(notification);
      if (answer === 'hangs') return new Promise(() => {});
      return Promise.resolve(answer).then((delivery) => {
        if (delivery.ok) {
          received.push(notification.id);
          texts.push(notification.text);
        }
        return delivery;
      });
    },
  });
  return {
    outbox,
    timer,
    received,
    tried,
    texts,
    saved,
    world,
    events: () => records.map(({ event }) => event),
  };
}

const down = () => failed('HTTP 500');
const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `n${from + i}`);

test('what is told arrives in order, and nothing is written for it', async () => {
  const { outbox, timer, received, saved } = outboxWith();
  for (let i = 1; i <= 3; i += 1) outbox.put(note(i));
  expect(received).toEqual([]);
  await timer.pass(0);
  expect(received).toEqual(ids(1, 3));
  expect(saved).toEqual([]);
  expect(outbox.counts).toEqual({ delivered: 3, failed: 0, dropped: 0 });
});

test.each([
  ['answers 500', down],
  ['refuses the connection', () => failed('connect ECONNREFUSED')],
  ['hangs', () => 'hangs' as const],
])(
  'one that %s for an hour gets all that is within the bound, in order, when it is back',
  async (_, answers) => {
    const { outbox, timer, received, tried, world, events, saved } = outboxWith({ answers });
    for (let i = 1; i <= PENDING_MAX; i += 1) {
      outbox.put(note(i));
      await timer.pass(14_000);
    }
    expect(received).toEqual([]);
    // Ever more seldom: a minute after an answer at most.
    expect(tried.length).toBeLessThan(100);
    expect(new Set(tried)).toEqual(new Set(['n1']));
    expect(events()).toEqual(['notification-failing']);
    expect(saved.length).toBeGreaterThan(0);
    world.answers = () => delivered('ok');
    await timer.pass(80_000);
    expect(received).toEqual(ids(1, PENDING_MAX));
    expect(events()).toEqual(['notification-failing', 'notification-delivered']);
    expect(saved.at(-1)).toBe(0);
  },
);

test('beyond the bound the oldest are dropped, which it is told first of all', async () => {
  const { outbox, timer, received, texts, world, events } = outboxWith({ answers: down });
  for (let i = 1; i <= PENDING_MAX + 40; i += 1) {
    outbox.put(note(i));
    await timer.pass(100);
  }
  expect(outbox.pending.notifications).toHaveLength(PENDING_MAX);
  expect(events()).toEqual(['notification-failing', 'notification-dropped']);
  world.answers = () => delivered('ok');
  await timer.pass(80_000);
  expect(received).toHaveLength(PENDING_MAX + 1);
  expect(received.slice(1)).toEqual(ids(41, PENDING_MAX + 40));
  expect(texts[0]).toBe(
    '40 notifications were dropped, of 2026-11-30T12:00:00.001Z to 2026-11-30T12:00:00.040Z: show ha_history on this router has them',
  );
  expect(outbox.counts.dropped).toBe(40);
});

test('what is dropped while it is told of a drop is told after that', async () => {
  let answer: (delivery: Delivery) => void = () => {};
  const slow = new Promise<Delivery>((resolve) => (answer = resolve));
  const { outbox, timer, texts, world } = outboxWith({ answers: () => slow });
  for (let i = 1; i <= PENDING_MAX + 2; i += 1) outbox.put(note(i));
  await timer.pass(0);
  for (let i = 1; i <= 3; i += 1) outbox.put(note(1_000 + i));
  world.answers = () => delivered('ok');
  answer(delivered('ok'));
  await timer.pass(1_000);
  expect(texts.slice(0, 2)).toEqual([
    expect.stringMatching(/^2 notifications were dropped, of 2026-11-30T12:00:00.001Z/),
    expect.stringMatching(/^3 notifications were dropped/),
  ]);
  // The oldest are those that went.
  expect(texts[2]).toBe('no 6');
  expect(texts).toHaveLength(PENDING_MAX + 2);
});

test('one that is refused for good is given up after three tries, and told of; the others arrive', async () => {
  const { outbox, timer, received, texts, tried, events } = outboxWith({
    answers: ({ id }) => (id === 'n1' ? failed('HTTP 400', true) : delivered('ok')),
  });
  for (let i = 1; i <= 3; i += 1) outbox.put(note(i));
  await timer.pass(60_000);
  expect(tried.filter((id) => id === 'n1')).toHaveLength(3);
  expect(received.slice(1)).toEqual(ids(2, 3));
  expect(texts[0]).toMatch(/^1 notification was dropped/);
  expect(events()).toEqual(['notification-failing', 'notification-dropped', 'notification-delivered']);
});

test('where all is refused for good, so is the word that some were dropped, and nothing stays queued', async () => {
  const { outbox, timer, received, tried, world, events } = outboxWith({
    answers: () => failed('HTTP 400', true),
  });
  for (let i = 1; i <= 3; i += 1) outbox.put(note(i));
  await timer.pass(3_600_000);
  expect(outbox.pending).toEqual({ dropped: null, notifications: [] });
  // Each three times, and after each the word that it was dropped.
  expect(tried.filter((id) => id.startsWith('n'))).toEqual(ids(1, 3).flatMap((id) => [id, id, id]));
  expect(tried).toHaveLength(18);
  expect(outbox.counts).toEqual({ delivered: 0, failed: 18, dropped: 6 });
  expect(events().filter((event) => event === 'notification-failing')).toHaveLength(1);
  world.answers = () => delivered('ok');
  outbox.put(note(4));
  await timer.pass(60_000);
  expect(received).toEqual(['n4']);
});

test('what is dropped while the word of a drop is refused for good has a word of its own', async () => {
  let answer: (delivery: Delivery) => void = () => {};
  const slow = new Promise<Delivery>((resolve) => (answer = resolve));
  const refused = failed('HTTP 400', true);
  const { outbox, timer, received, texts, tried, world } = outboxWith({
    answers: () => (tried.length < 3 ? refused : slow),
    pending: { dropped: { id: 'd', count: 2, from: WALL, to: WALL }, notifications: [] },
  });
  await timer.pass(5_000);
  expect(tried).toEqual(['d', 'd', 'd']);
  for (let i = 1; i <= PENDING_MAX + 1; i += 1) outbox.put(note(i));
  world.answers = () => delivered('ok');
  answer(refused);
  await timer.pass(60_000);
  expect(texts[0]).toMatch(/^1 notification was dropped/);
  expect(received).toHaveLength(1 + PENDING_MAX);
  expect(outbox.pending).toEqual({ dropped: null, notifications: [] });
});

test('a refusal after a long outage does not count what has failed before it', async () => {
  const { outbox, timer, tried, world } = outboxWith({ answers: down });
  outbox.put(note(1));
  await timer.pass(600_000);
  world.answers = () => failed('HTTP 400', true);
  const before = tried.length;
  await timer.pass(120_000);
  expect(tried.length - before).toBeGreaterThan(1);
});

test('while a move is under way nothing is sent, and soon after it', async () => {
  const { outbox, timer, received, world } = outboxWith();
  world.held = 3_000;
  outbox.put(note(1));
  await timer.pass(1_000);
  expect(received).toEqual([]);
  world.held = -Infinity;
  await timer.pass(200);
  expect(received).toEqual(['n1']);
});

describe('over a restart', () => {
  test('what one run leaves the next delivers, with the same ids', async () => {
    const first = outboxWith({ answers: down });
    for (let i = 1; i <= 3; i += 1) first.outbox.put(note(i));
    await first.timer.pass(5_000);
    await first.outbox.close();
    const second = outboxWith({ pending: JSON.parse(JSON.stringify(first.outbox.pending)) as Pending });
    second.outbox.put(note(4));
    await second.timer.pass(0);
    expect(second.received).toEqual(ids(1, 4));
    expect(second.saved.at(-1)).toBe(0);
  });

  test('the last words still go out where they can, and are waited for no longer than a moment', async () => {
    const well = outboxWith();
    well.outbox.put(note(1));
    const closed = well.outbox.close();
    await well.timer.pass(0);
    await closed;
    expect(well.received).toEqual(['n1']);
    const hung = outboxWith({ answers: () => 'hangs' });
    hung.outbox.put(note(1));
    const late = hung.outbox.close();
    await hung.timer.pass(700);
    await late;
    expect(hung.outbox.pending.notifications).toHaveLength(1);
    expect(hung.saved).toEqual([1]);
  });
});
