/** The shortest story of a failing run: faults are dropped as long as the same invariant still breaks. */
import type { Scenario } from './scenario';
import { run, Violation } from './world';

/** The violation that this scenario ends in; null where it ends well. */
export function violationOf(scenario: Scenario): Violation | null {
  try {
    run(scenario);
    return null;
  } catch (error: unknown) {
    if (error instanceof Violation) return error;
    throw error;
  }
}

export function shrink(scenario: Scenario, invariant: string): Scenario {
  for (const smaller of smallerThan(scenario))
    if (violationOf(smaller)?.invariant === invariant) return shrink(smaller, invariant);
  return scenario;
}

function smallerThan(scenario: Scenario): readonly Scenario[] {
  const { faults, death, settings } = scenario;
  return [
    ...faults.map((_, dropped) => ({
      ...scenario,
      faults: faults.filter((_fault, place) => place !== dropped),
    })),
    ...(death === null ? [] : [{ ...scenario, death: null }]),
    ...(settings.preferred.includes(true)
      ? [{ ...scenario, settings: { ...settings, preferred: [false, false] as [boolean, boolean] } }]
      : []),
    ...(settings.targets > 1
      ? [{ ...scenario, settings: { ...settings, targets: settings.targets - 1 } }]
      : []),
    ...(settings.stalenessMs > 0 ? [{ ...scenario, settings: { ...settings, stalenessMs: 0 } }] : []),
  ];
}
