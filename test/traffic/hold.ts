/** Holds a lab until it is killed: enclosure.test.ts looks at what is left of it then. */
import { isEnclosed, runSelfEnclosed } from '../../lab/real-router/enclosure';
import { startRealLab } from '../../lab/real-router/realLab';

async function hold(): Promise<void> {
  const real = await startRealLab();
  await real.startPair();
  process.stdout.write('held\n');
}

void (isEnclosed() && process.argv.includes('--held')
  ? hold()
  : runSelfEnclosed(['--held']).then((code) => process.exit(code)));
