import { spawnSync } from 'node:child_process';
import { initialState } from '../../src/core/state/state';
import { AWS_ALARMS } from '../../src/aws/alarms';
import { EC2 } from '../../src/aws/description';
import { alarmTable, allAlarms } from '../../src/runtime/alarmTable';
import { CallStatistics } from '../../src/transport/callStatistics';
import { Counts } from '../../src/status/counts';
import { metricFamilies } from '../../src/status/metrics';
import { metricsText } from '../../src/status/metricsText';
import { Snapshot } from '../../src/status/snapshot';
import type { State } from '../../src/core/state/state';
import type { Attempt } from '../../src/core/state/attempt';
import type { Effect } from '../../src/core/state/model';
import { planOf } from '../support/coreWorld';
import { AROUND, cloudWith } from '../support/readyWorld';
import {
  publish,
  recorded,
  sourcesOf,
  statusWorld,
  TIMELINE,
  type StatusWorld,
} from '../support/statusWorld';

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;

function snapshotOf(world: StatusWorld): Snapshot {
  const snapshot = new Snapshot(sourcesOf(world));
  publish(snapshot, world);
  return snapshot;
}

const textOf = (world: StatusWorld) =>
  metricsText(metricFamilies(snapshotOf(world)), 'prometheus').split('\n');

test('says the role, its age, the targets, the sessions and readiness', () => {
  const world = statusWorld();
  const snapshot = snapshotOf(world);
  world.now += 4_000;
  const text = metricsText(metricFamilies(snapshot), 'prometheus').split('\n');
  expect(text).toEqual(
    expect.arrayContaining([
      '# TYPE xr_aws_ha_role gauge',
      'xr_aws_ha_build_info{router="rtr2",version="1.2.3"} 1',
      'xr_aws_ha_role{group="default",role="STANDBY"} 1',
      'xr_aws_ha_role{group="default",role="ACTIVE"} 0',
      'xr_aws_ha_role_age_seconds{group="default"} 4',
      'xr_aws_ha_targets{group="default"} 2',
      'xr_aws_ha_targets_held{group="default"} 0',
      'xr_aws_ha_bfd_session_up{session="a"} 1',
      'xr_aws_ha_ready 1',
      'xr_aws_ha_ready_condition{condition="clock",group="",state="ok"} 1',
      'xr_aws_ha_loop_age_seconds 4',
    ]),
  );
});

test('has each alarm of the table at any time, so that a rule can tell 0 from nothing', () => {
  const alarm = {
    key: 'default foreign-holder',
    code: 'foreign-holder',
    severity: 'major',
    group: null,
    about: [],
    text: '',
    since: 0,
  } as const;
  const text = textOf(statusWorld({ alarms: [alarm] }));
  const shown = text.filter((line) => line.startsWith('xr_aws_ha_alarms{'));
  expect(shown).toHaveLength(Object.keys(allAlarms(alarmTable(EC2, AWS_ALARMS))).length);
  expect(shown.filter((line) => !line.endsWith(' 0'))).toEqual([
    'xr_aws_ha_alarms{code="foreign-holder",severity="major"} 1',
  ]);
});

test('calls of EC2 by action and outcome, in buckets that add up', () => {
  let now = 0;
  const statistics = new CallStatistics(() => now);
  now = 40;
  statistics.answered('DescribeNetworkInterfaces', 0, null);
  now = 31_000;
  statistics.answered('DescribeNetworkInterfaces', 0, null);
  statistics.answered('ReplaceRoute', 30_900, {
    kind: 'throttled',
    code: 'RequestLimitExceeded',
    message: '',
  });
  statistics.answered('ReplaceRoute', 30_900, { kind: 'refused', code: 'DryRunOperation', message: '' });
  expect(statistics.latest('ReplaceRoute')).toEqual({
    action: 'ReplaceRoute',
    outcome: 'ok',
    tookMs: 100,
    answeredAt: 31_000,
  });
  const text = textOf(
    statusWorld({ around: { ...AROUND, cloud: cloudWith({ calls: statistics.series() }) } }),
  ).filter((line) => line.startsWith('xr_aws_ha_api_call_duration_seconds'));
  const of = (rest: string) => text.filter((line) => line.includes(rest)).map((line) => line.split(' ')[1]);
  expect(of('action="DescribeNetworkInterfaces",outcome="ok",le=')).toEqual([
    '0',
    '0',
    '1',
    '1',
    '1',
    '1',
    '1',
    '1',
    '1',
    '1',
    '1',
    '2',
  ]);
  expect(of('_count{action="DescribeNetworkInterfaces",outcome="ok"}')).toEqual(['2']);
  expect(of('_count{action="ReplaceRoute",outcome="throttled"}')).toEqual(['1']);
  expect(of('_sum{action="DescribeNetworkInterfaces",outcome="ok"}')).toEqual(['31.04']);
});

describe('moves', () => {
  const plan = planOf();
  const attempt = { number: 7, purpose: 'takeover', lastMovedAt: null, calls: [] } as unknown as Attempt;
  test.each([
    ['done', ['moved', 'lost']],
    ['dropped', ['open', 'lost']],
    ['partial', ['moved', 'open']],
    ['lost', ['lost']],
  ] as const)('that end are counted: %s', (outcome, outcomes) => {
    const before = { ...attempt, calls: outcomes.map((each) => ({ outcome: each })) } as unknown as Attempt;
    const after = { attempt: null };
    const counts = new Counts([{ name: 'default', plan }]);
    counts.take(recorded({ attempt: before }, { attempt: before }));
    expect(counts.moves).toEqual([]);
    counts.take(recorded({ attempt: before }, after));
    expect(counts.moves).toEqual([{ labels: { group: 'default', purpose: 'takeover', outcome }, value: 1 }]);
  });

  test('the legs of a takeover are from the failure of the peer; one that was noticed late has none', () => {
    const counts = new Counts([{ name: 'default', plan }]);
    counts.take(recorded({}, {}, [{ effect: 'reportTimeline', timeline: TIMELINE }]));
    counts.take(
      recorded({}, {}, [{ effect: 'reportTimeline', timeline: { ...TIMELINE, lastUp: { at: null } } }]),
    );
    expect(counts.legs.map(({ labels, count, sum }) => [labels?.['leg'], count, sum])).toEqual([
      ['decided', 1, 0.004],
      ['first_write', 1, 0.006],
      ['all_moved', 1, 0.15],
    ]);
  });

  test('changes of a session are counted by where they lead', () => {
    const counts = new Counts([{ name: 'default', plan }]);
    const at = (level: 'Up' | 'Down'): Partial<State> => {
      const { sessions } = initialState(plan);
      return { sessions: { ...sessions, a: { ...sessions['a']!, level } } };
    };
    counts.take(recorded({}, at('Up')));
    counts.take(recorded(at('Up'), at('Up')));
    counts.take(recorded(at('Up'), at('Down')));
    counts.take(recorded(at('Down'), at('Up')));
    expect(counts.transitions).toEqual([
      { labels: { session: 'a', to: 'Up' }, value: 2 },
      { labels: { session: 'a', to: 'Down' }, value: 1 },
    ]);
  });

  test('each question who holds the targets is counted, by group', () => {
    const counts = new Counts([{ name: 'default', plan }]);
    const asks = { effect: 'observeOwnership', number: 1 } as const;
    counts.take(recorded({}, {}, [asks]));
    counts.take(recorded({}, {}, []));
    counts.take(recorded({}, {}, [asks]));
    expect(counts.observations).toEqual([{ labels: { group: 'default' }, value: 2 }]);
  });

  test('a hedge is counted when it is sent', () => {
    const counts = new Counts([{ name: 'default', plan }]);
    const send = { number: 2, startedAt: 0, hedge: true, queued: false };
    const moving = { ...attempt, calls: [{ number: 1, outstanding: [send] }] } as unknown as Attempt;
    const effect = { effect: 'sendCall', call: 1, send: 2 } as unknown as Effect;
    counts.take(recorded({ attempt: moving }, { attempt: moving }, [effect]));
    expect(counts.hedges).toEqual([{ labels: { group: 'default' }, value: 1 }]);
  });
});

test('OpenMetrics names counters without their suffix and ends with its mark', () => {
  const text = metricsText(metricFamilies(snapshotOf(statusWorld())), 'openmetrics');
  expect(text).toContain('# TYPE xr_aws_ha_bfd_session_transitions counter\n');
  expect(text).toMatch(/\nprocess_cpu_seconds_total [\d.]+\n/);
  expect(text.endsWith('\n# EOF\n')).toBe(true);
});

test('labels are escaped', () => {
  const family = {
    name: 'x',
    help: 'X.',
    type: 'gauge',
    samples: [{ labels: { a: 'b"\\\n' }, value: 1 }],
  } as const;
  expect(metricsText([family], 'prometheus')).toBe('# HELP x X.\n# TYPE x gauge\nx{a="b\\"\\\\\\n"} 1\n');
});

/** Where it is not installed, the name of the test says so. */
const promtool = hasPromtool ? test : test.skip;
promtool(
  `promtool finds nothing to say${hasPromtool ? '' : ' (promtool is not installed: apt-get install prometheus)'}`,
  () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: metricsText(metricFamilies(snapshotOf(statusWorld())), 'prometheus'),
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  },
);
