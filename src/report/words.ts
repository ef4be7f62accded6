/** The sentences and times that both renderers share. */
import type { Purpose, Timeline } from '../core/state/model';
import { isTimedFromDown } from '../core/state/purposes';
import { printable } from '../config/words';
import type { Interval } from './lanes';
import type { RouterView } from './routerView';

const doneIn = (cloud: string): Record<Purpose, string> => ({
  takeover: 'took over',
  evidence: `took over, by what ${cloud} says of the holder`,
  repair: 'completed what was held in part',
  claim: 'claimed what nobody held',
  preemption: 'took back, as the preferred router,',
  switchover: 'handed to its peer',
  giveBack: 'gave back to its peer',
});

export function takeoverWords(
  { name, cloud, groups }: RouterView,
  timeline: Timeline,
  group: string | null,
): string {
  const { purpose, triggeredAt, lastAnsweredAt, firstSentAt } = timeline;
  const of = groups.length > 1 && group !== null ? ` group ${group}` : '';
  const since = isTimedFromDown(timeline) ? 'BFD DOWN' : 'the decision';
  const all = lastAnsweredAt === null ? null : msWords(lastAnsweredAt - triggeredAt);
  const first =
    firstSentAt === null ? '' : `first call to ${cloud} after ${msWords(firstSentAt - triggeredAt)}, `;
  const legs =
    all === null
      ? `${cloud} has not said when the last one moved`
      : `${first}all moved after ${all}, counted from ${since}`;
  return `${name} ${doneIn(cloud)[purpose]}${of}: ${legs}`;
}

export const msWords = (ms: number): string =>
  ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1_000 ? `${ms.toFixed(0)} ms` : secondsWords(ms);

export function secondsWords(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 120) return `${seconds.toFixed(seconds < 10 ? 3 : 1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `2026-11-30 19:24:07.142` */
export function dateTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime())
    ? 'at a time unknown'
    : date.toISOString().slice(0, 23).replace('T', ' ');
}

/** `19:24:07.142` */
export const timeOfDay = (ms: number): string => dateTime(ms).slice(11);

/** Of one day: the date once. */
export function rangeWords({ from, to }: Interval): string {
  const [start, end] = [dateTime(from), dateTime(to)];
  const until = start.slice(0, 10) === end.slice(0, 10) ? end.slice(11) : end;
  return `${start} to ${until} UTC (${secondsWords(to - from)})`;
}

export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** What no journal says: how long a router was gone before BFD saw it. */
export function bfdWords(routers: readonly RouterView[]): string {
  const ms = Math.max(0, ...routers.map(({ detectionTimeMs }) => detectionTimeMs));
  return `add up to ${msWords(ms)} each time, which BFD takes to see it`;
}

/** For HTML and SVG, in text and in attributes; what has no shape or turns the direction of what follows is spelled out. */
export function escaped(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
