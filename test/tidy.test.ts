import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(__dirname, '..');

function filesBelow(folder: string, ending: string): readonly string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !name.includes('node_modules'))
    .map((name) => join(folder, name));
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

const folders = ['.', 'src', 'src/heal', 'config', 'config/heal', 'docker', 'xr-appmgr', 'deploy'];
const pages = [
  ...folders.map((folder) => join(folder, 'README.md')),
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...filesBelow('docs', '.md'),
];
const sources = [...filesBelow('src', '.ts'), ...filesBelow('lab', '.ts')];

describe('the documents', () => {
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target = '']) => ({ page, target }))
      .filter(({ target }) => !/^[a-z]+:/.test(target)),
  );

  test.each(links)('$page links to $target, which is there', ({ page, target }) => {
    expect(existsSync(join(root, dirname(page), target))).toBe(true);
  });

  test('name only npm scripts that exist', () => {
    const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);
    const named = pages.flatMap((page) =>
      [...read(page).matchAll(/npm run (?:-s )?([a-z:-]*[a-z])/g)].map(([, name]) => name),
    );
    expect(named.filter((name) => !scripts.includes(name ?? ''))).toEqual([]);
  });

  test('carry the licence and tell of the version that package.json names', () => {
    const { license, version } = JSON.parse(read('package.json')) as { license: string; version: string };
    expect(license).toBe('Apache-2.0');
    expect(read('LICENSE')).toMatch(/Apache License\s+Version 2\.0, January 2004/);
    expect(read('CHANGELOG.md')).toContain(`\n## ${version}\n`);
  });

  test('the code map names every folder of src', () => {
    const map = read('src/README.md');
    const folders = readdirSync(join(root, 'src')).filter((name) =>
      statSync(join(root, 'src', name)).isDirectory(),
    );
    expect(folders.filter((name) => !map.includes(`[${name}](${name})`))).toEqual([]);
  });

  test('the code map and the transcripts name the same rules', () => {
    const mapped = [...read('src/README.md').matchAll(/^\| (\d+) /gm)].map(([, rule]) => Number(rule));
    const told = filesBelow('test/transcripts', '.txt').flatMap((name) => {
      const rule = /rule(\d+)-/.exec(name)?.[1];
      return rule === undefined ? [] : [Number(rule)];
    });
    expect([...new Set(told)].sort((a, b) => a - b)).toEqual(mapped);
  });
});

describe('the sources', () => {
  test.each(sources)('%s says at its top what it is for', (path) => {
    expect(read(path).replace(/^#!.*\n/, '')).toMatch(/^(\/\*\*|\/\/ )/);
  });

  test('import nothing upwards: nobody imports daemon.ts or main.ts but main.ts itself', () => {
    const importers = filesBelow('src', '.ts').filter((path) =>
      /from '(\.\.?\/)+(daemon|main)'|import\('(\.\.?\/)+(daemon|main)'\)/.test(read(path)),
    );
    expect(importers.map((path) => relative('src', path))).toEqual(['main.ts']);
  });
});
