/** `npm run bench -- traffic`: measures in namespaces of its own and writes its section of docs/real-traffic.md. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isEnclosed, runSelfEnclosed } from '../lab/real-router/enclosure';
import { labPrograms, whatHinders, type NeededProgram } from '../lab/real-router/kernel';
import { load, machineLine } from './machine';
import { readPage, withPart } from './part';
import { latencies, measureTraffic } from './traffic';
import { measurePeers } from './trafficPeers';
import { trafficPart, trafficPlotName, trafficSection } from './trafficReport';
import { trafficPlot } from './trafficPlot';

const LOAD = 'XR_AWS_HA_BENCH_LOAD';

export type TrafficWishes = { readonly failovers: number; readonly watchS: number; readonly out: string };

/** A string says what is wrong. */
export function readTrafficWishes(args: readonly string[]): TrafficWishes | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        failovers: { type: 'string', default: '100' },
        watch: { type: 'string', default: '600' },
        out: { type: 'string', default: join(__dirname, '..', 'docs') },
      },
    });
    const failovers = Number(values.failovers);
    if (!Number.isInteger(failovers) || failovers < 1) return '--failovers is a whole number, 1 or more';
    const watchS = Number(values.watch);
    if (!Number.isInteger(watchS) || watchS < 1) return '--watch is a whole number of seconds, 1 or more';
    return { failovers, watchS, out: values.out };
  } catch (error: unknown) {
    return error instanceof Error ? error.message : String(error);
  }
}

const programs: readonly NeededProgram[] = [
  ...labPrograms,
  { path: '/usr/sbin/keepalived', from: 'keepalived' },
  { path: '/usr/bin/aws', from: 'awscli' },
  { path: '/usr/lib/ocf/resource.d/heartbeat/awsvip', from: 'resource-agents' },
  { path: '/usr/bin/curl', from: 'curl' },
];

/** The exit code. */
export async function benchTraffic(
  { failovers, watchS, out }: TrafficWishes,
  say: (line: string) => void,
): Promise<number> {
  if (!isEnclosed()) {
    const complaint = whatHinders(programs);
    if (complaint !== null) {
      process.stderr.write(`bench: ${complaint}\n`);
      return 1;
    }
    process.env[LOAD] = String(load());
    return runSelfEnclosed();
  }
  const [, latency] = latencies();
  if (latency === undefined) throw new Error('no latency to compare at');
  const peers = await measurePeers({ failovers, ec2: latency, say });
  const results = await measureTraffic({ failovers, watchS, say });
  const page = join(out, 'real-traffic.md');
  const conditions = { machine: machineLine(), load: Number(process.env[LOAD]) };
  writeFileSync(page, withPart(readPage(page), trafficPart, trafficSection(results, peers, conditions)));
  writeFileSync(join(out, trafficPlotName), trafficPlot(results.rows));
  say(`written: ${page}`);
  return 0;
}
