/** `check-config RTR1.json RTR2.json`: is each right, and do they go together? All mistakes at once. */
import { loadConfig } from '../config/load';
import { pairMistakes } from '../config/pair';
import { printable } from '../config/words';

type Output = { write(text: string): unknown };

/** The exit code: 0, or 2 where there are mistakes, which are then all on `err`. */
export function checkPair(
  [onePath, otherPath]: readonly [string, string],
  { out, err }: { readonly out: Output; readonly err: Output },
): number {
  const [one, other] = [loadConfig(onePath), loadConfig(otherPath)];
  if (!one.ok || !other.ok) {
    for (const loaded of [one, other]) if (!loaded.ok) err.write(`${loaded.report}\n`);
    err.write('Mend that first: the two are compared when each is right.\n');
    return 2;
  }
  const mistakes = pairMistakes(
    { name: onePath, config: one.effective.config },
    { name: otherPath, config: other.effective.config },
  );
  if (mistakes.length > 0) {
    const count = mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`;
    const title = `${printable(onePath)} and ${printable(otherPath)} have ${count} as a pair:`;
    err.write([title, ...mistakes.map((line) => `  ${line}`), ''].join('\n'));
    return 2;
  }
  for (const [path, { settings }] of [[onePath, one] as const, [otherPath, other] as const])
    for (const warning of settings.warnings) out.write(`warning: ${printable(path)} ${warning}\n`);
  out.write('OK: the two go together\n');
  return 0;
}
