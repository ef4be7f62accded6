/** Shares the runs out among processes, piece by piece, so that it can end early and what is done counts. */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
export type Piece = { readonly first: number; readonly count: number };

const PIECE = 2_000;

/** What the processes run: the file of one of them, and how what came of their pieces is put together. */
export type Work<Batch> = {
  readonly entry: string;
  readonly merged: (batches: readonly Batch[]) => Batch;
};

/** `isOver` is asked before each piece; the answer covers the seeds from `first` on without a gap. */
export async function shareOut<Batch>(
  { entry, merged }: Work<Batch>,
  { first, count }: Piece,
  jobs: number,
  isOver: () => boolean,
  told: (batch: Batch) => void,
): Promise<Batch> {
  let given = 0;
  let batch = merged([]);
  const next = (): Piece | null => {
    if (given >= count || isOver()) return null;
    const piece = { first: first + given, count: Math.min(PIECE, Math.ceil(count / jobs), count - given) };
    given += piece.count;
    return piece;
  };
  const directory = mkdtempSync(join(tmpdir(), 'sim-'));
  const worker = bundled(entry, directory);
  const work = async (): Promise<void> => {
    // A run leaves much garbage, and little of it lives long.
    const child = fork(worker, { execArgv: ['--max-semi-space-size=64'] });
    try {
      for (let piece = next(); piece !== null; piece = next()) {
        const answer = await answerTo<Batch>(child, piece);
        batch = merged([batch, answer]);
        told(batch);
      }
    } finally {
      child.disconnect();
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, work));
  } finally {
    rmSync(directory, { recursive: true });
  }
  return batch;
}

/** What runs the sources as they are, as this process does, keeps the name of each function: a fifth slower. */
function bundled(entry: string, directory: string): string {
  const outfile = join(directory, 'worker.js');
  buildSync({ entryPoints: [entry], outfile, bundle: true, platform: 'node', sourcemap: 'inline' });
  return outfile;
}

function answerTo<Batch>(child: ChildProcess, piece: Piece): Promise<Batch> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void =>
      reject(new Error(`the process that ran the seeds from ${piece.first} on ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as Batch);
    });
    child.send(piece);
  });
}
