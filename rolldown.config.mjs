// One tree-shaken file for the daemon: the EC2 client alone has several hundred commands, and the
// router's memory is what decides (see docs/benchmarks.md). The .proto files stay beside it.
import { cpSync } from 'node:fs';

export default {
  input: 'src/main.ts',
  platform: 'node',
  resolve: { mainFields: ['module', 'main'] },
  output: {
    file: 'dist/main.js',
    format: 'cjs',
    codeSplitting: false,
    banner: '#!/usr/bin/env node',
  },
  plugins: [
    {
      name: 'copy-proto',
      writeBundle() {
        cpSync('proto', 'dist/proto', { recursive: true });
      },
    },
  ],
};
