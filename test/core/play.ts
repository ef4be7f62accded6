/** Feeds events to the core, checks the invariants after each, and keeps what came of them. */
import { violations } from '../../src/core/invariants';
import type {
  AlarmCode,
  Effect,
  Event,
  Failure,
  InterfaceLevel,
  Memory,
  SessionLevel,
} from '../../src/core/model';
import type { Plan } from '../../src/core/plan';
import { initialState, type State } from '../../src/core/state';
import { step, type Step } from '../../src/core/step';
import { observationOf, planOf, synchronizedEvent, type Owner } from '../support/coreWorld';

type EffectOf<Name extends Effect['effect']> = Extract<Effect, { effect: Name }>;

export class Play {
  readonly plan: Plan;
  state: State;
  now = 0;
  /** Since the last call of `forget`. */
  effects: Effect[] = [];
  alarms: AlarmCode[] = [];
  reasons: string[] = [];

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

export const started = (memory: Memory | null = null): Event => ({
  type: 'started',
  bootId: 'boot',
  memory,
});

export const memoryOf = (change: Partial<Memory> = {}): Memory => ({
  bootId: 'boot',
  savedAt: 0,
  wasActive: false,
  armedSessions: [],
  intent: null,
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
  return { type: 'takeoverCallAnswered', attempt, call, send, sentAt: 0, failure, awsRequestId: null };
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
export function watching(owner: Owner, generation: 'gen1' | 'gen2' = 'gen1', plan = planOf()): Play {
  const play = new Play(plan);
  play.at(0, started());
  play.at(100, synchronizedEvent(generation, 'Up'));
  play.at(200, play.observed(owner));
  play.now = 1_000;
  play.forget();
  return play;
}
