/** One of the processes that share the healings. */
import type { Piece } from '../workers';
import { runHealBatch } from './batch';

process.on('message', ({ first, count }: Piece) => {
  process.send?.(runHealBatch(first, count));
});
