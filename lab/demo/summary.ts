/** The closing table: both failovers side by side, and what the figures are and are not. */
import { isWrite } from '../ec2-emulator/requestLog';
import type { AnyLab } from '../topology/topology';
import { labBfd } from '../topology/config';
import { legsOf, readsBeforeWrite, type Failover } from './failover';
import { wrap, WIDTH, type Paint, type Style } from './screen';
import { countWords } from './targets';

type Row = {
  readonly label: string;
  readonly value: (failover: Failover) => string;
  readonly remark: string;
  readonly styles?: readonly Style[];
};

const ms = (value: number): string => `${value.toFixed(1)} ms`;

export function drawSummary(
  lab: AnyLab,
  failovers: readonly Failover[],
  ec2LatencyMs: number,
  paint: Paint,
): readonly string[] {
  const line = (label: string, values: readonly string[], remark: string, styles: readonly Style[] = []) =>
    `  ${paint(label.padEnd(26), ...styles)}${values.map((value) => paint(value.padStart(13), ...styles)).join('')}` +
    `   ${paint(remark, 'dim')}`;
  const rows = rowsOf(lab, ec2LatencyMs);
  return [
    line(
      '',
      failovers.map(({ victim, survivor }) => `${victim} → ${survivor}`),
      '',
      ['bold'],
    ),
    ...rows.map(({ label, value, remark, styles }) => line(label, failovers.map(value), remark, styles)),
  ];
}

function rowsOf(lab: AnyLab, ec2LatencyMs: number): readonly Row[] {
  return [
    {
      label: 'BFD detection',
      value: (failover) => ms(legsOf(failover).detectionMs),
      remark: `${labBfd.multiplier} x ${labBfd.intervalMs} ms, as set`,
    },
    {
      label: 'DOWN to first EC2 write',
      value: (failover) => ms(legsOf(failover).reactionMs),
      remark: 'xr-aws-ha',
      styles: ['green'],
    },
    {
      label: 'EC2',
      value: (failover) => ms(legsOf(failover).ec2Ms),
      remark: `${ec2LatencyMs} ms, emulated`,
    },
    {
      label: 'power off to last target',
      value: (failover) => ms(legsOf(failover).outageMs),
      remark: 'the outage',
      styles: ['bold'],
    },
    {
      label: 'EC2 calls before a write',
      value: (failover) => String(readsBeforeWrite(failover).length),
      remark: '',
    },
    {
      label: 'EC2 writes',
      value: ({ requests }) => String(requests.filter(isWrite).length),
      remark: countWords(lab.plan),
    },
    {
      label: 'takeover attempts',
      value: ({ records }) => String(new Set(records.flatMap(({ attempt }) => attempt ?? [])).size),
      remark: '',
    },
  ];
}

export const drawHonesty = (paint: Paint): readonly string[] =>
  wrap(
    'Real here: both daemons, gRPC, signatures and the query protocol of EC2. Emulated: the routers and ' +
      'AWS, on this one machine. In AWS the EC2 calls take as long as they take there, and traffic follows ' +
      'a moment after EC2 has moved what leads it.',
    WIDTH - 4,
  ).map((text) => `  ${paint(text, 'dim')}`);
