/** The one time that all files of a build carry: SOURCE_DATE_EPOCH, else that of the commit that is checked out. */
import { spawnSync } from 'node:child_process';

/** A source tree without git has no time of its own. */
const withoutGit = 1_700_000_000;

export function sourceDateEpochS(root: string): number {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given !== undefined && /^\d+$/.test(given)) return Number(given);
  const { status, stdout } = spawnSync('git', ['-C', root, 'log', '-1', '--format=%ct'], {
    encoding: 'utf8',
  });
  return status === 0 && /^\d+$/.test(stdout.trim()) ? Number(stdout) : withoutGit;
}
