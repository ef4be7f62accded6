/** Feeds events to the core, checks the invariants after each, and keeps what came of them. */
import { violations } from '../../src/core/state/invariants';
import type { AlarmCode } from '../../src/core/state/alarms';
import type { Effect, Event, InterfaceLevel, Memory, SessionLevel } from '../../src/core/state/model';
import type { Failure, InstanceCondition } from '../../src/core/state/readings';
import type { Plan } from '../../src/core/state/plan';
import { initialState, type State } from '../../src/core/state/state';
import { step, type Step } from '../../src/core/step';
import { observationOf, planOf, synchronizedEvent, type Owner } from '../support/coreWorld';

type CallAnswer = Failure['kind'] | 'ok';

/** What EC2 answers while nobody says anything else. */
export type World = {
  readonly owners: readonly [Owner, Owner];
  /** How the holders are; null: EC2 does not say. */
  readonly conditions?: { readonly [instanceId: string]: InstanceCondition } | null;
  /** How EC2 answers each takeover call; absent: not at all. */
  readonly calls?: CallAnswer | ((targets: readonly string[]) => CallAnswer);
  readonly peerIsKnown?: boolean;
  /** The peer's interfaces, where their ids matter. */
  readonly peerInterface?: string;
};

const LATENCY_MS = 50;

type EffectOf<Name extends Effect['effect']> = Extract<Effect, { effect: Name }>;

export class Play {
  readonly plan: Plan;
  state: State;
  now = 0;
  /** Since the last call of `forget`. */
  effects: Effect[] = [];
  alarms: AlarmCode[] = [];
  reasons: string[] = [];
  /** Answers that are under way while EC2 answers by itself. */
  readonly #due: { readonly at: number; readonly event: Event }[] = [];

  constructor(plan: Plan = planOf()) {
    this.plan = plan;
    this.state = initialState(plan);
  }

  take(event: Event): Step {
    const result = step(this.plan, this.state, event, this.now);
    const broken = violations(this.plan, result.state);
    if (broken.length > 0) throw new Error(`after ${event.type}: ${broken.join('; ')}`);
    this.state = result.state;
    this.effects.push(...result.effects);
    this.alarms.push(...result.alarms);
    this.reasons.push(result.reason);
    return result;
  }

  /** The events of one moment, and the decision about them. */
  at(now: number, ...events: readonly Event[]): Step {
    this.now = now;
    for (const event of events) this.take(event);
    return this.take({ type: 'inputDrained', jitter: 0.5 });
  }

  /** Decides at every deadline up to this time. */
  until(now: number): void {
    for (let decisions = 0; this.state.wakeAt <= now; decisions += 1) {
      if (decisions > 1_000) throw new Error(`spins at ${this.now}`);
      this.at(Math.max(this.state.wakeAt, this.now));
    }
    this.now = now;
  }

  /** Decides at every deadline up to this time, while EC2 answers everything after 50 ms. */
  live(until: number, world: World): void {
    const due = this.#due;
    let seen = this.effects.length;
    const { inFlight } = this.state.observing;
    const isDue = due.some(({ event }) => event.type === 'ownershipObserved' && event.number === inFlight);
    if (inFlight !== null && !isDue)
      due.push({ at: this.now + LATENCY_MS, event: seenOf(this.plan, world, inFlight, this.now) });
    for (let decisions = 0; ; decisions += 1) {
      if (decisions > 2_000) throw new Error(`spins at ${this.now}`);
      for (const effect of this.effects.slice(seen)) {
        const event = answerOf(this.plan, world, effect, this.now);
        if (event !== null) due.push({ at: this.now + LATENCY_MS, event });
      }
      seen = this.effects.length;
      const next = Math.max(this.now, Math.min(this.state.wakeAt, ...due.map(({ at }) => at)));
      if (next > until) break;
      const events = due.filter(({ at }) => at <= next).map(({ event }) => event);
      due.splice(0, due.length, ...due.filter(({ at }) => at > next));
      this.at(next, ...events);
    }
    this.now = until;
  }

  /** An answer to the observation in flight, or to one that is asked for now. */
  observed(first: Owner, second: Owner = first, startedAt = this.now): Event {
    const number = this.state.observing.inFlight ?? -1;
    return { type: 'ownershipObserved', number, startedAt, observation: observationOf(first, second) };
  }

  all<Name extends Effect['effect']>(name: Name): readonly EffectOf<Name>[] {
    return this.effects.filter((effect): effect is EffectOf<Name> => effect.effect === name);
  }

  forget(): void {
    this.effects = [];
    this.alarms = [];
    this.reasons = [];
  }
}

function seenOf({ targets }: Plan, world: World, number: number, startedAt: number): Event {
  const { owners, peerIsKnown = true, peerInterface } = world;
  const { peers, ...observation } = observationOf(...owners);
  const known = Object.entries(peerIsKnown ? peers : {}).map(([address, peer]) => {
    const networkInterfaceId = peerInterface ?? peer.networkInterfaceId;
    return [address, { ...peer, networkInterfaceId }] as const;
  });
  const nobodys = Object.fromEntries(targets.map(({ id }) => [id, null]));
  const holders = { ...nobodys, ...observation.holders };
  const seen = { ...observation, holders, peers: Object.fromEntries(known) };
  return { type: 'ownershipObserved', number, startedAt, observation: seen };
}

function answerOf(plan: Plan, world: World, effect: Effect, now: number): Event | null {
  switch (effect.effect) {
    case 'observeOwnership':
      return seenOf(plan, world, effect.number, now);
    case 'askHolders': {
      const { number, instanceIds } = effect;
      if (world.conditions === null) return { type: 'holdersAnswered', number, result: noAnswer };
      const conditions = Object.fromEntries(
        instanceIds.map((id) => [id, world.conditions?.[id] ?? 'running'] as const),
      );
      return { type: 'holdersAnswered', number, result: { ok: true, conditions } };
    }
    case 'sendCall': {
      const { calls } = world;
      if (calls === undefined) return null;
      const said = typeof calls === 'function' ? calls(effect.targets) : calls;
      const key = `${effect.attempt}.${effect.call}.${effect.send}`;
      return said === 'ok' ? answer(key) : answer(key, said);
    }
    case 'prepareCall':
    case 'discardPrepared':
    case 'withdrawCalls':
    case 'askInterfaces':
    case 'readLevels':
    case 'answerOperator':
    case 'remember':
    case 'reportTimeline':
    case 'stop':
      return null;
  }
}

const noAnswer = {
  ok: false,
  failure: { kind: 'uncertain', code: 'Timeout', message: 'no answer' },
} as const;

/** What was sent: `1.1.1`: attempt, call and send. */
export const sends = (play: Play): readonly string[] =>
  play.all('sendCall').map(({ attempt, call, send }) => `${attempt}.${call}.${send}`);

/** What each call asked EC2 for; without its retries. */
export const asked = (play: Play): readonly string[] =>
  play
    .all('sendCall')
    .filter(({ send }) => send === 1)
    .map(({ targets, allowReassignment }) => `${allowReassignment ? 'take' : 'claim'} ${targets.join(' ')}`);

export const started = (memory: Memory | null = null): Event => ({
  type: 'started',
  bootId: 'boot',
  memory,
  wallNow: 0,
});

export const memoryOf = (change: Partial<Memory> = {}): Memory => ({
  bootId: 'boot',
  savedAt: 0,
  wasActive: false,
  armedSessions: [],
  intent: null,
  beenActive: false,
  inhibit: null,
  scheduled: null,
  damping: null,
  alarms: [],
  ...change,
});

export const interfaceEvent = (interfaceName: string, level: InterfaceLevel): Event => ({
  type: 'interfaceChanged',
  interfaceName,
  level,
  receivedAt: 0,
  notification: {},
});

export const interfacesAnswered = (
  attempt: number,
  levels: { readonly [name: string]: InterfaceLevel },
): Event => ({
  type: 'interfacesAnswered',
  attempt,
  interfaces: Object.entries(levels).map(([interfaceName, level]) => ({ interfaceName, level })),
});

/** `key`: attempt, call and send, as in `1.1.1`. */
export function answer(key: string, kind?: Failure['kind'], code = 'SomeCode'): Event {
  const [attempt = 0, call = 0, send = 0] = key.split('.').map(Number);
  const failure = kind === undefined ? null : { kind, code, message: 'no' };
  return { type: 'callAnswered', attempt, call, send, sentAt: 0, failure, apiRequestId: null };
}

/** Levels by session; what is not named is UP, and has survived unless `fresh` names it. */
export function synchronizedWith(
  levels: { readonly [session: string]: SessionLevel },
  fresh: readonly string[] = [],
  interfaces: { readonly [name: string]: InterfaceLevel } = {},
  generation: 'gen1' | 'gen2' = 'gen1',
): Event {
  return {
    type: 'streamsSynchronized',
    generation,
    answersAboutInterfaces: generation === 'gen1',
    sessions: ['a', 'b'].map((session) => ({
      session,
      level: levels[session] ?? 'Up',
      survived: !fresh.includes(session),
      refused: false,
      notification: null,
    })),
    interfaces: ['Te1', 'Te2'].map((interfaceName) => ({
      interfaceName,
      level: interfaces[interfaceName] ?? 'Up',
    })),
  };
}

/** A router that has watched for a while: observed, synchronized, all sessions UP, at 1 s. */
export function watching(
  owner: Owner,
  generation: 'gen1' | 'gen2' = 'gen1',
  plan = planOf(),
  answersAboutInterfaces = generation === 'gen1',
): Play {
  const play = new Play(plan);
  play.at(0, started());
  play.at(100, { ...synchronizedEvent(generation, 'Up'), answersAboutInterfaces });
  play.at(200, play.observed(owner));
  play.now = 1_000;
  play.forget();
  return play;
}
