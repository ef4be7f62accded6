/**
 * Tells receivers what has happened: each change of the history becomes a notification, storms are folded, and each
 * receiver has a queue of its own. Off the takeover path: while a move is under way nothing is sent for its first
 * seconds, and nothing here is waited for.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { ReceiverSettings } from '../config/settings';
import type { Entry } from '../history/entry';
import type { Change } from '../history/history';
import { Folding } from './folding';
import { notificationOf } from './notification';
import { opening } from './open';
import { Outbox } from './outbox';
import { pendingFile, readPending } from './pendingFile';
import type { Receiver } from './receiver';
import { systemTimer, type Timer } from './timer';

/** So long after its beginning a move has the processor to itself; one that is stuck has to be told of. */
const HELD_MS = 3_000;

export type ReceiverStanding = {
  readonly receiver: string;
  readonly pending: number;
  readonly delivered: number;
  readonly failed: number;
  readonly dropped: number;
};

export type Notifications = {
  /** Returns at once. */
  readonly tell: (entry: Entry, change: Change) => void;
  readonly standing: () => readonly ReceiverStanding[];
  /** Takes about a second at most; what is pending then is for the next run. */
  readonly close: () => Promise<void>;
};

export type NotificationsOptions = {
  readonly receivers: readonly ReceiverSettings[];
  readonly router: string;
  readonly stateDir: string;
  readonly log: Logger;
  readonly timer?: Timer;
  readonly open?: (settings: ReceiverSettings, log: Logger) => Receiver;
};

export function openNotifications({
  receivers,
  router,
  stateDir,
  log,
  timer = systemTimer,
  open = opening,
}: NotificationsOptions): Notifications {
  /** Moves that are under way, and until when they hold back what is to be sent. */
  const moves = new Map<string, number>();
  const heldUntil = () => Math.max(-Infinity, ...moves.values());
  const lines = receivers.map((settings) => {
    const { deliver, close } = open(settings, log);
    const { name } = settings;
    const pending = readPending(stateDir, name);
    const file = pendingFile(stateDir, name, log, () => outbox.pending);
    const save = () => file.touch();
    const outbox: Outbox = new Outbox({
      name,
      router,
      deliver,
      timer,
      newId: randomUUID,
      pending,
      save,
      heldUntil,
      log,
    });
    return { outbox, file, close };
  });
  const folding = new Folding(timer, (notification) => {
    for (const { outbox } of lines) outbox.put(notification);
  });
  return {
    tell: (entry, change) => {
      if (entry.kind === 'move' && change === 'began') moves.set(entry.id, timer.now() + HELD_MS);
      if (change === 'ended') moves.delete(entry.id);
      folding.put(notificationOf(entry, change, { id: randomUUID(), at: timer.wallNow(), router }));
    },
    standing: () =>
      lines.map(({ outbox }) => ({
        receiver: outbox.name,
        pending: outbox.pending.notifications.length,
        ...outbox.counts,
      })),
    close: async () => {
      folding.flush();
      await Promise.all(lines.map(({ outbox }) => outbox.close()));
      await Promise.all(lines.map(({ file }) => file.close()));
      for (const { close } of lines) close();
    },
  };
}
