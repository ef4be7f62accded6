/** What it was measured on and what was measured. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, type } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { mainPath } from '../lab/daemonProcess';

export function machineLine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown CPU';
  return `${model}, ${availableParallelism()} cores, Node ${process.version}, ${type()} ${release()}`;
}

/** The load of the last minute, before the bench adds to it. */
export const load = (): number => loadavg()[0] ?? Number.NaN;

export type BundleSize = { readonly kiB: number; readonly gzipKiB: number; readonly files: number };

/** All JavaScript of the product: no node_modules is needed beside it. */
export function bundleSize(): BundleSize {
  const directory = dirname(mainPath);
  const scripts = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => join(directory, name));
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0) / 1024;
  return {
    files: scripts.length,
    kiB: sum(scripts.map((path) => statSync(path).size)),
    gzipKiB: sum(scripts.map((path) => gzipSync(readFileSync(path)).length)),
  };
}
