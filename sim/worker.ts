/** One of the processes that share the runs: does a piece when it is told to, and tells what came of it. */
import { runBatch } from './batch';
import type { Piece } from './workers';

process.on('message', ({ first, count }: Piece) => {
  process.send?.(runBatch(first, count));
});
