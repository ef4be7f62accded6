/** What a process remembers between its looks: a projection of what it saw and of how its steps ended. */
import type { Desired } from './desired';
import type { Memory, Observed, StepFailure } from './observed';
import { stepKey, type Step } from './steps';

export const noMemory: Memory = {
  tries: {},
  heartbeats: {},
  stoppedSince: {},
  emptySince: {},
  unreadSince: null,
  records: {},
};

/** The look with what is remembered, and with records that readings do not show yet. */
export function recalled(
  look: Omit<Observed, 'memory'>,
  before: Memory,
  { stalenessMs }: Pick<Desired, 'stalenessMs'>,
): Observed {
  const { startedAt: at } = look;
  const groups = Object.fromEntries(
    Object.entries(look.groups).map(([name, group]) => {
      const own = before.records[name];
      const isNewer =
        own !== undefined &&
        at < own.writtenAt + stalenessMs &&
        (group?.record?.number ?? -1) < own.record.number;
      return [name, group !== null && isNewer ? { ...group, record: own.record } : group];
    }),
  );
  const since = (times: { readonly [key: string]: number }, keys: readonly string[]) =>
    Object.fromEntries(keys.map((key) => [key, times[key] ?? at]));
  const stopped = Object.values(look.instances).flatMap(({ id, state }) => (state === 'stopped' ? [id] : []));
  const empty = Object.entries(groups).flatMap(([name, group]) =>
    group !== null && group.instances.length === 0 ? [name] : [],
  );
  const memory: Memory = {
    ...before,
    stoppedSince: since(before.stoppedSince, stopped),
    emptySince: since(before.emptySince, empty),
    unreadSince: look.unread.length === 0 ? null : (before.unreadSince ?? at),
  };
  return { ...look, groups, memory };
}

/** `failure`: null where AWS has done it, or had done it before. */
export function afterStep(before: Memory, step: Step, failure: StepFailure | null, at: number): Memory {
  const key = stepKey(step);
  const failures = failure === null ? 0 : (before.tries[key]?.failures ?? 0) + 1;
  const memory: Memory = {
    ...before,
    tries: { ...before.tries, [key]: { failures, at, failure } },
  };
  if (failure !== null) return memory;
  if (step.do === 'heartbeat')
    return { ...memory, heartbeats: { ...memory.heartbeats, [step.instanceId]: at } };
  if (step.do === 'writeRecord' || step.do === 'tell' || step.do === 'reboot')
    return {
      ...memory,
      records: { ...memory.records, [step.group]: { record: step.record, writtenAt: at } },
    };
  return memory;
}

/** Of what is over: steps that nobody asks for any more. A process that runs for months is not to grow. */
export function forgetting(memory: Memory, now: number): Memory {
  const recent = <Entry>(entries: { readonly [key: string]: Entry }, at: (entry: Entry) => number) =>
    Object.fromEntries(Object.entries(entries).filter(([, entry]) => now - at(entry) < FORGET_MS));
  return {
    ...memory,
    tries: recent(memory.tries, ({ at }) => at),
    heartbeats: recent(memory.heartbeats, (at) => at),
    records: recent(memory.records, ({ writtenAt }) => writtenAt),
  };
}

const FORGET_MS = 6 * 3_600_000;
