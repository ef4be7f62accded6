/** Pages that name tests: a cell holds `[file](../file) "name of the test"`, several with a break between them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

export type NamedTest = { readonly file: string; readonly name: string };

/** @throws Error for an entry of another form. */
export function namedTests(cell: string): readonly NamedTest[] {
  return cell
    .split('<br>')
    .filter((entry) => entry !== '—')
    .map((entry) => {
      const [, label = '', target = '', , name = ''] =
        /^\[([^\]]+)\]\(\.\.\/([^)]+)\)( "(.+)")?$/.exec(entry) ?? [];
      if (target === '' || label !== target) throw new Error(`a strange test: ${entry}`);
      return { file: target, name };
    });
}

/** A story is its file; every other test is found by its name as the source has it. */
export function isThere({ file, name }: NamedTest): boolean {
  const path = join(root, file);
  if (!existsSync(path)) return false;
  if (file.endsWith('.txt')) return name === '';
  const source = readFileSync(path, 'utf8');
  return name !== '' && [`'${name}'`, `"${name}"`].some((quoted) => source.includes(quoted));
}

export function pageOf(name: string): string {
  return readFileSync(join(root, 'docs', name), 'utf8');
}
