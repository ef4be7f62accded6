/**
 * The queue before one receiver: in order, at least once, for ever, bounded. Where the receiver does not take it, it is
 * tried again with ever longer pauses. Where the queue is full, the oldest is dropped; what is refused for good is given up.
 * The receiver is told how many were dropped when it takes that.
 */
import type { Logger } from 'pino';
import { Backoff } from '../backoff';
import { isoTime } from '../history/entry';
import type { Notification } from './notification';
import { failed, type Deliver, type Delivery } from './receiver';
import type { Timer } from './timer';

export const PENDING_MAX = 256;
/** No receiver is waited for longer. */
const DELIVERY_MS = 10_000;
const RETRY = { firstMs: 1_000, lastMs: 60_000 };
/** After so many tries in a row it is an alarm; and what the receiver refuses for good is given up. */
const TRIES_MAX = 3;
const LAST_TRY_MS = 700;
/** How often to look whether a move is over. */
const HELD_STEP_MS = 200;

/** `id`: of the notification that says so. */
type Dropped = { readonly id: string; readonly count: number; readonly from: number; readonly to: number };

/** What a restart must not lose. */
export type Pending = { readonly dropped: Dropped | null; readonly notifications: readonly Notification[] };

export type OutboxOptions = {
  /** As the configuration calls the receiver. */
  readonly name: string;
  readonly router: string;
  readonly deliver: Deliver;
  readonly timer: Timer;
  readonly random?: () => number;
  readonly newId: () => string;
  /** Left by the run before. */
  readonly pending: Pending;
  /** What is pending has to be kept, or no longer. */
  readonly save: () => void;
  /** Until then, in milliseconds of the timer, nothing is sent: a move is under way. */
  readonly heldUntil: () => number;
  readonly log: Logger;
};

export type OutboxCounts = { delivered: number; failed: number; dropped: number };

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #backoff: Backoff;
  readonly counts: OutboxCounts = { delivered: 0, failed: 0, dropped: 0 };
  #queue: Notification[];
  #dropped: Dropped | null;
  #inFlight: AbortController | null = null;
  /** What is in flight: of the queue, or the word that some were dropped. */
  #sending: Notification | null = null;
  #cancelWait: (() => void) | null = null;
  #failures = 0;
  /** How often in a row the one at the head was refused for good. */
  #refusals = 0;
  #isSaved: boolean;
  #isClosed = false;
  #emptied: () => void = () => {};

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ ...RETRY, random: options.random });
    this.#queue = [...options.pending.notifications].slice(-PENDING_MAX);
    this.#dropped = options.pending.dropped;
    this.#isSaved = this.#queue.length > 0 || this.#dropped !== null;
    this.#wait(0);
  }

  get name(): string {
    return this.#options.name;
  }

  get pending(): Pending {
    return { dropped: this.#dropped, notifications: this.#queue };
  }

  /** Returns at once. */
  put(notification: Notification): void {
    this.#queue.push(notification);
    if (this.#queue.length > PENDING_MAX)
      this.#drop(this.#queue[0] === this.#sending ? 1 : 0, 'its queue is full');
    if (this.#failures > 0) this.#keep();
    if (this.#inFlight === null && this.#cancelWait === null) this.#wait(0);
  }

  /** Gives what is pending a moment, where the receiver takes anything; the rest is kept for the next run. */
  async close(): Promise<void> {
    if (this.#queue.length > 0 && this.#failures === 0)
      await new Promise<void>((resolve) => {
        this.#emptied = resolve;
        this.#options.timer.after(LAST_TRY_MS, resolve);
      });
    this.#isClosed = true;
    this.#cancelWait?.();
    this.#inFlight?.abort();
    this.#keep();
  }

  #wait(ms: number): void {
    this.#cancelWait?.();
    this.#cancelWait = this.#options.timer.after(ms, () => {
      this.#cancelWait = null;
      this.#send();
    });
  }

  #send(): void {
    if (this.#isClosed || this.#inFlight !== null) return;
    const heldMs = this.#options.heldUntil() - this.#options.timer.now();
    if (heldMs > 0) return this.#wait(Math.min(heldMs, HELD_STEP_MS));
    const dropped = this.#dropped;
    const notification = dropped === null ? this.#queue[0] : this.#words(dropped);
    if (notification === undefined) return this.#emptied();
    this.#inFlight = new AbortController();
    this.#sending = notification;
    void this.#within(notification, this.#inFlight).then((delivery) => {
      this.#inFlight = null;
      this.#sending = null;
      if (delivery.ok) this.#noteDelivered(notification, dropped);
      else this.#noteFailed(notification, delivery, dropped);
    });
  }

  #within(notification: Notification, abort: AbortController): Promise<Delivery> {
    return new Promise((resolve) => {
      const cancel = this.#options.timer.after(DELIVERY_MS, () => {
        resolve(failed(`no answer within ${DELIVERY_MS / 1000} s`));
        abort.abort();
      });
      void this.#options.deliver(notification, abort.signal).then((delivery) => {
        cancel();
        resolve(delivery);
      });
    });
  }

  #noteDelivered(notification: Notification, dropped: Dropped | null): void {
    this.counts.delivered += 1;
    if (dropped === null) this.#queue = this.#queue.filter((each) => each !== notification);
    else this.#dropped = moreThan(dropped, this.#dropped);
    if (this.#failures >= TRIES_MAX)
      this.#options.log.info(
        { event: 'notification-delivered', receiver: this.name },
        'The receiver of notifications takes them again',
      );
    this.#failures = 0;
    this.#refusals = 0;
    this.#backoff.reset();
    if (this.#isSaved) this.#keep();
    if (!this.#isClosed) this.#wait(0);
  }

  #noteFailed(
    notification: Notification,
    { cause, isFinal }: Extract<Delivery, { ok: false }>,
    dropped: Dropped | null,
  ): void {
    if (this.#isClosed) return;
    this.counts.failed += 1;
    this.#failures += 1;
    this.#refusals = isFinal ? this.#refusals + 1 : 0;
    if (this.#failures === TRIES_MAX) this.#alarm(cause);
    if (this.#refusals >= TRIES_MAX) {
      this.#refusals = 0;
      if (dropped === null) this.#drop(this.#queue.indexOf(notification), `it is refused: ${cause}`);
      else this.#forget(dropped, cause);
    }
    this.#keep();
    this.#wait(this.#backoff.nextMs());
  }

  #drop(index: number, cause: string): void {
    if (index < 0) return;
    const [notification] = this.#queue.splice(index, 1);
    if (notification === undefined) return;
    const { at } = notification;
    this.counts.dropped += 1;
    const before = this.#dropped;
    const id = this.#options.newId();
    this.#dropped = { id, count: (before?.count ?? 0) + 1, from: before?.from ?? at, to: at };
    if (before !== null) return;
    const reason = `a notification of ${isoTime(at)} to ${this.name} is dropped, because ${cause}; the receiver is told how many were when it is back`;
    this.#options.log.warn({ event: 'notification-dropped', receiver: this.name, reason }, 'notifications');
  }

  /** The receiver does not even take the word that some were dropped: it must not hold up what may be taken. */
  #forget(dropped: Dropped, cause: string): void {
    this.counts.dropped += 1;
    this.#dropped = moreThan(dropped, this.#dropped);
    const reason = `${this.name} is not told that notifications were dropped, because that is refused: ${cause}; show ha_history on this router has them`;
    this.#options.log.warn({ event: 'notification-dropped', receiver: this.name, reason }, 'notifications');
  }

  /** Sent before what was not dropped, where they would have been. */
  #words({ id, count, from, to }: Dropped): Notification {
    const words = count === 1 ? '1 notification was' : `${count} notifications were`;
    return {
      id,
      type: 'notifications.dropped',
      at: to,
      router: this.#options.router,
      severity: 'warning',
      text: `${words} dropped, of ${isoTime(from)} to ${isoTime(to)}: show ha_history on this router has them`,
      folded: 0,
      entry: null,
    };
  }

  #alarm(cause: string): void {
    const reason = `notifications to ${this.name} do not arrive: ${cause}; they are kept, up to ${PENDING_MAX}, and tried again by themselves`;
    this.#options.log.warn(
      { event: 'notification-failing', receiver: this.name, reason },
      'A receiver of notifications does not take them',
    );
  }

  #keep(): void {
    const isEmpty = this.#queue.length === 0 && this.#dropped === null;
    if (isEmpty && !this.#isSaved) return;
    this.#isSaved = !isEmpty;
    this.#options.save();
  }
}

/** What has been dropped since that was told. */
function moreThan(told: Dropped, dropped: Dropped | null): Dropped | null {
  if (dropped === null || dropped.count <= told.count) return null;
  return { ...dropped, count: dropped.count - told.count, from: told.to };
}
