/**
 * The pages of `report` are opened in Debian's Chromium where that is installed. Installs it where it is missing and this
 * user may, and says what to do where not: where everything is to be checked, it has to be there.
 */
import { hasChromium } from './chromium';
import { installDebian } from './debianPackages';

if (!hasChromium() && !(installDebian(['chromium', 'fonts-dejavu-core']) && hasChromium())) {
  process.stderr.write(
    "The pages of `report` are opened in Debian's Chromium, which is not there and cannot be installed by this user.\n" +
      'Install it: sudo apt-get install chromium fonts-dejavu-core\n',
  );
  process.exitCode = 1;
}
