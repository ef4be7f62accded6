/**
 * The lab's AWS is checked by Debian's AWS CLI where that is installed. Installs it where it is missing and this user may,
 * and says what to do where not: where everything is to be checked, it has to be there.
 */
import { hasAwsCli } from './awsCli';
import { installDebian } from './debianPackages';

if (!hasAwsCli() && !(installDebian(['awscli']) && hasAwsCli())) {
  process.stderr.write(
    "The lab's AWS is checked by Debian's AWS CLI, which is not there and cannot be installed by this user.\n" +
      'Install it: sudo apt-get install awscli\n',
  );
  process.exitCode = 1;
}
