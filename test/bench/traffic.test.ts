/** The section of docs/real-traffic.md from results, without a measurement. */
import type { Outage } from '../../lab/real-router/failover';
import { latencies, type TrafficRow } from '../../bench/traffic';
import { readTrafficWishes } from '../../bench/trafficMain';
import { trafficPlot } from '../../bench/trafficPlot';
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

test('the section says what lies beyond the limit, and the ratio to keepalived', () => {
  const keepalived = [{ outageMs: 1300, untilAskedMs: 1000, lost: 1300 }];
  const page = trafficSection({ rows, switchovers: [], vpcMs: [0.5] }, keepalived, {
    machine: 'a machine',
    load: 0.1,
  }).join('\n');
  expect(page).toContain(
    '| outage beyond detection + EC2 call + propagation, p50 / p95 | 9.00 / 10.00 ms | 10 / 25 ms |',
  );
  expect(page).toContain('p50 | 0.20 | 0.3 | 0.15 |');
  expect(page).toContain('3 failovers, 3 of each kind');
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
  [['--failovers', '5'], { failovers: 5 }],
  [['--failovers', '0'], '--failovers is a whole number, 1 or more'],
  [['--failovers', 'x'], '--failovers is a whole number, 1 or more'],
])('reads %j', (args, expected) => {
  const wishes = readTrafficWishes(args);
  if (typeof expected === 'string') expect(wishes).toBe(expected);
  else expect(wishes).toMatchObject(expected);
});
