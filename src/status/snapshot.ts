/**
 * What the status endpoint answers from: what the loop has published after its effects were started. Requests read it and
 * change nothing; nothing is asked or waited for because of a request.
 */
import type { CallSeries } from '../transport/callStatistics';
import type { Group } from '../config/settings';
import type { HaState } from '../core/state/model';
import type { Plan } from '../core/state/plan';
import { initialState, type State } from '../core/state/state';
import type { Entry } from '../history/entry';
import type { ReceiverStanding } from '../notify/notifications';
import type { StandingAlarm } from '../runtime/alarms';
import type { AlarmTable } from '../runtime/alarmTable';
import type { Clock } from '../runtime/clock';
import { groupsSummary } from '../runtime/groupsView';
import type { Recorded } from '../runtime/loop';
import type { Line } from '../runtime/readiness';
import { Counts } from './counts';
import type { StoreKey, StoreValue } from '../store/entry';

export type Shown = { readonly value: StoreValue; /** Milliseconds since 1970. */ readonly at: number };

export type SnapshotSources = {
  readonly groups: readonly Group[];
  readonly router: string;
  readonly version: string;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  readonly readiness: () => readonly Line[];
  readonly alarms: () => readonly StandingAlarm[];
  readonly alarmTable: AlarmTable;
  readonly calls: () => readonly CallSeries[];
  readonly history: () => readonly Entry[];
  readonly notifications: () => readonly ReceiverStanding[];
};

/** The loop shows every second that it does what is due; with this many missing it does not. */
const LIVE_MS = 10_000;

export class Snapshot {
  readonly #sources: SnapshotSources;
  readonly #groups: Map<string, { readonly plan: Plan; readonly state: State; readonly roleSince: number }>;
  /** By key of the store, what `show` has; values are referred to, not copied. */
  readonly #shown = new Map<StoreKey, Shown>();
  readonly startedAt: number;
  readonly counts: Counts;
  #beatAt: number;

  constructor(sources: SnapshotSources) {
    this.#sources = sources;
    this.counts = new Counts(sources.groups);
    const now = sources.clock.monotonicMs();
    this.#beatAt = now;
    this.startedAt = sources.wallNow();
    this.#groups = new Map(
      sources.groups.map(({ name, plan }) => [name, { plan, state: initialState(plan), roleSince: now }]),
    );
  }

  /** Comes after the effects of a batch. */
  update(batch: readonly Recorded[]): void {
    for (const recorded of batch) {
      const { group, now, step } = recorded;
      this.counts.take(recorded);
      const before = this.#groups.get(group);
      if (before === undefined) continue;
      const isSame = before.state.role.haState === step.state.role.haState;
      this.#groups.set(group, {
        plan: before.plan,
        state: step.state,
        roleSince: isSame ? before.roleSince : now,
      });
    }
  }

  put(key: StoreKey, value: StoreValue): void {
    this.#shown.set(key, { value, at: this.#sources.wallNow() });
  }

  beat(): void {
    this.#beatAt = this.#sources.clock.monotonicMs();
  }

  get router(): string {
    return this.#sources.router;
  }

  get version(): string {
    return this.#sources.version;
  }

  get wallNow(): number {
    return this.#sources.wallNow();
  }

  get now(): number {
    return this.#sources.clock.monotonicMs();
  }

  /** Milliseconds since the loop last showed that it does what is due. */
  get loopAgeMs(): number {
    return Math.max(0, this.now - this.#beatAt);
  }

  get isLive(): boolean {
    return this.loopAgeMs < LIVE_MS;
  }

  get groups(): ReadonlyMap<
    string,
    { readonly plan: Plan; readonly state: State; readonly roleSince: number }
  > {
    return this.#groups;
  }

  get role(): { readonly haState: HaState; readonly reason: string } {
    return groupsSummary(new Map([...this.#groups].map(([name, { state }]) => [name, state])));
  }

  get readiness(): readonly Line[] {
    return this.#sources.readiness();
  }

  get alarmTable(): AlarmTable {
    return this.#sources.alarmTable;
  }

  get alarms(): readonly StandingAlarm[] {
    return this.#sources.alarms();
  }

  get calls(): readonly CallSeries[] {
    return this.#sources.calls();
  }

  get history(): readonly Entry[] {
    return this.#sources.history();
  }

  get notifications(): readonly ReceiverStanding[] {
    return this.#sources.notifications();
  }

  get shown(): ReadonlyMap<StoreKey, Shown> {
    return this.#shown;
  }
}
