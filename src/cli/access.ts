/** Whether this user may read or write a path, and if not, why: for the self-test. */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';

export type Purpose = 'read' | 'write';

/** `denied`: another user might. `readOnly`: nobody can. */
export type Access = { readonly outcome: 'open' | 'missing' | 'denied' | 'readOnly' };

/** A path to write to that is not there yet is judged by its nearest parent. Never throws. */
export function probe(path: string, purpose: Purpose): Access {
  try {
    accessSync(path, purpose === 'read' ? constants.R_OK : constants.W_OK);
    return { outcome: 'open' };
  } catch (error: unknown) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EACCES' || code === 'EPERM') return { outcome: 'denied' };
    if (code === 'EROFS') return { outcome: 'readOnly' };
    if (purpose === 'read' || dirname(path) === path) return { outcome: 'missing' };
    return probe(dirname(path), purpose);
  }
}
