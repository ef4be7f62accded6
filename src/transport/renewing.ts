/**
 * What ends and has to be had anew, as credentials and tokens do: read in the background for ever, so that who needs it finds
 * it in memory. One reading at a time, and another at once where what is held was turned down.
 */
import { performance } from 'node:perf_hooks';

export type Renewing = {
  /** What is held was turned down: reads at once, at most once in two seconds. Never rejects. */
  readonly refreshNow: () => Promise<void>;
  readonly stop: () => void;
};

const FORCED_INTERVAL_MS = 2_000;

/** Begins at once. After `stop` nothing is taken any more. */
export function keepRenewing<R>({
  read,
  take,
}: {
  /** Never rejects. */
  readonly read: () => Promise<R>;
  /** Keeps what was read, or says why there is nothing to keep; returns in how many ms to read again. */
  readonly take: (reading: R) => number;
}): Renewing {
  let running: Promise<void> | null = null;
  let lastForcedAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const renew = async (): Promise<void> => {
    clearTimeout(timer);
    const reading = await read();
    if (stopped) return;
    timer = setTimeout(() => void renewOnce(), take(reading));
  };

  const renewOnce = (): Promise<void> => {
    running ??= renew().finally(() => (running = null));
    return running;
  };

  void renewOnce();
  return {
    refreshNow: async () => {
      const now = performance.now();
      if (stopped || now - lastForcedAt < FORCED_INTERVAL_MS) return running ?? undefined;
      lastForcedAt = now;
      // One that is under way began before what is held was turned down.
      await running;
      return renewOnce();
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
