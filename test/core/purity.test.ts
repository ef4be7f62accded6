/** The core has no I/O, clock, randomness, promise or logging: its compiler options and the linter say so. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(__dirname, '../..');
const core = join(root, 'src/core');
const healCore = join(root, 'src/heal/core');
const sourcesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const sources = [core, healCore].flatMap((folder) =>
  sourcesOf(folder).map((name) => [name, folder] as const),
);

test.each(sources)('%s imports nothing from outside its folder %s', (name, folder) => {
  const { importedFiles, libReferenceDirectives, typeReferenceDirectives, referencedFiles } =
    ts.preProcessFile(readFileSync(join(folder, name), 'utf8'));
  const outside = importedFiles
    .map(({ fileName }) => fileName)
    .filter((path) => !sourcesOf(folder).includes(`${join(dirname(name), path)}.ts`));
  expect(outside).toEqual([]);
  expect([...libReferenceDirectives, ...typeReferenceDirectives, ...referencedFiles]).toEqual([]);
});

test("the healer's core has the compiler options of the daemon's", () => {
  const [own, other] = [core, healCore].map((folder) => {
    const { compilerOptions } = ts.parseConfigFileTextToJson(
      'tsconfig.json',
      readFileSync(join(folder, 'tsconfig.json'), 'utf8'),
    ).config as { compilerOptions: unknown };
    return compilerOptions;
  });
  expect(other).toEqual(own);
});

describe("the core's compiler options", () => {
  const path = join(core, 'tsconfig.json');
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined };
  const options = ts.getParsedCommandLineOfConfigFile(path, {}, host)?.options ?? {};

  const onDisk = ts.createCompilerHost(options);
  const parsed = new Map<string, ts.SourceFile | undefined>();
  const library = (name: string, version: ts.ScriptTarget | ts.CreateSourceFileOptions) => {
    if (!parsed.has(name)) parsed.set(name, onDisk.getSourceFile(name, version));
    return parsed.get(name);
  };

  function mistakesIn(text: string): readonly string[] {
    const sample = join(core, 'sample.ts');
    const host = ts.createCompilerHost(options);
    host.fileExists = (name) => name === sample || onDisk.fileExists(name);
    host.getSourceFile = (name, version) =>
      name === sample ? ts.createSourceFile(name, text, version) : library(name, version);
    const program = ts.createProgram([sample], options, host);
    return ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
  }

  test('accept plain TypeScript', () => {
    expect(mistakesIn('export const one: number = Math.max(...Object.values({ a: 1 }));')).toEqual([]);
  });

  test.each([
    ['process', 'export const one = process.env;'],
    ['setTimeout', 'setTimeout(() => undefined, 1); export {};'],
    ['console', 'console.log(1); export {};'],
    ['fetch', "export const one = fetch('http://localhost');"],
    ['performance', 'export const one = performance.now();'],
    ['AbortSignal', 'export const one = AbortSignal.timeout(1);'],
    ['node:fs', "export * from 'node:fs';"],
    ['node:net', "export const one = () => import('node:net');"],
    ['rootDir', "export * from '../config/settings';"],
  ])('do not know %s', (name, text) => {
    const mistakes = mistakesIn(text);
    expect(mistakes.length).toBeGreaterThan(0);
    expect(mistakes.join()).toContain(name);
  });
});

describe.each([core, healCore])('the linter, in %s', (folder) => {
  const allowed = "import { sharedCall } from './kinds';\nexport const one = sharedCall;\n";
  const rejected: readonly (readonly [string, string])[] = [
    ['Date.now', 'export const one = Date.now();\n'],
    ['new Date', 'export const one = new Date();\n'],
    ['Math.random', 'export const one = Math.random();\n'],
    ['Promise', 'export const one = Promise.resolve(1);\n'],
    ['await', 'export const one = await 1;\n'],
    ['an async function', 'export async function one() {\n  return 1;\n}\n'],
    ['an async arrow', 'export const one = async (): Promise<number> => 1;\n'],
    ['an import at run time', "export const one = import('./kinds');\n"],
    ['globalThis', 'export const one = globalThis;\n'],
    ['an import of node:', "import 'node:fs';\n"],
    ['an import of a package', "import { z } from 'zod';\nexport const one = z;\n"],
    ['an import of a scoped package', "import '@grpc/grpc-js';\n"],
    ['an import from another folder', "import '../config/settings';\n"],
    ['a type from another folder', "import type { A } from '../config/settings';\nexport type B = A;\n"],
    ['a re-export from another folder', "export * from '../config/settings';\n"],
  ];
  const samples = [allowed, ...rejected.map(([, text]) => text)];
  const output = execFileSync(
    process.execPath,
    [join(__dirname, 'lintSamples.mjs'), join(folder, 'sample.ts')],
    { cwd: root, input: JSON.stringify(samples), encoding: 'utf8' },
  );
  const broken = JSON.parse(output) as readonly (readonly string[])[];

  test('accepts an import from beside it', () => {
    expect(broken[0]).toEqual([]);
  });

  test.each(rejected.map(([what], index) => [what, index + 1] as const))('rejects %s', (_what, index) => {
    expect(broken[index]?.filter((rule) => rule.startsWith('no-restricted-'))).not.toEqual([]);
  });
});
