/**
 * Lints the texts that come as a JSON array on stdin as if each were the file named on the command line;
 * writes the rules that each breaks as JSON. A process of its own, since jest cannot import ESLint's
 * configuration. Rules that need types are off: the file does not exist, and those in question need none.
 */
import { text } from 'node:stream/consumers';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const eslint = new ESLint({ overrideConfig: tseslint.configs.disableTypeChecked });
const results = await Promise.all(
  JSON.parse(await text(process.stdin)).map((sample) =>
    eslint.lintText(sample, { filePath: process.argv[2] }),
  ),
);
const rules = results.map(([result]) => result.messages.map(({ ruleId, message }) => ruleId ?? message));
process.stdout.write(JSON.stringify(rules));
