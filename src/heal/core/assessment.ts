/** From all findings about an identity to one condition, one sentence, and what is to be sent, asked and told. */
import type { IdentityFacts } from './context';
import { joined, refusals, type Alarm, type Finding, type Pace } from './finding';
import { isInService, membersOf, type Members } from './members';
import type { Member, Question } from './observed';
import { mayBeSentAt, stepWords, type Step } from './steps';
import { unseen } from './unseen';

export type Condition =
  /** Everything is where it belongs, and the instance is in service. */
  | 'whole'
  /** Steps are on their way, or are about to be. */
  | 'healing'
  | 'waiting'
  /** Somebody has to do something. */
  | 'blocked'
  /** Nothing is to be done: the group is set to none, or an operator has set the instance aside. */
  | 'idle';

export type Assessment = {
  readonly condition: Condition;
  /** One sentence. */
  readonly reason: string;
  readonly steps: readonly Step[];
  /** All that are needed, those included that have to wait for their next try. */
  readonly wanted: readonly Step[];
  readonly questions: readonly Question[];
  readonly alarms: readonly Alarm[];
  readonly pace: Pace;
  /** The instance that is being healed. */
  readonly instanceId: string | null;
  /** When the healing is to be over, or a wait is, whichever comes first; null where there is no such time. */
  readonly lookBy: number | null;
};

/** Of an instance in the launching hook from its launch; else from when the healing began. */
export function deadlineOf({ group, observed, identity }: IdentityFacts, member: Member): number | null {
  const launchedAt = observed.instances[member.id]?.launchedAt;
  const { record } = group;
  const begunAt = record !== null && record.instance === member.id ? record.begunAt : null;
  const from = isInService(member) ? begunAt : (launchedAt ?? begunAt);
  return from === null ? null : from + identity.healWithinMs;
}

export function assessmentOf(
  facts: IdentityFacts,
  members: Members | null,
  findings: readonly Finding[],
): Assessment {
  const { observed, now, desired } = facts;
  const present = members?.present ?? null;
  const deadlineAt = present === null ? null : deadlineOf(facts, present);
  const isLate = deadlineAt !== null && now >= deadlineAt;
  const wanted = findings.flatMap((finding) => (finding.kind === 'do' ? [finding.step] : []));
  const steps = wanted.filter((step) => mayBeSentAt(step, observed.memory, desired.stalenessMs) <= now);
  const blocks = findings.flatMap((finding) =>
    finding.kind === 'blocked' && (isLate || !finding.late) ? [finding.alarm] : [],
  );
  const waits = findings.flatMap((finding): readonly Wait[] =>
    finding.kind === 'wait'
      ? [finding]
      : finding.kind === 'blocked' && !(isLate || !finding.late)
        ? [{ reason: finding.alarm.text, pace: 'guest' }]
        : [],
  );
  const questions = findings.flatMap((finding) => (finding.kind === 'ask' ? [finding.question] : []));
  const isWhole = findings.length === 0 && present !== null && isInService(present);
  const late =
    isLate && !isWhole
      ? [{ code: 'not-healed' as const, text: lateText(facts, present, [...blocks, ...waits]) }]
      : [];
  return {
    condition: conditionOf({ findings, isWhole, blocks, wanted }),
    reason: reasonOf(facts, present, { steps, wanted, waits, blocks, isWhole }),
    steps,
    wanted,
    questions,
    alarms: distinct([...blocks, ...refusals(wanted, observed.memory), ...late]),
    pace: paceOf(findings, wanted, waits),
    instanceId: present?.id ?? null,
    lookBy: earliest([deadlineAt, ...findings.map(untilOf)]),
  };
}

function untilOf(finding: Finding): number | null {
  return finding.kind === 'wait' ? (finding.until ?? null) : null;
}

function earliest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

type Wait = { readonly reason: string; readonly pace: Pace };

function conditionOf({
  findings,
  isWhole,
  blocks,
  wanted,
}: {
  readonly findings: readonly Finding[];
  readonly isWhole: boolean;
  readonly blocks: readonly Alarm[];
  readonly wanted: readonly Step[];
}): Condition {
  if (isWhole) return 'whole';
  if (findings.length === 0) return 'idle';
  if (wanted.some((step) => step.do !== 'heartbeat')) return 'healing';
  return blocks.length > 0 ? 'blocked' : 'waiting';
}

function reasonOf(
  facts: IdentityFacts,
  present: Member | null,
  {
    steps,
    wanted,
    waits,
    blocks,
    isWhole,
  }: {
    readonly steps: readonly Step[];
    readonly wanted: readonly Step[];
    readonly waits: readonly Wait[];
    readonly blocks: readonly Alarm[];
    readonly isWhole: boolean;
  },
): string {
  const { identity, group } = facts;
  if (isWhole)
    return `${identity.name} is whole: ${present?.id} is in service and has what belongs to it${rebootNote(facts)}`;
  const doing = steps.filter((step) => step.do !== 'heartbeat').map(stepWords);
  const again = wanted
    .filter((step) => step.do !== 'heartbeat' && !steps.includes(step))
    .map((step) => `${stepWords(step)} is asked for`);
  const parts = [...doing, ...again, ...blocks.map(({ text }) => text), ...waits.map(({ reason }) => reason)];
  if (parts.length > 0) return joined([...new Set(parts)]);
  const aside = membersOf(group).aside.map(({ id, lifecycle }) => `${id} is ${lifecycle}`);
  if (aside.length > 0) return `nothing is done about ${identity.name}: ${joined(aside)}`;
  return group.desiredCapacity === 0
    ? `nothing is to be healed: group ${identity.group} is set to no instance`
    : `waiting for an answer of AWS about ${identity.name}`;
}

/** An instance that is in service is never rebooted: its operator does that. */
function rebootNote(facts: IdentityFacts): string {
  const { group, observed } = facts;
  const member = group.instances.find(isInService);
  const target = observed.instances[member?.id ?? ''];
  if (member === undefined || target === undefined || group.record?.instance !== target.id) return '';
  const interfaces = unseen({ ...facts, member, target });
  return interfaces.length === 0
    ? ''
    : `; reboot it when it is convenient, since it sees ${joined(interfaces)} only after a reboot`;
}

function paceOf(findings: readonly Finding[], wanted: readonly Step[], waits: readonly Wait[]): Pace {
  if (findings.length === 0) return 'sweep';
  if (wanted.some((step) => step.do !== 'heartbeat') || waits.some(({ pace }) => pace === 'ec2'))
    return 'ec2';
  if (waits.length === 0) return 'sweep';
  return waits.every(({ pace }) => pace === 'time') ? 'time' : 'guest';
}

function lateText(
  { identity }: IdentityFacts,
  present: Member | null,
  open: readonly { readonly text?: string; readonly reason?: string }[],
): string {
  const why = joined([...new Set(open.map(({ text, reason }) => text ?? reason ?? ''))]);
  const said = why === '' ? '' : `: ${why}`;
  return `${identity.name} is not healed with ${present?.id ?? 'any instance'} within ${Math.round(identity.healWithinMs / 1000)} s${said}`;
}

/** One alarm of each code, with all that is said of it. */
function distinct(alarms: readonly Alarm[]): readonly Alarm[] {
  const byCode = new Map<Alarm['code'], string[]>();
  for (const { code, text } of alarms) byCode.set(code, [...(byCode.get(code) ?? []), text]);
  return [...byCode].map(([code, texts]) => ({ code, text: joined([...new Set(texts)]) }));
}
