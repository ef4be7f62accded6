/**
 * A life of the healer: the production core in the logic of its shell, with calls that take time, fail, get lost, and
 * readings that lag. What the shell owes the core (reconcile.ts) is done here in the same way.
 */
import { afterStep, noMemory, recalled } from '../../src/heal/core/memory';
import {
  questionKey,
  type Answer,
  type Memory,
  type Observed,
  type Question,
} from '../../src/heal/core/observed';
import { givingBack, reconcile, type Decision } from '../../src/heal/core/reconcile';
import type { StepFailure } from '../../src/heal/core/observed';

import type { Step } from '../../src/heal/core/steps';
import type { Random } from '../random';
import type { Api } from './api';
import type { Aws, World } from './aws';
import type { Clock } from './clock';
import type { HealScenario } from './scenario';
import { observedOf } from './reading';

/** Less often than the shell does, for the sake of the number of runs. */
const PACE_MS = { ec2: 2_500, guest: 10_000, time: 10_000, sweep: 60_000 } as const;

export type Watch = {
  sends(healer: SimHealer, step: Step, decidedAt: number): void;
  decides(healer: SimHealer, decisions: readonly Decision[], observed: Observed): void;
};

export class SimHealer {
  readonly owner: string;
  readonly standing: boolean;
  isAlive = true;
  pausedUntil = 0;
  #memory: Memory = noMemory;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #scenario: HealScenario;
  readonly #aws: Aws;
  readonly #api: Api;
  readonly #watch: Watch;

  constructor({
    owner,
    standing,
    clock,
    random,
    scenario,
    aws,
    api,
    watch,
  }: {
    readonly owner: string;
    readonly standing: boolean;
    readonly clock: Clock;
    readonly random: Random;
    readonly scenario: HealScenario;
    readonly aws: Aws;
    readonly api: Api;
    readonly watch: Watch;
  }) {
    this.owner = owner;
    this.standing = standing;
    this.#clock = clock;
    this.#random = random;
    this.#scenario = scenario;
    this.#aws = aws;
    this.#api = api;
    this.#watch = watch;
  }

  start(): void {
    this.#look();
  }

  /** It is gone at once; what it has sent is done or not. */
  kill(): void {
    this.isAlive = false;
  }

  #after(ms: number, what: () => void): void {
    this.#clock.after(ms, () => {
      if (!this.isAlive) return;
      const paused = this.pausedUntil - this.#clock.now;
      if (paused > 0) this.#after(paused, what);
      else what();
    });
  }

  #look(): void {
    const startedAt = this.#clock.now;
    this.#after(this.#api.delay(), () => {
      const world = this.#aws.past(this.#aws.lag());
      const unread = this.#api.readProblem();
      const look = observedOf(this.#scenario.desired, world, {
        startedAt,
        owner: this.owner,
        keepsLease: this.standing,
        unread: unread === null ? [] : [unread],
        ambiguous: this.#aws.ambiguousUntil,
        now: this.#clock.now,
      });
      this.#decide(recalled(look, this.#memory, this.#scenario.desired), world);
    });
  }

  #decide(observed: Observed, world: World): void {
    this.#memory = observed.memory;
    const decisions = reconcile(this.#scenario.desired, observed, this.#clock.now);
    this.#watch.decides(this, decisions, observed);
    const questions = decisions.flatMap((decision) => decision.questions);
    if (questions.length > 0) {
      this.#after(this.#api.delay(), () => {
        const answers = Object.fromEntries(
          questions.map((question) => [questionKey(question), this.#answer(question)]),
        );
        this.#decide({ ...observed, answers: { ...observed.answers, ...answers } }, world);
      });
      return;
    }
    const steps = decisions.flatMap((decision) => decision.steps);
    if (steps.length === 0) return this.#rest(decisions, observed);
    let open = steps.length;
    const done = (): void => {
      open -= 1;
      if (open === 0) this.#look();
    };
    for (const step of steps) this.#send(step, observed.startedAt, done);
  }

  #rest(decisions: readonly Decision[], observed: Observed): void {
    if (!this.standing && decisions.every(({ pace }) => pace === 'sweep')) {
      for (const { step } of givingBack(this.#scenario.desired, observed, this.#clock.now))
        this.#send(step, observed.startedAt, () => undefined);
      this.#after(this.#random.int(30_000, 300_000), () => this.#look());
      return;
    }
    const now = this.#clock.now;
    const by = Math.min(
      ...decisions.map(({ pace, lookBy }) => Math.min(PACE_MS[pace], (lookBy ?? Infinity) - now)),
    );
    this.#after(Math.max(200, Math.min(by, PACE_MS.sweep)), () => this.#look());
  }

  #send(step: Step, startedAt: number, done: () => void): void {
    const { apiTimeoutMs } = this.#scenario.desired;
    // The duty of the shell: what was decided too long ago is decided anew.
    if (this.#clock.now - startedAt > 2 * apiTimeoutMs) return this.#after(1, done);
    this.#watch.sends(this, step, startedAt);
    const { takesMs, reaches, failure } = this.#api.fate(step);
    if (reaches)
      this.#clock.after(takesMs / 2, () => {
        const said = this.#api.apply(step);
        this.#after(takesMs / 2, () => this.#answered(step, failure ?? said, done));
      });
    else this.#after(takesMs, () => this.#answered(step, failure, done));
  }

  #answered(step: Step, failure: StepFailure | null, done: () => void): void {
    this.#memory = afterStep(this.#memory, step, failure, this.#clock.now);
    done();
  }

  #answer(question: Question): Answer {
    const problem = this.#api.readProblem();
    if (problem !== null) return { kind: 'unanswered', says: problem };
    switch (question.ask) {
      case 'hooks': {
        const { hookMs: heartbeatTimeoutMs } = this.#scenario.group;
        return {
          kind: 'hooks',
          hooks: {
            'heal-launch': { transition: 'launching', heartbeatTimeoutMs },
            'heal-terminate': { transition: 'terminating', heartbeatTimeoutMs },
          },
        };
      }
      case 'activity': {
        const failed = this.#clock.now < (this.#aws.noCapacityUntil.get(question.group) ?? 0);
        return { kind: 'activity', activity: { failed, says: 'InsufficientInstanceCapacity' } };
      }
      case 'status': {
        const instance = this.#aws.instance(question.instanceId);
        const isUp = this.#aws.isForwarding(question.instanceId);
        const checks = isUp ? 'ok' : instance?.guest.hung === true ? 'impaired' : 'initializing';
        return { kind: 'status', status: { checks, application: checks } };
      }
      case 'probe': {
        return { kind: 'probe', ok: true, says: '200' };
      }
    }
  }
}
