/**
 * Says of each move that EC2 would refuse, as a reading shows it, while nothing moves: once, and again when it is mended.
 */
import type { Logger } from 'pino';
import type { Observation } from '../../core/state/model';
import { previewTakeover } from '../../core/moves/preview';
import type { Plan } from '../../core/state/plan';

export class ForeseenRefusals {
  readonly #plan: Plan;
  readonly #log: Logger;
  #told = new Set<string>();

  constructor(plan: Plan, log: Logger) {
    this.#plan = plan;
    this.#log = log;
  }

  observed(observation: Observation): void {
    const refused = new Set(previewTakeover(this.#plan, observation).refused);
    for (const reason of refused)
      if (!this.#told.has(reason))
        this.#log.error({ event: 'refusal-foreseen', reason }, 'EC2 would refuse a part of a takeover');
    if (this.#told.size > 0 && refused.size === 0) {
      const reason = 'EC2 shows nothing any more that it would refuse in a takeover';
      this.#log.info({ event: 'refusal-not-foreseen', reason }, 'Nothing would be refused');
    }
    this.#told = refused;
  }
}
