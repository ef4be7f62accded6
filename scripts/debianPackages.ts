/** Programs that tests and packaging need: found on the PATH, or installed from Debian's packages where that may be done. */
import { spawnSync } from 'node:child_process';

const answers = (program: string, ...args: readonly string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).error === undefined;

export const isThere = (program: string): boolean => answers(program, '--version');

/** Whether apt-get could be asked for them, which takes root. */
export function installDebian(packages: readonly string[]): boolean {
  if (process.getuid?.() !== 0 || !isThere('apt-get')) return false;
  process.stdout.write(`installing Debian's ${packages.join(', ')}\n`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (...args: readonly string[]): void => {
    spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env: environment });
  };
  run('update', '-qq');
  run('install', '-y', '-qq', '--no-install-recommends', ...packages);
  return true;
}
