/**
 * `npm run package`: the image, then the RPMs, into xr-appmgr/RPMS/, with the list of what is in them, its licences
 * and checksums beside them. Needs root (for the owners of files), apt, dpkg and rpmbuild of Debian; no container
 * engine.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { license, version as ownVersion } from '../../package.json';
import { bundle } from '../bundle';
import { hashOf, readLock, updateLock, type ShippedPackage } from './debianBase';
import { writeImage, type ImageFacts } from './image';
import { prepareLayers } from './layers';
import { licenceProblems } from './licences';
import { readDescription, writeRpms } from './rpm';
import { sbom } from './sbom';
import { sourceDateEpochS } from './sourceDate';

const root = resolve(__dirname, '..', '..');

const USAGE = `usage: npm run package -- [--base FILE] [--version X.Y.Z] [--out DIRECTORY] [--sign KEY] [--update-base]

  --base         the base of the image: a lock file of Debian packages (default docker/debian-11.json), or a root
                 file system as a .tar that holds sh, cat, tail, date, sleep, setpriv, tini, redis-server and libstdc++
  --version      the version of image and packages (default: that of package.json)
  --out          where they go (default xr-appmgr/RPMS)
  --sign         name of the GPG key to sign the RPMs with (default: they are not signed)
  --update-base  write the present versions of the base's packages into its lock file, and build nothing
`;

type Wishes = {
  readonly base: string;
  readonly version: string;
  readonly out: string;
  readonly signWith: string | null;
  readonly updateBase: boolean;
};

/** A string says what is wrong. */
function readWishes(args: readonly string[]): Wishes | string {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        base: { type: 'string', default: join(root, 'docker', 'debian-11.json') },
        version: { type: 'string', default: ownVersion },
        out: { type: 'string', default: join(root, 'xr-appmgr', 'RPMS') },
        sign: { type: 'string' },
        'update-base': { type: 'boolean', default: false },
      },
    }));
  } catch (error: unknown) {
    return error instanceof Error ? error.message : String(error);
  }
  const { base, version, out, sign } = values;
  if (!/^\d+\.\d+\.\d+$/.test(version)) return `--version is like 1.2.3, not ${version}`;
  if (!/\.(json|tar)$/.test(base)) return `--base is a .json or a .tar, not ${base}`;
  return {
    base: resolve(base),
    version,
    out: resolve(out),
    signWith: sign ?? null,
    updateBase: values['update-base'],
  };
}

const say = (line: string): unknown => process.stdout.write(`${line}\n`);
const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

async function build(wishes: Wishes, scratch: string): Promise<void> {
  const { base, version, out, signWith } = wishes;
  const description = readDescription(join(root, 'xr-appmgr', 'packages.json'));
  const epochS = sourceDateEpochS(root);
  const dist = join(scratch, 'dist');
  await bundle(dist, version);
  const { layers, packages, baseName } = prepareLayers({ root, base, version, dist, scratch });
  const problems = licenceProblems(packages);
  if (problems.length > 0) throw new Error(`these may not be shipped:\n  ${problems.join('\n  ')}`);

  mkdirSync(out, { recursive: true });
  const archive = join(scratch, `${description.source}.tar.gz`);
  const image = await writeImage(
    {
      reference: `${description.source}:latest`,
      epochS,
      layers,
      labels: labelsOf(version, epochS, baseName, packages),
      env: environment,
      command: ['tini', '--', 'supervise'],
    },
    archive,
    join(scratch, 'image'),
  );
  report(image);
  const rpms = writeRpms({
    description,
    version,
    licence: license,
    epochS,
    imageArchive: archive,
    samples: join(root, 'xr-appmgr', 'samples'),
    scratch: join(scratch, 'rpm'),
    out,
    signWith,
  });
  const stem = `xr-aws-ha-${version}`;
  const beside = [
    `${stem}.image.tar.gz`,
    `${stem}.sbom.json`,
    `${stem}.licences.txt`,
    `${stem}.image.json`,
  ] as const;
  copyFileSync(archive, join(out, beside[0]));
  const subject = { name: description.source, version, epochS, base: baseName, imageId: image.imageId };
  writeFileSync(join(out, beside[1]), `${JSON.stringify(sbom(subject, packages), null, 2)}\n`);
  copyFileSync(join(scratch, 'licences.txt'), join(out, beside[2]));
  writeFileSync(join(out, beside[3]), `${JSON.stringify({ ...image, archive: beside[0] }, null, 2)}\n`);
  const all = [...rpms, ...beside].sort();
  writeFileSync(
    join(out, `${stem}.sha256`),
    all.map((name) => `${hashOf(join(out, name))}  ${name}\n`).join(''),
  );
  for (const name of rpms) say(`${mb(statSync(join(out, name)).size).padStart(9)}  ${join(out, name)}`);
}

const environment = [
  'PATH=/opt/xr-aws-ha/bin:/usr/bin:/bin',
  // One arena: the daemon's threads allocate little, and each arena keeps some memory for itself.
  'MALLOC_ARENA_MAX=1',
  // Chosen by measuring: docker/README.md.
  'XR_AWS_HA_NODE_FLAGS=--max-semi-space-size=1 --max-old-space-size=64 --optimize-for-size --v8-pool-size=1 --no-opt --no-maglev',
];

function labelsOf(
  version: string,
  epochS: number,
  base: string,
  packages: readonly ShippedPackage[],
): Readonly<Record<string, string>> {
  const node = packages.find(({ kind }) => kind === 'node');
  return {
    'org.opencontainers.image.title': 'xr-aws-ha',
    'org.opencontainers.image.description': 'Failover for IOS-XR virtual routers in AWS',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.licenses': license,
    'org.opencontainers.image.created': new Date(epochS * 1000).toISOString(),
    'org.opencontainers.image.base.name': base,
    'xr-aws-ha.node': node?.version ?? '',
  };
}

function report({ layers, imageBytes, archiveBytes, imageId }: ImageFacts): void {
  for (const { name, bytes, diffId } of layers) say(`${mb(bytes).padStart(9)}  layer ${name} ${diffId}`);
  say(`${mb(imageBytes).padStart(9)}  image ${imageId}`);
  say(`${mb(archiveBytes).padStart(9)}  compressed`);
}

async function main(): Promise<number> {
  const wishes = readWishes(process.argv.slice(2));
  if (typeof wishes === 'string') {
    process.stderr.write(`package: ${wishes}\n\n${USAGE}`);
    return 2;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'xr-aws-ha-package-'));
  try {
    if (wishes.updateBase) {
      const changes = updateLock(wishes.base, scratch);
      say(`${readLock(wishes.base).name}: ${changes.length === 0 ? 'nothing new' : changes.join(', ')}`);
    } else {
      await build(wishes, scratch);
    }
    return 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`package: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
