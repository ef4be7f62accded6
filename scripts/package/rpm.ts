/**
 * The RPMs that XR installs, from one description (xr-appmgr/packages.json) with plain rpmbuild. They hold files only:
 * no script runs at the installation, and the operator's config.json belongs to no package, so that no upgrade
 * replaces or removes it.
 */
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf, run } from './shell';

export type RpmKind = {
  readonly platform: string;
  readonly name: string;
  readonly release: string;
  /** Folders in the package; XR puts those of the native kind below its {app_install_root}. */
  readonly image: string;
  readonly config: string;
  readonly data: string;
};

export type RpmDescription = {
  /** Of the image too: appmgr finds it by this name. */
  readonly source: string;
  readonly summary: string;
  readonly packages: readonly RpmKind[];
};

export type RpmOptions = {
  readonly description: RpmDescription;
  readonly version: string;
  readonly licence: string;
  readonly epochS: number;
  readonly imageArchive: string;
  /** Samples for the folder `config`. */
  readonly samples: string;
  readonly scratch: string;
  readonly out: string;
  /** Name of a GPG key; null leaves the packages unsigned. */
  readonly signWith: string | null;
};

export function readDescription(path: string): RpmDescription {
  return JSON.parse(readFileSync(path, 'utf8')) as RpmDescription;
}

/** Names of the files written to `out`. */
export function writeRpms(options: RpmOptions): readonly string[] {
  return options.description.packages.map((kind) => writeRpm(kind, options));
}

function writeRpm(kind: RpmKind, options: RpmOptions): string {
  const { description, imageArchive, samples, scratch, out, epochS } = options;
  const top = join(scratch, kind.platform);
  const stage = join(top, 'stage');
  for (const folder of [kind.image, kind.config, kind.data])
    mkdirSync(join(stage, folder), { recursive: true });
  copyFileSync(imageArchive, join(stage, kind.image, `${description.source}.tar.gz`));
  const names = readdirSync(samples).sort();
  for (const name of names) copyFileSync(join(samples, name), join(stage, kind.config, name));
  const spec = join(top, 'package.spec');
  writeFileSync(spec, specOf(kind, options, stage, names));
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(epochS) };
  run('rpmbuild', ['-bb', '--target', 'x86_64', '--define', `_topdir ${top}`, spec], { env });
  const name = `${kind.name}-${options.version}-${kind.release}.x86_64.rpm`;
  copyFileSync(join(top, 'RPMS', 'x86_64', name), join(out, name));
  if (options.signWith !== null) sign(join(out, name), options.signWith);
  return name;
}

/** rpm looks for GPG in one place only, which is not where every system has it. */
function sign(path: string, key: string): void {
  const gpg = outputOf('sh', ['-c', 'command -v gpg']).trim();
  run('rpmsign', ['--define', `_gpg_name ${key}`, '--define', `__gpg ${gpg}`, '--addsign', path]);
}

function specOf(kind: RpmKind, options: RpmOptions, stage: string, samples: readonly string[]): string {
  const { description, version, licence } = options;
  const folders = [...new Set([kind.image, kind.config, kind.data])];
  return [
    // Compressed already; and what old versions of rpm can read.
    '%define _binary_payload w1.gzdio',
    '%define _build_id_links none',
    '%define __os_install_post %{nil}',
    '%define _buildhost xr-aws-ha',
    '%define use_source_date_epoch_as_buildtime 1',
    '%define clamp_mtime_to_source_date_epoch 1',
    `Name: ${kind.name}`,
    `Version: ${version}`,
    `Release: ${kind.release}`,
    `Summary: ${description.summary}`,
    `License: ${licence}`,
    'Group: 3rd party application',
    'Packager: xr-aws-ha',
    'BuildArch: x86_64',
    'AutoReqProv: no',
    // XR installs the native kind with --prefix {app_install_root}.
    'Prefix: /',
    '',
    '%description',
    `${description.summary}: watches the peer router with BFD and moves floating addresses in EC2.`,
    'After the installation it is started with "appmgr application" in the configuration of XR.',
    '',
    '%install',
    `cp -a ${stage}/. %{buildroot}/`,
    '',
    '%files',
    '%defattr(0644,root,root,0755)',
    ...folders.map((folder) => `%dir ${folder}`),
    `${kind.image}/${description.source}.tar.gz`,
    ...samples.map((name) => `${kind.config}/${name}`),
    '',
  ].join('\n');
}

/** What rpm itself says is in a package. */
export function filesOf(rpm: string): readonly string[] {
  return outputOf('rpm', ['-qlp', rpm]).trim().split('\n');
}
