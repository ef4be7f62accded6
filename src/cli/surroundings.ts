/**
 * What this process runs on: kernel, C library, Node, the limits of its container and what is mounted into it.
 * Every fact may be missing, as kernels and container engines differ; then it is null.
 */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { readMounts } from '../store/persistentMount';

export type Surroundings = {
  readonly kernel: string;
  readonly glibc: string | null;
  readonly node: string;
  readonly uid: number | null;
  /** 0: none, 2: a filter (proc(5)). */
  readonly seccomp: number | null;
  readonly memoryMiB: number | null;
  /** Of one core. */
  readonly cpuPercent: number | null;
  readonly openFiles: number | null;
  readonly processes: number | null;
  readonly rootReadOnly: boolean | null;
  /** `point type`, with `read-only` where it is; not those that every container has. */
  readonly mounts: readonly string[];
};

const MIB = 1024 * 1024;
/** Version 1 of control groups says so where there is no limit (a number of pages near 2^63). */
const NO_LIMIT = 2 ** 60;

export function readSurroundings(): Surroundings {
  const mounts = readMounts() ?? [];
  const memory = firstNumber('memory/memory.limit_in_bytes', 'memory.max');
  const root = mounts.findLast(({ point }) => point === '/');
  return {
    kernel: release(),
    glibc: glibcVersion(),
    node: process.version,
    uid: process.getuid?.() ?? null,
    seccomp: numberIn('/proc/self/status', /^Seccomp:\s+(\d+)/m),
    memoryMiB: memory === null || memory >= NO_LIMIT ? null : Math.floor(memory / MIB),
    cpuPercent: cpuPercent(),
    openFiles: numberIn('/proc/self/limits', /^Max open files\s+(\d+)/m),
    processes: firstNumber('pids/pids.max', 'pids.max'),
    rootReadOnly: root === undefined ? null : root.readOnly,
    mounts: mounts
      .filter(({ point }) => point !== '/' && !/^\/(proc|sys|dev)(\/|$)/.test(point))
      .map(({ point, type, readOnly }) => `${point} ${type}${readOnly ? ' read-only' : ''}`),
  };
}

function glibcVersion(): string | null {
  // Older Node versions look up the names of all network addresses for a report, which takes as long as DNS does.
  Object.assign(process.report, { excludeNetwork: true });
  const report: unknown = process.report.getReport();
  const header = (report as { readonly header?: { readonly glibcVersionRuntime?: string } }).header;
  return header?.glibcVersionRuntime ?? null;
}

function cpuPercent(): number | null {
  const [, quotaV2, periodV2] = /^(\d+) (\d+)/.exec(textOf('/sys/fs/cgroup/cpu.max')) ?? [];
  const quota =
    quotaV2 === undefined ? numberIn('/sys/fs/cgroup/cpu/cpu.cfs_quota_us', /^(\d+)/) : Number(quotaV2);
  const period =
    periodV2 === undefined ? numberIn('/sys/fs/cgroup/cpu/cpu.cfs_period_us', /^(\d+)/) : Number(periodV2);
  return quota === null || period === null ? null : Math.round((quota / period) * 100);
}

/** Of the first file that is there: version 1 of control groups, then version 2. */
function firstNumber(...files: readonly string[]): number | null {
  for (const file of files) {
    const number = numberIn(`/sys/fs/cgroup/${file}`, /^(\d+)/);
    if (number !== null) return number;
  }
  return null;
}

function numberIn(path: string, pattern: RegExp): number | null {
  const [, digits] = pattern.exec(textOf(path)) ?? [];
  return digits === undefined ? null : Number(digits);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
