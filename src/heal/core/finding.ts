/** What the comparison of one desired thing with what was observed comes to. */
import { ACTIONS, stepKey, type Step } from './steps';
import type { Memory, Question } from './observed';

export type AlarmCode =
  | 'aws-unread'
  | 'no-group'
  | 'no-hook'
  | 'no-instance'
  | 'several-instances'
  | 'ambiguous'
  | 'missing'
  | 'other-vpc'
  | 'wrong-zone'
  | 'wrong-place'
  | 'held-elsewhere'
  | 'refused'
  | 'needs-reboot'
  | 'not-healed'
  | 'active-terminating'
  | 'last-one';

export type Alarm = { readonly code: AlarmCode; readonly text: string };

/** What is waited for, and so how soon it is worth to look again. `time`: for nothing but a time that is known. */
export type Pace = 'ec2' | 'guest' | 'time' | 'sweep';

export type Finding =
  | { readonly kind: 'do'; readonly step: Step }
  | {
      readonly kind: 'wait';
      /** It stays the same while nothing changes but the time. */
      readonly reason: string;
      readonly pace: Pace;
      /** When it is over, where that is known. */
      readonly until?: number;
    }
  /** It cannot be known without asking more. */
  | { readonly kind: 'ask'; readonly question: Question }
  /** Nothing can be done about it here. `late`: only after the deadline is it an alarm. */
  | { readonly kind: 'blocked'; readonly alarm: Alarm; readonly late: boolean };

export const wait = (reason: string, pace: Pace) =>
  ({ kind: 'wait', reason, pace }) as const satisfies Finding;
export const act = (step: Step): Finding => ({ kind: 'do', step });
export const blocked = (code: AlarmCode, text: string): Finding => ({
  kind: 'blocked',
  alarm: { code, text },
  late: false,
});
export const held = (text: string): Finding => ({
  kind: 'blocked',
  alarm: { code: 'held-elsewhere', text },
  late: true,
});

/** What AWS has refused stays an alarm until it does not refuse it any more; what EC2 says is quoted. */
export function refusals(steps: readonly Step[], { tries }: Memory): readonly Alarm[] {
  return steps.flatMap((step) => {
    const failure = tries[stepKey(step)]?.failure;
    return failure?.kind === 'refused'
      ? [
          {
            code: 'refused' as const,
            text: `AWS refuses ${ACTIONS[step.do]}: ${failure.code}: ${failure.message}`,
          },
        ]
      : [];
  });
}

/** Words of a list as a sentence has them. */
export function joined(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}
