/** The measured section of docs/real-traffic.md. */
import type { Outage } from '../lab/real-router/failover';
import { framed, type Part } from './part';
import { highest, median, ms, quantile } from './statistics';
import { table } from './table';
import type { PropagationRow, SwitchoverRow, TrafficResults, TrafficRow } from './traffic';
import { agentTable, keepalivedTable, ratioToKeepalived } from './trafficPeersReport';
import type { Peers } from './trafficPeers';
import type { Watch } from '../lab/real-router/watch';

export const trafficPart: Part = { name: 'traffic', source: 'bench/trafficReport.ts' };
export const trafficPlotName = 'real-traffic.svg';

export type Conditions = { readonly machine: string; readonly load: number };

const beyond = ({ outageMs, detectionMs, ec2Ms, propagationMs }: Outage): number =>
  outageMs - detectionMs - ec2Ms - propagationMs;

export function trafficSection(
  { rows, switchovers, unrestMs, propagation, vpcMs, watch }: TrafficResults,
  peers: Peers,
  { machine, load }: Conditions,
): readonly string[] {
  const all = rows.flatMap(({ outages }) => outages);
  return framed(trafficPart, [
    `Measured on ${machine}; load of the last minute before the bench ${load.toFixed(1)}. ${all.length} failovers, ` +
      `${Math.min(...rows.map(({ outages }) => outages.length))} of each kind. All inside has a realtime priority.`,
    '',
    '### Against the aims',
    '',
    ...aims(rows, switchovers, peers),
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
    `In as long a time without a switchover the longest silence was ${p(unrestMs, 0.5)} ms in the median and ${p(unrestMs, 1)} ms at worst:`,
    'what the machine itself does to a stream of packets. Nothing is lost by the move as such: EC2 hands an address over in',
    'one step, and the router that gives it away goes on forwarding what still reaches it. An Elastic IP and a route are',
    'no different. A packet is lost only where it is inside the VPC at the moment of the change.',
    '',
    '### A VPC that takes its time',
    '',
    ...propagationLines(propagation),
    '',
    '### What people use instead',
    '',
    'Power off, EC2 call 150 ms. The user’s packets saw:',
    '',
    ...keepalivedTable(peers.keepalived, powerOff150(rows)),
    '',
    'An agent of Pacemaker from the begin of its `start`, without the time in which the cluster finds out and decides:',
    '',
    ...agentTable(peers.agents),
    '',
    '### False alarms',
    '',
    ...watchLines(watch),
    '',
    '### The bench itself',
    '',
    `From a change in EC2 to its effect in the VPC, without propagation time: p50 ${ms(median(vpcMs))} ms, p95 ` +
      `${ms(quantile(vpcMs, 0.95))} ms of ${vpcMs.length} changes. The answer of \`ip\` is part of it.`,
  ]);
}

const of150 = (rows: readonly TrafficRow[]) => rows.filter(({ ec2 }) => ec2 === '150 ms');

function powerOff150(rows: readonly TrafficRow[]): readonly Outage[] {
  return of150(rows)
    .filter(({ fault, bfd }) => fault === 'power off' && bfd.intervalMs === 50)
    .flatMap(({ outages }) => outages);
}

function aims(
  rows: readonly TrafficRow[],
  switchovers: readonly SwitchoverRow[],
  peers: Peers,
): readonly string[] {
  const beyondMs = rows.flatMap(({ outages }) => outages.map(beyond));
  const planned = switchovers.flatMap((row) => row.switchovers.map(({ user }) => user.udp.longestSilenceMs));
  const ratio = ratioToKeepalived(peers.keepalived, powerOff150(rows));
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
        'outage as a share of that with keepalived and the AWS CLI, the quicker of both settings (power off, 150 ms), p50',
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

function propagationLines({ medianMs, outages }: PropagationRow): readonly string[] {
  const all = (of: (outage: Outage) => number) => outages.map(of);
  return [
    `Power off, BFD 50 ms x 3, EC2 call 150 ms, and each change in EC2 takes effect after a time that is drawn: log-normal,`,
    `half of them longer than ${medianMs} ms. Propagation is that of the change that took effect last. ${outages.length} failovers.`,
    '',
    ...table(
      [
        'outage p50 / p95 / worst',
        'propagation p50 / p95',
        'beyond detection, EC2 and propagation p50 / p95',
      ],
      [
        [
          `${p(
            all(({ outageMs }) => outageMs),
            0.5,
          )} / ${p(
            all(({ outageMs }) => outageMs),
            0.95,
          )} / ${p(
            all(({ outageMs }) => outageMs),
            1,
          )}`,
          `${p(
            all(({ propagationMs }) => propagationMs),
            0.5,
          )} / ${p(
            all(({ propagationMs }) => propagationMs),
            0.95,
          )}`,
          `${p(all(beyond), 0.5)} / ${p(all(beyond), 0.95)}`,
        ],
      ],
    ),
  ];
}

const p = (values: readonly number[], share: number): string => ms(quantile(values, share));

const watchLines = ({ seconds, bfdDowns, takeovers, falseTakeovers, user }: Watch): readonly string[] => [
  `Two routers that are well were watched for ${seconds} s with BFD of 100 ms x 3, links that lose 1 % of all packets, and one`,
  `process for each router that uses all of a CPU: ${user.udp.sent - user.udp.answered} of ${user.udp.sent} packets lost, ` +
    `BFD DOWN ${bfdDowns} times, ${takeovers} takeovers, ${falseTakeovers} of them not called for by BFD.`,
];
