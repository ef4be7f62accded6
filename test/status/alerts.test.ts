/** The alert rules that are shipped: promtool takes them, and each fires for its alarm. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alertRules } from '../../scripts/alertRules';
import { AWS_ALARMS } from '../../src/aws/alarms';
import { EC2 } from '../../src/aws/description';
import { OPENSTACK_ALARMS } from '../../src/openstack/alarms';
import { OPENSTACK } from '../../src/openstack/description';
import { alarmTable, allAlarms } from '../../src/runtime/alarmTable';

const rulesPath = join(__dirname, '..', '..', 'deploy', 'monitoring', 'alerts.yml');
const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;
const promtool = hasPromtool ? test : test.skip;
const notice = hasPromtool ? '' : ' (promtool is not installed: apt-get install prometheus)';

/** In AWS or in OpenStack. */
const urgent = Object.entries({
  ...allAlarms(alarmTable(EC2, AWS_ALARMS)),
  ...allAlarms(alarmTable(OPENSTACK, OPENSTACK_ALARMS)),
}).filter(([, { severity }]) => severity === 'critical' || severity === 'major');

test('each alarm of severity major and critical has its rule, no other alarm has one', () => {
  const codes = [...readFileSync(rulesPath, 'utf8').matchAll(/alarms\{code="([\w-]+)"\} > 0/g)];
  expect(codes.map(([, code]) => code)).toEqual(urgent.map(([code]) => code));
});

promtool(`promtool takes the rules, and each fires for its alarm alone${notice}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'alerts-'));
  try {
    const instance = '10.0.0.1:9469';
    const tests = urgent.map(([code]) => ({
      interval: '1m',
      input_series: [
        { series: `xr_aws_ha_alarms{code="${code}",instance="${instance}"}`, values: '0 1 1' },
        { series: `xr_aws_ha_alarms{code="no-init",instance="${instance}"}`, values: '1 1 1' },
      ],
      alert_rule_test: alertRules().map(({ alert, expr, severity, summary, description }) => ({
        eval_time: '1m',
        alertname: alert,
        exp_alerts: expr.includes(`"${code}"`)
          ? [
              {
                exp_labels: { severity, code, instance },
                exp_annotations: {
                  summary: summary.replace('{{ $labels.instance }}', instance),
                  description,
                },
              },
            ]
          : [],
      })),
    }));
    const ofPair = {
      interval: '1m',
      input_series: ['a', 'b'].flatMap((instance) => [
        { series: `up{job="xr-aws-ha",instance="${instance}"}`, values: '0x5' },
        { series: `xr_aws_ha_ready{instance="${instance}"}`, values: '0x5' },
        {
          series: `xr_aws_ha_role{role="ACTIVE",group="default",pair="none",instance="${instance}"}`,
          values: '0x5',
        },
        {
          series: `xr_aws_ha_role{role="ACTIVE",group="default",pair="two",instance="${instance}"}`,
          values: '1x5',
        },
      ]),
      promql_expr_test: ['XrAwsHaDown', 'XrAwsHaNotReady', 'XrAwsHaNoActive', 'XrAwsHaTwoActive'].map(
        (alert) => ({
          expr: `count(ALERTS{alertname="${alert}",alertstate="firing"})`,
          eval_time: '4m',
          exp_samples: [
            { labels: '{}', value: alert === 'XrAwsHaDown' || alert === 'XrAwsHaNotReady' ? 2 : 1 },
          ],
        }),
      ),
    };
    // JSON is YAML.
    writeFileSync(
      join(folder, 'test.yml'),
      JSON.stringify({ rule_files: [rulesPath], evaluation_interval: '1m', tests: [...tests, ofPair] }),
    );
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', join(folder, 'test.yml')], {
      encoding: 'utf8',
    });
    expect([status, stderr + (status === 0 ? '' : stdout)]).toEqual([0, '']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
