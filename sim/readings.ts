/**
 * What one life of the daemon asks EC2, as src/aws/reads/observer.ts and src/runtime/readings.ts have it: groups that ask
 * at the same moment share one reading, a deadline that passes doubles the next one, and an answer that is slow is handed
 * out when it comes. Must not know what is decided upon it.
 */
import type { Failure, Observation } from '../src/core/state/readings';
import { Deadline } from '../src/deadline';
import { observationFor } from '../src/runtime/audience';
import type { Daemon, PlannedGroup } from './daemon';
import { isFailure, type Ec2 } from './ec2';
import type { AnyRouter, Group } from './scenario';
import type { Timeline } from './timeline';

/** The first deadline, and for how long the cores wait for an observation. */
const PATIENCE_MS = 1_000;
const DEADLINE_MS_MAX = 32_000;

type Asker = { readonly group: Group; readonly number: number };

export type ReadingsParts = {
  readonly index: AnyRouter;
  readonly groups: readonly PlannedGroup[];
  readonly ec2: Ec2;
  readonly timeline: Timeline;
  /** Milliseconds since the machine has booted. */
  readonly clock: () => number;
  /** An observation has been answered after so many milliseconds. */
  readonly answered: (afterMs: number) => void;
};

export class Readings {
  readonly #p: ReadingsParts;
  readonly #observing = newDeadline();
  readonly #asking = newDeadline();
  /** Whether EC2 has not answered the last observation yet: it is not asked for another one. */
  #isWaiting = false;
  /** Who shares the newest observation. */
  #askers: Asker[] = [];
  #startedAt = -Infinity;

  constructor(parts: ReadingsParts) {
    this.#p = parts;
  }

  observe(daemon: Daemon, asker: Asker): void {
    const { ec2, timeline, index, clock } = this.#p;
    const startedAt = clock();
    if (this.#startedAt === startedAt) return void this.#askers.push(asker);
    const askers = [asker];
    this.#askers = askers;
    this.#startedAt = startedAt;
    if (this.#isWaiting) return this.#failed(daemon, askers, noAnswerYet);
    this.#isWaiting = true;
    let isOpen = true;
    timeline.after(PATIENCE_MS, () => {
      if (isOpen) this.#failed(daemon, askers, noAnswerYet);
      isOpen = false;
    });
    ec2.observe(index, this.#observing.ms, (result) => {
      this.#isWaiting = false;
      const isLate = !isOpen;
      isOpen = false;
      if (isFailure(result)) {
        if (result.code === 'Timeout') this.#observing.passed();
        if (!isLate) this.#failed(daemon, askers, result);
        return;
      }
      const afterMs = clock() - startedAt;
      this.#observing.answered(afterMs);
      this.#p.answered(afterMs);
      this.#observed(daemon, isLate ? null : askers, startedAt, result);
    });
  }

  #failed(daemon: Daemon, askers: readonly Asker[], failure: Failure): void {
    // Who asks later at the same moment shares it.
    this.#p.timeline.last(() => {
      for (const { group, number } of askers)
        daemon.enqueueFor(group, () => ({ type: 'observationFailed', number, failure }));
    });
  }

  /** `askers`: null where it comes when the cores wait no more, for all of them. */
  #observed(daemon: Daemon, askers: readonly Asker[] | null, startedAt: number, said: Observation): void {
    const { groups } = this.#p;
    for (const { group, plan } of groups) {
      const asker = askers?.find((each) => each.group === group);
      if (askers !== null && asker === undefined) continue;
      const observation = groups.length === 1 ? said : observationFor(plan, said);
      const number = asker?.number ?? null;
      daemon.enqueueFor(group, () => ({ type: 'ownershipObserved', number, startedAt, observation }));
    }
  }

  askHolders(daemon: Daemon, { group, number }: Asker, instanceIds: readonly string[]): void {
    const { ec2, index, clock } = this.#p;
    const askedAt = clock();
    ec2.askHolders(index, instanceIds, this.#asking.ms, (result) => {
      if (!isFailure(result)) this.#asking.answered(clock() - askedAt);
      else if (result.code === 'Timeout') this.#asking.passed();
      daemon.enqueueFor(group, () => ({
        type: 'holdersAnswered',
        number,
        result: isFailure(result) ? { ok: false, failure: result } : { ok: true, conditions: result },
      }));
    });
  }
}

const noAnswerYet: Failure = { kind: 'uncertain', code: 'Timeout', message: 'no answer yet' };

function newDeadline(): Deadline {
  return new Deadline({ firstMs: PATIENCE_MS, lastMs: DEADLINE_MS_MAX });
}
