/**
 * The daemon on other processor cores than the bench, which plays the router and EC2. Left to itself, Linux likes to
 * wake each on the core of the other, with the next core idle: then the daemon waits for the work of the simulator.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Asked once: it counts those that this process may use. */
const CORES = availableParallelism();

/** This process gets the first core, these get the others; returns what ends that for this one. */
export function setApart(pids: readonly number[]): () => void {
  if (CORES < 2) throw new Error('to set the daemon apart takes two cores');
  for (const pid of pids) place(pid, `1-${CORES - 1}`);
  place(process.pid, '0');
  return () => place(process.pid, `0-${CORES - 1}`);
}

function place(pid: number, cores: string): void {
  execFileSync('taskset', ['-a', '-c', '-p', cores, String(pid)], { stdio: ['ignore', 'ignore', 'inherit'] });
}
