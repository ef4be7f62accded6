/** What /status answers, as one JSON document. */
import { entryJson, isoTime } from '../history/entry';
import { plannedOf, shownPlanned } from '../runtime/plannedView';
import type { StatusDocument } from './schema';
import type { Snapshot } from './snapshot';

/** What has happened lately; `show ha_history --json` has all of it. */
const HISTORY_MAX = 50;

export function statusDocument(snapshot: Snapshot): StatusDocument {
  const { wallNow, now, readiness, role } = snapshot;
  const groups = [...snapshot.groups].map(([name, { state, roleSince }]) => [
    name,
    {
      ha_state: state.role.haState,
      since: isoTime(wallNow - (now - roleSince)),
      reason: state.verdict,
      planned: shownPlanned(plannedOf(state)),
    },
  ]);
  const shown = [...snapshot.shown].map(([key, { value, at }]) => [
    key,
    { last_created: isoTime(at), value },
  ]);
  return {
    router: snapshot.router,
    version: snapshot.version,
    as_of: isoTime(wallNow),
    started_at: isoTime(snapshot.startedAt),
    live: snapshot.isLive,
    ha_state: role.haState,
    reason: role.reason,
    groups: Object.fromEntries(groups) as StatusDocument['groups'],
    ready: readiness.length > 0 && readiness.every(({ state }) => state !== 'failing'),
    history: snapshot.history.slice(-HISTORY_MAX).map(entryJson) as StatusDocument['history'],
    show: Object.fromEntries(shown) as StatusDocument['show'],
  };
}
