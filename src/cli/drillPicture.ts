/**
 * How to get the picture of a drill: the report of both routers, of the drill's time. One router has only its own journal,
 * so that it cannot draw it.
 */

const MINUTE_MS = 60_000;

/** A line for the end of `ha drill`. The times are those of this router, with a minute to spare at each end. */
export function drillPicture(begunMs: number, endedMs: number): string {
  const since = minuteOf(Math.floor(begunMs / MINUTE_MS) * MINUTE_MS - MINUTE_MS);
  const until = minuteOf(Math.ceil(endedMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS);
  return (
    'The picture of both routers needs the journals of both (state_dir): copy them to a workstation, in folders rtr1 and rtr2, ' +
    `and there: xr-aws-ha report rtr1/ rtr2/ --since ${since} --until ${until} --html drill.html`
  );
}

const minuteOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16)}Z`;
