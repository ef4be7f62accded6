/**
 * What to do next, and why: from the desired state and one look at AWS. It remembers nothing: what must outlive a
 * process stands in the record of each group. Events only cause a look, so doubled, late, lost and reordered ones end
 * the same way.
 *
 * Duties of whoever carries the steps out:
 * - the steps of one decision are sent side by side, and all are answered before the next look;
 * - nothing is sent that was decided by a look that is older than two answers of AWS may take;
 * - questions are answered within the same look, and everything is decided again with the answers.
 */
import { assess } from './assess';
import type { Assessment, Condition } from './assessment';
import type { IdentityFacts } from './context';
import type { Desired, Identity } from './desired';
import { joined, type Alarm, type Pace } from './finding';
import type { Group, Observed, Question } from './observed';
import { pairOf } from './pairs';
import { givenBack, rightOf, settlingMs, withRight, type HealRecord, type Right } from './record';
import { mayBeSentAt, type Message, type Step } from './steps';

export type Decision = {
  readonly identity: string;
  readonly condition: Condition | 'unread';
  /** One sentence: the log line, what `--plan` prints and what the tests read. */
  readonly reason: string;
  readonly steps: readonly Step[];
  readonly questions: readonly Question[];
  readonly alarms: readonly Alarm[];
  readonly pace: Pace;
  /** Look again by then, whatever the pace; null where there is no such time. */
  readonly lookBy: number | null;
};

/** AWS that cannot be read for so long is somebody's matter. */
const UNREAD_ALARM_MS = 120_000;

export function reconcile(desired: Desired, observed: Observed, now: number): readonly Decision[] {
  return desired.identities.map((identity) => decide(desired, identity, observed, now));
}

function decide(desired: Desired, identity: Identity, observed: Observed, now: number): Decision {
  const group = observed.groups[identity.group];
  if (group === undefined || observed.unread.length > 0)
    return unreadDecision({ desired, identity, group: group ?? null, observed, now });
  if (group === null) {
    const text = `there is no Auto Scaling group ${identity.group} here`;
    return still(identity, 'blocked', text, [{ code: 'no-group', text }]);
  }
  const facts = { desired, identity, pair: pairOf(identity.name, desired.pairs), group, observed, now };
  const assessment = assess(facts);
  if (assessment.questions.length > 0) return { ...shown(identity, assessment), steps: [], lookBy: null };
  return permitted(facts, assessment);
}

/** The steps that may be sent by this healer now; taking the right to send any comes before them. */
function permitted(facts: IdentityFacts, assessment: Assessment): Decision {
  const { desired, group, identity, observed } = facts;
  const right = rightFor(facts);
  const base = shown(identity, assessment);
  const news = newsOf(facts, assessment);
  const isIdle = assessment.steps.length === 0 && news.messages.length === 0 && !news.isChanged;
  switch (right.kind) {
    case 'other': {
      const reason = `${right.record.owner} may write for ${identity.name}, so this healer does not. It sees: ${assessment.reason}`;
      return { ...base, steps: [], reason, pace: isIdle ? base.pace : 'guest', lookBy: null };
    }
    case 'settling':
      return {
        ...base,
        steps: [],
        pace: 'time',
        lookBy: right.certainAt,
        reason: isIdle
          ? assessment.reason
          : `the right to write for ${identity.name} was taken just now and is certain ${settlingMs(desired) / 1000} s later. Then: ${assessment.reason}`,
      };
    case 'free': {
      if (isIdle && !observed.healer.keepsLease) return { ...base, lookBy: null };
      const record = withRight(group.record, rightFacts(facts));
      return {
        ...base,
        steps: sendable(facts, [{ do: 'writeRecord', group: group.name, record }]),
        lookBy: null,
      };
    }
    case 'ours': {
      const renewal = renewalOf(facts, right.record);
      const recorded = recordSteps(facts, { steps: assessment.steps, news, renewal });
      return { ...base, steps: [...assessment.steps, ...recorded], lookBy: assessment.lookBy };
    }
  }
}

/** What a healer writes that ends, when all its calls are answered: somebody else may write now. */
export function givingBack(
  { identities, ...desired }: Desired,
  { groups, healer: { owner }, startedAt }: Observed,
  now: number,
): readonly { readonly identity: string; readonly step: Step }[] {
  return identities.flatMap(({ name, group }) => {
    const right = rightOf(groups[group]?.record ?? null, { owner, startedAt, now, desired });
    return right.kind === 'ours'
      ? [{ identity: name, step: { do: 'writeRecord', group, record: givenBack(right.record) } }]
      : [];
  });
}

function rightFor(facts: IdentityFacts): Right {
  return rightOf(facts.group.record, rightFacts(facts));
}

function rightFacts({ desired, observed, now }: IdentityFacts) {
  return { owner: observed.healer.owner, startedAt: observed.startedAt, now, desired };
}

/** Due at half of it; before it ends where something is under way. */
function renewalOf({ observed, desired, now }: IdentityFacts, record: HealRecord): boolean {
  const isHalfOver = record.until - now < desired.leaseMs / 2;
  return isHalfOver && (observed.healer.keepsLease || record.begunAt !== null);
}

type News = {
  readonly messages: readonly Message[];
  /** The record when all of them have been told. */
  readonly told: Pick<HealRecord, 'instance' | 'begunAt' | 'rebootedAt' | 'told'>;
  /** The record when none has. */
  readonly untold: News['told'];
  readonly isChanged: boolean;
};

/** That the beginning has been told, in the list of what was. */
const BEGUN = 'begun';

function newsOf({ group, identity, now }: IdentityFacts, assessment: Assessment): News {
  const { record } = group;
  const { instanceId, alarms, condition } = assessment;
  const before = {
    instance: record?.instance ?? null,
    begunAt: record?.begunAt ?? null,
    rebootedAt: record?.rebootedAt ?? null,
    told: record?.told ?? [],
  };
  const isSame = before.instance === instanceId;
  const begins = instanceId !== null && condition !== 'whole' && (!isSame || before.begunAt === null);
  const ends = condition === 'whole' && before.begunAt !== null;
  // A new instance of a healing under way belongs to the same healing: it began when the old one was lost.
  const toldBegin = before.told.includes(BEGUN) && before.begunAt !== null;
  const untold = {
    instance: begins ? instanceId : before.instance,
    begunAt: ends ? null : begins ? now : before.begunAt,
    rebootedAt: begins && !isSame ? null : before.rebootedAt,
    told: before.told,
  };
  const codes = before.told.filter((code) => code !== BEGUN);
  // An alarm ends when all is well again, not when the instance that it was about is given up.
  const isOver = alarms.length === 0 && (condition === 'whole' || condition === 'idle');
  const message = (kind: Message['kind'], code: string | null, text: string): Message => ({
    id: `${identity.name}:${record?.number ?? 0}:${kind}${code === null ? '' : `:${code}`}`,
    identity: identity.name,
    kind,
    code,
    instanceId,
    text,
  });
  const messages = [
    ...((begins || ends || before.begunAt !== null) && !toldBegin
      ? [message('healing-began', null, `healing of ${identity.name} began: ${assessment.reason}`)]
      : []),
    ...alarms
      .filter(({ code }) => !codes.includes(code))
      .map(({ code, text }) => message('alarm-raised', code, text)),
    ...(isOver ? codes : []).map((code) =>
      message('alarm-ended', code, `alarm ${code} of ${identity.name} has ended: ${assessment.reason}`),
    ),
    ...(ends ? [message('healing-ended', null, assessment.reason)] : []),
  ];
  const isUnderWay = untold.begunAt !== null;
  const open = new Set([...(isOver ? [] : codes), ...alarms.map(({ code }) => code)]);
  const told = { ...untold, told: [...(isUnderWay ? [BEGUN] : []), ...open] };
  // An end that nobody has been told of stays open.
  const kept = ends ? { ...untold, begunAt: before.begunAt } : untold;
  return { messages, told, untold: kept, isChanged: begins };
}

/** At most one step that writes the record, since each writes all of it. */
function recordSteps(
  facts: IdentityFacts,
  {
    steps,
    news,
    renewal,
  }: { readonly steps: readonly Step[]; readonly news: News; readonly renewal: boolean },
): readonly Step[] {
  const { group } = facts;
  if (steps.some((step) => step.do === 'reboot')) return [];
  const record = withRight(group.record, rightFacts(facts));
  if (news.messages.length > 0) {
    const tell = sendable(facts, [
      { do: 'tell', group: group.name, messages: news.messages, record: { ...record, ...news.told } },
    ]);
    if (tell.length > 0) return tell;
  }
  return news.isChanged || renewal
    ? sendable(facts, [{ do: 'writeRecord', group: group.name, record: { ...record, ...news.untold } }])
    : [];
}

/** A record that was written is not waited for to be seen: each is another one. */
function sendable({ observed: { memory }, now }: IdentityFacts, steps: readonly Step[]): readonly Step[] {
  return steps.filter((step) => mayBeSentAt(step, memory, 0) <= now);
}

function shown({ name }: Identity, assessment: Assessment): Omit<Decision, 'lookBy'> {
  const { condition, reason, steps, questions, alarms, pace } = assessment;
  return { identity: name, condition, reason, steps, questions, alarms, pace };
}

function still(
  { name }: Identity,
  condition: Decision['condition'],
  reason: string,
  alarms: readonly Alarm[],
): Decision {
  return { identity: name, condition, reason, steps: [], questions: [], alarms, pace: 'sweep', lookBy: null };
}

function unreadDecision({
  desired,
  identity,
  group,
  observed,
  now,
}: {
  readonly desired: Desired;
  readonly identity: Identity;
  readonly group: Group | null;
  readonly observed: Observed;
  readonly now: number;
}): Decision {
  const why = observed.unread.length > 0 ? joined(observed.unread) : 'its group was not read';
  const reason = `nothing is done about ${identity.name}, because AWS could not be read: ${why}`;
  const since = observed.memory.unreadSince ?? now;
  const isLong = now - since >= UNREAD_ALARM_MS;
  const decision = still(identity, 'unread', reason, isLong ? [{ code: 'aws-unread', text: reason }] : []);
  const record = group?.record ?? null;
  if (!isLong || group === null || record === null || record.told.includes('aws-unread'))
    return { ...decision, pace: 'guest' };
  const facts = { desired, identity, pair: null, group, observed, now };
  if (rightFor(facts).kind !== 'ours') return { ...decision, pace: 'guest' };
  const message: Message = {
    id: `${identity.name}:${record.number}:alarm-raised:aws-unread`,
    identity: identity.name,
    kind: 'alarm-raised',
    code: 'aws-unread',
    instanceId: record.instance,
    text: reason,
  };
  const next = { ...withRight(record, rightFacts(facts)), told: [...record.told, 'aws-unread'] };
  const steps = sendable(facts, [{ do: 'tell', group: group.name, messages: [message], record: next }]);
  return { ...decision, pace: 'guest', steps };
}
