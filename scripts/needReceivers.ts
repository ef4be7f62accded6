/**
 * Notifications are sent to Debian's rsyslog where that is installed. Installs it where it is missing and this user may,
 * without starting its service, and says what to do where not: where everything is to be checked, it has to be there.
 */
import { spawnSync } from 'node:child_process';
import { installDebian } from './debianPackages';

/** It knows no --version. */
const isThere = (): boolean => spawnSync('rsyslogd', ['-v'], { stdio: 'ignore' }).error === undefined;

if (!isThere() && !(installDebian(['rsyslog', 'rsyslog-gnutls'], { services: 'off' }) && isThere())) {
  process.stderr.write(
    "Notifications are sent to Debian's rsyslog, which is not there and cannot be installed by this user.\n" +
      'Install it: sudo apt-get install rsyslog rsyslog-gnutls\n',
  );
  process.exitCode = 1;
}
