/** `heal --plan`: what a healing would do now; of an identity that is whole, what it would do if its instance was lost. */
import type { HealSettings } from './config/settings';
import { afterLoss, foresee, type Foreseen } from './core/foresee';
import type { Observed } from './core/observed';
import { ACTIONS, stepWords, type Step } from './core/steps';
import type { Round } from './healer';

/** `reads`: how many calls the look has taken. */
export function planText(
  { desired }: HealSettings,
  { decisions, observed }: Round,
  { reads, now }: { readonly reads: number; readonly now: number },
): string {
  const seen = asIfFree(observed);
  const parts = desired.identities.map((identity) => {
    const decision = decisions.find((each) => each.identity === identity.name);
    const alone = { ...desired, identities: [identity] };
    const title = `${identity.name} (group ${identity.group}): ${decision?.reason ?? 'nothing is known'}`;
    if (decision?.condition !== 'whole')
      return [title, ...listOf(foresee(desired, seen, now), identity.name)];
    const loss = afterLoss(identity, seen, now);
    return loss === null
      ? [title]
      : [title, '  if its instance was lost:', ...listOf(foresee(alone, loss, now), identity.name)];
  });
  return [
    ...parts.flat(),
    `Each look takes about ${reads} calls. A hook that lasts gets a heartbeat at each third of its timeout.`,
    '',
  ].join('\n');
}

/** A plan is about what has to be done, not about which healer may do it. */
function asIfFree(observed: Observed): Observed {
  const groups = Object.entries(observed.groups).map(([name, group]) => [
    name,
    group === null ? null : { ...group, record: null },
  ]);
  return { ...observed, groups: Object.fromEntries(groups) as Observed['groups'] };
}

function listOf({ rounds, end }: Foreseen, name: string): readonly string[] {
  const own = rounds
    .map((round) => round.filter(({ identity }) => identity === name).map(({ step }) => step))
    .filter((steps) => steps.length > 0);
  const lines = own.flatMap((steps, index) =>
    steps.map((step) => `  ${index + 1}. ${callsOf(step).join(' + ')}: ${stepWords(step)}`),
  );
  const count = own.flat().reduce((sum, step) => sum + callsOf(step).length, 0);
  const last = end.find(({ identity }) => identity === name)?.reason ?? '';
  return count === 0 ? ['  no call'] : [...lines, `  = ${count} writes; then: ${last}`];
}

/** The calls of a step, in their order. */
function callsOf(step: Step): readonly string[] {
  if (step.do === 'tell') return [...step.messages.map(() => ACTIONS.tell), ACTIONS.writeRecord];
  return step.do === 'reboot' ? [ACTIONS.reboot, ACTIONS.writeRecord] : [ACTIONS[step.do]];
}
