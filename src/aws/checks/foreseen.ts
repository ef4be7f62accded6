/**
 * Says of each move that EC2 would refuse, as a reading shows it, while nothing moves: once, and again when it is mended.
 */
import type { Logger } from 'pino';
import type { Observation } from '../../core/state/readings';
import { previewTakeover } from '../../core/moves/preview';
import type { AwsPlan } from '../description';

export class ForeseenRefusals {
  readonly #plan: AwsPlan;
  readonly #log: Logger;
  /** By target. */
  readonly #told = new Map<string, string>();

  constructor(plan: AwsPlan, log: Logger) {
    this.#plan = plan;
    this.#log = log;
  }

  /** A reading may be about some of the targets only: of the others the last word stays. */
  observed(observation: Observation): void {
    const hadTold = this.#told.size > 0;
    for (const target of this.#plan.targets) {
      if (!(target.id in observation.holders)) continue;
      const [reason] = previewTakeover({ ...this.#plan, targets: [target] }, observation).refused;
      if (reason === undefined) this.#mended(target.id);
      else if (this.#told.get(target.id) !== reason) {
        this.#told.set(target.id, reason);
        this.#log.error(
          { event: 'refusal-foreseen', target: target.id, reason },
          'EC2 would refuse a part of a takeover',
        );
      }
    }
    if (!hadTold || this.#told.size > 0) return;
    const reason = 'EC2 shows nothing any more that it would refuse in a takeover';
    this.#log.info({ event: 'refusal-not-foreseen', reason }, 'Nothing would be refused');
  }

  #mended(target: string): void {
    if (!this.#told.delete(target) || this.#told.size === 0) return;
    const reason = `EC2 shows nothing any more for which it would refuse ${target}`;
    this.#log.info({ event: 'refusal-not-foreseen', target, reason }, 'A target would not be refused');
  }
}
