/** `npm run bench -- traffic`: measures in namespaces of its own and writes its section of docs/real-traffic.md. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isEnclosed, runSelfEnclosed } from '../lab/real-router/enclosure';
import { whatIsMissing } from '../lab/real-router/kernel';
import { load, machineLine } from './machine';
import { readPage, withPart } from './part';
import { latencies, measureTraffic } from './traffic';
import { measureKeepalived } from './trafficPeers';
import { trafficPart, trafficPlotName, trafficSection } from './trafficReport';
import { trafficPlot } from './trafficPlot';

const LOAD = 'XR_AWS_HA_BENCH_LOAD';

export type TrafficWishes = { readonly failovers: number; readonly out: string };

/** A string says what is wrong. */
export function readTrafficWishes(args: readonly string[]): TrafficWishes | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        failovers: { type: 'string', default: '100' },
        out: { type: 'string', default: join(__dirname, '..', 'docs') },
      },
    });
    const failovers = Number(values.failovers);
    if (!Number.isInteger(failovers) || failovers < 1) return '--failovers is a whole number, 1 or more';
    return { failovers, out: values.out };
  } catch (error: unknown) {
    return error instanceof Error ? error.message : String(error);
  }
}

const programs = [
  { path: '/usr/lib/frr/bfdd', from: 'frr' },
  { path: '/usr/sbin/nft', from: 'nftables' },
  { path: '/usr/sbin/keepalived', from: 'keepalived' },
  { path: '/usr/bin/aws', from: 'awscli' },
] as const;

function whatIsMissingHere(): string | null {
  if (process.getuid?.() !== 0) return 'network namespaces are made by root: run this as root';
  const packages = programs.flatMap(({ path, from }) => (existsSync(path) ? [] : [from]));
  if (packages.length > 0) return `programs are missing: apt-get install ${packages.join(' ')}`;
  const lacks = whatIsMissing();
  return lacks.length === 0 ? null : `this kernel lacks: ${lacks.join('; ')}`;
}

/** The exit code. */
export async function benchTraffic(
  { failovers, out }: TrafficWishes,
  say: (line: string) => void,
): Promise<number> {
  if (!isEnclosed()) {
    const complaint = whatIsMissingHere();
    if (complaint !== null) {
      process.stderr.write(`bench: ${complaint}\n`);
      return 1;
    }
    process.env[LOAD] = String(load());
    return runSelfEnclosed();
  }
  const [, latency] = latencies();
  if (latency === undefined) throw new Error('no latency to compare at');
  const keepalived = await measureKeepalived(failovers, latency);
  say(`keepalived: ${keepalived.length} done`);
  const results = await measureTraffic({ failovers, say });
  const page = join(out, 'real-traffic.md');
  const conditions = { machine: machineLine(), load: Number(process.env[LOAD]) };
  writeFileSync(page, withPart(readPage(page), trafficPart, trafficSection(results, keepalived, conditions)));
  writeFileSync(join(out, trafficPlotName), trafficPlot(results.rows));
  say(`written: ${page}`);
  return 0;
}
