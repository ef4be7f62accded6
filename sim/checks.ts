/**
 * The invariants of one group, each with its precise definition, checked on every step of its cores and on every change
 * in EC2. They know the whole world, which no router does, and judge by what really is wherever that can be said.
 */
import { violations } from '../src/core/state/invariants';
import type { Effect, EffectArgs, Event } from '../src/core/state/model';
import type { Plan } from '../src/core/state/plan';
import type { State } from '../src/core/state/state';
import type { Attempt } from '../src/core/state/attempt';
import type { Step } from '../src/core/step';
import type { Causes } from './causes';
import type { Ec2, Nic } from './ec2';
import type { Tally } from './fired';
import type { Network } from './network';
import { serves } from './outage';
import type { Router as AnyRouterOf } from './router';
import {
  groupsMeant,
  groupWords,
  otherOf,
  STRANGER,
  targetOf,
  type AnyRouter,
  type Both,
  type Fault,
  type Group,
  type RouterIndex,
  type Scenario,
  type Settings,
  txIntervalMs,
} from './scenario';
import type { Timeline } from './timeline';

type Router = AnyRouterOf<RouterIndex>;

/** One change of the complete owner, as EC2 knows it. */
export type Change = { readonly at: number; readonly from: RouterIndex; readonly to: RouterIndex };

/** As the configuration demands: a keepalive and two time-outs. */
export function roleTtlMs({ keepaliveMs }: Settings): number {
  return Math.max(30_000, keepaliveMs + 5_000);
}
/** What reads may lag, and a second for the answer. */
const OLD_NEWS_MS = 9_000 + 2_000;
/** What EC2 shows is known until the next keepalive, and a request may be under way for some seconds. */
const STRANGER_KNOWS_MS = 60_000 + 9_000 + 10_000;
/** How long the news of a session may be under way inside a router. */
const NEWS_MS = 150;
/** An operator's command is answered by then: a switchover takes ten seconds at most. */
const ANSWER_MS = 20_000;
/** How long a switchover may take, with what arrives late of it. */
const SWITCHOVER_MS = 15_000;
/** How late a request may reach EC2. */
const LATE_WRITE_MS = 20_000;
/** A second, the way to EC2 and back, and one question that has just missed it. */
const DUAL_BELIEF_MS = 4_500;
/** own_stall_hold_s, less what the news take. */
const STALL_HOLD_MS = 2_900;
const SENDS_MAX = 3_000;
/** What the daemon remembers is in its file by then. */
const SAVED_MS = 50;
/** hedge_least_ms: so soon the second request may follow. */
const HEDGE_MS = 200;
/** Both routers, with each of three further requests: what a call sends soon where answers are late (core/moves/overlap.ts). */
const OVERTAKING = 6;
const REESTABLISH_MS = 10_000;

export type Broken = (invariant: string, what: string) => never;

export type ChecksParts = {
  readonly group: Group;
  /** Of either router: the ids in it are the same. */
  readonly plan: Plan;
  readonly scenario: Scenario;
  readonly timeline: Timeline;
  readonly network: Network;
  readonly ec2: Ec2;
  readonly causes: Causes;
  readonly tally: Tally;
  readonly broken: Broken;
};

export class Checks {
  readonly changes: Change[] = [];
  steps = 0;
  readonly #group: Group;
  readonly #plan: Plan;
  readonly #scenario: Scenario;
  readonly #timeline: Timeline;
  readonly #network: Network;
  readonly #ec2: Ec2;
  readonly #causes: Causes;
  readonly #tally: Tally;
  readonly #broken: Broken;
  /** The attempt behind each request for a takeover, as `group/router/life/number`, and when each was begun. */
  readonly #takeoverOf = new Map<Effect, string>();
  readonly #begunAt = new Map<string, number>();
  readonly #lives: Both<number> = [0, 0];
  readonly #hasBeenUp: Both<boolean> = [false, false];
  /** The inhibit of each router, and since when it lasts in this boot. */
  readonly #inhibited: Both<{
    readonly untilWall: number;
    readonly forMs: number;
    readonly until: number;
    readonly since: number;
  } | null> = [null, null];
  /** Until when the last life of each daemon was inhibited, by the clock of the router: what its file says. */
  readonly #leftInhibited: Both<number | null> = [null, null];
  /** How long the longest pause of each router may take: nothing is known sooner. */
  readonly #longestPause: Both<number>;
  readonly #hasEc2Fault: boolean;
  #lastOwner: RouterIndex | null;
  /** When each router last stopped to hold everything, by another's doing. */
  readonly #lostAt: Both<number> = [-Infinity, -Infinity];
  /** The same, where the router believed until then that it was ACTIVE. */
  readonly #lostAsActiveAt: Both<number> = [-Infinity, -Infinity];
  /** When each router last knew, by the word of EC2, that it does not hold everything any more; Infinity while it is ACTIVE. */
  readonly #knewLossAt: Both<number> = [Infinity, Infinity];
  /** When EC2 last carried out a request by which each router gives away what it holds. */
  readonly #gaveAt: Both<number> = [-Infinity, -Infinity];
  readonly #notOwnerSince: Both<number> = [0, 0];
  readonly #activeSince: Both<number> = [Infinity, Infinity];
  readonly #damping: Both<{ readonly penalty: number; readonly at: number; readonly held: boolean }> = [
    { penalty: 0, at: 0, held: false },
    { penalty: 0, at: 0, held: false },
  ];
  readonly #diedAt: Both<number> = [-Infinity, -Infinity];
  /** Whether it was its own write that gave each router what it holds. */
  readonly #tookIt: Both<boolean> = [false, false];
  /** Whether each router has known of what it holds now or held last. */
  readonly #knew: Both<boolean> = [false, false];
  /** When each router last began to switch over. */
  readonly #switchedAt: Both<number> = [-Infinity, -Infinity];
  readonly #pending: Both<Map<number, number>> = [new Map<number, number>(), new Map<number, number>()];
  #sends = 0;
  /** When each router last began to hand over, and how many targets were served then. */
  readonly #plannedFrom: Both<{ readonly at: number; readonly served: number } | null> = [null, null];

  constructor({ group, plan, scenario, timeline, network, ec2, causes, tally, broken }: ChecksParts) {
    this.#group = group;
    this.#plan = plan;
    this.#scenario = scenario;
    this.#timeline = timeline;
    this.#network = network;
    this.#ec2 = ec2;
    this.#causes = causes;
    this.#tally = tally;
    const words = groupWords(group, scenario.settings);
    this.#broken = (invariant, what) => broken(invariant, `${words}${what}`);
    this.#lastOwner = this.#pairOwner();
    this.#longestPause = [longestPauseOf(scenario, 0), longestPauseOf(scenario, 1)];
    this.#hasEc2Fault = scenario.faults.some(({ kind }) => kind === 'ec2');
  }

  /** How a router is at the moment in which its peer dies; the report says what has been tried. */
  conditionOf(router: Router): string {
    const { daemon, index } = router;
    if (router.machine !== 'on') return 'off';
    if (daemon === null) return 'without daemon';
    if (daemon.isPaused) return 'paused';
    const { role, attempt, streams, inhibit, damping, sessions } = daemon.stateOf(this.#group);
    if (!this.#hasBeenUp[index]) return 'has never seen its peer UP';
    if (attempt !== null) return `in the middle of a move (${attempt.purpose})`;
    if (this.#ec2.isTroubled(index, this.#timeline.now)) return 'in trouble with EC2';
    if (streams.phase !== 'synchronized') return `not watching (${streams.phase})`;
    if (inhibit !== null) return 'inhibited';
    if ((damping?.suppressedUntil ?? 0) > router.now) return 'damped';
    const armed = Object.values(sessions).some((session) => session.armed);
    return `${role.haState}${role.why === null ? '' : ` (${role.why})`}${armed ? '' : ', not armed'}`;
  }

  commanded(router: Router, request: number | null): void {
    if (request !== null) this.#pending[router.index].set(request, this.#timeline.now);
  }

  died(router: RouterIndex): void {
    // A new life does not know what the old one had sent and not heard of.
    this.#diedAt[router] = this.#timeline.now;
    this.#lives[router] += 1;
    const inhibited = this.#inhibited[router];
    const isSaved = inhibited !== null && this.#timeline.now - inhibited.since >= SAVED_MS;
    this.#leftInhibited[router] = isSaved ? inhibited.until : null;
    this.#inhibited[router] = null;
    this.#damping[router] = { penalty: 0, at: 0, held: false };
    this.#tookIt[router] = false;
    if (!this.#knew[router]) this.#lostAt[router] = -Infinity;
    this.#activeSince[router] = Infinity;
    this.#pending[router].clear();
  }

  effected(router: Router, effect: Effect): void {
    if (effect.effect === 'answerOperator') {
      // `answered-once`: every command is answered once.
      if (!this.#pending[router.index].delete(effect.request))
        this.#broken('answered-once', `router ${router.index}: command ${effect.request} is answered again`);
    }
    if (effect.effect === 'sendCall') {
      this.#sends += 1;
      if (this.#sends > SENDS_MAX) this.#broken('bounded-writes', `${SENDS_MAX} requests have been sent`);
      const attempt = router.daemon?.stateOf(this.#group).attempt ?? null;
      if (attempt !== null && attempt.purpose === 'takeover' && !attempt.resumed) {
        const takeover = `${this.#group}/${router.index}/${this.#lives[router.index]}/${effect.attempt}`;
        this.#takeoverOf.set(effect, takeover);
        if (!this.#begunAt.has(takeover)) this.#begunAt.set(takeover, this.#timeline.now);
      }
    }
  }

  stepped(router: Router, event: Event, before: State, step: Step, now: number): void {
    const { state, effects } = step;
    this.steps += 1;
    const broken = violations(this.#plan, state);
    if (broken.length > 0) this.#broken('core', `router ${router.index}: ${broken.join('; ')}`);
    if (event.type === 'started') this.#checkInhibitSurvives(router, event, state, now);
    if (event.type === 'inputDrained') {
      if (!Number.isFinite(state.wakeAt)) this.#broken('wakes', `router ${router.index} sleeps for good`);
      this.#checkFalseActive(router, state);
      this.#checkFalseLoss(router, before, state);
      this.#checkDualBelief(router, state);
      this.#checkUnanswered(router);
      this.#checkInhibit(router, state, now);
    }
    if (before.attempt !== null && state.attempt?.number !== before.attempt.number)
      this.#checkAbandoned(router, before.attempt, step);
    this.#checkPlanned(router, before, state);
    if (event.type === 'bfdSessionChanged' && event.level === 'Up') this.#hasBeenUp[router.index] = true;
    if (event.type === 'callAnswered' && event.attempt !== before.attempt?.number) {
      // `late-answer`: it changes neither levels nor ownership nor a later attempt.
      if (
        state.attempt !== before.attempt ||
        state.ownership !== before.ownership ||
        state.sessions !== before.sessions
      )
        this.#broken('late-answer', `router ${router.index}: the answer of attempt ${event.attempt} counts`);
    }
    for (const effect of effects) {
      if (effect.effect !== 'sendCall') continue;
      // `one-attempt`: no request of an attempt goes out after one of a later attempt.
      if (effect.attempt < before.lastAttempt)
        this.#broken('one-attempt', `router ${router.index} sends for attempt ${effect.attempt}`);
    }
    if (effects.some(({ effect }) => effect === 'sendCall')) this.#checkSend(router, before, state, now);
  }

  /**
   * `planned-keeps-service`: a switchover that nothing but an order called for, and a drill, leave no fewer targets
   * served than before they began, unless a second fault explains it.
   */
  #checkPlanned({ index }: Router, before: State, { handover, drill }: State): void {
    if (handover !== null && handover.attempt !== before.handover?.attempt)
      this.#plannedFrom[index] = { at: this.#timeline.now, served: this.#served() };
    const isOver = handover?.ended !== null && before.handover?.ended === null;
    const isDrillOver = drill?.ended !== null && before.drill?.ended === null;
    if (!isOver && !isDrillOver) return;
    const from = this.#plannedFrom[index];
    this.#tally.count(
      `planned ${isDrillOver ? `drill ${drill?.ended?.outcome ?? ''}` : `${handover?.cause ?? ''} ${handover?.ended?.outcome ?? ''}`}`,
    );
    if (from === null || this.#causes.lastingAt(from.at) > 1) return;
    const served = this.#served();
    if (served < from.served)
      this.#broken(
        'planned-keeps-service',
        `router ${index}: ${served} targets are served after it, ${from.served} before`,
      );
  }

  #served(): number {
    return this.#ec2.holdersOf(this.#group).filter((holder) => serves(this.#network, holder)).length;
  }

  /** What may begin, and when. `before` is the state in which it was decided. */
  #checkSend(router: Router, before: State, after: State, now: number): void {
    // An attempt that ends in the same step has been begun before, or its end is that of a later step.
    const attempt = after.attempt;
    if (attempt === null) return;
    const earlier = before.attempt?.number === attempt.number ? before.attempt : null;
    const first = earlier === null || earlier.firstSentAt === null;
    const moved =
      attempt.resumed ||
      (earlier?.calls.some(
        (call) => call.outcome === 'moved' || call.uncertain || call.outstanding.length > 0,
      ) ??
        false);
    if (first) {
      this.#tally.count(`begun ${attempt.resumed ? 'resumed takeover' : attempt.purpose}`);
    }
    if (moved || attempt.purpose === 'giveBack') return;
    const say = (invariant: string, what: string): never =>
      this.#broken(
        invariant,
        `router ${router.index}, attempt ${attempt.number} (${attempt.purpose}): ${what}`,
      );
    if (before.inhibit !== null && now < before.inhibit.until) say('not-inhibited', 'sends while inhibited');
    if (before.streams.phase === 'notInControl') say('in-control', 'sends while not in control');
    const isAtTheEnd = attempt.purpose === 'switchover' && after.handover?.cause === 'shutdown';
    if (before.shutdown !== null && !isAtTheEnd) say('not-shutting-down', 'sends while shutting down');
    const complete =
      before.ownership !== null &&
      this.#plan.targets.every(({ id }) => before.ownership?.holders[id]?.mine === true);
    if (attempt.purpose === 'switchover') {
      this.#switchedAt[router.index] = this.#timeline.now;
      if (!complete) say('switches-its-own', 'switches over although it does not hold everything');
      return;
    }
    if (complete) say('not-complete', 'takes although it holds everything');
    if (attempt.purpose !== 'takeover') return;
    if (before.streams.phase !== 'synchronized') say('watching', 'sends although it does not watch');
    const { damping } = before;
    if (first && damping !== null && damping.suppressedUntil !== null && now < damping.suppressedUntil)
      say('not-damped', 'sends while damped');
    if (first) this.#checkDamped(router, say);
    this.#checkArmed(router, attempt.sessions, say);
    if (first) this.#checkNotBlind(router, attempt.sessions, say);
    if (first) this.#checkOwnStall(router, attempt.sessions, say);
  }

  /** `not-damped-by-count`: 1000 a takeover, halved each minute; above 3000 nothing begins before it is below 1500. */
  #checkDamped(router: Router, say: (invariant: string, what: string) => never): void {
    const damping = this.#damping[router.index];
    const { now } = this.#timeline;
    const penalty = damping.penalty * 2 ** (-(now - damping.at) / 60_000);
    if (damping.held && penalty > 1_505) say('not-damped-by-count', `begins with a penalty of ${penalty}`);
    const after = penalty + 1_000;
    this.#damping[router.index] = { penalty: after, at: now, held: after > 3_000 };
  }

  /** `own-stall`: what went DOWN just when this router ran again gets its time to come UP. */
  #checkOwnStall(
    router: Router,
    sessions: readonly string[],
    say: (invariant: string, what: string) => never,
  ): void {
    const resumedAt = router.daemon?.resumedAt ?? -Infinity;
    // A pause shorter than the detection time takes no session DOWN: a fault on the path did.
    if ((router.daemon?.lastPauseMs ?? 0) < this.#scenario.settings.detectMs[router.index]) return;
    // What is read only when it attaches later does not get that time.
    if (this.#timeline.now - resumedAt > STALL_HOLD_MS || router.api.attachedAt > resumedAt) return;
    const ownDoing = this.#plan.sessions.every(({ id }, index) => {
      const upAt = this.#network.lastUpAt(router.index, index);
      return !sessions.includes(id) || (upAt >= resumedAt && upAt <= resumedAt + 10);
    });
    if (ownDoing) say('own-stall', 'takes over because it did not run itself');
  }

  /** `not-blind`: not every session that triggers has had its own interface DOWN for longer than news take. */
  #checkNotBlind(
    router: Router,
    sessions: readonly string[],
    say: (invariant: string, what: string) => never,
  ): void {
    const { interfaceLagMs, silentInterfaces } = this.#scenario.settings;
    const knownBy = this.#timeline.now - interfaceLagMs - NEWS_MS - this.#longestPause[router.index];
    const blind = this.#plan.sessions.every(({ id }, index) => {
      if (!sessions.includes(id)) return true;
      const since = this.#network.interfaceDownSince(router.index, index);
      return since !== null && since < knownBy && !(silentInterfaces && since < router.api.attachedAt);
    });
    if (blind) say('not-blind', 'takes over because of its own interface');
  }

  /**
   * `up-since-loss`: at least one of the sessions that trigger was UP at or after the moment in which this
   * router lost the targets to the other one. A router that gives stays armed, should the peer fail meanwhile.
   */
  #checkArmed(
    router: Router,
    sessions: readonly string[],
    say: (invariant: string, what: string) => never,
  ): void {
    const lostAt = this.#lostAt[router.index];
    const upAt = Math.max(
      ...this.#plan.sessions.map(({ id }, index) =>
        sessions.includes(id) ? this.#network.lastUpAt(router.index, index) : -Infinity,
      ),
    );
    const wasSwitching =
      lostAt >= this.#switchedAt[router.index] && lostAt < this.#switchedAt[router.index] + SWITCHOVER_MS;
    // `down-now`: a session that triggers is really not UP, or was not a moment ago.
    const downAt = Math.max(
      ...this.#plan.sessions.map(({ id }, index) =>
        sessions.includes(id) ? this.#network.lastDownAt(router.index, index) : -Infinity,
      ),
    );
    const ago = this.#timeline.now - downAt;
    if (ago > NEWS_MS + this.#longestPause[router.index])
      say('down-now', `no triggering session was DOWN for ${ago} ms`);
    if (ago > NEWS_MS) say('down-now-after-stall', `no triggering session was DOWN for ${ago} ms`);
    // Who is told a wrong story of its own past may take back once: what is stored is part of the truth.
    if (upAt < lostAt - NEWS_MS && !wasSwitching && !router.hasStaleMemory)
      say('up-since-loss', `lost the targets at ${lostAt}, and no triggering session was UP since ${upAt}`);
    // `same-failure`: what the peer took the targets for shows here, too, within an interval in this network.
    const lostAsActiveAt = this.#lostAsActiveAt[router.index];
    const { detectMs, bfdLagMs } = this.#scenario.settings;
    const isSameFailure = upAt + bfdLagMs < lostAsActiveAt + txIntervalMs(detectMs[router.index]);
    const isSwitching = Math.abs(lostAt - this.#switchedAt[router.index]) < SWITCHOVER_MS;
    if (lostAsActiveAt === lostAt && isSameFailure && !isSwitching && !router.hasStaleMemory)
      say('same-failure', `lost the targets at ${lostAt}, and the triggering sessions went DOWN at ${upAt}`);
  }

  /** `false-active`: the role is ACTIVE only for role_ttl_s and what news are old after the ownership is gone. */
  #checkFalseActive(router: Router, state: State): void {
    const { index } = router;
    if (state.role.haState !== 'ACTIVE') {
      const wasActive = this.#activeSince[index] !== Infinity;
      if (wasActive && state.role.why !== 'unobserved') this.#knewLossAt[index] = this.#timeline.now;
      this.#activeSince[index] = Infinity;
      return;
    }
    this.#knew[index] = true;
    this.#knewLossAt[index] = Infinity;
    this.#activeSince[index] = Math.min(this.#activeSince[index], this.#timeline.now);
    const lost = this.#notOwnerSince[index];
    const since = Math.max(lost, this.#activeSince[index]);
    const bound = roleTtlMs(this.#scenario.settings) + OLD_NEWS_MS + this.#longestPause[router.index];
    if (lost >= 0 && this.#timeline.now - since > bound)
      this.#broken(
        'false-active',
        `router ${router.index} says ACTIVE, and owns not everything since ${since}`,
      );
  }

  /**
   * `dual-belief`: a router that has lost the targets, is told that its peer is DOWN and can ask EC2, which answers in
   * time and does not lag, knows within seconds (rule 4 looks each second for ten). For staleness_s after a write of
   * its own it does not believe that, which is the price of lagging reads.
   */
  #checkDualBelief(router: Router, state: State): void {
    const { index, now } = router;
    const lost = this.#notOwnerSince[index];
    if (state.role.haState !== 'ACTIVE' || lost < 0) return;
    const { stalenessMs, heavyTail } = this.#scenario.settings;
    const downForMs = Math.max(
      ...Object.values(state.sessions).map(({ level, changedAt }) =>
        level === 'Down' ? now - changedAt : -1,
      ),
    );
    const sinceMs = Math.min(downForMs, this.#timeline.now - Math.max(lost, this.#activeSince[index]));
    const hasWritten = Object.values(state.ownership?.writes ?? {}).some((at) => now - at < 12_000);
    const isPaused = this.#timeline.now - (router.daemon?.resumedAt ?? 0) < DUAL_BELIEF_MS;
    if (
      stalenessMs > 0 ||
      heavyTail ||
      this.#hasEc2Fault ||
      isPaused ||
      downForMs > 9_000 ||
      state.attempt !== null ||
      hasWritten
    )
      return;
    if (sinceMs > DUAL_BELIEF_MS)
      this.#broken('dual-belief', `router ${index} has believed to be ACTIVE for ${sinceMs} ms`);
  }

  /**
   * `false-loss`: what EC2 has confirmed to this router and still says is not taken for lost. (What has only just come
   * to it by another's doing, or by a write that EC2 did not confirm, may be shown as it was before. What it has given
   * away may be here again by a late request of its own, which it has not heard of.)
   */
  #checkFalseLoss(router: Router, before: State, after: State): void {
    const { index } = router;
    if (
      before.role.haState !== 'ACTIVE' ||
      after.role.haState === 'ACTIVE' ||
      after.role.why === 'unobserved'
    )
      return;
    const detached = this.#scenario.faults.some((fault) => fault.kind === 'detach' && fault.router === index);
    const writes = before.ownership?.writes ?? {};
    const mayBeOldNews = this.#plan.targets.some(({ id }, place) => {
      const target = targetOf(this.#group, place, this.#scenario.settings);
      return writes[id] === undefined && this.#timeline.now - this.#ec2.heldSince(target) <= OLD_NEWS_MS;
    });
    if (mayBeOldNews || this.#timeline.now - this.#gaveAt[index] < LATE_WRITE_MS) return;
    if (this.#notOwnerSince[index] < 0 && this.#tookIt[index] && !detached)
      this.#broken('false-loss', `router ${index} thinks that it lost what it holds`);
  }

  #checkUnanswered(router: Router): void {
    const pending = this.#pending[router.index];
    if (pending.size === 0) return;
    for (const [request, at] of pending)
      if (this.#timeline.now - at > ANSWER_MS + this.#longestPause[router.index])
        this.#broken('answered-once', `router ${router.index}: command ${request} is not answered`);
  }

  /**
   * `never-abandoned`: an attempt that has moved a target and has another one open does not end, but for another owner
   * (alarm), the end of the daemon, or because what it has moved goes back or an operator has ordered a switchover.
   */
  #checkAbandoned(router: Router, attempt: Attempt, { state, alarms }: Step): void {
    const { calls, purpose, number } = attempt;
    // What was only asked for again may have been here before.
    const hasMoved = calls.some(
      ({ outcome, lastSend, again }) => outcome === 'moved' && lastSend > 0 && !again,
    );
    if (!hasMoved || calls.every(({ outcome }) => outcome !== 'open')) return;
    if (purpose === 'switchover' || purpose === 'giveBack' || state.attempt?.purpose === 'giveBack') return;
    if (alarms.includes('target-lost') || state.shutdown !== null) return;
    this.#broken('never-abandoned', `router ${router.index}: attempt ${number} ends half done`);
  }

  /** `inhibit-ends`: an inhibit lasts as long as it was asked for, in each boot; whatever the wall clock does. */
  #checkInhibit({ index, daemon }: Router, { inhibit }: State, now: number): void {
    if (inhibit === null) {
      this.#inhibited[index] = null;
      return;
    }
    const known = this.#inhibited[index];
    // Another one may end in the same second.
    const { untilWall, forMs, until } = inhibit;
    if (known?.untilWall !== untilWall || known.forMs !== forMs)
      this.#inhibited[index] = { untilWall, forMs, until, since: this.#timeline.now };
    const since = Math.max(this.#inhibited[index]?.since ?? 0, daemon?.resumedAt ?? 0);
    if (inhibit.until - now > inhibit.forMs || this.#timeline.now - since > inhibit.forMs + 1_000)
      this.#broken('inhibit-ends', `router ${index} is inhibited for longer than ${inhibit.forMs} ms`);
  }

  /** `inhibit-survives`: a daemon that starts with its last file, in the same boot, is inhibited as it was. */
  #checkInhibitSurvives(
    router: Router,
    { memory, bootId }: Extract<Event, { type: 'started' }>,
    { inhibit }: State,
    now: number,
  ): void {
    const until = this.#leftInhibited[router.index];
    if (until === null || now >= until || router.hasStaleMemory || memory?.bootId !== bootId) return;
    if (inhibit?.until !== until)
      this.#broken(
        'inhibit-survives',
        `router ${router.index} was inhibited until ${until}, and is not any more`,
      );
  }

  /** EC2 is about to move something to this router, for this request. */
  moving(router: AnyRouter, send: EffectArgs['sendCall'], target: number, from: Nic | null): void {
    if (from === null || from.router === null || from.router === router) return;
    if (router === STRANGER) return this.#checkStranger(from.router, from.index, target);
    const takeover = this.#takeoverOf.get(send as Effect);
    if (takeover === undefined || from.router === STRANGER) return;
    const begunAt = this.#begunAt.get(takeover) ?? this.#timeline.now;
    const wrong = this.#causes.charge(router, takeover, target, begunAt);
    if (wrong !== null)
      this.#broken(wrong, `router ${router} takes target ${target} once more (${takeover})`);
  }

  /**
   * `stranger-takes-nothing`: a third router takes nothing from a router of the pair that is well and has held it for
   * longer than news are old. (What has only just moved it may take, on the strength of the news before: EC2 knows no
   * condition for a write. The exception is counted.)
   */
  #checkStranger(router: AnyRouter, index: number, target: number): void {
    const { now } = this.#timeline;
    if (now - this.#ec2.lastShownAt(router, index) <= STRANGER_KNOWS_MS) return;
    if (now - this.#ec2.heldSince(target) <= STRANGER_KNOWS_MS)
      return this.#tally.count('exception: the third router took what had just moved');
    this.#broken(
      'stranger-takes-nothing',
      `the third router takes something from router ${router}, which is well`,
    );
  }

  #pairOwner(): RouterIndex | null {
    const owner = this.#ec2.owner(this.#group);
    return owner === STRANGER ? null : owner;
  }

  ec2Changed(writer: AnyRouter | null): void {
    const owner = this.#pairOwner();
    const { now } = this.#timeline;
    for (const router of [0, 1] as const) {
      const since = this.#notOwnerSince[router];
      if (owner === router) {
        const survives = now - this.#diedAt[router] > LATE_WRITE_MS;
        if (since >= 0) {
          this.#knew[router] = false;
          this.#tookIt[router] = writer === router && survives;
        }
        this.#notOwnerSince[router] = -1;
      } else if (since < 0) {
        this.#notOwnerSince[router] = now;
        // What it gives away itself is not lost to anybody, and what it has never known of neither.
        if (writer === router) this.#gaveAt[router] = now;
        if (writer === otherOf(router) && this.#knew[router]) {
          // What is on an interface that is detached EC2 shows as lost before anybody takes it.
          const isKnown = this.#ec2.hasDetached(router);
          this.#lostAt[router] = isKnown ? Math.min(now, this.#knewLossAt[router]) : now;
          if (this.#activeSince[router] !== Infinity) this.#lostAsActiveAt[router] = now;
        }
      }
    }
    if (owner === null) return;
    if (this.#lastOwner !== null && owner !== this.#lastOwner) {
      this.changes.push({ at: now, from: this.#lastOwner, to: owner });
      const bound = changesBound(this.#scenario, this.#group);
      // `bounded-changes`: see changesBound.
      if (this.changes.length > bound)
        this.#broken(
          'bounded-changes',
          `${this.changes.length} changes of the owner, ${bound} are explained`,
        );
    }
    this.#lastOwner = owner;
  }
}

function longestPauseOf({ faults }: Scenario, router: RouterIndex): number {
  const pauses = faults.filter((fault) => 'how' in fault && fault.how === 'pause' && fault.router === router);
  return Math.max(0, ...pauses.map(({ forMs }) => forMs));
}

/** How often the owner of a group may change in a run: what each fault explains. */
export function changesBound(scenario: Scenario, group: Group): number {
  const { death, settings } = scenario;
  const faults = scenario.faults.filter(
    (fault) => fault.kind !== 'operator' || groupsMeant(fault.target, settings).includes(group),
  );
  const explained = faults.map((fault) => changesOf(fault, settings)).reduce((sum, one) => sum + one, 0);
  // Who gives and sees its peer go DOWN takes back, and so may the peer at the same moment; and where EC2 is slow each
  // may overtake the other with each further request that it sends soon.
  const switched = faults.some((fault) => isHandingOver(fault, settings));
  const isSlow =
    settings.heavyTail || settings.ec2LatencyMs[1] > HEDGE_MS || faults.some(({ kind }) => kind === 'ec2');
  const met = switched && faults.length > 1 ? (isSlow ? OVERTAKING : 1) : 0;
  const deaths = death === null ? 0 : 2;
  const running = settings.takeFromRunningAfterMs === null ? 0 : 2;
  // What a third router has had and lost is for whoever claims it first.
  const third = settings.stranger === null ? 0 : 2;
  const once =
    explained + met + deaths + running + third + lostOnBothSides(scenario) + takenByBoth(scenario, isSlow);
  if (!settings.preferred.includes(true)) return once;
  // The opt-in takes from a holder that runs, once in each life of a daemon that has never been ACTIVE.
  // A preferred router may take the targets back each time, and once in each life of a daemon; what happens while
  // it does not watch does not tell it that somebody minds.
  const restarts = faults.filter(({ kind }) => ['process', 'machine', 'slapi', 'ec2'].includes(kind)).length;
  return 2 * once + 1 + restarts;
}

/**
 * Where neither router has everything when their path is cut, both take it at the same moment: the complete owner changes
 * while their requests meet, and what they leave mixed is repaired.
 */
function takenByBoth({ faults, settings }: Scenario, isSlow: boolean): number {
  const { initialOwner, targets } = settings;
  const isOpen = initialOwner === 'nobody' || (initialOwner === 'mixed' && targets > 1);
  if (!isOpen || faults.every(({ kind }) => kind !== 'path')) return 0;
  return isSlow ? OVERTAKING : 1;
}

/** Where both routers lose their sessions within reestablish_s, those of the first come UP too late. */
function lostOnBothSides({ faults, settings }: Scenario): number {
  const losses = faults.filter(
    (fault) =>
      (fault.kind === 'slapi' && fault.how === 'restart' && !fault.keepsSessions) ||
      (fault.kind === 'process' && fault.how !== 'pause' && settings.sessionsVanish),
  );
  const isNear = (one: Fault, other: Fault): boolean =>
    one.uponMoveOf !== null ||
    other.uponMoveOf !== null ||
    Math.abs(other.at - one.at) < REESTABLISH_MS + Math.max(one.forMs, other.forMs);
  return losses.filter((one, number) =>
    losses.slice(number + 1).some((other) => routerOf(one) !== routerOf(other) && isNear(one, other)),
  ).length;
}

function routerOf(fault: Fault): RouterIndex | 'both' | null {
  return 'router' in fault ? fault.router : null;
}

/** Whether the peer of sessions that are removed takes over from a router that is well. */
function removalMoves({ removedAs, onPeerWithdrawn }: Scenario['settings']): boolean {
  return removedAs === 'Down' || onPeerWithdrawn === 'take';
}

function isHandingOver(fault: Fault, { atShutdown, beforeMaintenanceMs }: Settings): boolean {
  if (fault.kind === 'process') return atShutdown && fault.how === 'shutdown';
  if (fault.kind === 'maintenance') return beforeMaintenanceMs !== null;
  return fault.kind === 'operator' && ['switchover', 'schedule', 'drill'].includes(fault.how);
}

function changesOf(fault: Fault, settings: Scenario['settings']): number {
  const [one, other] = settings.detectMs;
  switch (fault.kind) {
    case 'path':
      // The loser may take back once where one of its sessions was still UP, as far as it knew, when it lost.
      return (one === other && settings.bfdLagMs < 10 ? 1 : 2) * fault.times;
    case 'interface':
      // Taken over by mistake and given back.
      return 2;
    case 'detach':
      return 2;
    case 'machine':
      // A paused STANDBY takes over by mistake where BFD does not come UP again within own_stall_hold_s.
      return fault.how === 'pause' && settings.establishMs[1] > 2_500 ? 2 : 1;
    case 'process':
      // A memory that is not its last may say that a session is armed which the last has disarmed.
      if (fault.how === 'crash' && fault.memory === 'stale') return 1;
      return (
        (isHandingOver(fault, settings) ? 1 : 0) + (settings.sessionsVanish && removalMoves(settings) ? 1 : 0)
      );
    case 'slapi':
      return fault.how === 'restart' && !fault.keepsSessions && removalMoves(settings) ? 1 : 0;
    case 'ec2':
      return 0;
    case 'clock':
      return 0;
    case 'maintenance':
      // Ahead of it, and with the reboot where that did not work or the peer has failed.
      return 2;
    case 'operator':
      if (fault.how === 'inhibit' || fault.how === 'release') return 0;
      // What is moved by hand to a router that is dead has to come back.
      if (fault.how === 'drill') return 3;
      return isHandingOver(fault, settings) ? 1 : 2;
  }
}
