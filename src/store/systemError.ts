/** What the operating system said, taken from whatever was thrown. */
import { isNativeError } from 'node:util/types';

/** `code` is Node's name of errno (`ENOSPC`), or the kind of error where it has none. */
export type SystemError = { readonly code: string; readonly message: string };

export function systemError(error: unknown): SystemError {
  if (!isNativeError(error)) return { code: 'Error', message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return { code, message: error.message };
}
