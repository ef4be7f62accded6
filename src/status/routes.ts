/**
 * The answers of the status endpoint. What is long is made at most once a second, however often it is asked for, and
 * not while a takeover is under way where an answer is at hand: requests cannot slow one.
 */
import type { Asked, HttpAnswer, Route } from '../control/httpServer';
import { statusDocument } from './document';
import { metricFamilies } from './metrics';
import { CONTENT_TYPES, metricsText } from './metricsText';
import type { Token } from './token';
import type { Snapshot } from './snapshot';

const KEPT_MS = 1_000;

export function statusRoutes(snapshot: Snapshot, token: Token): { readonly [request: string]: Route } {
  const status = kept(snapshot, () => JSON.stringify(statusDocument(snapshot)));
  const prometheus = kept(snapshot, () => metricsText(metricFamilies(snapshot), 'prometheus'));
  const openmetrics = kept(snapshot, () => metricsText(metricFamilies(snapshot), 'openmetrics'));
  const answers: { readonly [path: string]: (asked: Asked) => HttpAnswer } = {
    '/readyz': () => ready(snapshot),
    '/active': (asked) => roleIs(snapshot, 'ACTIVE', asked),
    '/standby': (asked) => roleIs(snapshot, 'STANDBY', asked),
    '/status': () => ({ status: 200, contentType: 'application/json', text: `${status()}\n` }),
    '/metrics': ({ accept }) =>
      accept.includes('application/openmetrics-text')
        ? { status: 200, contentType: CONTENT_TYPES.openmetrics, text: openmetrics() }
        : { status: 200, contentType: CONTENT_TYPES.prometheus, text: prometheus() },
  };
  const guarded = Object.entries(answers).map(([path, answer]) => [
    `GET ${path}`,
    async (_body: Buffer, asked: Asked) => token.refusalOf(asked.authorization) ?? answer(asked),
  ]);
  return { 'GET /livez': async () => live(snapshot), ...(Object.fromEntries(guarded) as object) };
}

function live({ isLive, loopAgeMs }: Snapshot): HttpAnswer {
  if (isLive) return { status: 200, body: { live: true } };
  return {
    status: 503,
    body: { live: false, reason: `the loop has not moved for ${Math.round(loopAgeMs / 1000)} s` },
  };
}

/** Ready for what the role asks of it: STANDBY to take over, ACTIVE to be taken over from. */
function ready({ readiness }: Snapshot): HttpAnswer {
  if (readiness.length === 0) return { status: 503, body: { ready: false, reasons: ['the daemon starts'] } };
  const failing = readiness.filter(({ state }) => state === 'failing');
  if (failing.length === 0) return { status: 200, body: { ready: true } };
  const reasons = failing.map(({ condition, group, text, whatToDo }) => ({
    condition,
    ...(group === null ? {} : { group }),
    text,
    what_to_do: whatToDo,
  }));
  return { status: 503, body: { ready: false, reasons } };
}

function roleIs(snapshot: Snapshot, wanted: 'ACTIVE' | 'STANDBY', { query }: Asked): HttpAnswer {
  const name = query.get('group');
  const group = name === null ? null : snapshot.groups.get(name);
  if (group === undefined) {
    const known = [...snapshot.groups.keys()].join(', ');
    return { status: 404, body: { error: `there is no such group; there is ${known}` } };
  }
  const { haState, reason } =
    group === null ? snapshot.role : { haState: group.state.role.haState, reason: group.state.verdict };
  const isLive = snapshot.isLive;
  return {
    status: isLive && haState === wanted ? 200 : 503,
    body: { ha_state: haState, live: isLive, reason },
  };
}

/** An answer that is long to make. */
export function kept(snapshot: Snapshot, make: () => string): () => string {
  let text: string | null = null;
  let madeAt = -Infinity;
  return () => {
    const isMoving = [...snapshot.groups.values()].some(({ state }) => state.attempt !== null);
    if (text !== null && (isMoving || snapshot.now - madeAt < KEPT_MS)) return text;
    madeAt = snapshot.now;
    text = make();
    return text;
  };
}
