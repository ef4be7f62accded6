import { tmpdir } from 'node:os';
import { openMemory } from '../../src/store/memory';
import { persistsAt } from '../../src/store/persistentMount';
import { recordingLogger } from '../support/logRecords';

const overlayContainer = `
480 402 0:52 / / rw,relatime master:200 - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w
481 480 0:55 / /proc rw,nosuid - proc proc rw
482 480 0:56 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k
500 480 8:1 /appmgr/config /var/lib/xrv9k_aws_ha rw,relatime - ext4 /dev/sda1 rw
501 480 8:1 /odd /mnt/with\\040blank rw,relatime shared:1 master:2 - ext4 /dev/sda1 rw
502 480 0:70 / /mnt/ram rw - tmpfs tmpfs rw
`;
const deviceMapperContainer = '310 200 253:4 / / rw,relatime - ext4 /dev/mapper/docker-8:1-1 rw,discard';

test.each([
  ['the root overlay', '/app/state', false],
  ['a mount of its own', '/var/lib/xrv9k_aws_ha', true],
  ['a directory on such a mount', '/var/lib/xrv9k_aws_ha/state', true],
  ['a name that only begins like a mount', '/var/lib/xrv9k_aws_ha2', false],
  ['a mount point with a blank', '/mnt/with blank/x', true],
  ['memory', '/mnt/ram/state', false],
])('in a container, %s', (_, path, persists) => {
  expect(persistsAt(overlayContainer, path, true)).toBe(persists);
});

test('the root of a container is lost even where it looks like a disk', () => {
  expect(persistsAt(deviceMapperContainer, '/var/lib/state', true)).toBe(false);
  expect(persistsAt(deviceMapperContainer, '/var/lib/state', false)).toBe(true);
});

test('a list that covers nothing or is no list has no answer', () => {
  expect(persistsAt('', '/x', true)).toBeNull();
  expect(persistsAt('garbage\n1 2 3 4 / rw\n36 35 98:0 / / rw - ', '/x', false)).not.toBe(false);
});

test('the running machine has an answer, for a directory that does not exist yet too', () => {
  const { log } = recordingLogger();
  expect(typeof openMemory(tmpdir(), ['default'], log).onPersistentMount()).toBe('boolean');
  expect(typeof openMemory('/proc/not/there', ['default'], log).onPersistentMount()).toBe('boolean');
});
