/** Journals without a daemon: of any sequence of events, in memory. */
import { version } from '../../package.json';
import type { Event } from '../../src/core/state/model';
import type { Plan } from '../../src/core/state/plan';
import { initialState } from '../../src/core/state/state';
import { step } from '../../src/core/step';
import { Journal, type JournalSink } from '../../src/runtime/journal';
import type { Recorded } from '../../src/runtime/loop';

/** Takes everything, and asks for a header at the start and where the test wants one. */
export class MemorySink implements JournalSink {
  lines: string[] = [];
  needsHeader = true;
  lostLines = 0;

  begin(header: string): void {
    this.needsHeader = false;
    this.lines.push(header);
  }

  append(line: string): void {
    this.lines.push(line);
  }

  get text(): string {
    return this.lines.map((line) => `${line}\n`).join('');
  }
}

export type Moment = readonly [now: number, event: Event];

export function recordedOf(plan: Plan, moments: readonly Moment[]): readonly Recorded[] {
  let state = initialState(plan);
  return moments.map(([now, event]) => {
    const before = state;
    const result = step(plan, before, event, now);
    ({ state } = result);
    return { now, group: 'default', event, before, step: result };
  });
}

export function journalTo(sink: JournalSink, plan: Plan): Journal {
  return new Journal({ plan, version, bootId: 'boot', wallNow: () => 1_800_000_000_000, sink });
}

export function journalOf(plan: Plan, moments: readonly Moment[]): string {
  const sink = new MemorySink();
  journalTo(sink, plan).record(recordedOf(plan, moments));
  return sink.text;
}
