/** The measured section of docs/real-traffic.md. */
import type { Outage } from '../lab/real-router/failover';
import { framed, type Part } from './part';
import { highest, median, ms, quantile } from './statistics';
import { table } from './table';
import type { SwitchoverRow, TrafficResults, TrafficRow } from './traffic';
import type { PeerOutage } from './trafficPeers';

export const trafficPart: Part = { name: 'traffic', source: 'bench/trafficReport.ts' };
export const trafficPlotName = 'real-traffic.svg';

export type Conditions = { readonly machine: string; readonly load: number };

const beyond = ({ outageMs, detectionMs, ec2Ms, propagationMs }: Outage): number =>
  outageMs - detectionMs - ec2Ms - propagationMs;

export function trafficSection(
  { rows, switchovers, vpcMs }: TrafficResults,
  keepalived: readonly PeerOutage[],
  { machine, load }: Conditions,
): readonly string[] {
  const all = rows.flatMap(({ outages }) => outages);
  return framed(trafficPart, [
    `Measured on ${machine}; load of the last minute before the bench ${load.toFixed(1)}. ${all.length} failovers, ` +
      `${Math.min(...rows.map(({ outages }) => outages.length))} of each kind. All inside has a realtime priority.`,
    '',
    '### Against the aims',
    '',
    ...aims(rows, switchovers, keepalived),
    '',
    '### Each kind of failure',
    '',
    'Milliseconds, medians; the outage also as p95 and worst. *Beyond* is what is not detection, EC2 or propagation:',
    'the daemon, and the rest. Lost: packets of 1,000 a second, median. TCP: the longest silence of a flow, median.',
    '',
    ...table(
      [
        'BFD',
        'EC2 call',
        'failure',
        'outage p50 / p95 / worst',
        'detection',
        'daemon',
        'EC2',
        'propagation',
        'rest',
        'lost',
        'TCP',
      ],
      rows.map(rowCells),
    ),
    '',
    `![The median failover of each kind in its parts](${trafficPlotName})`,
    '',
    '### Planned switchover',
    '',
    ...table(
      ['EC2 call', 'switchovers', 'longest silence p50 / worst, ms', 'lost p50 / worst', 'EC2, p50, ms'],
      switchovers.map(switchoverCells),
    ),
    '',
    '### keepalived with the AWS CLI',
    '',
    ...keepalivedLines(keepalived, rows),
    '',
    '### The bench itself',
    '',
    `From a change in EC2 to its effect in the VPC, without propagation time: p50 ${ms(median(vpcMs))} ms, p95 ` +
      `${ms(quantile(vpcMs, 0.95))} ms of ${vpcMs.length} changes. The answer of \`ip\` is part of it.`,
  ]);
}

const of150 = (rows: readonly TrafficRow[]) => rows.filter(({ ec2 }) => ec2 === '150 ms');

function powerOff150(rows: readonly TrafficRow[]): readonly number[] {
  return of150(rows)
    .filter(({ fault, bfd }) => fault === 'power off' && bfd.intervalMs === 50)
    .flatMap(({ outages }) => outages.map(({ outageMs }) => outageMs));
}

function aims(
  rows: readonly TrafficRow[],
  switchovers: readonly SwitchoverRow[],
  keepalived: readonly PeerOutage[],
): readonly string[] {
  const beyondMs = rows.flatMap(({ outages }) => outages.map(beyond));
  const planned = switchovers.flatMap((row) => row.switchovers.map(({ user }) => user.udp.longestSilenceMs));
  const ratio = median(powerOff150(rows)) / median(keepalived.map(({ outageMs }) => outageMs));
  return table(
    ['what', 'measured', 'to hold', 'to reach for'],
    [
      [
        'outage beyond detection + EC2 call + propagation, p50 / p95',
        `${ms(median(beyondMs))} / ${ms(quantile(beyondMs, 0.95))} ms`,
        '10 / 25 ms',
        '5 / 12 ms',
      ],
      [
        'outage as a share of that with keepalived and the AWS CLI (power off, 150 ms, BFD 50 ms x 3), p50',
        ratio.toFixed(2),
        '0.3',
        '0.15',
      ],
      ...(planned.length === 0
        ? []
        : [
            [
              'planned switchover: longest silence, p50',
              `${ms(median(planned))} ms`,
              '10 ms',
              'nothing lost',
            ],
          ]),
    ],
  );
}

function rowCells({ fault, ec2, bfd, outages }: TrafficRow): readonly string[] {
  const all = outages.map(({ outageMs }) => outageMs);
  const p50 = (of: (outage: Outage) => number) => ms(median(outages.map(of)));
  return [
    `${bfd.intervalMs} ms x ${bfd.multiplier}`,
    ec2,
    fault,
    `${ms(median(all))} / ${ms(quantile(all, 0.95))} / ${ms(highest(all))}`,
    p50(({ detectionMs }) => detectionMs),
    p50(({ daemonMs }) => daemonMs),
    p50(({ ec2Ms }) => ec2Ms),
    p50(({ propagationMs }) => propagationMs),
    p50(({ restMs }) => restMs),
    String(median(outages.map(({ lost }) => lost))),
    p50(({ tcpSilenceMs }) => tcpSilenceMs),
  ];
}

function switchoverCells({ ec2, switchovers }: SwitchoverRow): readonly string[] {
  const silences = switchovers.map(({ user }) => user.udp.longestSilenceMs);
  const lost = switchovers.map(({ user }) => user.udp.sent - user.udp.answered);
  return [
    ec2,
    String(switchovers.length),
    `${ms(median(silences))} / ${ms(highest(silences))}`,
    `${median(lost)} / ${highest(lost)}`,
    ms(median(switchovers.map(({ ec2Ms }) => ec2Ms))),
  ];
}

function keepalivedLines(keepalived: readonly PeerOutage[], rows: readonly TrafficRow[]): readonly string[] {
  const outages = keepalived.map(({ outageMs }) => outageMs);
  return table(
    [
      'power off, EC2 call 150 ms',
      'failovers',
      'outage p50 / worst, ms',
      'of it until EC2 is asked, p50, ms',
    ],
    [
      [
        'keepalived 50 ms, `aws ec2 assign-private-ip-addresses`',
        String(outages.length),
        `${ms(median(outages))} / ${ms(highest(outages))}`,
        ms(median(keepalived.map(({ untilAskedMs }) => untilAskedMs))),
      ],
      [
        'xr-aws-ha, BFD 50 ms x 3',
        String(powerOff150(rows).length),
        `${ms(median(powerOff150(rows)))} / ${ms(highest(powerOff150(rows)))}`,
        ms(
          median(
            of150(rows)
              .filter(({ fault, bfd }) => fault === 'power off' && bfd.intervalMs === 50)
              .flatMap((row) => row.outages.map(({ detectionMs, daemonMs }) => detectionMs + daemonMs)),
          ),
        ),
      ],
    ],
  );
}
