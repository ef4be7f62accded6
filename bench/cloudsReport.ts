/** The section of docs/benchmarks.md on both clouds. It says when and where it was measured: it is run alone. */
import { cloudCounts, type CloudRows, type CloudTakeover } from './clouds';
import type { Conditions } from './packagedReport';
import { framed, type Part } from './part';
import { countWords, isRight, median, ms, quantile } from './statistics';
import { table } from './table';

export const cloudsPart: Part = { name: 'clouds', source: 'bench/cloudsReport.ts' };

/** What the first write may take in OpenStack, as a multiple of EC2's. */
const RATIO_MAX = 1.3;
/** Load average above which a process waits for its core. */
const BUSY = 1;

const firstWrites = (takeovers: readonly CloudTakeover[]) =>
  takeovers.map(({ firstWriteMs }) => firstWriteMs);

/** Of the medians. */
export const ratioOfClouds = ({ ec2, neutron }: CloudRows): number =>
  median(firstWrites(neutron)) / median(firstWrites(ec2));

export function cloudsSection(rows: CloudRows, { machine, load }: Conditions): readonly string[] {
  const row = (what: string, takeovers: readonly CloudTakeover[]) => {
    const all = firstWrites(takeovers);
    return [what, String(all.length), ms(median(all)), ms(quantile(all, 0.9)), ms(quantile(all, 0.99))];
  };
  const ratio = ratioOfClouds(rows);
  const counts = cloudCounts(rows);
  const wrong = counts.filter((count) => !isRight(count));
  return framed(cloudsPart, [
    '## OpenStack beside EC2',
    '',
    'Milliseconds from the event to the first write: one target, one session, gen1. Two daemons take over in turn, in one run,',
    'with an emulator each that answers at once. A write in Neutron is the PUT of a floating IP.',
    '',
    ...table(
      ['target in', 'takeovers', 'p50', 'p90', 'p99'],
      [row('EC2', rows.ec2), row('Neutron', rows.neutron)],
    ),
    '',
    `Neutron's p50 is ${ratio.toFixed(2)} of EC2's; to hold: ${RATIO_MAX} ${ratio <= RATIO_MAX ? 'held' : 'MISSED'}.`,
    '',
    wrong.length === 0
      ? 'In every case: no call between the event and the first write, one write; with a target of each kind, a keepalive has one list of ports, one of floating IPs and one of routers.'
      : `Counts that are off: ${wrong.map((count) => `${count.what}: ${countWords(count)}`).join('; ')}.`,
    '',
    `Machine: ${machine}; load average ${load.toFixed(1)} in the minute before${load > BUSY ? ': the ratio counts, not the times' : ''}.`,
  ]);
}
