/** Another boot of the router, for a daemon on this machine, which has had one: see bootIdPreload.cjs for what it sees. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

const preloadPath = join(__dirname, 'bootIdPreload.cjs');

export const newBootId = (): string => randomUUID();

/** For the environment of a daemon that has `env` besides. */
export function bootedAs(
  bootId: string,
  env: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const others = env['NODE_OPTIONS'] ?? process.env['NODE_OPTIONS'] ?? '';
  return { ...env, NODE_OPTIONS: `${others} --require=${preloadPath}`.trim(), LAB_BOOT_ID: bootId };
}
