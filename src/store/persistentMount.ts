/**
 * Whether a directory outlives the container: an upgrade replaces the container with its root file
 * system, so only what is mounted into it stays. Read from /proc/self/mountinfo, see proc(5).
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** File systems that are gone with the container or with the machine's power. */
const fleetingTypes: readonly string[] = ['overlay', 'overlayfs', 'aufs', 'tmpfs', 'ramfs', 'devtmpfs'];

/** Null where the kernel's list of mounts cannot be read. */
export function isOnPersistentMount(directory: string): boolean | null {
  try {
    // Docker puts this file into every container. It matters where the root of a container is not an
    // overlay: older XR releases run docker with the devicemapper driver, whose roots are plain ext4.
    const inContainer = existsSync('/.dockerenv');
    return persistsAt(readFileSync('/proc/self/mountinfo', 'utf8'), realPath(directory), inContainer);
  } catch {
    return null;
  }
}

export type Mount = { readonly point: string; readonly type: string; readonly readOnly: boolean };

/** In the order of the kernel; null where its list cannot be read. */
export function readMounts(): readonly Mount[] | null {
  try {
    return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  } catch {
    return null;
  }
}

/** Null where no mount of the list covers the path. */
export function persistsAt(mountinfo: string, path: string, inContainer: boolean): boolean | null {
  let best: Mount | null = null;
  for (const mount of parseMounts(mountinfo)) {
    // Among mounts on the same point the last of the list covers the others.
    if (covers(mount.point, path) && mount.point.length >= (best?.point.length ?? 0)) best = mount;
  }
  if (best === null) return null;
  if (fleetingTypes.includes(best.type)) return false;
  return best.point !== '/' || !inContainer;
}

function parseMounts(mountinfo: string): readonly Mount[] {
  return mountinfo.split('\n').flatMap((line) => parseMount(line) ?? []);
}

/** `36 35 98:0 /root /mount/point rw,noatime shared:1 - ext4 /dev/sda rw`: optional fields end with `-`. */
function parseMount(line: string): Mount | null {
  const fields = line.split(' ');
  const point = fields[4];
  const separator = fields.indexOf('-', 6);
  const type = fields[separator + 1];
  if (separator === -1 || point === undefined || type === undefined || !point.startsWith('/')) return null;
  const readOnly = fields[5]?.split(',').includes('ro') === true;
  return { point: unescapeOctal(point), type, readOnly };
}

/** The kernel writes blanks, tabs, newlines and backslashes as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

function covers(point: string, path: string): boolean {
  return point === '/' || path === point || path.startsWith(`${point}/`);
}

/** The path without symbolic links; of the nearest parent that exists where it does not exist yet. */
function realPath(path: string): string {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (existsSync(at)) return realpathSync(at);
  }
}
