/**
 * What the tests with the real Keystone and Neutron run. Installs the Debian packages where they are missing and this user
 * may (370 MiB; no service comes with them), and says what to do where not.
 */
import { spawnSync } from 'node:child_process';
import { installDebian } from './debianPackages';

const PACKAGES = ['python3-keystone', 'python3-neutron'] as const;

const hasModule = (name: string): boolean =>
  spawnSync('/usr/bin/python3', ['-c', `import ${name}`], { stdio: 'ignore' }).status === 0;

const areThere = (): boolean => hasModule('keystone') && hasModule('neutron');

if (!areThere() && !(installDebian(PACKAGES, { services: 'off' }) && areThere())) {
  process.stderr.write(
    `These Debian packages are missing: ${PACKAGES.join(', ')}. As root: apt-get install --no-install-recommends ${PACKAGES.join(' ')}\n`,
  );
  process.exitCode = 1;
}
