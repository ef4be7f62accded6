/**
 * The base layer of the image: from each Debian package of a lock file exactly the files it names, so that nothing
 * gets in that is not needed, and no install script of a package ever runs. apt fetches the packages and checks the
 * signatures of the archive; the lock file pins their versions and hashes.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { outputOf, run } from './shell';

export type BaseLock = {
  readonly name: string;
  /** Of the C library: what a reader has to know of a base first. */
  readonly glibc: string;
  readonly sources: readonly string[];
  readonly packages: Readonly<Record<string, LockedPackage>>;
};

/**
 * `take`: file patterns. `licence`: where the package's copyright file names it in prose only. Version and hash are
 * written by `--update-base`.
 */
export type LockedPackage = {
  readonly version?: string;
  readonly sha256?: string;
  readonly licence?: string;
  readonly take: readonly string[];
};

export type ShippedPackage = {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly kind: 'deb' | 'npm' | 'node' | 'own';
  readonly sha256?: string;
};

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

export function readLock(path: string): BaseLock {
  return JSON.parse(readFileSync(path, 'utf8')) as BaseLock;
}

/** Unpacks the base into `root`. @throws Error that says what is not as locked, and what to do. */
export function unpackBase(lock: BaseLock, root: string, scratch: string): readonly ShippedPackage[] {
  const apt = openApt(lock, scratch);
  const names = Object.keys(lock.packages);
  for (const name of names) {
    if (lock.packages[name]?.version === undefined)
      throw new Error(`${lock.name}: ${name} has no version yet; run: npm run package -- --update-base`);
  }
  const files = apt.download(names.map((name) => `${name}=${lock.packages[name]?.version}`));
  for (const name of names) {
    const locked = lock.packages[name];
    const file = files.get(name);
    if (locked === undefined || file === undefined) throw new Error(`${lock.name}: apt fetched no ${name}`);
    const sha256 = hashOf(file);
    if (sha256 !== locked.sha256) {
      throw new Error(
        `${lock.name}: ${name} ${locked.version} has the hash ${sha256}, not ${locked.sha256} as locked`,
      );
    }
    const unpacked = join(scratch, 'unpacked', name);
    mkdirSync(unpacked, { recursive: true });
    run('dpkg-deb', ['-x', file, unpacked]);
    take(unpacked, root, name, locked.take);
  }
  return Object.entries(lock.packages).map(([name, { version = '', sha256 = '', licence }]) => ({
    name,
    version,
    licence: licence ?? debianLicence(root, name),
    kind: 'deb',
    sha256,
  }));
}

/** Writes the archive's present versions and their hashes into the lock file. */
export function updateLock(path: string, scratch: string): readonly string[] {
  const lock = readLock(path);
  const apt = openApt(lock, scratch);
  const files = apt.download(Object.keys(lock.packages));
  const changes: string[] = [];
  const packages = Object.fromEntries(
    Object.entries(lock.packages).map(([name, { version: before, sha256: _, ...rest }]) => {
      const file = files.get(name);
      if (file === undefined) throw new Error(`${lock.name}: apt fetched no ${name}`);
      const version = outputOf('dpkg-deb', ['-f', file, 'Version']).trim();
      if (version !== before) changes.push(`${name} ${before ?? '(new)'} -> ${version}`);
      return [name, { version, sha256: hashOf(file), ...rest }];
    }),
  );
  writeFileSync(path, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
  return changes;
}

/** apt with state and sources of its own: the machine's packages and lists are neither used nor changed. */
function openApt(
  lock: BaseLock,
  scratch: string,
): {
  download(wanted: readonly string[]): ReadonlyMap<string, string>;
} {
  const state = join(scratch, 'apt');
  const archives = join(state, 'archives');
  mkdirSync(join(state, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(archives, 'partial'), { recursive: true });
  if (!existsSync(KEYRING))
    throw new Error(`${KEYRING} is missing: install the package debian-archive-keyring`);
  writeFileSync(join(state, 'status'), '');
  writeFileSync(
    join(state, 'sources.list'),
    lock.sources
      .map((line) => `${line.replace(/^deb /, `deb [arch=amd64 signed-by=${KEYRING}] `)}\n`)
      .join(''),
  );
  writeFileSync(
    join(state, 'apt.conf'),
    [
      `Dir::Etc::sourcelist "${state}/sources.list";`,
      'Dir::Etc::sourceparts "-";',
      `Dir::State "${state}";`,
      `Dir::State::status "${state}/status";`,
      `Dir::Cache "${state}";`,
      'APT::Architecture "amd64";',
      'APT::Sandbox::User "root";',
      'Acquire::Languages "none";',
      // The lists of a release that is out of support are no longer renewed; versions and hashes are pinned.
      'Acquire::Check-Valid-Until "false";',
      'Acquire::Retries "3";',
      '',
    ].join('\n'),
  );
  const env = { ...process.env, APT_CONFIG: join(state, 'apt.conf') };
  run('apt-get', ['update', '-qq'], { env });
  return {
    download(wanted) {
      run('apt-get', ['download', '-qq', ...wanted], { env, cwd: archives });
      const files = readdirSync(archives).filter((name) => name.endsWith('.deb'));
      return new Map(files.map((name) => [name.split('_')[0] ?? name, join(archives, name)]));
    },
  };
}

function take(from: string, root: string, name: string, patterns: readonly string[]): void {
  const all = readdirSync(from, { recursive: true, encoding: 'utf8' });
  // Packages of one source may share their papers: then the folder is a link to that of another package.
  const papers = join('usr/share/doc', name);
  const isLink = lstatSync(join(from, papers)).isSymbolicLink();
  for (const pattern of [...patterns, `/${papers}${isLink ? '' : '/copyright'}`]) {
    const shape = new RegExp(`^${pattern.slice(1).replace(/[.+]/g, '\\$&').replaceAll('*', '[^/]*')}$`);
    const found = all.filter((path) => shape.test(path));
    if (found.length === 0) throw new Error(`the package ${name} has no ${pattern}`);
    for (const path of found) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      cpSync(join(from, path), join(root, path), { recursive: true, verbatimSymlinks: true });
    }
  }
}

/** Names of the licences in a machine-readable copyright file (DEP 5); of the well-known texts in another one. */
function debianLicence(root: string, name: string): string {
  const text = readFileSync(join(root, 'usr/share/doc', name, 'copyright'), 'utf8');
  const names = [...text.matchAll(/^License: *(\S[^\n]*)$/gm)].map(([, licence = '']) => licence.trim());
  const texts = [...text.matchAll(/common-licenses\/([A-Za-z0-9.-]*[A-Za-z0-9])/g)].map(
    ([, licence = '']) => licence,
  );
  return [...new Set(names.length > 0 ? names : texts)].sort().join(', ');
}

export function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
