/** Programs that the packaging runs: their failure ends it, with what they said. */
import { spawnSync } from 'node:child_process';

export type RunOptions = { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv };

/** @throws Error with the program's own words. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): void {
  outputOf(program, args, options);
}

export function outputOf(program: string, args: readonly string[], options: RunOptions = {}): string {
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, {
    ...options,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (error !== undefined) throw new Error(`${program} cannot be run: ${error.message}`);
  if (status !== 0) {
    const words = `${stderr}${stdout}`.trim().split('\n').slice(-15).join('\n');
    throw new Error(`${program} ${args.slice(0, 3).join(' ')} ended with ${status ?? signal}:\n${words}`);
  }
  return stdout;
}
