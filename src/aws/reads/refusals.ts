/**
 * What EC2 would refuse to move, as far as a reading shows it: on this router, which would have to take it, and on the
 * peer's interfaces, for a switchover. One sentence each, with what to do. What depends on the role is asked in
 * permissions.ts.
 */
import type { Observation } from '../../core/state/readings';
import { restsOn } from '../../core/kinds';
import { interfaceIdOf } from '../../core/levels/holders';
import { interfaceFor, peersBeside } from '../../core/levels/ownership';
import type { AwsPlan, AwsTarget } from '../description';
import { addressBrought, awsKindOf } from '../kinds';
import type { RefusalQuestion, Shown } from '../kinds/kind';

type Question = Pick<RefusalQuestion, 'shown' | 'holder' | 'place' | 'isOwn'>;

/** By target and interface, as an observation has it; of the targets that this reading is about. */
export function foreseeRefusals(
  plan: AwsPlan,
  observation: Observation,
  shown: Shown,
): NonNullable<Observation['refusals']> {
  const refusals: { [id: string]: { [networkInterfaceId: string]: string } } = {};
  for (const target of plan.targets.filter(({ id }) => id in observation.holders)) {
    const own = interfaceFor(observation, target);
    const places = [
      ...(own === undefined ? [] : [{ id: own.networkInterfaceId, isOwn: true }]),
      // As a switchover does it (moves/switchover.ts): what rests on another target goes where that one goes.
      ...peersBeside(plan, observation, restsOn(plan.targets, target) ?? target).map((peer) => ({
        id: peer.networkInterfaceId,
        isOwn: false,
      })),
    ];
    const holder = observation.holders[target.id] ?? null;
    for (const { id, isOwn } of places) {
      const place = shown.described(id);
      if (place === undefined) continue;
      const why = refusalOf(target, { plan, observation, shown, holder, place, isOwn });
      if (why !== null) refusals[target.id] = { ...refusals[target.id], [id]: why };
    }
  }
  return refusals;
}

function refusalOf(
  target: AwsTarget,
  {
    plan,
    observation,
    ...question
  }: Question & { readonly plan: AwsPlan; readonly observation: Observation },
): string | null {
  const { holder, place, isOwn } = question;
  // What is there already has nothing to be refused.
  if (isOwn ? holder?.mine === true : interfaceIdOf(holder) === place.networkInterfaceId) return null;
  const family = addressBrought(target)?.family;
  const brought = (targets: readonly AwsTarget[]) => targets.flatMap((each) => addressBrought(each) ?? []);
  return awsKindOf(target).refusal(target, {
    ...question,
    restsThere: restsOn(plan.targets, target) !== undefined,
    floats: (address) => brought(plan.targets).some((each) => each.address === address),
    floating: () =>
      brought(
        plan.targets.filter(
          (each) => interfaceFor(observation, each)?.networkInterfaceId === place.networkInterfaceId,
        ),
      ).flatMap((each) => (each.family === family ? [each.address] : [])),
  });
}
