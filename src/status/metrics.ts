/** What /metrics answers, in the conventions of Prometheus: base units, `_total`, `_info`, labels from closed sets. */
import { LATENCY_BOUNDS_S } from '../transport/callStatistics';
import { sessionOf } from '../core/levels/sessions';
import { allAlarms } from '../runtime/alarmTable';
import { LEG_BOUNDS_S } from './counts';
import type { Family } from './metricsText';
import type { Snapshot } from './snapshot';

const ROLES = ['ACTIVE', 'STANDBY', 'UNKNOWN'] as const;
const LINE_STATES = ['ok', 'failing', 'unknown'] as const;

export function metricFamilies(snapshot: Snapshot): readonly Family[] {
  return [
    ...aboutRole(snapshot),
    ...aboutSessions(snapshot),
    ...aboutMoves(snapshot),
    ...aboutNotifications(snapshot),
    ...aboutDaemon(snapshot),
  ].map((family) => ({
    ...family,
    name: family.name.startsWith('process_') ? family.name : `xr_aws_ha_${family.name}`,
  }));
}

const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name,
  help,
  type: 'gauge',
  samples,
});
const counter = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name,
  help,
  type: 'counter',
  samples,
});
type Sample = { readonly labels?: { readonly [name: string]: string }; readonly value: number };

function aboutRole({ groups, now, readiness, router, version }: Snapshot): readonly Family[] {
  const all = [...groups];
  return [
    gauge('build_info', 'Which router this is, and the version of its daemon.', [
      { labels: { router, version }, value: 1 },
    ]),
    gauge(
      'role',
      'The role of this router: 1 for the one that it has.',
      all.flatMap(([group, { state }]) =>
        ROLES.map((role) => ({ labels: { group, role }, value: Number(state.role.haState === role) })),
      ),
    ),
    gauge(
      'role_age_seconds',
      'For how long it has had this role.',
      all.map(([group, { roleSince }]) => ({
        labels: { group },
        value: Math.max(0, now - roleSince) / 1000,
      })),
    ),
    gauge(
      'targets',
      'Floating resources of the configuration.',
      all.map(([group, { plan }]) => ({ labels: { group }, value: plan.targets.length })),
    ),
    gauge(
      'targets_held',
      'Those of them that are on this router.',
      all.map(([group, { plan, state }]) => ({
        labels: { group },
        value: plan.targets.filter(({ id }) => state.ownership?.holders[id]?.mine === true).length,
      })),
    ),
    gauge('ready', 'Whether a failover would work now.', [
      { value: Number(readiness.length > 0 && readiness.every(({ state }) => state !== 'failing')) },
    ]),
    gauge(
      'ready_condition',
      'Each thing that a failover needs: 1 for the state that it is in.',
      readiness.flatMap(({ condition, group, state }) =>
        LINE_STATES.map((each) => ({
          labels: { condition, group: group ?? '', state: each },
          value: Number(state === each),
        })),
      ),
    ),
  ];
}

function aboutSessions({ groups, counts }: Snapshot): readonly Family[] {
  const levels = new Map(
    [...groups.values()].flatMap(({ plan, state }) =>
      plan.sessions.map(({ id }) => [id, Number(sessionOf(state, id).level === 'Up')] as const),
    ),
  );
  return [
    gauge(
      'bfd_session_up',
      'Whether the BFD session is UP.',
      [...levels].map(([session, value]) => ({ labels: { session }, value })),
    ),
    counter('bfd_session_transitions_total', 'Changes of the level of a BFD session.', counts.transitions),
  ];
}

function aboutMoves({ counts, calls }: Snapshot): readonly Family[] {
  return [
    counter('moves_total', 'Takeovers and other moves that have ended, by what they were for.', counts.moves),
    {
      name: 'takeover_duration_seconds',
      help: 'From the failure of the peer to the decision, the first write and the last target moved.',
      type: 'histogram',
      bounds: LEG_BOUNDS_S,
      samples: counts.legs,
    },
    counter(
      'hedged_requests_total',
      'Second requests that were sent because the first had no answer.',
      counts.hedges,
    ),
    counter(
      'observations_total',
      'Questions who holds the targets: with each keepalive, and more often around a move.',
      counts.observations,
    ),
    {
      name: 'api_call_duration_seconds',
      help: 'Calls of the cloud, from the request to the answer or the end of waiting for it.',
      type: 'histogram',
      bounds: LATENCY_BOUNDS_S,
      samples: calls.map(({ action, outcome, buckets, count, sumS }) => ({
        labels: { action, outcome },
        buckets,
        count,
        sum: sumS,
      })),
    },
  ];
}

function aboutNotifications({ notifications }: Snapshot): readonly Family[] {
  const outcomes = ['delivered', 'failed', 'dropped'] as const;
  return [
    gauge(
      'notifications_pending',
      'Notifications that a receiver has not taken yet.',
      notifications.map(({ receiver, pending }) => ({ labels: { receiver }, value: pending })),
    ),
    counter(
      'notifications_total',
      'Tries to deliver a notification that have succeeded or failed, and notifications that were dropped.',
      notifications.flatMap((standing) =>
        outcomes.map((outcome) => ({
          labels: { receiver: standing.receiver, outcome },
          value: standing[outcome],
        })),
      ),
    ),
  ];
}

function aboutDaemon({ alarms, alarmTable, loopAgeMs, startedAt }: Snapshot): readonly Family[] {
  const { user, system } = process.cpuUsage();
  return [
    gauge(
      'alarms',
      'Alarms that stand, by code; docs/operations.md explains each.',
      Object.entries(allAlarms(alarmTable)).map(([code, { severity }]) => ({
        labels: { code, severity },
        value: alarms.filter((alarm) => alarm.code === code).length,
      })),
    ),
    gauge('loop_age_seconds', 'Since the loop last did what was due; about 1 while all is well.', [
      { value: loopAgeMs / 1000 },
    ]),
    gauge('process_resident_memory_bytes', 'Memory of the daemon.', [{ value: process.memoryUsage.rss() }]),
    gauge('process_start_time_seconds', 'When the daemon was started, since 1970.', [
      { value: startedAt / 1000 },
    ]),
    counter('process_cpu_seconds_total', 'CPU time that the daemon has used.', [
      { value: (user + system) / 1e6 },
    ]),
  ];
}
