/**
 * Notifications are sent to Debian's rsyslog and snmptrapd where these are installed. Installs them where they are missing
 * and this user may, without starting their services, and says what to do where not: where everything is to be checked,
 * they have to be there.
 */
import { spawnSync } from 'node:child_process';
import { installDebian } from './debianPackages';

/** They know no --version. */
const areThere = (): boolean =>
  ['rsyslogd', 'snmptrapd'].every(
    (program) => spawnSync(program, ['-v'], { stdio: 'ignore' }).error === undefined,
  );

const packages = ['rsyslog', 'rsyslog-gnutls', 'snmptrapd'];

if (!areThere() && !(installDebian(packages, { services: 'off' }) && areThere())) {
  process.stderr.write(
    "Notifications are sent to Debian's rsyslog and snmptrapd, which are not there and cannot be installed by this user.\n" +
      `Install them: sudo apt-get install ${packages.join(' ')}\n`,
  );
  process.exitCode = 1;
}
