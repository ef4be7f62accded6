/** `npm run transcripts [-- --rewrite]`: plays the stories of test/transcripts, or writes down what they do now. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(__dirname, '..');
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/jest/bin/jest.js'),
    '--selectProjects',
    'fast',
    '--testPathPatterns',
    'test/transcripts',
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TRANSCRIPTS_REWRITE: process.argv.includes('--rewrite') ? '1' : '0' },
  },
);
process.exitCode = status ?? 1;
