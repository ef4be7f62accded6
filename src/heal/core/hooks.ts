/** Lifecycle hooks: what holds an instance, how long, and when the group is to be asked to wait longer. */
import type { IdentityFacts } from './context';
import { blocked, type Finding } from './finding';
import { questionKey, type Hook, type Member } from './observed';
import type { Step } from './steps';

export type HookReading =
  | { readonly kind: 'known'; readonly name: string; readonly hook: Hook }
  | { readonly kind: 'finding'; readonly finding: Finding };

/** The identity's hook of this transition. */
export function hookOf({ identity, observed }: IdentityFacts, transition: Hook['transition']): HookReading {
  const question = { ask: 'hooks', group: identity.group } as const;
  const answer = observed.answers[questionKey(question)];
  if (answer === undefined) return { kind: 'finding', finding: { kind: 'ask', question } };
  if (answer.kind !== 'hooks')
    return {
      kind: 'finding',
      finding: {
        kind: 'wait',
        pace: 'ec2',
        reason: `the hooks of ${identity.group} could not be read${answer.kind === 'unanswered' ? `: ${answer.says}` : ''}`,
      },
    };
  const name = transition === 'launching' ? identity.launchHook : identity.terminateHook;
  const hook = answer.hooks[name];
  if (hook?.transition === transition) return { kind: 'known', name, hook };
  return {
    kind: 'finding',
    finding: blocked(
      'no-hook',
      `group ${identity.group} has no lifecycle hook ${name} for ${transition}: add it to the group`,
    ),
  };
}

/** At a third of the timeout, counted from what is certain to have been accepted. */
export function heartbeatSteps(
  { identity, observed, now }: IdentityFacts,
  member: Member,
  { name, hook }: { readonly name: string; readonly hook: Hook },
): readonly Step[] {
  const launchedAt = observed.instances[member.id]?.launchedAt ?? 0;
  const began = hook.transition === 'launching' ? launchedAt : 0;
  const last = Math.max(observed.memory.heartbeats[member.id] ?? 0, began);
  if (now - last < hook.heartbeatTimeoutMs / 3) return [];
  return [{ do: 'heartbeat', group: identity.group, hook: name, instanceId: member.id }];
}
