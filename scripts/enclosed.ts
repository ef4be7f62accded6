/** `tsx scripts/enclosed.ts COMMAND ...`: the command in namespaces of its own, which end with it. */
import { runEnclosed } from '../lab/real-router/enclosure';

void runEnclosed(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
