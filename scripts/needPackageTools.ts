/**
 * What packaging and its test run: rpmbuild, rpm, strip, Docker and ip. Installs the Debian packages where programs
 * are missing and this user may, and says what to do where not.
 */
import { installDebian, isThere } from './debianPackages';

const needed = [
  { program: 'rpmbuild', from: 'rpm' },
  { program: 'strip', from: 'binutils' },
  { program: '/usr/bin/docker', from: 'docker.io' },
  { program: 'dockerd', from: 'docker.io' },
  { program: 'ip', from: 'iproute2' },
  { program: 'gpg', from: 'gnupg' },
] as const;

const missing = () => needed.filter(({ program }) => !isThere(program));

const packages = [...new Set(missing().map(({ from }) => from))];
if (process.getuid?.() !== 0) {
  process.stderr.write(
    'Packaging sets the owners of files and its test starts containers: it has to run as root.\n',
  );
  process.exitCode = 1;
} else if (packages.length > 0 && !(installDebian(packages) && missing().length === 0)) {
  process.stderr.write(
    `These programs are missing: ${missing()
      .map(({ program }) => program)
      .join(', ')}. On Debian: apt-get install ${packages.join(' ')}\n`,
  );
  process.exitCode = 1;
}
