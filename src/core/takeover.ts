/**
 * The life of an attempt: begun when the trigger fires, dropped while nothing has moved, driven to
 * completion once something has (rules 5 and 7). Giving back is giveBack.ts's part.
 */
import {
  currentAttempt,
  drive,
  hasMoved,
  isComplete,
  isHeldBy,
  newCall,
  openAddresses,
  updateAttempt,
} from './attempt';
import { abandonGiveBack, giveBackIfLocal, openGiveBack } from './giveBack';
import { takeIntent } from './memory';
import type { Event, Holder, Intent, Timeline } from './model';
import { holderWords, missingTargets, observeNow, takeableTargets } from './ownership';
import type { Target } from './plan';
import { disarmUnlessUp, interfaceChanged, interfaceOf, sessionOf } from './sessions';
import type { Attempt, Call, Ownership } from './state';
import { consider, type Consideration } from './trigger';
import { list, note, raiseAlarm, wakeAt, type Turn } from './turn';

/** Rule 5: how long the old interface generation may take to say whether an interface is UP. */
const ASK_TIMEOUT_MS = 5;
/** How long a takeover may fail before it alarms. */
const STUCK_AFTER_MS = 3_000;
/** An attempt that has had nothing confirmed for this long is decided afresh. */
const ATTEMPT_TTL_MS = 60_000;

/** Takes the attempt one step further, or begins one; returns the standing sentence. */
export function decideTakeover(turn: Turn): string {
  if (giveBackIfLocal(turn)) return 'giving the targets back as soon as the requests under way are answered';
  if (turn.state.attempt === null) return considerBeginning(turn);
  if (abandonGiveBack(turn)) return considerBeginning(turn);
  const dropped = dropIfOutdated(turn);
  if (dropped !== null) return dropped;
  alarmIfStuck(turn);
  proceed(turn);
  return turn.state.attempt === null ? consider(turn).sentence : attemptWords(currentAttempt(turn));
}

function attemptWords(attempt: Attempt): string {
  const open = list(openAddresses(attempt));
  const doing = `${attempt.purpose === 'takeover' ? 'taking over' : 'giving back'}: ${open} asked of EC2`;
  const said = lastFailureWords(attempt);
  return said === '' ? doing : `${doing}, which last said ${said}`;
}

function lastFailureWords(attempt: Attempt): string {
  const failures = attempt.calls.flatMap(({ outcome, lastFailure }) =>
    outcome === 'open' && lastFailure !== null ? [`${lastFailure.code} (${lastFailure.message})`] : [],
  );
  return list([...new Set(failures)]);
}

/** Somebody has to know of a takeover that goes on failing, whatever the reason. */
function alarmIfStuck(turn: Turn): void {
  const attempt = currentAttempt(turn);
  if (attempt.firstSentAt === null || attempt.stuck) return;
  const at = attempt.firstSentAt + STUCK_AFTER_MS;
  if (turn.now < at) return wakeAt(turn, at);
  updateAttempt(turn, { stuck: true });
  const said = lastFailureWords(attempt);
  raiseAlarm(
    turn,
    'takeover-stuck',
    `${list(openAddresses(attempt))} not moved for ${STUCK_AFTER_MS / 1000} s: EC2 ${said === '' ? 'has not answered' : `last said ${said}`}; ` +
      `trying on`,
  );
}

function considerBeginning(turn: Turn): string {
  const verdict = consider(turn);
  wakeAt(turn, verdict.until);
  if (!verdict.fires) return verdict.sentence;
  if (turn.state.shutdown !== null) return 'not taking over: this daemon is shutting down';
  begin(turn, verdict);
  proceed(turn);
  return verdict.sentence;
}

function begin(turn: Turn, verdict: Consideration): void {
  const { plan, state, now } = turn;
  const { ownership } = state;
  if (ownership === null) throw new Error('a takeover was triggered before anything was observed');
  const number = state.lastAttempt + 1;
  const attempt: Attempt = {
    number,
    purpose: 'takeover',
    sessions: verdict.sessions.map(({ id }) => id),
    resumed: false,
    triggeredAt: Math.min(...verdict.sessions.map(({ id }) => sessionOf(state, id).changedAt)),
    decidedAt: now,
    askingUntil: askingUntil(turn, verdict),
    firstSentAt: null,
    firstOnWireAt: null,
    stuck: false,
    lastAnsweredAt: null,
    calls: callsFor(takeableTargets(plan, ownership), ownership, now),
  };
  turn.state = { ...state, lastAttempt: number, attempt };
  note(turn, 'notable', verdict.sentence);
  if (attempt.askingUntil === null) return;
  // Asked first: the answer is under way while the requests are signed.
  if (state.streams.generation === 'gen1') {
    const interfaceNames = [...new Set(verdict.sessions.map(({ interfaceName }) => interfaceName))];
    turn.effects.push({
      effect: 'askInterfaces',
      attempt: number,
      interfaceNames,
      timeoutMs: ASK_TIMEOUT_MS,
    });
  }
  for (const call of attempt.calls) {
    turn.effects.push({
      effect: 'prepareTakeover',
      attempt: number,
      call: call.number,
      networkInterfaceId: call.to.networkInterfaceId,
      addresses: call.addresses,
    });
  }
}

/**
 * Rule 5, local or remote? The old generation is asked; the new one has no getter, so its interface
 * events get a moment to arrive, unless two interfaces are affected: both failing here at once is unlikely.
 */
function askingUntil({ plan, state, now }: Turn, verdict: Consideration): number | null {
  if (state.streams.generation === 'gen1') return now + ASK_TIMEOUT_MS;
  return onSeveralInterfaces(verdict) || plan.timing.settleMs === 0 ? null : now + plan.timing.settleMs;
}

function onSeveralInterfaces({ sessions }: Consideration): boolean {
  return new Set(sessions.map(({ interfaceName }) => interfaceName)).size > 1;
}

/** One call per interface with all its addresses (rule 6). */
function callsFor(targets: readonly Target[], ownership: Ownership, now: number): readonly Call[] {
  const indexes = [...new Set(targets.map(({ deviceIndex }) => deviceIndex))];
  return indexes.map((deviceIndex, place) => {
    const addresses = targets
      .filter((target) => target.deviceIndex === deviceIndex)
      .map(({ address }) => address);
    return newCall(place + 1, ownInterface(ownership, deviceIndex), addresses, now);
  });
}

function ownInterface({ observation }: Ownership, deviceIndex: number): Holder {
  const own = observation.interfaces.find((candidate) => candidate.deviceIndex === deviceIndex);
  if (own === undefined)
    throw new Error(`an observation without the interface of device index ${deviceIndex}`);
  return { networkInterfaceId: own.networkInterfaceId, instanceId: null, mine: true };
}

/** The router has answered rule 5's question: nothing is left to wait for. */
export function interfacesAnswered(turn: Turn, event: Extract<Event, { type: 'interfacesAnswered' }>): void {
  const { attempt } = turn.state;
  if (attempt === null || attempt.number !== event.attempt) {
    return note(turn, 'routine', `ignored a late answer about the interfaces of attempt ${event.attempt}`);
  }
  if (event.interfaces.length === 0)
    note(turn, 'routine', 'the router did not say whether the interface is UP');
  for (const { interfaceName, level } of event.interfaces) {
    // A notification since the question is the newer word: an answer may have been overtaken by it.
    if (interfaceOf(turn.state, interfaceName).changedAt > attempt.decidedAt)
      note(turn, 'routine', `ignored the answer about ${interfaceName}: a notification has overtaken it`);
    else interfaceChanged(turn, interfaceName, level);
  }
  if (attempt.askingUntil !== null) updateAttempt(turn, { askingUntil: turn.now });
}

/**
 * Trigger and age, checked before every send. While nothing has moved, an attempt whose trigger is gone is
 * dropped. One that has had nothing confirmed for a minute acts on old news and is decided afresh: by what
 * EC2 has said since, or, where it has said nothing, by the levels alone (rule 4). Returns the sentence of
 * an attempt that does not go on.
 */
function dropIfOutdated(turn: Turn): string | null {
  const attempt = currentAttempt(turn);
  const verdict = consider(turn);
  if (isOutdated(attempt, turn.now)) return drop(turn, verdict, 'nothing has been confirmed for a minute');
  if (hasMoved(attempt)) return null;
  if (!verdict.fires) return drop(turn, verdict, 'nothing had moved');
  // Whether the failure was local is judged by the sessions that said DOWN when the first write went out.
  updateAttempt(turn, { sessions: verdict.sessions.map(({ id }) => id) });
  if (
    turn.state.streams.generation === 'gen2' &&
    attempt.askingUntil !== null &&
    onSeveralInterfaces(verdict)
  ) {
    updateAttempt(turn, { askingUntil: turn.now });
  }
  return null;
}

function isOutdated(attempt: Attempt, now: number): boolean {
  if (attempt.resumed || now - attempt.decidedAt <= ATTEMPT_TTL_MS) return false;
  return attempt.calls.every(({ outcome, outstanding }) => outcome !== 'moved' && outstanding.length === 0);
}

function drop(turn: Turn, verdict: Consideration, why: string): string {
  const attempt = currentAttempt(turn);
  if (attempt.askingUntil !== null) turn.effects.push({ effect: 'discardPrepared', attempt: attempt.number });
  turn.state = { ...turn.state, attempt: null, giveBack: null };
  note(turn, 'notable', `dropped attempt ${attempt.number}: ${why}`);
  // Decided afresh in a step of its own, so that each attempt begins with its sentence.
  wakeAt(turn, verdict.fires ? turn.now : verdict.until);
  return verdict.fires ? `deciding afresh: ${verdict.sentence}` : verdict.sentence;
}

function proceed(turn: Turn): void {
  const { now } = turn;
  const { askingUntil } = currentAttempt(turn);
  if (askingUntil !== null && now < askingUntil) return wakeAt(turn, askingUntil);
  if (askingUntil !== null) updateAttempt(turn, { askingUntil: null });
  const hadMoved = hasMoved(currentAttempt(turn));
  drive(turn);
  if (!hadMoved && hasMoved(currentAttempt(turn))) openGiveBack(turn);
  finishIfComplete(turn);
}

function finishIfComplete(turn: Turn): void {
  const attempt = currentAttempt(turn);
  if (!isComplete(attempt)) return;
  const timeline: Timeline = {
    attempt: attempt.number,
    triggeredAt: attempt.triggeredAt,
    decidedAt: attempt.decidedAt,
    firstSentAt: attempt.firstOnWireAt ?? attempt.firstSentAt,
    lastAnsweredAt: attempt.lastAnsweredAt,
    confirmedAt: null,
    resumed: attempt.resumed,
  };
  turn.state = { ...turn.state, attempt: null };
  observeNow(turn);
  const moved = list(
    attempt.calls.filter(({ outcome }) => outcome === 'moved').flatMap(({ addresses }) => addresses),
  );
  if (attempt.purpose === 'giveBack') return note(turn, 'notable', `gave back ${moved}`);
  turn.state = { ...turn.state, unconfirmed: timeline };
  const elapsedMs = Math.round(turn.now - attempt.triggeredAt);
  const since = attempt.resumed ? 'it had begun' : 'the peer went DOWN';
  note(turn, 'notable', `took over ${moved}, ${elapsedMs} ms after ${since}: EC2 is asked to confirm it`);
}

/** After a believed observation: confirm a finished takeover, end one that was overruled, resume one. */
export function reviewByObservation(turn: Turn): void {
  const missing = turn.state.ownership === null ? [] : missingTargets(turn.plan, turn.state.ownership);
  const { unconfirmed, attempt } = turn.state;
  if (unconfirmed !== null) {
    turn.state = { ...turn.state, unconfirmed: null };
    const confirmed = missing.length === 0;
    const timeline = { ...unconfirmed, confirmedAt: confirmed ? turn.now : null };
    turn.effects.push({ effect: 'reportTimeline', timeline });
    if (confirmed)
      note(turn, 'notable', `EC2 confirms attempt ${timeline.attempt}: all targets are on this router`);
  }
  const intent = takeIntent(turn);
  if (attempt !== null) return endIfOverruled(turn, attempt);
  if (intent !== null) resume(turn, intent, missing);
}

/** Rule 7: another owner after we had moved it, beyond what a lagging read explains. */
function endIfOverruled(turn: Turn, attempt: Attempt): void {
  const lost = attempt.calls
    .filter(({ outcome }) => outcome === 'moved')
    .flatMap(({ addresses, to }) => addresses.filter((address) => !isHeldBy(turn, address, to)));
  if (lost.length === 0) return;
  turn.state = { ...turn.state, attempt: null };
  // Whoever has it now is alive, or an operator wants it so: rule 2 holds as after being ACTIVE.
  disarmUnlessUp(turn);
  const where = lost.map(
    (address) => `${address} is ${holderWords(turn.state.ownership?.holders[address] ?? null)}`,
  );
  const reason = `ended attempt ${attempt.number}: ${list(where)} although this router had moved it`;
  raiseAlarm(turn, 'target-lost', reason);
}

/** Rule 7 across a restart: some but not all targets are ours, so an earlier process life was at it. */
function resume(turn: Turn, intent: Intent, missing: readonly Target[]): void {
  const { plan, state, now } = turn;
  if (state.shutdown !== null)
    return note(turn, 'notable', 'did not resume the stored takeover: this daemon is shutting down');
  if (state.ownership === null || missing.length === plan.targets.length) {
    return note(turn, 'notable', 'did not resume the stored takeover: EC2 shows none of its targets here');
  }
  const targets = takeableTargets(plan, state.ownership).filter(({ address }) =>
    intent.addresses.includes(address),
  );
  if (targets.length === 0) return note(turn, 'notable', 'the stored takeover is complete');
  const number = state.lastAttempt + 1;
  const calls = callsFor(targets, state.ownership, now);
  const attempt: Attempt = {
    number,
    purpose: 'takeover',
    sessions: [],
    resumed: true,
    triggeredAt: intent.startedAt,
    decidedAt: intent.startedAt,
    askingUntil: null,
    firstSentAt: null,
    firstOnWireAt: null,
    stuck: false,
    lastAnsweredAt: null,
    calls,
  };
  turn.state = { ...state, lastAttempt: number, attempt };
  note(
    turn,
    'notable',
    `resuming the takeover of ${list(targets.map(({ address }) => address))} that the last run of this daemon had begun`,
  );
}

/** What is being moved and must be remembered should this process die now. */
export function currentIntent(turn: Turn): Intent | null {
  const { attempt } = turn.state;
  if (attempt === null || attempt.purpose !== 'takeover' || !hasMoved(attempt)) return null;
  // A split call's addresses are those of the calls that have replaced it.
  const addresses = attempt.calls
    .filter(({ outcome }) => outcome !== 'split')
    .flatMap((call) => call.addresses);
  return { startedAt: attempt.decidedAt, addresses };
}
