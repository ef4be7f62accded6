/** What is held against the same aims outside the container and in it; one row each: what, measured, to hold, to reach for. */
import type { StartTimes, Takeover } from './standby';
import { highest, median, ms, quantile } from './statistics';

type Row = readonly string[];
type FirstWrites = readonly Pick<Takeover, 'firstWriteMs'>[];

const firstWritesMs = (takeovers: FirstWrites) => takeovers.map(({ firstWriteMs }) => firstWriteMs);

/** p50 / p99 of the first writes. */
export function spread(takeovers: FirstWrites): string {
  const all = firstWritesMs(takeovers);
  return `${ms(median(all))} / ${ms(quantile(all, 0.99))} ms`;
}

export const firstWrite = (what: string, takeovers: FirstWrites): Row => [
  `${what}, p50 / p99`,
  spread(takeovers),
  '4 / 10 ms',
  '2 / 5 ms',
];

export function firstTakeover(what: string, takeovers: FirstWrites): Row {
  const all = firstWritesMs(takeovers);
  return [`${what}, p50 / worst`, `${ms(median(all))} / ${ms(highest(all))} ms`, '15 ms', ''];
}

export const eightMoved = (takeovers: readonly Takeover[]): Row => [
  '8 interfaces moved, 150 ms per call, p50',
  `${ms(median(takeovers.map(({ allMovedMs }) => allMovedMs)))} ms`,
  '160 ms',
  '155 ms',
];

export const roleKnown = (what: string, starts: readonly StartTimes[]): Row => [
  what,
  `${ms(median(starts.map(({ sinceFirstCallMs }) => sinceFirstCallMs)))} ms`,
  '1000 ms',
  '',
];
