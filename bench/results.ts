/** Everything that one run has measured, and the counts among it that have to be right. */
import type { BundleSize } from './machine';
import type { Rest } from './rest';
import type { ScaleRow } from './scale';
import type { ShowLatency } from './showLatency';
import type { Count } from './statistics';
import { takeoverCounts, type FirstRow, type LatencyRow, type MovedRow } from './takeovers';

export type Results = {
  readonly machine: string;
  /** Load average of the minute before the run. */
  readonly load: number;
  readonly latency: readonly LatencyRow[];
  readonly first: readonly FirstRow[];
  readonly moved: readonly MovedRow[];
  readonly scale: readonly ScaleRow[];
  readonly rest: Rest;
  readonly show: ShowLatency;
  readonly bundle: BundleSize;
};

/** One for each kind and number of interfaces, over all rows; those of many targets are in their own section. */
export function countsOf({ latency, first, moved, rest }: Results): readonly Count[] {
  const byWhat = new Map<string, Count>();
  for (const { interfaces, takeovers } of [...latency, ...first, ...moved]) {
    for (const count of takeoverCounts(interfaces, takeovers)) {
      const seen = [...(byWhat.get(count.what)?.seen ?? []), ...count.seen];
      byWhat.set(count.what, { ...count, seen });
    }
  }
  return [...byWhat.values(), rest.readsPerKeepalive];
}
