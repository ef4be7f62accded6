/**
 * From steps to log records: one record per step, at info when something changed and at debug when it did
 * not. The sentence is the core's own; the other fields let a machine find what a person reads.
 */
import type { Logger } from 'pino';
import type { Event, Timeline } from '../core/state/model';
import { lastUpWords } from '../core/levels/unwatched';
import { isTimedFromDown, purposeOf } from '../core/state/purposes';
import type { Weight } from '../core/state/turn';
import type { Recorded } from './loop';

const LEVELS = { routine: 'debug', notable: 'info', alarm: 'error' } as const satisfies Record<
  Weight,
  string
>;

/** `isNamed`: there are several groups, so that each record has to say which one it is about. */
export function logSteps(log: Logger, batch: readonly Recorded[], isNamed: boolean): void {
  for (const recorded of batch) {
    const { group, event, before, step } = recorded;
    if (step.reason === '') continue;
    const changedRole = before.role.haState !== step.state.role.haState;
    log[levelOf(recorded)](
      {
        event: event.type === 'inputDrained' ? 'decision' : event.type,
        ...(isNamed ? { group } : {}),
        ha: step.state.role.haState,
        ...(changedRole ? { haBefore: before.role.haState } : {}),
        ...(step.alarms.length > 0 ? { alarms: step.alarms } : {}),
        reason: step.reason,
        ...fieldsOf(event, recorded),
      },
      event.type === 'inputDrained' ? 'decision' : 'event',
    );
  }
}

/** What the cloud turned down or left unanswered is a warning the first time, and no news after that. */
function levelOf({ event, step }: Recorded): 'debug' | 'info' | 'warn' | 'error' {
  const failed = 'failure' in event && event.failure !== null;
  return failed && step.weight === 'notable' ? 'warn' : LEVELS[step.weight];
}

function fieldsOf(event: Event, { now, before, step }: Recorded): Record<string, unknown> {
  switch (event.type) {
    case 'bfdSessionChanged':
      return { session: event.session, state: event.level, diag: event.diag };
    case 'interfaceChanged':
      return { interface: event.interfaceName, state: event.level };
    case 'callAnswered':
      return {
        attempt: event.attempt,
        call: event.call,
        send: event.send,
        apiRequestId: event.apiRequestId,
        durationMs: rounded(now - event.sentAt),
        ...(event.failure === null ? {} : { failure: event.failure }),
      };
    case 'observationFailed':
      return { failure: event.failure };
    case 'inputDrained': {
      const attempt = step.state.attempt ?? before.attempt;
      return attempt === null ? {} : { attempt: attempt.number };
    }
    case 'processStalled':
      return { forMs: rounded(event.forMs) };
    case 'streamsSynchronized':
      return { generation: event.generation };
    case 'callQueued':
    case 'callReleased':
      return { attempt: event.attempt, call: event.call, send: event.send };
    case 'started':
    case 'streamsLost':
    case 'controlLost':
    case 'interfacesAnswered':
    case 'ownershipObserved':
    case 'observationOffered':
    case 'levelsRead':
    case 'holdersAnswered':
    case 'answerTimeLearnt':
    case 'inhibitRequested':
    case 'releaseRequested':
    case 'switchoverRequested':
    case 'drillRequested':
    case 'maintenanceLearnt':
    case 'scheduleRequested':
    case 'cancelRequested':
    case 'previewRequested':
    case 'shutdownRequested':
      return {};
  }
}

const rounded = (ms: number): number => Math.round(ms * 100) / 100;

/** The legs of a takeover in milliseconds since the router reported that the peer is DOWN, or since the decision. */
export type TimelineLegs = {
  /** Where it is not known when the peer went DOWN; null: not in this life of the daemon. */
  readonly lastUpBeforeMs?: number | null;
  readonly decidedMs: number;
  readonly firstSentMs: number | null;
  readonly allMovedMs: number | null;
  readonly confirmedMs: number | null;
};

export function legsOf(timeline: Timeline): TimelineLegs {
  const since = (at: number | null): number | null =>
    at === null ? null : rounded(at - timeline.triggeredAt);
  const { lastUp, triggeredAt } = timeline;
  return {
    ...(lastUp === null
      ? {}
      : { lastUpBeforeMs: lastUp.at === null ? null : rounded(triggeredAt - lastUp.at) }),
    decidedMs: since(timeline.decidedAt) ?? 0,
    firstSentMs: since(timeline.firstSentAt),
    allMovedMs: since(timeline.lastAnsweredAt),
    confirmedMs: since(timeline.confirmedAt),
  };
}

function sinceWords(timeline: Timeline): string {
  if (timeline.resumed) return 'the decision of the run before';
  return isTimedFromDown(timeline) ? 'BFD DOWN' : 'the decision';
}

/** A takeover that was decided late says so: the time from the decision is not the time of the outage. */
function lateWords({ lastUp, decidedAt }: Timeline): string {
  return lastUp === null ? '' : `; at the decision, ${lastUpWords(lastUp, decidedAt)}`;
}

/** `group`: null where there is only one. */
export function logTimeline(log: Logger, timeline: Timeline, group: string | null): void {
  const legs = legsOf(timeline);
  const since = sinceWords(timeline);
  const reason = `the ${purposeOf(timeline).called} took ${legs.allMovedMs ?? '?'} ms from ${since} to the last address moved${lateWords(timeline)}`;
  log.info(
    {
      event: 'takeoverTimeline',
      ...(group === null ? {} : { group }),
      attempt: timeline.attempt,
      purpose: timeline.purpose,
      since,
      ...legs,
      reason,
    },
    'takeover timeline',
  );
}
