/**
 * The tests talk to a real redis-server. Finds it (REDIS_SERVER or the PATH), installs the Debian package
 * where it is missing and this user may, and says what to do where not.
 */
import { spawnSync } from 'node:child_process';

const binary = process.env['REDIS_SERVER'] ?? 'redis-server';

function isThere(): boolean {
  return spawnSync(binary, ['--version'], { stdio: 'ignore' }).status === 0;
}

function install(): boolean {
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0)
    return false;
  process.stdout.write('redis-server is missing: installing the Debian package\n');
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (...args: readonly string[]): void => {
    spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env: environment });
  };
  run('update', '-qq');
  run('install', '-y', '-qq', '--no-install-recommends', 'redis-server');
  return isThere();
}

if (!isThere() && !install()) {
  process.stderr.write(
    'The tests need redis-server, which is not on the PATH and cannot be installed by this user.\n' +
      'Install it (Debian: sudo apt-get install redis-server; Fedora: sudo dnf install redis; macOS: brew install redis)\n' +
      'or name the binary: REDIS_SERVER=/path/to/redis-server npm test\n',
  );
  process.exitCode = 1;
}
