/** Where the daemon takes commands, as far as the configuration file can be read: for `ha`. */
import { member } from '../config/document';
import { defaultControlSocket, socketPathFault } from '../config/socketPath';
import { readLooseConfig } from './looseConfig';

export type FoundSocket = {
  readonly path: string;
  readonly configPath: string;
  /** Why the default is used in place of what the file says; null where there is no such doubt. */
  readonly doubt: string | null;
};

/** Never throws. */
export function readControlSocket(configPath: string): FoundSocket {
  const { config, doubt } = readLooseConfig(configPath);
  const written = member(config, 'control_socket');
  if (written === undefined) return { path: defaultControlSocket, configPath, doubt };
  return isSocketPath(written)
    ? { path: written, configPath, doubt: null }
    : {
        path: defaultControlSocket,
        configPath,
        doubt: `control_socket in ${configPath} is not the path of a socket`,
      };
}

function isSocketPath(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.startsWith('/') &&
    !value.includes('\0') &&
    socketPathFault(value) === null
  );
}
