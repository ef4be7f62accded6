/**
 * The configuration file read as leniently as can be, for commands that must work when the rest of the file
 * is wrong, which is when they are needed most. It must not load the schema: that takes longer than the
 * command. The daemon's own, strict reading is config/load.ts.
 */
import { readFileSync } from 'node:fs';
import { isNativeError } from 'node:util/types';
import { member } from '../config/document';

export type LooseConfig = {
  /** The object `config`, or whatever stands in its place; undefined where there is nothing. */
  readonly config: unknown;
  /** Why the file cannot be read; null where it can. */
  readonly doubt: string | null;
};

/** Never throws. */
export function readLooseConfig(configPath: string): LooseConfig {
  try {
    const document: unknown = JSON.parse(readFileSync(configPath, 'utf8').replace(/^\uFEFF/, ''));
    return { config: member(document, 'config'), doubt: null };
  } catch (error: unknown) {
    const cause = isNativeError(error) ? error.message : String(error);
    return { config: undefined, doubt: `${configPath} cannot be read (${cause})` };
  }
}
