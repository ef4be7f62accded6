/**
 * BFD sessions and local interfaces: levels, arming (rule 2), freshness (rule 13), and what each session
 * can say about the peer. Must not know what is done with it.
 */
import type { Event, InterfaceLevel, SessionLevel, SessionReading } from '../state/model';
import type { Plan, PlannedSession } from '../state/plan';
import { heldUntil } from './stall';
import type { Disarming, LocalInterface, Session, State } from '../state/state';
import { list, note, type Turn } from '../state/turn';
import { endUnwatched, isUnseen } from './unwatched';

type EventOf<Type extends Event['type']> = Extract<Event, { type: Type }>;

/** What a session can say about the peer router, now. */
export type Testimony =
  | { readonly says: 'up' }
  | { readonly says: 'down' }
  /** `until`: when it may say more although nothing happens. */
  | { readonly says: 'nothing'; readonly because: string; readonly until: number | null };

/** Rules 2, 3 and 13 for one session. */
export function testimonyOf(plan: Plan, state: State, planned: PlannedSession, now: number): Testimony {
  const { timing } = plan;
  const session = sessionOf(state, planned.id);
  const local = interfaceOf(state, planned.interfaceName);
  const silent = (because: string, until: number | null = null): Testimony => ({
    says: 'nothing',
    because,
    until,
  });

  if (local.level === 'Down') return silent(`its local interface ${planned.interfaceName} is DOWN`);
  if (session.level === 'Up') return { says: 'up' };
  if (session.level === 'Unconfigured') return silent('the peer has removed its side, which is no failure');
  if (!session.armed) return silent(DISARMED[session.disarmedBy]);
  if (session.freshSince !== null) {
    if (local.level !== 'Up')
      return silent(`nothing is known of its local interface ${planned.interfaceName}`);
    const until = Math.max(session.freshSince, local.cameUpAt ?? 0) + timing.reestablishMs;
    return now >= until ? { says: 'down' } : silent('it was programmed anew and may still come UP', until);
  }
  if (session.level === 'Unknown') return silent('its level is not known');
  const settled = local.cameUpAt === null ? 0 : local.cameUpAt + timing.reestablishAfterInterfaceMs;
  if (now < settled)
    return silent(`its local interface ${planned.interfaceName} has only just come UP`, settled);
  if (session.heldUntil !== null && now < session.heldUntil)
    return silent('it may still come UP, since this router has just stalled', session.heldUntil);
  return { says: 'down' };
}

const DISARMED = {
  start: 'it has not been UP since this daemon started',
  loss: 'it has not been UP since this router last held the targets',
  sameFailure: 'it went DOWN right after the peer took the targets, which is the same failure',
  peer: 'it has not been UP since the peer removed its side',
  refusal: 'the router refuses to have it',
} as const satisfies Record<Disarming, string>;

/** The peer has removed its side of what was armed, and it has not been UP since. */
function isWithdrawn({ level, armed, disarmedBy }: Session): boolean {
  return level !== 'Up' && !armed && disarmedBy === 'peer';
}

/** The peer has withdrawn every session, but for those that say nothing because their interface is DOWN here. */
export function areWithdrawn({ sessions: planned }: Plan, state: State): boolean {
  const heard = planned.filter(({ interfaceName }) => interfaceOf(state, interfaceName).level !== 'Down');
  return heard.length > 0 && heard.every(({ id }) => isWithdrawn(sessionOf(state, id)));
}

/** A session that can testify: armed, and its local interface is not DOWN (rule 3, `all`). */
export function canTestify(state: State, planned: PlannedSession): boolean {
  return sessionOf(state, planned.id).armed && interfaceOf(state, planned.interfaceName).level !== 'Down';
}

export function sessionOf(state: State, id: string): Session {
  const session = state.sessions[id];
  if (session === undefined) throw new Error(`session ${id} is not in the plan`);
  return session;
}

export function interfaceOf(state: State, name: string): LocalInterface {
  return state.interfaces[name] ?? { level: 'Unknown', changedAt: 0, cameUpAt: null };
}

/**
 * Rule 2, at the first observation that shows not all targets here. Only a session that is UP at that moment stays
 * armed; what an earlier process life remembers does not count, as long as no level has been read.
 */
export function disarmUnlessUp(turn: Turn, isSpared: (session: Session) => boolean = () => false): void {
  const { recalled } = turn.state;
  turn.state.sessions = mapSessions(turn.state, (session) =>
    isSpared(session) ? session : { ...session, armed: session.level === 'Up', disarmedBy: 'loss' },
  );
  turn.state.recalled = recalled === null ? null : { ...recalled, armedSessions: [] };
}

/** Rule 2, where all targets were here and no longer are. */
export function disarmAtLoss(turn: Turn): void {
  disarmUnlessUp(turn);
  turn.state.sessions = mapSessions(turn.state, (session) =>
    session.level === 'Up' || session.level === 'Unknown' ? { ...session, upAtLoss: turn.now } : session,
  );
}

/** Rule 13: without the streams no level is known. What was armed stays so: it may have survived. */
export function forgetLevels(turn: Turn): void {
  turn.state.sessions = mapSessions(turn.state, (session) =>
    withLevel(session, 'Unknown', turn.now, foundMoment(turn, session)),
  );
}

function mapSessions(state: State, change: (session: Session) => Session): State['sessions'] {
  return Object.fromEntries(Object.entries(state.sessions).map(([id, session]) => [id, change(session)]));
}

export function bfdSessionChanged(turn: Turn, event: EventOf<'bfdSessionChanged'>): void {
  const before = sessionOf(turn.state, event.session);
  changeSession(turn, event.session, event.level, event.receivedAt, true);
  if (before.level === event.level) {
    return note(turn, 'routine', `the session ${event.session} is ${words(event.level)}, as before`);
  }
  note(
    turn,
    'notable',
    `the session ${event.session} went from ${words(before.level)} to ${words(event.level)}`,
  );
}

function changeSession(turn: Turn, id: string, level: SessionLevel, at: number, isReported: boolean): void {
  const before = sessionOf(turn.state, id);
  const moment = isReported ? reportedMoment(turn, id, before, at) : foundMoment(turn, before);
  const changed = disarmedBySameFailure(turn, before, withLevel(before, level, at, moment), id, at);
  const session = held(turn, id, before, changed, at);
  turn.state.sessions = { ...turn.state.sessions, [id]: session };
}

/**
 * Rule 2: how soon after the targets were lost a session that goes DOWN tells of the failure for which the peer took them. Its
 * detection time runs from the last packet heard, which was up to an interval old when the peer fell silent: who goes DOWN
 * within a detection time less an interval has heard nothing since before the loss. A peer that fails after it never shows
 * so soon. And the two ends of a failed link last heard each other within one interval.
 */
export function sameFailureMs({ txIntervalMs, detectionTimeMs }: PlannedSession): number {
  return Math.max(txIntervalMs, detectionTimeMs - txIntervalMs);
}

function disarmedBySameFailure(turn: Turn, before: Session, after: Session, id: string, at: number): Session {
  const planned = plannedOf(turn.plan, id);
  const isSameFailure =
    after.level === 'Down' &&
    before.upAtLoss !== null &&
    planned !== undefined &&
    at - before.upAtLoss <= sameFailureMs(planned);
  return isSameFailure ? { ...after, armed: false, disarmedBy: 'sameFailure' } : after;
}

function plannedOf({ sessions }: Plan, id: string): PlannedSession | undefined {
  return sessions.find((session) => session.id === id);
}

/** Rule 16: whether a session that has just gone DOWN gets a moment to come UP again. */
function held(turn: Turn, id: string, before: Session, after: Session, at: number): Session {
  const planned = plannedOf(turn.plan, id);
  if (after.level !== 'Down' || before.level === 'Down' || planned === undefined) return after;
  return { ...after, heldUntil: heldUntil(turn, planned, at) };
}

/** Levels read anew after a stall (rule 16). Only what differs from what is known is news. */
export function levelsRead(turn: Turn, event: EventOf<'levelsRead'>): void {
  for (const { interfaceName, level } of event.interfaces) {
    const before = interfaceOf(turn.state, interfaceName);
    if (before.level !== level) interfaceChanged(turn, interfaceName, level);
  }
  for (const { session, level } of event.sessions) {
    const before = sessionOf(turn.state, session);
    if (before.level === level) {
      if (level === 'Up' && isUnseen(turn.state.unwatched, before)) updateLastUp(turn, session);
      continue;
    }
    changeSession(turn, session, level, turn.now, false);
    note(turn, 'notable', `the session ${session} is found ${words(level)}, before ${words(before.level)}`);
  }
  note(
    turn,
    'routine',
    event.sessions.length === 0 ? 'the router could not be asked for levels' : 'levels read again',
  );
}

/** A reading says that it has been UP to the end of an interval in which it was not watched. */
function updateLastUp(turn: Turn, id: string): void {
  const session = { ...sessionOf(turn.state, id), lastUpAt: turn.now };
  turn.state.sessions = { ...turn.state.sessions, [id]: session };
}

/** What is known of the moment at which a session changes its level. */
type Moment = Pick<Session, 'changeSeen' | 'lastUpAt'>;

function withLevel(before: Session, level: SessionLevel, at: number, moment: Moment): Session {
  const isChanged = before.level !== level;
  const changedAt = isChanged ? at : before.changedAt;
  const session = {
    ...before,
    ...(isChanged ? { ...moment, ...(level === 'Up' ? { lastUpAt: at } : {}) } : {}),
    // As long as its level is not known, it may still be UP.
    upAtLoss: !isChanged || level === 'Unknown' || before.level === 'Unknown' ? before.upAtLoss : null,
  };
  switch (level) {
    case 'Up':
      return { ...session, level, changedAt, armed: true, freshSince: null, heldUntil: null };
    case 'Unconfigured': {
      // A session that was not armed lacks more than the peer's side.
      const disarmedBy = session.armed ? 'peer' : session.disarmedBy;
      return { ...session, level, changedAt, armed: false, disarmedBy };
    }
    case 'Down':
    case 'Unknown':
      return { ...session, level, changedAt };
  }
}

/** A notification gives the very moment, unless the peer was not watched just before. */
function reportedMoment(turn: Turn, id: string, before: Session, at: number): Moment {
  const { unwatched } = turn.state;
  const isBlind =
    isUnseen(unwatched, before) &&
    at - (unwatched?.until ?? at) <= (plannedOf(turn.plan, id)?.detectionTimeMs ?? 0);
  if (before.level !== 'Up' || isBlind) return foundMoment(turn, before);
  return { changeSeen: true, lastUpAt: at };
}

/** A reading comes some time after the change. */
function foundMoment({ state: { unwatched } }: Turn, before: Session): Moment {
  const { level, lastUpAt } = before;
  if (level !== 'Up' || lastUpAt === null || unwatched === null || !isUnseen(unwatched, before))
    return { changeSeen: false, lastUpAt };
  // It was watched until then, and UP all the time.
  return { changeSeen: false, lastUpAt: Math.max(lastUpAt, unwatched.since) };
}

export function interfaceChanged(turn: Turn, name: string, level: InterfaceLevel): void {
  const before = turn.state.interfaces[name];
  if (before === undefined)
    return note(turn, 'routine', `ignored the interface ${name}: no session is on it`);
  if (before.level === level)
    return note(turn, 'routine', `the interface ${name} is ${words(level)}, as before`);
  // From DOWN to not known counts as coming UP: the wait of rule 3 must not be lost with a stream.
  const cameUpAt = before.level === 'Down' && level !== 'Down' ? turn.now : before.cameUpAt;
  const after = { level, changedAt: turn.now, cameUpAt };
  turn.state.interfaces = { ...turn.state.interfaces, [name]: after };
  note(turn, 'notable', `the interface ${name} went from ${words(before.level)} to ${words(level)}`);
}

/** The levels that are read back after registering, programming and EOF (rule 13) are those of now, not of before. */
export function streamsSynchronized(turn: Turn, event: EventOf<'streamsSynchronized'>): void {
  const { plan } = turn;
  const readings = new Map(event.sessions.map((reading) => [reading.session, reading]));
  const levels = new Map(event.interfaces.map(({ interfaceName, level }) => [interfaceName, level]));
  for (const name of new Set(plan.sessions.map(({ interfaceName }) => interfaceName))) {
    interfaceChanged(turn, name, levels.get(name) ?? 'Unknown');
  }
  const sessions = plan.sessions.map(({ id }) => [id, synchronized(turn, id, readings.get(id))] as const);
  turn.state.sessions = Object.fromEntries(sessions);
  const { generation, answersAboutInterfaces } = event;
  turn.state.streams = { phase: 'synchronized', generation, answersAboutInterfaces, everSynchronized: true };
  endUnwatched(turn);
  const read = sessions.map(
    ([id, { level, freshSince }]) =>
      `${id} is ${words(level)}${freshSince === null ? '' : ' (programmed anew)'}`,
  );
  const asked =
    generation === 'gen2' && answersAboutInterfaces ? '; it says the state of an interface when asked' : '';
  note(turn, 'notable', `in control of the router's event streams${asked}: ${list(read)}`);
}

function synchronized(turn: Turn, id: string, reading: SessionReading | undefined): Session {
  const { state, now } = turn;
  const before = sessionOf(state, id);
  const survived = reading?.survived ?? false;
  const known = state.streams.everSynchronized ? before.armed : survived && recalledArmed(turn, id);
  const isRefused = reading?.refused === true;
  const armed = known && !isRefused;
  const disarmedBy = isRefused ? 'refusal' : before.disarmedBy;
  const freshSince = survived ? before.freshSince : now;
  const level = reading?.level ?? 'Unknown';
  const after = { ...before, armed, disarmedBy, freshSince };
  const found = withLevel(after, level, now, foundMoment(turn, before));
  return held(turn, id, before, disarmedBySameFailure(turn, before, found, id, now), now);
}

/**
 * Rule 17: stored arming counts only for sessions that survived, and not for long, because the router may answer long
 * after the daemon has started. memory.ts has checked the boot.
 */
function recalledArmed({ plan, state: { recalled }, now }: Turn, id: string): boolean {
  if (recalled === null || now - recalled.savedAt >= plan.timing.armedTtlMs) return false;
  return recalled.armedSessions.includes(id);
}

export function words(level: SessionLevel | InterfaceLevel): string {
  return level.toUpperCase();
}
