/**
 * What the tests with the real Keystone and Neutron run. Installs the Debian packages where they are missing and this user
 * may (700 MiB with MariaDB; no service is started), and says what to do where not. `--short`: without MariaDB, which only
 * races need.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { installDebian } from './debianPackages';

const isShort = process.argv.includes('--short');
const PACKAGES = [
  'python3-keystone',
  'python3-neutron',
  ...(isShort ? [] : ['mariadb-server', 'python3-pymysql']),
];

const hasModule = (name: string): boolean =>
  spawnSync('/usr/bin/python3', ['-c', `import ${name}`], { stdio: 'ignore' }).status === 0;

const areThere = (): boolean =>
  ['keystone', 'neutron'].every(hasModule) &&
  (isShort || (hasModule('pymysql') && existsSync('/usr/sbin/mariadbd')));

if (!areThere() && !(installDebian(PACKAGES, { services: 'off' }) && areThere())) {
  process.stderr.write(
    `These Debian packages are missing: ${PACKAGES.join(', ')}. As root: apt-get install --no-install-recommends ${PACKAGES.join(' ')}\n`,
  );
  process.exitCode = 1;
}
