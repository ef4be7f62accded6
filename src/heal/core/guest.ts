/** Does the guest see what was attached, and does it forward? A reboot at most once, and proofs that are fresh. */
import type { Context } from './context';
import type { Proof } from './desired';
import { act, blocked, joined, wait, type Finding } from './finding';
import { isInService } from './members';
import { interfaceAt, questionKey, type Question } from './observed';
import { holdsFloating } from './pairs';
import { withRight } from './record';
import { rebootedAt, unseen } from './unseen';

/** Only while the instance is not in service, and never one that is ACTIVE. */
export function rebootFindings(context: Context): readonly Finding[] {
  const { identity, target, member, group, desired, now, observed } = context;
  if (isInService(member) || unseen(context).length === 0) return [];
  if (holdsFloating(context, target.id))
    return [
      blocked(
        'needs-reboot',
        `${target.id} sees ${joined(unseen(context))} only after a reboot, and is ACTIVE: switch over, then it is rebooted`,
      ),
    ];
  const { startedAt, healer } = observed;
  const record = withRight(group.record, { owner: healer.owner, startedAt, now, desired });
  return [
    act({
      do: 'reboot',
      instanceId: target.id,
      group: identity.group,
      record: { ...record, instance: target.id, begunAt: record.begunAt ?? now, rebootedAt: now },
    }),
  ];
}

/** All proofs of the identity, each as it was given in this look. */
export function proofFindings(context: Context): readonly Finding[] {
  const { identity, now, target } = context;
  const countsFrom = (rebootedAt(context) ?? -Infinity) + identity.restartMs;
  if (now < countsFrom)
    return [
      {
        ...wait(
          `${target.id} was rebooted, and what it answers counts ${identity.restartMs / 1000} s later`,
          'time',
        ),
        until: countsFrom,
      },
    ];
  return identity.proofs.flatMap((proof) => proofFinding(context, proof));
}

function proofFinding(context: Context, proof: Proof): readonly Finding[] {
  const { observed, target } = context;
  const question = questionOf(context, proof);
  if (question === null) return [wait(`${target.id} has no interface yet that can be asked`, 'ec2')];
  const answer = observed.answers[questionKey(question)];
  if (answer === undefined) return [{ kind: 'ask', question }];
  switch (answer.kind) {
    case 'status': {
      const { checks, application } = answer.status;
      const said = proof.type === 'applicationStatus' ? application : checks;
      const what = proof.type === 'applicationStatus' ? 'application status checks' : 'status checks';
      return said === 'ok' ? [] : [wait(`the ${what} of ${target.id} say ${said}`, 'guest')];
    }
    case 'probe':
      return answer.ok
        ? []
        : [wait(`${question.ask === 'probe' ? question.url : ''} says ${answer.says}`, 'guest')];
    case 'unanswered':
      return [wait(`nothing proves yet that ${target.id} forwards: ${answer.says}`, 'guest')];
    case 'hooks':
    case 'activity':
      return [];
  }
}

function questionOf({ observed, target }: Context, proof: Proof): Question | null {
  switch (proof.type) {
    case 'instanceStatus':
    case 'applicationStatus':
      return { ask: 'status', instanceId: target.id };
    case 'http': {
      const address = interfaceAt(observed, target.id, proof.slot)?.primaryAddress;
      return address === undefined
        ? null
        : { ask: 'probe', url: `http://${address}:${proof.port}${proof.path}` };
    }
    case 'bfd':
      return { ask: 'probe', url: `${proof.peerStatusUrl}/readyz` };
  }
}
