/**
 * What a rule says when it is asked whether something has to be moved now. Rules only judge; move.ts
 * asks them in their order and begins what the first one calls for.
 */
import type { Purpose } from '../state/model';
import type { PlannedSession, Target } from '../state/plan';

export type Verdict =
  | {
      readonly fires: false;
      /** What this router does instead and why; empty where the rule has nothing to say. */
      readonly sentence: string;
      /** When the answer may change although nothing happens; Infinity if never. */
      readonly until: number;
    }
  | {
      readonly fires: true;
      /** Begins with a participle: `taking over ...`. */
      readonly sentence: string;
      readonly purpose: Exclude<Purpose, 'switchover' | 'giveBack'>;
      readonly targets: readonly Target[];
      /** The sessions that say that the peer is gone; none if something else has shown it. */
      readonly sessions: readonly PlannedSession[];
    };

export type Firing = Extract<Verdict, { readonly fires: true }>;

export function declines(sentence: string, until = Infinity): Verdict {
  return { fires: false, sentence, until };
}
