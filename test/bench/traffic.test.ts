/** The section of docs/real-traffic.md from results, without a measurement. */
import type { Outage } from '../../lab/real-router/failover';
import type { UserReport } from '../../lab/real-router/user';
import { latencies, type TrafficRow } from '../../bench/traffic';
import { readTrafficWishes } from '../../bench/trafficMain';
import { trafficPlot } from '../../bench/trafficPlot';
import type { Peers } from '../../bench/trafficPeers';
import { trafficSection } from '../../bench/trafficReport';

const outage = (daemonMs: number): Outage => ({
  outageMs: 100 + daemonMs + 150 + 1 + 2,
  detectionMs: 100,
  daemonMs,
  ec2Ms: 150,
  propagationMs: 1,
  restMs: 2,
  lost: 261,
  duplicates: 0,
  reordered: 0,
  tcpSilenceMs: 400,
  tcpBroken: 0,
});

const rows: readonly TrafficRow[] = [
  {
    fault: 'power off',
    ec2: '150 ms',
    bfd: { intervalMs: 50, multiplier: 3 },
    outages: [outage(6), outage(8), outage(7)],
  },
];

const peer = (outageMs: number) => [{ outageMs, untilAskedMs: 1000, lost: 1300 }];
const peers: Peers = {
  keepalived: [
    { watch: 'VRRP', outages: peer(1300) },
    { watch: 'BFD', outages: peer(1040) },
  ],
  agents: [
    { agent: 'awsvip', starts: [{ askedMs: 1100, movedMs: 1250, endedMs: 1350, calls: ['Read', 'Write'] }] },
  ],
};
const user = { udp: { sent: 1000, answered: 985 } } as UserReport;
const watch = { seconds: 600, bfdDowns: 3, takeovers: 1, falseTakeovers: 0, user };
const results = {
  rows,
  switchovers: [],
  propagation: { medianMs: 100, outages: [{ ...outage(7), propagationMs: 90 }] },
  watch,
  unrestMs: [3],
  vpcMs: [0.5],
};
const page = trafficSection(results, peers, { machine: 'a machine', load: 0.1 }).join('\n');

test.each([
  [
    'what lies beyond the limit',
    '| outage beyond detection + EC2 call + propagation, p50 / p95 | 9.00 / 10.00 ms | 10 / 25 ms |',
  ],
  ['the ratio to the quicker setting of keepalived', 'p50 | 0.25 | 0.3 | 0.15 |'],
  ['how many failovers', '3 failovers, 3 of each kind'],
  ['each agent of Pacemaker', '| `awsvip` | 1 | 1250 / 1250 | 1350 | Read, Write |'],
  ['how long a VPC took', '| 260 / 260 / 260 | 90.00 / 90.00 |'],
  ['the watch', '15 of 1000 packets lost, BFD DOWN 3 times, 1 takeovers, 0 of them not called for by BFD'],
])('the section says %s', (_what, words) => {
  expect(page).toContain(words);
});

test('the plot has a bar and a limit for each kind', () => {
  const svg = trafficPlot(rows);
  expect(svg).toContain('50 ms x 3, EC2 150 ms, power off');
  expect(svg.match(/stroke="#222222" stroke-width="2"/g)).toHaveLength(2);
});

test('the heavy tail is the same in every run', () => {
  const [, , first] = latencies();
  const [, , again] = latencies();
  const draws = [1, 2, 3].map(() => first?.drawMs());
  expect([1, 2, 3].map(() => again?.drawMs())).toEqual(draws);
  expect(new Set(draws).size).toBe(3);
});

test.each([
  [['--failovers', '5'], { failovers: 5, watchS: 600 }],
  [['--watch', '20'], { failovers: 100, watchS: 20 }],
  [['--watch', '0'], '--watch is a whole number of seconds, 1 or more'],
  [['--failovers', '0'], '--failovers is a whole number, 1 or more'],
  [['--failovers', 'x'], '--failovers is a whole number, 1 or more'],
])('reads %j', (args, expected) => {
  const wishes = readTrafficWishes(args);
  if (typeof expected === 'string') expect(wishes).toBe(expected);
  else expect(wishes).toMatchObject(expected);
});
