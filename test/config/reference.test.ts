/** The generated reference is up to date, and the schema keeps the promises that it states. */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { generated } from '../../scripts/docs';
import { outline } from '../../src/config/outline';
import { documentSchema } from '../../src/config/schema';

const root = join(__dirname, '../..');

test.each(generated().map(({ path, text }) => [relative(root, path), path, text] as const))(
  '%s is up to date; if not: npx tsx scripts/docs.ts',
  (_name, path, text) => {
    expect(readFileSync(path, 'utf8')).toBe(text);
  },
);

type Leaf = { readonly key: string; readonly schema: z.core.$ZodType };

function leaves(schema: z.core.$ZodType, key: string): readonly Leaf[] {
  const node = outline(schema);
  switch (node.kind) {
    case 'object':
      return [...node.members].flatMap(([name, member]) => leaves(member, name));
    case 'list':
      return leaves(node.entry, key);
    case 'value':
      return [{ key, schema }];
  }
}

const all = leaves(documentSchema, '');

test('every key has a sentence', () => {
  expect(all.length).toBeGreaterThan(30);
  const silent = all.filter(({ schema }) => !/^[A-Z].*\.$/s.test(outline(schema).notes.description ?? ''));
  expect(silent.map(({ key }) => key)).toEqual([]);
});

test('every default is valid and sensible', () => {
  const odd = all.filter(({ schema }) => {
    if (!(schema instanceof z.ZodDefault)) return false;
    const value: unknown = schema.def.defaultValue;
    const { atLeast, atMost } = outline(schema).notes;
    if (!z.safeParse(schema.def.innerType, value).success) return true;
    return (
      typeof value === 'number' && (value < (atLeast?.limit ?? value) || value > (atMost?.limit ?? value))
    );
  });
  expect(odd.map(({ key }) => key)).toEqual([]);
});

test('a key of our own carries its unit as a suffix', () => {
  const suffixes = { s: '_s', ms: '_ms', µs: '_usec' };
  const odd = all.filter(({ key, schema }) => {
    const { unit, dropIn } = outline(schema).notes;
    return unit !== undefined && dropIn !== true && !key.endsWith(suffixes[unit]);
  });
  expect(odd.map(({ key }) => key)).toEqual([]);
});
