/** `notify test`: one notification to each receiver of the configuration, as the daemon would send it, and what came back. */
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { loadConfig } from '../config/load';
import { printable } from '../config/words';
import type { Notification } from '../notify/notification';
import { openReceiver, placeOf } from '../notify/open';
import { failed, type Delivery, type Receiver } from '../notify/receiver';
import type { Output } from './show';

const PATIENCE_MS = 10_000;

/** The exit code: 0, 1 where a receiver has not taken it, 2 where the configuration has mistakes or no receivers. */
export async function notifyTest(
  configPath: string,
  { out, err }: { readonly out: Output; readonly err: Output },
  open: typeof openReceiver = openReceiver,
): Promise<number> {
  const loaded = loadConfig(configPath);
  if (!loaded.ok) {
    err.write(`${loaded.report}\n`);
    return 2;
  }
  const { notifications: receivers, log } = loaded.settings;
  if (receivers.length === 0) {
    err.write(`notify: ${configPath} has no receivers; list them under "notifications"\n`);
    return 2;
  }
  const tried = await Promise.all(
    receivers.map(async (receiver) => ({
      receiver,
      ...(await timed(await open(receiver, pino({ level: 'silent' })), testOf(log.router))),
    })),
  );
  for (const { receiver, delivery, tookMs } of tried) {
    const place = `${receiver.name}, ${placeOf(receiver)}`;
    const words = delivery.ok
      ? `ok after ${tookMs} ms: ${delivery.said}`
      : `failed after ${tookMs} ms: ${delivery.cause}`;
    out.write(`${printable(`${place}: ${words}`)}\n`);
  }
  return tried.every(({ delivery }) => delivery.ok) ? 0 : 1;
}

function testOf(router: string): Notification {
  return {
    id: randomUUID(),
    type: 'test',
    at: Date.now(),
    router,
    severity: 'info',
    text: `a test of the notifications of ${router}: nothing has happened`,
    folded: 0,
    entry: null,
  };
}

async function timed(
  receiver: Receiver,
  notification: Notification,
): Promise<{ readonly delivery: Delivery; readonly tookMs: number }> {
  const since = performance.now();
  const abort = new AbortController();
  let late: NodeJS.Timeout | undefined;
  const delivery = await Promise.race([
    receiver.deliver(notification, abort.signal),
    new Promise<Delivery>((resolve) => {
      late = setTimeout(() => resolve(failed('no answer')), PATIENCE_MS);
    }),
  ]);
  clearTimeout(late);
  abort.abort();
  receiver.close();
  return { delivery, tookMs: Math.round(performance.now() - since) };
}
