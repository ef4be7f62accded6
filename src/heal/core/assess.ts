/** What one identity needs next, before it is asked who may do it. */
import { assessmentOf, deadlineOf, type Assessment } from './assessment';
import { ambiguousFindings, belongingFindings } from './belongings';
import type { Context, IdentityFacts } from './context';
import { act, blocked, joined, type Finding } from './finding';
import { proofFindings, rebootFindings } from './guest';
import { heartbeatSteps, hookOf } from './hooks';
import { isInService, membersOf, waitsToLaunch, type Members } from './members';
import { questionKey } from './observed';
import { bothDown, holdsFloating } from './pairs';
import { releaseFindings } from './release';
import { trafficFindings } from './traffic';

/** A group that has no instance for so long has a trouble of its own. */
const EMPTY_ALARM_MS = 300_000;

export function assess(facts: IdentityFacts): Assessment {
  const members = membersOf(facts.group);
  const ambiguous = ambiguousFindings(facts);
  if (ambiguous.length > 0) return assessmentOf(facts, null, ambiguous);
  if (members.several.length > 0)
    return assessmentOf(facts, null, [
      blocked(
        'several-instances',
        `group ${facts.identity.group} has ${members.several.length} instances (${members.several.map(({ id }) => id).join(', ')}), and ${facts.identity.name} is to have one`,
      ),
    ]);
  const present = presentFindings(facts, members);
  const isReady = present.every((finding) => finding.kind === 'do' && finding.step.do === 'complete');
  const successor = members.present === null ? null : { id: members.present.id, isReady };
  const released = members.leaving.flatMap((leaving) => releaseFindings(facts, leaving, successor));
  return assessmentOf(facts, members, [...present, ...released]);
}

function presentFindings(facts: IdentityFacts, members: Members): readonly Finding[] {
  const { present: member } = members;
  if (member === null) return absentFindings(facts, members);
  const target = facts.observed.instances[member.id];
  if (target === undefined || target.state !== 'running')
    return [
      { kind: 'wait', pace: 'ec2', reason: `${member.id} is ${target?.state ?? 'not shown by EC2 yet'}` },
    ];
  if (target.vpcId !== facts.desired.vpcId)
    return [
      blocked(
        'other-vpc',
        `${target.id} is in ${target.vpcId ?? 'no VPC'} and not in ${facts.desired.vpcId}`,
      ),
    ];
  return targetFindings({ ...facts, target, member });
}

/** In this order, and each only when the one before it has nothing open. */
function targetFindings(context: Context): readonly Finding[] {
  const { member, identity } = context;
  const inHook = waitsToLaunch(member);
  const hook = inHook ? hookOf(context, 'launching') : null;
  const open = firstOpen([
    () => belongingFindings(context),
    () => rebootFindings(context),
    () => (isInService(member) && trafficFindings(context).length === 0 ? [] : proofFindings(context)),
    () => trafficFindings(context),
  ]);
  if (!inHook || hook === null)
    return open.length > 0 || isInService(member)
      ? open
      : [
          {
            kind: 'wait',
            pace: 'ec2',
            reason: `${member.id} is ${member.lifecycle} in group ${identity.group}`,
          },
        ];
  if (hook.kind === 'finding') return [hook.finding, ...open];
  const complete = (result: 'CONTINUE' | 'ABANDON'): Finding =>
    act({ do: 'complete', group: identity.group, hook: hook.name, instanceId: member.id, result });
  if (open.length === 0) return [complete('CONTINUE')];
  const deadlineAt = deadlineOf(context, member);
  const isLate = deadlineAt !== null && context.now >= deadlineAt;
  if (isLate && !holdsFloating(context, member.id))
    return [...open.filter(({ kind }) => kind !== 'do'), complete('ABANDON')];
  return [...heartbeatSteps(context, member, hook).map(act), ...open];
}

function firstOpen(stages: readonly (() => readonly Finding[])[]): readonly Finding[] {
  for (const stage of stages) {
    const findings = stage();
    if (findings.length > 0) return findings;
  }
  return [];
}

function absentFindings(facts: IdentityFacts, { leaving, aside }: Members): readonly Finding[] {
  const { group, identity, observed, now } = facts;
  if (aside.length > 0 || group.desiredCapacity === 0) return [];
  const gone = leaving.map(({ id, lifecycle }) => `${id} is ${lifecycle}`);
  if (gone.length > 0) return [{ kind: 'wait', pace: 'ec2', reason: joined(gone) }];
  const since = observed.memory.emptySince[group.name] ?? now;
  const question = { ask: 'activity', group: group.name } as const;
  const answer = observed.answers[questionKey(question)];
  if (answer === undefined) return [{ kind: 'ask', question }];
  const failed = answer.kind === 'activity' && answer.activity?.failed === true ? answer.activity.says : null;
  const both = bothDown(facts) ? `; no router of pair ${facts.pair?.name} runs` : '';
  const says = failed === null ? '' : `: ${failed}`;
  const sentence = `group ${identity.group} has no instance${says}${both}`;
  return failed !== null || now - since >= EMPTY_ALARM_MS
    ? [blocked('no-instance', sentence)]
    : [{ kind: 'wait', pace: 'guest', reason: sentence }];
}
