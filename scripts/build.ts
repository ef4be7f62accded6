/**
 * Builds `dist/`: a few tree-shaken files, because the EC2 client alone has several hundred commands and
 * memory on the router is scarce. Each command of the daemon loads its own; the .proto files stay beside.
 */
import { cpSync, rmSync } from 'node:fs';
import { build, type Plugin } from 'rolldown';

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

async function main(): Promise<void> {
  rmSync('dist', { recursive: true, force: true });
  await build({
    input: { main: 'src/main.ts' },
    platform: 'node',
    resolve: { mainFields: ['module', 'main'] },
    plugins: [noDefaultCredentials],
    logLevel: 'warn',
    output: {
      dir: 'dist',
      format: 'cjs',
      entryFileNames: '[name].js',
      chunkFileNames: 'chunks/[name].js',
    },
  });
  cpSync('proto', 'dist/proto', { recursive: true });
}

void main();
