/**
 * The bundle of the product: a few tree-shaken files, because the EC2 client alone has several hundred commands and
 * memory on the router is scarce. Each command of the daemon loads its own; the .proto files stay beside.
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

export async function bundle(folder: string, version: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  const { output } = await build({
    input: { main: join(root, 'src', 'main.ts') },
    platform: 'node',
    resolve: { mainFields: ['module', 'main'] },
    plugins: [noDefaultCredentials, versioned(version)],
    logLevel: 'warn',
    output: {
      dir: folder,
      format: 'cjs',
      entryFileNames: '[name].js',
      chunkFileNames: 'chunks/[name].js',
      // The text of what has been loaded stays in memory. Names stay too: a stack from the field has to be read.
      minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    },
  });
  const modules = output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
  writeShipped(modules, folder);
  cpSync(join(root, 'proto'), join(folder, 'proto'), { recursive: true });
}
