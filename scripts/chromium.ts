/** Debian's Chromium: what a report is opened in by the tests. */
import { existsSync } from 'node:fs';

export const CHROMIUM = '/usr/bin/chromium';

export const hasChromium = (): boolean => existsSync(CHROMIUM);
