/** `check-config -c FILE`: is this configuration right, and what will the daemon make of it? */
import { loadConfig } from '../config/load';

type Output = { write(text: string): unknown };

/** The exit code: 0, or 2 where the file has mistakes, which are then all on `err`. */
export function checkConfig(path: string, out: Output, err: Output): number {
  const loaded = loadConfig(path);
  if (!loaded.ok) {
    err.write(`${loaded.report}\n`);
    return 2;
  }
  out.write(`${JSON.stringify(loaded.effective, null, 2)}\n`);
  for (const warning of loaded.settings.warnings) out.write(`warning: ${warning}\n`);
  out.write('OK\n');
  return 0;
}
