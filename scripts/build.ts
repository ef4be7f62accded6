/** Builds `dist/`, the product as it runs. */
import { join } from 'node:path';
import { version } from '../package.json';
import { bundle } from './bundle';
import { recordCodeOf } from './recordCode';

const dist = join(__dirname, '..', 'dist');

async function main(): Promise<void> {
  await bundle(dist, version);
  // Without it the product is the same, and starts later.
  await recordCodeOf(dist).catch((error: unknown) =>
    process.stderr.write(`build: no compiled code was recorded: ${String(error)}\n`),
  );
}

void main();
