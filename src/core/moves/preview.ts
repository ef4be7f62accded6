/**
 * What a takeover would ask the cloud for if it began now: made by what begins one (callsFor, moveOf), so that what is
 * foretold and what is done cannot differ. Decides nothing.
 */
import { callsFor } from './beginning';
import { moveOf } from './grouping';
import { isForeign } from '../rules/foreignHolder';
import { ownerName } from '../levels/holders';
import type { HaState, RequestedMove } from '../state/model';
import type { Observation } from '../state/readings';
import { interfaceFor, missingTargets, roleOf, takeableTargets } from '../levels/ownership';
import type { Plan, Target } from '../state/plan';
import type { Ownership } from '../state/state';

export type Preview = Hindrances & {
  readonly haState: HaState;
  /** In the order in which they are decided. */
  readonly moves: readonly RequestedMove[];
};

export type Hindrances = {
  /** What would be left where it is, a sentence each. */
  readonly left: readonly string[];
  /** What the cloud would refuse, as far as the reading shows it, a sentence each. */
  readonly refused: readonly string[];
};

export function previewTakeover(plan: Plan, observation: Observation): Preview {
  const ownership = ownershipOf(observation);
  const targets = takeableTargets(plan, ownership);
  return {
    haState: roleOf(plan, ownership, 0).haState,
    moves: callsFor(plan, { targets, purpose: 'takeover' }, ownership, 0).map((call) =>
      moveOf(plan, ownership.holders, call),
    ),
    ...hindrances(plan, observation),
  };
}

/** The same without the moves, for whoever asks often. */
export function hindrances(plan: Plan, observation: Observation): Hindrances {
  const ownership = ownershipOf(observation);
  const takeable = new Set(takeableTargets(plan, ownership));
  const left = missingTargets(plan, ownership).filter((target) => !takeable.has(target));
  return {
    refused: refusedHere(plan, observation, [...takeable]),
    left: left.map((target) =>
      isForeign(plan, ownership, target)
        ? `${target.id} is held by ${ownerName(plan.cloud, ownership.holders[target.id])}, which is neither router of this pair`
        : `${target.id}: ${plan.cloud.name} shows no interface of this router with device index ${target.deviceIndex}`,
    ),
  };
}

function ownershipOf(observation: Observation): Ownership {
  const { holders } = observation;
  return {
    observation,
    holders,
    confirmedAt: 0,
    startedAt: 0,
    lagging: {},
    writes: {},
  };
}

function refusedHere(plan: Plan, observation: Observation, targets: readonly Target[]): readonly string[] {
  return targets.flatMap((target) => {
    const own = interfaceFor(observation, target)?.networkInterfaceId ?? '';
    const why = observation.refusals?.[target.id]?.[own];
    return why === undefined ? [] : [`${plan.cloud.name} would refuse to move ${target.id} here: ${why}`];
  });
}
