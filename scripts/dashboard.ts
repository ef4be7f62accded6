/** deploy/monitoring/dashboard.json: one dashboard of Grafana for all pairs, made from this list of panels. */

type Panel = {
  readonly title: string;
  readonly says: string;
  readonly kind: 'stat' | 'timeseries';
  readonly unit: string;
  readonly queries: readonly { readonly expr: string; readonly legend: string }[];
};

/** Those of the routers that are chosen. */
const at = (metric: string, more = ''): string => `${metric}{instance=~"$instance"${more}}`;
const rate = (metric: string): string => `rate(${at(metric)}[$__rate_interval])`;
const quantile = (of: number): string =>
  `histogram_quantile(${of}, sum by (le, instance, action) (${rate('xr_aws_ha_api_call_duration_seconds_bucket')}))`;

export const PANELS: readonly Panel[] = [
  {
    title: 'Role',
    says: 'The role that each router has.',
    kind: 'stat',
    unit: 'none',
    queries: [{ expr: `${at('xr_aws_ha_role')} == 1`, legend: '{{instance}} {{group}}: {{role}}' }],
  },
  {
    title: 'A failover would work now',
    says: '1 where it would; show ha_ready says why not.',
    kind: 'stat',
    unit: 'bool_yes_no',
    queries: [{ expr: at('xr_aws_ha_ready'), legend: '{{instance}}' }],
  },
  {
    title: 'Alarms that stand',
    says: 'By severity; docs/operations.md says of each what to do.',
    kind: 'timeseries',
    unit: 'short',
    queries: [
      {
        expr: `sum by (instance, severity) (${at('xr_aws_ha_alarms')})`,
        legend: '{{instance}} {{severity}}',
      },
    ],
  },
  {
    title: 'Conditions of readiness that fail',
    says: 'Each thing that a failover needs.',
    kind: 'timeseries',
    unit: 'short',
    queries: [
      {
        expr: at('xr_aws_ha_ready_condition', ',state="failing"'),
        legend: '{{instance}} {{group}} {{condition}}',
      },
    ],
  },
  {
    title: 'Targets held',
    says: 'Of those in the configuration.',
    kind: 'timeseries',
    unit: 'short',
    queries: [
      { expr: at('xr_aws_ha_targets_held'), legend: '{{instance}} {{group}} held' },
      { expr: at('xr_aws_ha_targets'), legend: '{{instance}} {{group}} configured' },
    ],
  },
  {
    title: 'Time in the role',
    says: 'It begins anew with each change.',
    kind: 'timeseries',
    unit: 's',
    queries: [{ expr: at('xr_aws_ha_role_age_seconds'), legend: '{{instance}} {{group}}' }],
  },
  {
    title: 'BFD sessions',
    says: '1 while the session is UP.',
    kind: 'timeseries',
    unit: 'short',
    queries: [{ expr: at('xr_aws_ha_bfd_session_up'), legend: '{{instance}} {{session}}' }],
  },
  {
    title: 'Changes of BFD sessions',
    says: 'A session that goes up and down is a takeover in the making.',
    kind: 'timeseries',
    unit: 'cps',
    queries: [
      { expr: rate('xr_aws_ha_bfd_session_transitions_total'), legend: '{{instance}} {{session}} {{to}}' },
    ],
  },
  {
    title: 'Takeovers and other moves',
    says: 'Since the daemon started, by outcome.',
    kind: 'timeseries',
    unit: 'short',
    queries: [
      {
        expr: `sum by (instance, purpose, outcome) (${at('xr_aws_ha_moves_total')})`,
        legend: '{{instance}} {{purpose}} {{outcome}}',
      },
    ],
  },
  {
    title: 'How long takeovers take',
    says: 'From the failure of the peer to the decision, the first write and the last target moved, in the mean.',
    kind: 'timeseries',
    unit: 's',
    queries: [
      {
        expr: `${at('xr_aws_ha_takeover_duration_seconds_sum')} / ${at('xr_aws_ha_takeover_duration_seconds_count')}`,
        legend: '{{instance}} {{group}} {{leg}}',
      },
    ],
  },
  {
    title: 'Latency of the calls of the cloud',
    says: 'Half of them, and 99 of 100, took no longer.',
    kind: 'timeseries',
    unit: 's',
    queries: [
      { expr: quantile(0.5), legend: '{{instance}} {{action}} p50' },
      { expr: quantile(0.99), legend: '{{instance}} {{action}} p99' },
    ],
  },
  {
    title: 'Calls of the cloud',
    says: 'By outcome: what is throttled or uncertain makes a takeover slow.',
    kind: 'timeseries',
    unit: 'reqps',
    queries: [
      {
        expr: `sum by (instance, action, outcome) (${rate('xr_aws_ha_api_call_duration_seconds_count')})`,
        legend: '{{instance}} {{action}} {{outcome}}',
      },
    ],
  },
  {
    title: 'Reads for each keepalive',
    says: 'One for each kind of target while all is well; groups share them.',
    kind: 'timeseries',
    unit: 'short',
    queries: [
      {
        expr: `sum by (instance) (rate(xr_aws_ha_api_call_duration_seconds_count{instance=~"$instance",action=~"Describe.*"}[$__rate_interval])) / max by (instance) (${rate('xr_aws_ha_observations_total')})`,
        legend: '{{instance}}',
      },
    ],
  },
  {
    title: 'Second requests',
    says: 'Sent because the first had no answer.',
    kind: 'timeseries',
    unit: 'cps',
    queries: [{ expr: rate('xr_aws_ha_hedged_requests_total'), legend: '{{instance}} {{group}}' }],
  },
  {
    title: 'Notifications',
    says: 'What receivers have not taken yet, and what was delivered, has failed or was dropped.',
    kind: 'timeseries',
    unit: 'short',
    queries: [
      { expr: at('xr_aws_ha_notifications_pending'), legend: '{{instance}} {{receiver}} pending' },
      { expr: rate('xr_aws_ha_notifications_total'), legend: '{{instance}} {{receiver}} {{outcome}}' },
    ],
  },
  {
    title: 'Since the loop last moved',
    says: 'About a second while all is well; the daemon ends itself where it stands still.',
    kind: 'timeseries',
    unit: 's',
    queries: [{ expr: at('xr_aws_ha_loop_age_seconds'), legend: '{{instance}}' }],
  },
  {
    title: 'Memory of the daemon',
    says: 'Resident.',
    kind: 'timeseries',
    unit: 'bytes',
    queries: [{ expr: at('process_resident_memory_bytes'), legend: '{{instance}}' }],
  },
  {
    title: 'Processor time of the daemon',
    says: 'Of one core.',
    kind: 'timeseries',
    unit: 'percentunit',
    queries: [{ expr: rate('process_cpu_seconds_total'), legend: '{{instance}}' }],
  },
  {
    title: 'Version and start',
    says: 'When each daemon was started.',
    kind: 'stat',
    unit: 'dateTimeAsIso',
    queries: [
      {
        expr: `1000 * ${at('process_start_time_seconds')} * on (instance) group_left (router, version) ${at('xr_aws_ha_build_info')}`,
        legend: '{{router}} {{version}}',
      },
    ],
  },
];

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' } as const;
const SIZE = { w: 8, h: 7 } as const;
const IN_A_ROW = 3;

export function dashboardFile(): string {
  const panels = PANELS.map(({ title, says, kind, unit, queries }, i) => ({
    id: i + 1,
    title,
    description: says,
    type: kind,
    datasource: DATASOURCE,
    gridPos: { ...SIZE, x: (i % IN_A_ROW) * SIZE.w, y: Math.floor(i / IN_A_ROW) * SIZE.h },
    fieldConfig: { defaults: { unit }, overrides: [] },
    ...(kind === 'stat' ? { options: { textMode: 'value_and_name', colorMode: 'none' } } : {}),
    targets: queries.map(({ expr, legend }, n) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + n),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
    })),
  }));
  const dashboard = {
    uid: 'xr-aws-ha',
    title: 'xr-aws-ha',
    tags: ['xr-aws-ha'],
    schemaVersion: 39,
    time: { from: 'now-6h', to: 'now' },
    refresh: '30s',
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus' },
        {
          name: 'instance',
          label: 'Router',
          type: 'query',
          datasource: DATASOURCE,
          query: { query: 'label_values(xr_aws_ha_build_info, instance)', refId: 'instance' },
          includeAll: true,
          multi: true,
          refresh: 2,
        },
      ],
    },
    panels,
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
