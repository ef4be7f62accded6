// The daemon as a few tree-shaken files: the EC2 client alone has several hundred commands, and memory on
// the router is scarce. Each command of the daemon loads its own chunk; the .proto files stay beside them.
import { cpSync, rmSync } from 'node:fs';

/** We always pass credentials of our own, so the SDK's chain of providers is dead weight (SSO, STS, ...). */
const DEFAULT_CREDENTIALS = '@aws-sdk/credential-provider-node';

export default {
  input: { main: 'src/main.ts' },
  platform: 'node',
  resolve: { mainFields: ['module', 'main'] },
  output: {
    dir: 'dist',
    format: 'cjs',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
  },
  plugins: [
    {
      name: 'no-default-credentials',
      resolveId: (id) => (id === DEFAULT_CREDENTIALS ? `\0${id}` : null),
      load: (id) =>
        id === `\0${DEFAULT_CREDENTIALS}`
          ? "export const defaultProvider = () => { throw new Error('credentials have to be passed'); };"
          : null,
    },
    {
      name: 'clean-and-copy',
      buildStart: () => rmSync('dist', { recursive: true, force: true }),
      writeBundle: () => cpSync('proto', 'dist/proto', { recursive: true }),
    },
  ],
};
