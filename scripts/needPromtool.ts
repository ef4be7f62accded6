/**
 * Metrics and alert rules are checked by Debian's promtool where it is installed. Installs it where it is missing and this
 * user may, and says what to do where not: where everything is to be checked, it has to be there.
 */
import { installDebian, isThere } from './debianPackages';

if (!isThere('promtool') && !(installDebian(['prometheus'], { services: 'off' }) && isThere('promtool'))) {
  process.stderr.write(
    "Metrics and alert rules are checked by Debian's promtool, which is not there and cannot be installed by this user.\n" +
      'Install it: sudo apt-get install prometheus\n',
  );
  process.exitCode = 1;
}
