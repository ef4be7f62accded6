/** Programs that tests and packaging need: found on the PATH, or installed from Debian's packages where that may be done. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

const answers = (program: string, ...args: readonly string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore' }).error === undefined;

export const isThere = (program: string): boolean => answers(program, '--version');

const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Whether apt-get could be asked for them, which takes root. `services: 'off'`: nothing that they bring is started,
 * where the machine has no policy of its own about that.
 */
export function installDebian(
  packages: readonly string[],
  { services = 'as Debian does' }: { readonly services?: 'as Debian does' | 'off' } = {},
): boolean {
  if (process.getuid?.() !== 0 || !isThere('apt-get')) return false;
  const held = services === 'off' && !existsSync(POLICY);
  // Debian policy, section 9.3: 101 forbids it.
  if (held) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return install(packages);
  } finally {
    if (held) rmSync(POLICY);
  }
}

function install(packages: readonly string[]): boolean {
  process.stdout.write(`installing Debian's ${packages.join(', ')}\n`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (...args: readonly string[]): void => {
    spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env: environment });
  };
  run('update', '-qq');
  run('install', '-y', '-qq', '--no-install-recommends', ...packages);
  return true;
}
