/**
 * The bundles of the product. That of the daemon: a few tree-shaken files, because the EC2 client alone has several
 * hundred commands and memory on the router is scarce; each command loads its own, and the .proto files stay beside. That
 * of the healer, heal.js: one file, which Lambda runs and the command `heal` loads, so that the daemon has nothing of it.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'rolldown';
import { writeShipped } from './shippedPackages';

const root = join(__dirname, '..');

/** We always pass credentials of our own, so the SDK's chain of providers (SSO, STS, ...) is dead weight. */
const DEFAULT_CREDENTIALS = '@aws-sdk/credential-provider-node';

const noDefaultCredentials: Plugin = {
  name: 'no-default-credentials',
  resolveId: (id) => (id === DEFAULT_CREDENTIALS ? `\0${id}` : null),
  load: (id) =>
    id === `\0${DEFAULT_CREDENTIALS}`
      ? "export const defaultProvider = () => { throw new Error('credentials have to be passed'); };"
      : null,
};

/** The version that the product says it has, where it is not that of package.json. */
const versioned = (version: string): Plugin => ({
  name: 'versioned',
  load: (id) => (id === join(root, 'package.json') ? JSON.stringify({ version }) : null),
});

/** What the daemon's bundle does not hold, but finds beside it. */
const HEALER = join(root, 'src', 'heal', 'main');

const healerBeside: Plugin = {
  name: 'healer-beside',
  resolveId: (id, importer) =>
    importer !== undefined && join(importer, '..', id) === HEALER
      ? { id: './heal.js', external: true }
      : null,
};

export async function bundle(folder: string, version: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  const modules = [
    ...(await built(folder, 'main', join(root, 'src', 'main.ts'), {
      plugins: [healerBeside, versioned(version)],
      split: true,
    })),
    ...(await built(folder, 'heal', `${HEALER}.ts`, { plugins: [versioned(version)], split: false })),
  ];
  writeShipped([...new Set(modules)], folder);
  cpSync(join(root, 'proto'), join(folder, 'proto'), { recursive: true });
}

/** The ids of the modules that went into it. */
async function built(
  folder: string,
  name: string,
  entry: string,
  { plugins, split }: { readonly plugins: readonly Plugin[]; readonly split: boolean },
): Promise<readonly string[]> {
  const { output } = await build({
    input: { [name]: entry },
    platform: 'node',
    resolve: { mainFields: ['module', 'main'] },
    plugins: [noDefaultCredentials, ...plugins],
    logLevel: 'warn',
    output: {
      dir: folder,
      format: 'cjs',
      codeSplitting: split,
      entryFileNames: '[name].js',
      chunkFileNames: 'chunks/[name].js',
      // The text of what has been loaded stays in memory. Names stay too: a stack from the field has to be read.
      minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    },
  });
  return output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
}
