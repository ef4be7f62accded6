/**
 * What one daemon alone may have, held from its start to its end: where it is another daemon's, this one does not start.
 */
import { basename, dirname } from 'node:path';
import type { Logger } from 'pino';
import { version } from '../../package.json';
import type { Settings } from '../config/settings';
import { occupy, type Place } from './occupancy';

/** Null where another daemon has one of them, which has then been said. */
export async function occupyAll(
  settings: Settings,
  log: Logger,
): Promise<{ readonly release: () => Promise<void> } | null> {
  const who = `pid ${process.pid} in its container, xr-aws-ha ${version}, started ${new Date().toISOString()}`;
  const tried = await Promise.all(
    placesOf(settings).map(async (place) => ({ place, result: await occupy(place, who) })),
  );
  const release = async () => {
    await Promise.all(
      tried.map(async ({ result }) => {
        if (result.outcome === 'held') await result.release();
      }),
    );
  };
  const taken: string[] = [];
  for (const { place, result } of tried) {
    const at = `${place.key} ${place.path}`;
    if (result.outcome === 'taken') taken.push(`${at} is in use by another daemon: ${result.by}`);
    if (result.outcome !== 'unguarded') continue;
    const reason = `a second daemon with the same ${at} would not be noticed: ${result.cause}`;
    log.warn(
      { event: 'place-unguarded', key: place.key, path: place.path, reason },
      'A place is not guarded',
    );
  }
  if (taken.length === 0) return { release };
  const reason = `${taken.join('; ')}. Stop that daemon, or give each its own ${taken.length === 1 ? 'place' : 'places'}`;
  log.error({ event: 'place-in-use', reason }, 'Another daemon runs here');
  process.stderr.write(`xr-aws-ha: ${reason}\n`);
  await release();
  return null;
}

function placesOf({ stateDir, store, controlSocket }: Settings): readonly Place[] {
  const file = (key: string, path: string): Place => ({
    key,
    path,
    directory: dirname(path),
    name: basename(path),
  });
  return [
    // The decision memory and the journal.
    { key: 'state_dir', path: stateDir, directory: stateDir, name: 'state' },
    ...(store.type === 'file' ? [file('store.path', store.path)] : []),
    file('control_socket', controlSocket),
  ];
}
