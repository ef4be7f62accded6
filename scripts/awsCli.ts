/** Debian's AWS CLI: a client of AWS that is not this project's, with AWS's models of all operations. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export const AWS_CLI = '/usr/bin/aws';
/** The one that Debian's packages are for; a `python3` on the PATH may be another. */
export const DEBIAN_PYTHON = '/usr/bin/python3';

/** With its botocore, which version 2 has within. */
export const hasAwsCli = (): boolean =>
  existsSync(AWS_CLI) &&
  spawnSync(DEBIAN_PYTHON, ['-c', 'import awscli, botocore.session'], { stdio: 'ignore' }).status === 0;
