/**
 * The image as an archive that `docker load` takes, also the one of Docker 18.05: the classic format of `docker save`
 * with plain tar layers. Made without a container engine, and the same bytes each time: sorted names, one time for all
 * files, owners by number.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { hashOf } from './debianBase';
import { run } from './shell';

export type Layer = {
  readonly name: string;
  /** What it holds, for `docker history`. */
  readonly comment: string;
  readonly root: string;
};

export type ImageOptions = {
  /** `name:tag`, by which appmgr starts it. */
  readonly reference: string;
  readonly epochS: number;
  readonly layers: readonly Layer[];
  readonly labels: Readonly<Record<string, string>>;
  readonly env: readonly string[];
  readonly command: readonly string[];
};

export type ImageFacts = {
  readonly archive: string;
  readonly archiveBytes: number;
  /** Of all layers, unpacked: what `docker images` shows. */
  readonly imageBytes: number;
  readonly imageId: string;
  readonly layers: readonly { readonly name: string; readonly diffId: string; readonly bytes: number }[];
};

/** Of every file in a layer, so that a layer whose files have not changed is the same in the next version. */
const FILES_EPOCH_S = Date.UTC(2020, 0, 1) / 1000;

/** Writes the compressed archive to `archive`; `scratch` is left behind for whoever made it to remove. */
export async function writeImage(
  options: ImageOptions,
  archive: string,
  scratch: string,
): Promise<ImageFacts> {
  const folder = join(scratch, 'archive');
  const layers = options.layers.map((layer) => {
    mkdirSync(join(folder, layer.name), { recursive: true });
    const path = join(folder, layer.name, 'layer.tar');
    tar(layer.root, path, FILES_EPOCH_S);
    return {
      name: layer.name,
      comment: layer.comment,
      diffId: `sha256:${hashOf(path)}`,
      bytes: statSync(path).size,
    };
  });
  const config = JSON.stringify(configOf(options, layers));
  const imageId = createHash('sha256').update(config).digest('hex');
  writeFileSync(join(folder, `${imageId}.json`), config);
  const manifest = [
    {
      Config: `${imageId}.json`,
      RepoTags: [options.reference],
      Layers: layers.map(({ name }) => `${name}/layer.tar`),
    },
  ];
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const plain = join(scratch, 'image.tar');
  tar(folder, plain, options.epochS);
  await pipeline(createReadStream(plain), createGzip({ level: 9 }), createWriteStream(archive));
  return {
    archive,
    archiveBytes: statSync(archive).size,
    imageBytes: layers.reduce((sum, { bytes }) => sum + bytes, 0),
    imageId: `sha256:${imageId}`,
    layers: layers.map(({ name, diffId, bytes }) => ({ name, diffId, bytes })),
  };
}

function configOf(
  { epochS, labels, env, command }: ImageOptions,
  layers: readonly { readonly comment: string; readonly diffId: string }[],
): object {
  const created = new Date(epochS * 1000).toISOString();
  return {
    architecture: 'amd64',
    os: 'linux',
    created,
    config: {
      Env: env,
      // Not an entry point: `docker run IMAGE sh` and the docker-run-cmd of appmgr then run just what they say.
      Cmd: command,
      WorkingDir: '/',
      StopSignal: 'SIGTERM',
      Labels: labels,
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ comment }) => ({ created, created_by: comment })),
  };
}

/** The plain format of GNU tar: no access times, no extended headers that would hold a process id. */
function tar(root: string, path: string, epochS: number): void {
  const fixed = ['--format=gnu', '--sort=name', `--mtime=@${epochS}`, '--numeric-owner'];
  run('tar', [...fixed, '-C', root, '-cf', path, '.']);
}
