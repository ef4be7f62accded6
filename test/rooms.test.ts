/** Imports go one way: lint holds the table of the map, and no file can be reached from itself. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(__dirname, '..');
const src = join(root, 'src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

function lint(file: string, texts: readonly string[]): readonly (readonly string[])[] {
  const output = execFileSync(process.execPath, [join(__dirname, 'core/lintSamples.mjs'), join(src, file)], {
    cwd: root,
    input: JSON.stringify(texts),
    encoding: 'utf8',
  });
  return JSON.parse(output) as readonly (readonly string[])[];
}

test.each([
  ['config/sample.ts', "import '../aws/kinds';\n"],
  ['runtime/sample.ts', "import '../slapi/client';\n"],
  ['slapi/sample.ts', "import '../aws/kinds';\n"],
  ['slapi/sample.ts', "import '../config/load';\n"],
  ['aws/reads/sample.ts', "import { step } from '../../core/step';\nexport const one = step;\n"],
  ['store/sample.ts', "export * from '../runtime/loop';\n"],
  ['telemetry/sample.ts', "import '../core/step';\n"],
  ['control/sample.ts', "import { step } from '../core/step';\nexport const one = step;\n"],
  ['report/sample.ts', "import '../aws/kinds';\n"],
  ['status/sample.ts', "import '../store/memory';\n"],
  ['cli/sample.ts', "import '../slapi/client';\n"],
  ['heal/sample.ts', "import '../runtime/loop';\n"],
  ['wellness.ts', "import './backoff';\n"],
])('in %s lint refuses %j', (file, text) => {
  expect(lint(file, [text])).toEqual([['map/rooms']]);
});

test('lint lets a room name the types that the map allows, and what is in the room itself', () => {
  const types = "import type { State } from '../core/state/state';\nexport type One = State;\n";
  const own = "import { openChannel } from './channel';\nexport const one = openChannel;\n";
  expect(lint('slapi/sample.ts', [types, own])).toEqual([[], []]);
});

/** Files that can be reached from themselves by imports, of types too. */
function circles(imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return [...imports.keys()].filter((from) => {
    const reached = new Set<string>();
    const queue = [...(imports.get(from) ?? [])];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (reached.has(next)) continue;
      reached.add(next);
      queue.push(...(imports.get(next) ?? []));
    }
    return reached.has(from);
  });
}

test('no file of src can be reached from itself', () => {
  const imports = new Map(
    files.map((name) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(src, name), 'utf8'));
      const named = importedFiles.filter(({ fileName }) => fileName.startsWith('.'));
      return [name, named.map(({ fileName }) => `${join(dirname(name), fileName)}.ts`)] as const;
    }),
  );
  expect(circles(imports)).toEqual([]);
});

test('a circle is found', () => {
  expect(
    circles(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['b']],
      ]),
    ),
  ).toEqual(['b', 'c']);
});
