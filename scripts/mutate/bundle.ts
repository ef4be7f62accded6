/** Bundles the tests of the core, or the simulation, with a core in which every mutant can be switched on. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { mutate, type Mutant } from './mutations';

export const root = join(__dirname, '..', '..');
const core = join(root, 'src', 'core');

export type Core = { readonly mutants: readonly Mutant[]; readonly texts: ReadonlyMap<string, string> };

export function mutatedCore(covering: boolean): Core {
  const mutants: Mutant[] = [];
  const texts = new Map<string, string>();
  for (const name of readdirSync(core, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!name.endsWith('.ts')) continue;
    const path = join(core, name);
    const mutated = mutate(name, readFileSync(path, 'utf8'), mutants.length + 1, covering);
    mutants.push(...mutated.mutants);
    texts.set(path, mutated.text);
  }
  return { mutants, texts };
}

/** Table tests, properties and transcripts; purity.test.ts is about the source and not about what it does. */
export function testFiles(): readonly string[] {
  const tables = readdirSync(join(root, 'test', 'core'))
    .filter((name) => name.endsWith('.test.ts') && name !== 'purity.test.ts')
    .sort();
  return ['test/transcripts/transcripts.test.ts', ...tables.map((name) => `test/core/${name}`)];
}

export async function bundled(entry: string, { texts }: Core): Promise<string> {
  const mutants: Plugin = {
    name: 'mutants',
    setup: (bundling) => {
      bundling.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = texts.get(path) ?? readFileSync(path, 'utf8');
        // Tests look for files beside them.
        const folder = contents.includes('__dirname')
          ? `const __dirname = ${JSON.stringify(dirname(path))};\n`
          : '';
        return { contents: folder + contents, loader: 'ts' };
      });
    },
  };
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: root, sourcefile: relative(root, join(root, 'entry.js')) },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    packages: 'external',
    plugins: [mutants],
    logLevel: 'warning',
  });
  return outputFiles[0]?.text ?? '';
}

export const testEntry = (): string =>
  testFiles()
    .map((file) => `__file(${JSON.stringify(file)}); require(${JSON.stringify(`./${file}`)});`)
    .join('\n');

export const simulationEntry =
  "const { scenarioOf } = require('./sim/scenario'); const { run } = require('./sim/world'); __simulation((seed) => run(scenarioOf(seed)));";
