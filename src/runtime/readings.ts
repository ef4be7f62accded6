/**
 * Readings of the cloud for several cores: those that ask at the same moment share one, whatever their number, and
 * each gets the part that is about its own plan.
 */
import type { Cloud, Observed } from '../cloud';
import type { Group } from '../config/settings';
import type { InstanceCondition, Observation } from '../core/state/readings';
import { observationFor, type AddressedEvent } from './audience';
import { gathered } from './gathered';
import type { EffectRunners } from './loop';

/** What there is to ask. */
export type Questions = Pick<Cloud, 'observe' | 'askHolders' | 'clock'>;

export function sharedReadings(
  groups: readonly Group[],
  { observe, askHolders, clock }: Questions,
  answer: (group: string, event: AddressedEvent) => void,
): Pick<EffectRunners, 'observeOwnership' | 'askHolders'> {
  const observed = (number: number | null, startedAt: number, observation: Observation): AddressedEvent => {
    const said = clock();
    return {
      type: 'ownershipObserved',
      number,
      startedAt,
      observation,
      ...(said === null ? {} : { clock: said }),
    };
  };
  const planOf = new Map(groups.map(({ name, plan }) => [name, plan]));

  const observeFor = gathered<{ readonly group: string; readonly number: number }>((askers) => {
    const late = ({ startedAt, observation }: Observed) => {
      for (const { name, plan } of groups) {
        const own = observationFor(plan, observation);
        if (Object.keys(own.holders).length > 0 || own.unread !== undefined)
          answer(name, observed(null, startedAt, own));
      }
    };
    void observe(late).then((result) => {
      for (const { group, number } of askers) {
        const plan = planOf.get(group);
        if (!result.ok) answer(group, { type: 'observationFailed', number, failure: result.failure });
        else if (plan !== undefined) {
          const { startedAt, observation } = result;
          const own = observationFor(plan, observation);
          answer(group, observed(number, startedAt, own));
        }
      }
    });
  });

  type HoldersQuestion = {
    readonly group: string;
    readonly number: number;
    readonly instanceIds: readonly string[];
  };
  const askHoldersFor = gathered<HoldersQuestion>((askers) => {
    const instanceIds = [...new Set(askers.flatMap((asker) => asker.instanceIds))];
    void askHolders(instanceIds).then((result) => {
      for (const { group, number, instanceIds: own } of askers) {
        const part = result.ok ? { ok: true as const, conditions: ofThese(own, result.conditions) } : result;
        answer(group, { type: 'holdersAnswered', number, result: part });
      }
    });
  });

  return {
    observeOwnership: ({ number }, group) => observeFor({ group, number }),
    askHolders: ({ number, instanceIds }, group) => askHoldersFor({ group, number, instanceIds }),
  };
}

function ofThese(
  instanceIds: readonly string[],
  conditions: { readonly [instanceId: string]: InstanceCondition },
): { readonly [instanceId: string]: InstanceCondition } {
  return Object.fromEntries(Object.entries(conditions).filter(([id]) => instanceIds.includes(id)));
}
