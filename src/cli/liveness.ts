/**
 * Whether what the store says is of now. The daemon writes with each keepalive; a value that is older is shown as what
 * it is, with what the control socket says: a daemon that was killed leaves its last role in the store for ever.
 */
import { connect } from 'node:net';
import { member } from '../config/document';
import type { StoreEntry } from '../store/entry';
import { jsonOf } from '../store/storeFile';

/** Null: of now, or nothing is known of its age. */
export type Staleness = { readonly ageS: number; readonly answers: boolean } | null;

/** From here on the daemon is asked; it may be waiting for EC2. */
const DOUBTED_AFTER_KEEPALIVES = 1.5;
/** From here on it is old, although the daemon answers: EC2 may take this long to fail a reading. */
const STALE_AFTER_KEEPALIVES = 3;
const READING_MAX_S = 10;
const ANSWER_MS = 1_000;

/** `alarms`: the entry of `ha_alarms`, which says when it was written and how often it is. */
export async function stalenessOf(
  alarms: StoreEntry | null,
  socketPath: string,
  wallNow: number,
): Promise<Staleness> {
  const written = alarms === null ? null : jsonOf(alarms.value);
  const [asOf, keepaliveS] = [member(written, 'as_of'), member(written, 'keepalive_s')];
  if (typeof asOf !== 'string' || typeof keepaliveS !== 'number') return null;
  const ageS = (wallNow - Date.parse(asOf)) / 1000;
  // Also where it is no number.
  if (!(ageS > DOUBTED_AFTER_KEEPALIVES * keepaliveS)) return null;
  const answers = await isAnswering(socketPath);
  const isWaiting = answers && ageS <= STALE_AFTER_KEEPALIVES * keepaliveS + READING_MAX_S;
  return isWaiting ? null : { ageS: Math.round(ageS), answers };
}

/** Any answer will do: a process that is stuck takes connections and says nothing. */
function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const settle = (answers: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answers);
    };
    const timer = setTimeout(() => settle(false), ANSWER_MS);
    socket.on('connect', () =>
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
    );
    socket.on('data', () => settle(true));
    socket.on('error', () => settle(false));
    socket.on('close', () => settle(false));
  });
}

/** `stale: 38 s old, the daemon does not answer`. */
export function stalenessWords({ ageS, answers }: NonNullable<Staleness>): string {
  const daemon = answers ? 'the daemon answers and has not written since' : 'the daemon does not answer';
  return `stale: ${ageS} s old, ${daemon}`;
}
