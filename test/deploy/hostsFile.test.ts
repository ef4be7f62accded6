// The image's resolver knows every line of a name in the hosts file: an address of the endpoint for each zone.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const image = resolve(__dirname, '../../docker/image/etc');

test('a name with two lines in the hosts file has both addresses in the image', () => {
  const hosts = join(mkdtempSync(join(tmpdir(), 'hosts-')), 'hosts');
  writeFileSync(hosts, '10.0.0.1 endpoint.test\n10.0.0.2 endpoint.test\n');
  const lookup = `require('node:dns').lookup('endpoint.test', { all: true }, (_error, found) => console.log(JSON.stringify(found)))`;
  // In a mount namespace of its own the resolver of this machine reads the files of the image.
  const script = [
    `mount --bind ${hosts} /etc/hosts`,
    `mount --bind ${join(image, 'nsswitch.conf')} /etc/nsswitch.conf`,
    `mount --bind ${join(image, 'host.conf')} /etc/host.conf`,
    'exec "$0" -e "$1"',
  ].join(' && ');
  const { stdout, stderr } = spawnSync(
    'unshare',
    ['--map-root-user', '--mount', 'sh', '-c', script, process.execPath, lookup],
    { encoding: 'utf8' },
  );
  expect([stdout.trim(), stderr]).toEqual([
    JSON.stringify([
      { address: '10.0.0.1', family: 4 },
      { address: '10.0.0.2', family: 4 },
    ]),
    '',
  ]);
});
