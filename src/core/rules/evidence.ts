/**
 * Rule 9, evidence: no session is UP, so BFD cannot say whether the peer lives, and the cloud is asked instead how the
 * holder of the targets is. Only what the cloud shows counts; where the holder runs, this router stays and alarms.
 */
import { hasAlarm } from '../state/alarms';
import type { Event } from '../state/model';
import type { InstanceCondition, InterfaceHolder } from '../state/readings';
import { isForeign, isOnThisRouter } from './foreignHolder';
import { instanceOf, isOfNoInstance, ownerName } from '../levels/holders';
import {
  hasItsPlace,
  holdsAll,
  interfaceFor,
  isSettled,
  missingTargets,
  observeAgainSoon,
  observeNow,
  takeableTargets,
} from '../levels/ownership';
import type { Plan, Target } from '../state/plan';
import { purposeOf } from '../state/purposes';
import { lowestOwned } from './repair';
import { areWithdrawn, interfaceOf, sessionOf } from '../levels/sessions';
import type { Evidence, Ownership } from '../state/state';
import { list, note, raiseAlarm, wakeAt, type Turn } from '../state/turn';
import { declines, type Firing, type Verdict } from './verdict';

/** Sessions that the peer withdraws for a moment, as it is configured anew, are UP again by then. */
const WITHDRAWN_HOLD_MS = 5_000;
/** The deadline of a question grows to 32 s, so one that is out for longer has been lost. */
const LOST_AFTER_MS = 40_000;

/** What a third instance does not hold: such an instance is left alone, whatever its condition (rule 18). */
function concerned(plan: Plan, ownership: Ownership): readonly Target[] {
  return missingTargets(plan, ownership).filter((target) => !isForeign(plan, ownership, target));
}

/**
 * A gateway or a service of the cloud is no instance that could be asked about, so what it holds must not keep the
 * others waiting.
 */
function targetsOfInstances(plan: Plan, ownership: Ownership): readonly Target[] {
  return takeableTargets(plan, ownership).filter(({ id }) => !isOfNoInstance(ownership.holders[id] ?? null));
}

function update(turn: Turn, change: Partial<Evidence>): void {
  turn.state.evidence = { ...turn.state.evidence, ...change };
}

/** With each decision: since when is no session UP? When that has lasted, the cloud is observed at once. */
export function trackSessions(turn: Turn): void {
  const { plan, state, now } = turn;
  const { noneUpSince } = state.evidence;
  if (plan.sessions.some(({ id }) => sessionOf(state, id).level === 'Up')) {
    if (noneUpSince === null) return;
    // An answer to an older question says nothing about what came after it.
    const none = { noneUpSince: null, withdrawnSince: null, inFlight: null };
    return update(turn, { ...none, conditions: {}, failure: null });
  }
  if (noneUpSince === null) update(turn, { noneUpSince: now });
  const withdrawnSince = areWithdrawn(plan, state) ? (state.evidence.withdrawnSince ?? now) : null;
  if (withdrawnSince !== state.evidence.withdrawnSince) update(turn, { withdrawnSince });
}

/** From when on the cloud is asked; null while a session is UP. */
function askedFrom({ plan, state: { evidence } }: Turn): number | null {
  const { noneUpSince, withdrawnSince } = evidence;
  if (noneUpSince === null) return null;
  const at = noneUpSince + plan.timing.evidenceHoldMs;
  return withdrawnSince === null ? at : Math.min(at, withdrawnSince + WITHDRAWN_HOLD_MS);
}

/** Why the cloud is asked. */
function silenceWords({ plan, state: { evidence } }: Turn): string {
  return evidence.withdrawnSince === null
    ? `no session has been UP for ${plan.timing.evidenceHoldMs / 1000} s`
    : 'the peer has withdrawn all sessions and they do not come back';
}

/** With each believed observation, once the hold is over; a slow answer is waited for. */
export function askAboutHolders(turn: Turn): void {
  const { plan, state, now } = turn;
  const { ownership, evidence } = state;
  if (ownership === null || !holdIsOver(turn)) return;
  const instanceIds = [
    ...new Set(concerned(plan, ownership).flatMap(({ id }) => instanceOf(ownership.holders[id]) ?? [])),
  ].filter((instanceId) => instanceId !== ownership.observation.instanceId);
  if (instanceIds.length === 0) return update(turn, { conditions: {}, failure: null, inFlight: null });
  if (evidence.inFlight !== null && now - evidence.askedAt <= LOST_AFTER_MS) return;
  const number = evidence.lastNumber + 1;
  update(turn, { lastNumber: number, inFlight: number, askedAt: now });
  turn.effects.push({ effect: 'askHolders', number, instanceIds });
}

function holdIsOver(turn: Turn): boolean {
  return turn.now >= (askedFrom(turn) ?? Infinity);
}

export function holdersAnswered(turn: Turn, event: Extract<Event, { type: 'holdersAnswered' }>): void {
  const { evidence } = turn.state;
  if (evidence.inFlight !== event.number)
    return note(turn, 'routine', 'ignored a late answer about the holders of the targets');
  const { result } = event;
  if (!result.ok) {
    const { kind, code, message } = result.failure;
    // A failed question is no evidence, and neither is the answer to an earlier one.
    update(turn, { inFlight: null, conditions: {}, failure: result.failure });
    // A refusal is the answer of an operator who has not allowed the question: the next keepalive is soon enough.
    if (kind !== 'refused') observeAgainSoon(turn);
    return note(
      turn,
      evidence.failure?.code === code ? 'routine' : 'notable',
      `${turn.plan.cloud.name} did not say how the holder of the targets is (${code}: ${message}): asking again ` +
        (kind === 'refused' ? 'with the next keepalive' : 'every second'),
    );
  }
  update(turn, { inFlight: null, conditions: result.conditions, failure: null });
  const said = Object.entries(result.conditions).map(([id, condition]) => conditionWords(id, condition));
  note(turn, 'routine', `${turn.plan.cloud.name} says that ${list(said)}`);
}

function conditionWords(instanceId: string, condition: InstanceCondition): string {
  return condition === 'unresponsive'
    ? `${instanceId} is running, but its daemon does not answer`
    : `${instanceId} is ${condition}`;
}

/** Where it does not answer, something of it still may: an instance that runs is no dead one. */
function runs(condition: InstanceCondition | undefined): boolean {
  return condition === 'running' || condition === 'unresponsive';
}

/** The instance does not come back by itself, or its checks say that it does not work. */
function isGone(turn: Turn, condition: InstanceCondition): boolean {
  switch (condition) {
    case 'unresponsive':
      return countsUnresponsive(turn);
    case 'impaired':
    case 'stopping':
    case 'stopped':
    case 'shutting-down':
    case 'terminated':
      return true;
    case 'pending':
    case 'running':
    // A terminated instance has lost its interfaces, so this one is more likely another account's.
    case 'gone':
      return false;
  }
}

/**
 * Only the daemon may have failed, and the router forward all the same. So the silence of BFD has to have lasted whatever
 * its cause, and this router has to be one that could see a session come UP: in control, with an interface that is not DOWN.
 */
function countsUnresponsive({ plan, state, now }: Turn): boolean {
  const { noneUpSince } = state.evidence;
  if (noneUpSince === null || now < noneUpSince + plan.timing.evidenceHoldMs) return false;
  return state.streams.phase === 'synchronized' && hasInterface(plan, state);
}

function hasInterface(plan: Plan, state: Turn['state']): boolean {
  return plan.sessions.some(({ interfaceName }) => interfaceOf(state, interfaceName).level !== 'Down');
}

export function considerEvidence(turn: Turn): Verdict {
  const { plan, state, now } = turn;
  const { ownership, evidence } = state;
  const at = askedFrom(turn);
  if (ownership === null || at === null) return declines('');
  if (concerned(plan, ownership).length === 0) return declines('');
  if (now < at) {
    const isWithdrawn = evidence.withdrawnSince !== null;
    const silence = isWithdrawn
      ? `the peer has withdrawn all sessions for ${WITHDRAWN_HOLD_MS / 1000} s`
      : silenceWords(turn);
    return declines(`${turn.plan.cloud.name} is asked how the holder is when ${silence}`, at);
  }
  if (now - ownership.confirmedAt > plan.timing.roleTtlMs) return declines('');
  const shown = takeableTargets(plan, ownership).flatMap((target) => {
    const proof = proofOf(turn, ownership, target);
    return proof === null ? [] : [{ target, proof }];
  });
  const ids = new Set(shown.map(({ target }) => target.id));
  const proven = shown.filter(({ target }) => hasItsPlace(plan, ownership, target, ids));
  if (proven.length > 0) {
    return {
      fires: true,
      purpose: 'evidence',
      targets: proven.map(({ target }) => target),
      sessions: [],
      sentence:
        `taking over ${list(proven.map(({ target }) => target.id))}: ${silenceWords(turn)}, ` +
        `and ${list([...new Set(proven.map(({ proof }) => proof))])}`,
    };
  }
  return considerWithdrawn(turn, ownership) ?? considerRunning(turn, ownership);
}

/** What the operator has chosen for a peer that withdrew all sessions and runs; null where it is to be left alone. */
function considerWithdrawn(turn: Turn, ownership: Ownership): Verdict | null {
  const { plan, state, now } = turn;
  const { withdrawnSince } = state.evidence;
  const targets = targetsOfInstances(plan, ownership);
  const isRunning = targets.every((target) => runs(conditionOf(turn, ownership, target)));
  if (plan.onPeerWithdrawn === 'stay' || withdrawnSince === null || state.streams.phase !== 'synchronized')
    return null;
  if (targets.length === 0 || !isRunning) return null;
  const holdS = plan.timing.evidenceHoldMs / 1000;
  const at = withdrawnSince + plan.timing.evidenceHoldMs;
  if (now < at) {
    const takes = `it is taken over from ${holdS} s after that, because on_peer_withdrawn says "take"`;
    return declines(`${runningWords(turn, ownership)}; ${takes}`, at);
  }
  return {
    fires: true,
    purpose: 'evidence',
    targets,
    sessions: [],
    sentence:
      `taking over ${list(targets.map(({ id }) => id))} from a holder that runs: the peer has withdrawn all ` +
      `sessions for ${holdS} s, and on_peer_withdrawn says "take"`,
  };
}

/** What the cloud shows that lets this target be taken; null where it shows nothing. */
function proofOf(turn: Turn, ownership: Ownership, target: Target): string | null {
  const { plan } = turn;
  const { id } = target;
  const holder = ownership.holders[id] ?? null;
  if (holder === null)
    return mayTakeUnowned(turn, ownership) && isSettled(turn) ? `nobody holds ${id}` : null;
  if (holder.kind === 'interface' && isOnThisRouter(ownership, id))
    return `${id} is ${wrongPlaceWords(ownership, target, holder)}`;
  if (holder.kind === 'gateway') return null;
  if (holder.blackhole === true) return mayTakeAbandoned() ? `the route ${id} is a blackhole` : null;
  const { networkInterfaceId, attachment } = holder;
  switch (attachment.to) {
    case 'nothing':
      return mayTakeAbandoned() ? `${networkInterfaceId} is attached to no instance` : null;
    // This is no instance that could have failed: the cloud cannot be asked how it is.
    case 'service':
      return null;
    case 'instance': {
      const condition = conditionOf(turn, ownership, target);
      return condition !== undefined && isGone(turn, condition)
        ? `${turn.plan.cloud.name} says that ${conditionWords(attachment.instanceId, condition)}`
        : null;
    }
  }

  /** Where the peer lives and has nothing either, rule 8 lets the routers go one after the other. */
  function mayTakeAbandoned(): boolean {
    return !hasLivingPeer(ownership) || lowestOwned(plan, ownership) !== undefined;
  }
}

/** The target is on an interface of this router, but not on the right one. */
function wrongPlaceWords({ observation }: Ownership, target: Target, holder: InterfaceHolder): string {
  const isOnItsInterface =
    interfaceFor(observation, target)?.networkInterfaceId === holder.networkInterfaceId;
  return isOnItsInterface
    ? `on ${holder.privateAddress ?? 'another address'} of ${holder.networkInterfaceId}, the wrong address of this router`
    : `on ${holder.networkInterfaceId}, the wrong interface of this router`;
}

/** A route to the peer that leads nowhere says that the peer is dead, whatever is still attached to it. */
function hasLivingPeer({ observation, holders }: Ownership): boolean {
  const blackholes = Object.values(holders).filter((holder) => holder?.blackhole === true);
  const dead = new Set(blackholes.map(instanceOf));
  return Object.values(observation.peers).some(
    ({ instanceId }) => instanceId !== null && !dead.has(instanceId),
  );
}

/**
 * Both routers find what nobody holds, and each would get some of it. So the router that holds the lowest target takes
 * it, as in rule 8; it may be taking the rest right now. Its peer takes it only when that router is gone. If neither
 * holds anything, a claim lets the cloud decide once, for all of them.
 */
function mayTakeUnowned(turn: Turn, ownership: Ownership): boolean {
  const lowest = lowestOwned(turn.plan, ownership);
  if (lowest === undefined) return false;
  return isOnThisRouter(ownership, lowest.id) || proofOf(turn, ownership, lowest) !== null;
}

/** The opt-in: once per process life, and never by a router that has been ACTIVE. */
function considerRunning(turn: Turn, ownership: Ownership): Verdict {
  const { plan, state, now } = turn;
  const { evidence, beenActive, streams } = state;
  const standing = runningWords(turn, ownership);
  const afterMs = plan.timing.takeFromRunningAfterMs;
  // The attempt that uses it up is judged again before each send.
  const spent = evidence.tookFromRunning && state.attempt === null;
  if (afterMs === null || evidence.noneUpSince === null || spent || beenActive) return declines(standing);
  const targets = targetsOfInstances(plan, ownership);
  const known = targets.every((target) => runs(conditionOf(turn, ownership, target)));
  if (targets.length === 0 || !known || !hasInterface(plan, state) || streams.phase !== 'synchronized')
    return declines(standing);
  const at = evidence.noneUpSince + afterMs;
  if (now < at) return declines(standing, at);
  return {
    fires: true,
    purpose: 'evidence',
    targets,
    sessions: [],
    sentence:
      `taking over ${list(targets.map(({ id }) => id))} from a holder that runs: no session has been ` +
      `UP for ${afterMs / 1000} s, and take_from_running_after_s allows it once`,
  };
}

/** The opt-in counts as used when such a takeover begins, not when it was allowed. */
export function noteTakenFromRunning(turn: Turn, verdict: Firing): void {
  const { ownership } = turn.state;
  if (!purposeOf(verdict).mayTakeFromRunning || ownership === null) return;
  if (verdict.targets.some((target) => runs(conditionOf(turn, ownership, target))))
    update(turn, { tookFromRunning: true });
}

/** What the cloud last said of the instance that holds it; undefined where it was not asked, or did not say. */
function conditionOf({ state }: Turn, { holders }: Ownership, { id }: Target): InstanceCondition | undefined {
  return state.evidence.conditions[instanceOf(holders[id]) ?? ''];
}

function runningWords(turn: Turn, ownership: Ownership): string {
  const { plan, state } = turn;
  const { failure } = state.evidence;
  const hold = silenceWords(turn);
  if (failure !== null)
    return `unprotected: ${hold}, and ${turn.plan.cloud.name} does not say how the holder is (${failure.code})`;
  const said = [
    ...new Set(
      concerned(plan, ownership).flatMap((target) => {
        const condition = conditionOf(turn, ownership, target);
        const instanceId = instanceOf(ownership.holders[target.id]) ?? '';
        return condition === undefined ? [] : [conditionWords(instanceId, condition)];
      }),
    ),
  ];
  if (said.length > 0) return `unprotected: ${hold}, and ${turn.plan.cloud.name} says that ${list(said)}`;
  const others = concerned(plan, ownership);
  if (others.every(({ id }) => isOfNoInstance(ownership.holders[id] ?? null))) {
    const held = others.map(({ id }) => `${ownerName(plan.cloud, ownership.holders[id])} holds ${id}`);
    return `unprotected: ${hold}, and ${list(held)}, which is no instance that ${turn.plan.cloud.name} can be asked about`;
  }
  // A peer that withdraws its sessions does so on purpose, perhaps on its way down: a person knows before the cloud says so.
  return state.evidence.withdrawnSince === null
    ? ''
    : `unprotected: ${hold}, and ${turn.plan.cloud.name} is asked how the holder is`;
}

/** Once per episode: a failure of the peer would not be seen now, and a person has to know. */
export function alarmIfUnprotected(turn: Turn): void {
  const { state, plan } = turn;
  const { evidence, ownership, attempt } = state;
  if (!holdIsOver(turn)) return wakeAt(turn, askedFrom(turn) ?? Infinity);
  if (ownership === null || attempt !== null || evidence.noneUpSince === null) return;
  if (holdsAll(plan, ownership) || hasAlarm(state, 'unprotected')) return;
  const verdict = considerEvidence(turn);
  if (verdict.fires || verdict.sentence === '') return;
  raiseAlarm(
    turn,
    'unprotected',
    `${verdict.sentence}: should the holder fail while it runs, nothing is taken over until ${turn.plan.cloud.name} shows it or an operator acts`,
  );
}

/** The other half of the pair: this router has all targets, and its peer, or the path to it, is gone. */
export function alarmIfAlone(turn: Turn): void {
  const { whole, state } = turn;
  const { ownership, attempt, streams } = state;
  if (!holdIsOver(turn) || attempt !== null || streams.phase !== 'synchronized') return;
  if (ownership === null || !holdsAll(whole, ownership) || hasAlarm(state, 'redundancy-lost')) return;
  raiseAlarm(
    turn,
    'redundancy-lost',
    `redundancy lost: all targets are on this router and ${silenceWords(turn)}: should it fail, nothing is taken ` +
      `over; see that the peer router and its daemon run`,
  );
}

/** The hold has just run out: the question needs an observation now. */
export function observeWhenHoldEnds(turn: Turn): void {
  const { ownership, observing } = turn.state;
  if (!holdIsOver(turn) || ownership === null || holdsAll(turn.plan, ownership)) return;
  const at = askedFrom(turn) ?? Infinity;
  if (observing.inFlight === null && (observing.lastStartedAt ?? 0) < at) observeNow(turn);
}
