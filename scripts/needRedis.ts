/**
 * The tests talk to a real redis-server. Finds it (REDIS_SERVER or the PATH), installs the Debian package
 * where it is missing and this user may, and says what to do where not.
 */
import { installDebian, isThere } from './debianPackages';

const binary = process.env['REDIS_SERVER'] ?? 'redis-server';

if (!isThere(binary) && !(installDebian(['redis-server']) && isThere(binary))) {
  process.stderr.write(
    'The tests need redis-server, which is not on the PATH and cannot be installed by this user.\n' +
      'Install it (Debian: sudo apt-get install redis-server; Fedora: sudo dnf install redis; macOS: brew install redis)\n' +
      'or name the binary: REDIS_SERVER=/path/to/redis-server npm test\n',
  );
  process.exitCode = 1;
}
