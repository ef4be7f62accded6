/** deploy/monitoring/alerts.yml: rules for Prometheus, one for each alarm that has to be looked at today, and a few about the pair. */
import { AWS_ALARMS } from '../src/aws/alarms';
import { alarmsOfBoth } from './alarmTables';

type Rule = {
  readonly alert: string;
  readonly expr: string;
  readonly forS: number;
  readonly severity: string;
  readonly summary: string;
  readonly description: string;
};

/** Of the pair: both routers are scraped by a job of this name, with a label `pair` that is the same for both. */
const OF_PAIR: readonly Rule[] = [
  {
    alert: 'XrAwsHaDown',
    expr: 'up{job="xr-aws-ha"} == 0',
    forS: 60,
    severity: 'critical',
    summary: 'The daemon of {{ $labels.instance }} cannot be scraped',
    description:
      'Where it does not run, nothing takes over from the peer. Type: show ha_state on that router.',
  },
  {
    alert: 'XrAwsHaNotReady',
    expr: 'xr_aws_ha_ready == 0',
    forS: 120,
    severity: 'major',
    summary: 'A failover would not work now on {{ $labels.instance }}',
    description: 'Type: show ha_ready on that router.',
  },
  {
    alert: 'XrAwsHaNoActive',
    expr: 'sum by (pair, group) (xr_aws_ha_role{role="ACTIVE"}) == 0',
    forS: 60,
    severity: 'critical',
    summary: 'No router of the pair {{ $labels.pair }} is ACTIVE for {{ $labels.group }}',
    description: 'Type: show ha_reason and show ha_targets on both routers.',
  },
  {
    alert: 'XrAwsHaTwoActive',
    expr: 'sum by (pair, group) (xr_aws_ha_role{role="ACTIVE"}) > 1',
    forS: 120,
    severity: 'major',
    summary: 'Both routers of the pair {{ $labels.pair }} say that they are ACTIVE for {{ $labels.group }}',
    description:
      'One of them has not read the cloud since. Type: show ha_targets and show ha_health on both routers.',
  },
];

export function alertRules(): readonly Rule[] {
  const ofAlarms = Object.entries(alarmsOfBoth()).flatMap(([code, { severity, means, act }]) =>
    severity === 'critical' || severity === 'major'
      ? [
          {
            alert: `XrAwsHa${camel(code)}`,
            expr: `xr_aws_ha_alarms{code="${code}"} > 0`,
            forS: 0,
            severity,
            summary: `${capital(ofAnyCloud(code, means).replaceAll('`', ''))}, on {{ $labels.instance }}`,
            description: `Type: ${ofAnyCloud(code, act).replaceAll('`', '')}. docs/operations.md has more.`,
          },
        ]
      : [],
  );
  return [...OF_PAIR, ...ofAlarms];
}

export function alertsFile(): string {
  const rules = alertRules().map(({ alert, expr, forS, severity, summary, description }) =>
    [
      `      - alert: ${alert}`,
      `        expr: ${quoted(expr)}`,
      ...(forS === 0 ? [] : [`        for: ${forS}s`]),
      '        labels:',
      `          severity: ${severity}`,
      '        annotations:',
      `          summary: ${quoted(summary)}`,
      `          description: ${quoted(description)}`,
    ].join('\n'),
  );
  return [
    '# Made by npm run docs from src/runtime/alarmTable.ts and scripts/alertRules.ts; edits here are lost.',
    '# The rules of the pair want the scrape job to be named xr-aws-ha, and a label `pair` on both of its routers.',
    'groups:',
    '  - name: xr-aws-ha',
    '    rules:',
    ...rules,
    '',
  ].join('\n');
}

/** A rule is loaded beside any cloud: only what AWS alone raises speaks of EC2. */
const ofAnyCloud = (code: string, text: string): string =>
  code in AWS_ALARMS.ofParts ? text : text.replace(/\bEC2\b/g, 'the cloud');
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const camel = (code: string): string => code.split('-').map(capital).join('');
