// A program of the lab whose reader has gone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const readers = join(__dirname, '../../lab/readers.ts');

/** Prints a hundred words, and ends. */
const program = (guard: string) => `
  ${guard}
  let words = 0;
  setInterval(() => {
    process.stdout.write('word\\n');
    if (++words === 100) process.exit(7);
  }, 2);
`;

const guard = `require('tsx/cjs'); require(${JSON.stringify(readers)}).outliveReaders();`;

test('goes on when its words can no longer be written, and ends by itself', async () => {
  const child = spawn(process.execPath, ['-e', program(guard)], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  expect(await once(child, 'exit')).toEqual([7, null]);
});
