/**
 * The life of an attempt: begun when the trigger fires, dropped while nothing has moved, driven to
 * completion once something has (rules 5 and 7), given back once when the failure proves to be local.
 */
import {
  callHasMoved,
  currentAttempt,
  drive,
  hasMoved,
  isComplete,
  isHeldBy,
  newCall,
  updateAttempt,
} from './attempt';
import { takeIntent } from './memory';
import type { Event, Holder, Intent, Timeline } from './model';
import { holderWords, missingTargets, observeNow, takeableTargets } from './ownership';
import type { Target } from './plan';
import { interfaceChanged, interfaceOf, sessionOf } from './sessions';
import type { Attempt, Call, GiveBack, Ownership } from './state';
import { consider, type Consideration } from './trigger';
import { list, note, wakeAt, type Turn } from './turn';

/** Rule 5: how long the old interface generation may take to say whether an interface is UP. */
const ASK_TIMEOUT_MS = 5;
/** Rule 5: an interface that goes DOWN this soon after the first write explains the BFD failure. */
const GIVE_BACK_WINDOW_MS = 1_000;
/** EC2 takes an address from anybody, so what has not gone back by then will not go. */
const GIVE_BACK_TTL_MS = 10_000;
/** An attempt that has moved nothing for this long is decided afresh. */
const ATTEMPT_TTL_MS = 60_000;

/** Takes the attempt one step further, or begins one; returns the standing sentence. */
export function decideTakeover(turn: Turn): string {
  if (giveBackIfLocal(turn)) return 'giving the targets back as soon as the requests under way are answered';
  if (turn.state.attempt === null) return considerBeginning(turn);
  const dropped = dropIfNothingMoved(turn) ?? abandonGiveBack(turn);
  if (dropped !== null) return dropped;
  proceed(turn);
  return turn.state.attempt === null ? consider(turn).sentence : attemptWords(currentAttempt(turn));
}

function attemptWords(attempt: Attempt): string {
  const open = attempt.calls
    .filter(({ outcome }) => outcome === 'open')
    .flatMap(({ addresses }) => addresses);
  return `${attempt.purpose === 'takeover' ? 'taking over' : 'giving back'}: ${list(open)} still to be moved`;
}

function considerBeginning(turn: Turn): string {
  const verdict = consider(turn);
  wakeAt(turn, verdict.until);
  if (!verdict.fires) return verdict.sentence;
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
    triggeredAt: Math.max(...verdict.sessions.map(({ id }) => sessionOf(state, id).changedAt)),
    decidedAt: now,
    askingUntil: askingUntil(turn, verdict),
    firstSentAt: null,
    lastAnsweredAt: null,
    calls: callsFor(takeableTargets(plan, ownership), ownership, now),
  };
  turn.state = { ...state, lastAttempt: number, attempt };
  note(turn, 'notable', verdict.sentence);
  if (attempt.askingUntil === null) return;
  for (const call of attempt.calls) {
    turn.effects.push({
      effect: 'prepareTakeover',
      attempt: number,
      call: call.number,
      networkInterfaceId: call.to.networkInterfaceId,
      addresses: call.addresses,
    });
  }
  if (state.streams.generation === 'gen1') {
    const interfaceNames = [...new Set(verdict.sessions.map(({ interfaceName }) => interfaceName))];
    turn.effects.push({
      effect: 'askInterfaces',
      attempt: number,
      interfaceNames,
      timeoutMs: ASK_TIMEOUT_MS,
    });
  }
}

/**
 * Rule 5, local or remote? The old generation is asked; the new one has no getter, so its interface
 * events get a moment to arrive, unless two interfaces are affected: both failing here at once is unlikely.
 */
function askingUntil({ plan, state, now }: Turn, verdict: Consideration): number | null {
  if (state.streams.generation === 'gen1') return now + ASK_TIMEOUT_MS;
  const interfaces = new Set(verdict.sessions.map(({ interfaceName }) => interfaceName));
  return interfaces.size > 1 || plan.timing.settleMs === 0 ? null : now + plan.timing.settleMs;
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

/** Trigger and age are checked before every send while nothing has moved; returns why it was dropped. */
function dropIfNothingMoved(turn: Turn): string | null {
  const attempt = currentAttempt(turn);
  if (hasMoved(attempt)) return null;
  const verdict = consider(turn);
  const tooOld = turn.now - attempt.decidedAt > ATTEMPT_TTL_MS;
  if (verdict.fires && !tooOld) {
    // Whether the failure was local is judged by the sessions that said DOWN when the first write went out.
    updateAttempt(turn, { sessions: verdict.sessions.map(({ id }) => id) });
    return null;
  }
  if (attempt.askingUntil !== null) turn.effects.push({ effect: 'discardPrepared', attempt: attempt.number });
  turn.state = { ...turn.state, attempt: null, giveBack: null };
  const since = tooOld ? ` for ${ATTEMPT_TTL_MS / 1000} s` : '';
  note(turn, 'notable', `dropped attempt ${attempt.number}: nothing had moved${since}`);
  wakeAt(turn, tooOld ? turn.now : verdict.until);
  return verdict.sentence;
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
    firstSentAt: attempt.firstSentAt,
    lastAnsweredAt: attempt.lastAnsweredAt,
    confirmedAt: null,
  };
  turn.state = { ...turn.state, attempt: null };
  observeNow(turn);
  const moved = list(
    attempt.calls.filter(({ outcome }) => outcome === 'moved').flatMap(({ addresses }) => addresses),
  );
  if (attempt.purpose === 'giveBack') return note(turn, 'notable', `gave back ${moved}`);
  turn.state = { ...turn.state, unconfirmed: timeline };
  const elapsedMs = Math.round(turn.now - attempt.triggeredAt);
  note(
    turn,
    'notable',
    `took over ${moved}, ${elapsedMs} ms after the peer went DOWN; EC2 is asked to confirm it`,
  );
}

/** After a believed observation: confirm a finished takeover, end one that was overruled, resume one. */
export function reviewByObservation(turn: Turn): void {
  const missing = turn.state.ownership === null ? [] : missingTargets(turn.plan, turn.state.ownership);
  const { unconfirmed, attempt } = turn.state;
  if (unconfirmed !== null) {
    turn.state = { ...turn.state, unconfirmed: null };
    if (missing.length === 0) {
      turn.effects.push({ effect: 'reportTimeline', timeline: { ...unconfirmed, confirmedAt: turn.now } });
      note(turn, 'notable', `EC2 confirms attempt ${unconfirmed.attempt}: all targets are on this router`);
    }
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
  const where = lost.map(
    (address) => `${address} is ${holderWords(turn.state.ownership?.holders[address] ?? null)}`,
  );
  const reason = `ended attempt ${attempt.number}: ${list(where)} although this router had moved it`;
  turn.effects.push({ effect: 'raiseAlarm', code: 'target-lost', reason });
  note(turn, 'alarm', reason);
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

/** For one second from the first write that was not definitely refused: the failure may be ours. */
function openGiveBack(turn: Turn): void {
  const { attempt, ownership } = turn.state;
  if (attempt === null || attempt.purpose === 'giveBack' || attempt.sessions.length === 0) return;
  if (ownership === null) return;
  const { number, sessions } = attempt;
  const addresses = attempt.calls.flatMap((call) => call.addresses);
  const holdersBefore = Object.fromEntries(
    addresses.map((address) => [address, ownership.holders[address] ?? null]),
  );
  turn.state = {
    ...turn.state,
    giveBack: { attempt: number, sessions, firstSentAt: turn.now, holdersBefore, isDue: false },
  };
}

/** Returns whether it has to wait: EC2 might get a request under way after the one that undoes it. */
function giveBackIfLocal(turn: Turn): boolean {
  const { giveBack, streams, attempt } = turn.state;
  if (giveBack === null) return false;
  if (!giveBack.isDue && turn.now - giveBack.firstSentAt > GIVE_BACK_WINDOW_MS) {
    turn.state = { ...turn.state, giveBack: null };
    return false;
  }
  const names = new Set(
    turn.plan.sessions
      .filter(({ id }) => giveBack.sessions.includes(id))
      .map(({ interfaceName }) => interfaceName),
  );
  const allDown = [...names].every((name) => interfaceOf(turn.state, name).level === 'Down');
  if (!giveBack.isDue && (streams.phase !== 'synchronized' || !allDown)) return false;
  turn.state = { ...turn.state, giveBack: { ...giveBack, isDue: true } };
  if (attempt?.calls.some(({ outstanding }) => outstanding.length > 0)) return true;
  beginGiveBack(turn, giveBack, [...names]);
  return false;
}

/** Giving back is a courtesy to a peer that may be dead, so unlike a takeover it does not go on for ever. */
function abandonGiveBack(turn: Turn): string | null {
  const attempt = currentAttempt(turn);
  const until = attempt.decidedAt + GIVE_BACK_TTL_MS;
  if (attempt.purpose !== 'giveBack') return null;
  wakeAt(turn, until);
  if (turn.now < until) return null;
  turn.state = { ...turn.state, attempt: null };
  observeNow(turn);
  note(turn, 'alarm', `gave up giving back after ${GIVE_BACK_TTL_MS / 1000} s`);
  return consider(turn).sentence;
}

/** Once per takeover: the targets go back to whoever held them before the first write. */
function beginGiveBack(turn: Turn, giveBack: GiveBack, interfaceNames: readonly string[]): void {
  const { state, now } = turn;
  const number = state.lastAttempt + 1;
  const moved =
    state.attempt?.number === giveBack.attempt
      ? state.attempt.calls.filter(callHasMoved).flatMap(({ addresses }) => addresses)
      : Object.keys(giveBack.holdersBefore);
  const holders = new Map<string, { to: Holder; addresses: string[] }>();
  for (const [address, holder] of Object.entries(giveBack.holdersBefore)) {
    if (holder === null || !moved.includes(address)) continue;
    const entry = holders.get(holder.networkInterfaceId) ?? { to: holder, addresses: [] };
    entry.addresses.push(address);
    holders.set(holder.networkInterfaceId, entry);
  }
  const calls = [...holders.values()].map(({ to, addresses }, index) =>
    newCall(index + 1, to, addresses, now),
  );
  turn.state = { ...state, giveBack: null };
  if (calls.length === 0) return;
  const attempt: Attempt = {
    number,
    purpose: 'giveBack',
    sessions: giveBack.sessions,
    resumed: true,
    triggeredAt: now,
    decidedAt: now,
    askingUntil: null,
    firstSentAt: null,
    lastAnsweredAt: null,
    calls,
  };
  turn.state = { ...turn.state, lastAttempt: number, attempt, unconfirmed: null };
  const reason =
    `giving ${list(calls.flatMap(({ addresses }) => addresses))} back: ${list(interfaceNames)} went DOWN within ` +
    `${GIVE_BACK_WINDOW_MS / 1000} s of the first write, so the failure was here and not at the peer`;
  turn.effects.push({ effect: 'raiseAlarm', code: 'local-failure-suspected', reason });
  note(turn, 'alarm', reason);
}
