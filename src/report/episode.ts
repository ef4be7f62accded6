/** What both renderers have to know of an episode. */
import type { Episode } from './story';

/** Everything that has a place of its own on the axis. */
export function instantsOf({ happenings, lanes }: Episode): readonly number[] {
  return [
    ...happenings.map(({ at }) => at),
    ...lanes.flatMap(({ spans }) => spans.flatMap(({ from, to }) => [from, to])),
  ];
}
