/** The history of this router joined to its file: what the run before has left is read, what comes is written. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { HistoryFile, historyPath, readHistory } from './file';
import { History, type HistoryOptions } from './history';

export function keepHistory({
  stateDir,
  log,
  ...options
}: Pick<HistoryOptions, 'groups' | 'router' | 'version' | 'bootId' | 'now' | 'tell'> & {
  readonly stateDir: string;
  readonly log: Logger;
}): { readonly history: History; readonly close: () => Promise<void> } {
  const path = historyPath(stateDir);
  const before = readHistory(path);
  if (before.outcome === 'unreadable')
    log.warn(
      { event: 'history-unreadable', path, cause: before.cause },
      'The history cannot be read; it begins anew',
    );
  const file = new HistoryFile({ path, log, content: () => history.kept() });
  const history: History = new History({
    ...options,
    wallNow: Date.now,
    newId: randomUUID,
    kept: before.outcome === 'kept' ? before.kept : null,
    touch: (isNews) => file.touch(isNews),
  });
  return { history, close: () => file.close() };
}
