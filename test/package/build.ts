/** `npm run package` as its users run it, into folders of the test. */
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { outputOf } from '../../scripts/package/shell';

export const root = resolve(__dirname, '..', '..');

export type Built = {
  readonly folder: string;
  readonly version: string;
  /** What it printed. */
  readonly words: string;
  readonly image: {
    readonly archive: string;
    readonly imageBytes: number;
    readonly imageId: string;
    readonly layers: readonly { readonly name: string; readonly diffId: string }[];
  };
};

export function build(folder: string, ...args: readonly string[]): Built {
  mkdirSync(folder, { recursive: true });
  const words = outputOf('npm', ['run', 'package', '--', '--out', folder, ...args], { cwd: root });
  const facts = readdirSync(folder).find((name) => name.endsWith('.image.json')) ?? 'no image.json';
  return {
    folder,
    words,
    version: /^xr-aws-ha-(\d+\.\d+\.\d+)\./.exec(facts)?.[1] ?? '',
    image: JSON.parse(readFileSync(join(folder, facts), 'utf8')) as Built['image'],
  };
}

export const nativeRpm = ({ folder, version }: Built): string =>
  join(folder, `xrv9k-aws-ha-${version}-eXR_7.3.1.x86_64.rpm`);

export const ownerRpm = ({ folder, version }: Built): string =>
  join(folder, `owner-xrv9k_aws_ha-${version}-7.10.1.x86_64.rpm`);

/** The docker-run-opts in the configuration of XR that is delivered. */
export function documentedOptions(sample: 'xr-exr.cfg' | 'xr-lnt.cfg'): string {
  const text = readFileSync(join(root, 'xr-appmgr', 'samples', sample), 'utf8');
  const [, options] = /docker-run-opts "([^"]*)"/.exec(text) ?? [];
  if (options === undefined) throw new Error(`${sample} has no docker-run-opts`);
  return options;
}
