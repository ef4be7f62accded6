/** What depends on the kind of a target stands in the descriptors of the kinds: nothing else asks for a kind by its name. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import type { Kind } from '../src/aws/description';

const src = resolve(__dirname, '../src');
const NAMES = {
  privateAddress: true,
  ipv6Address: true,
  route: true,
  elasticIp: true,
} as const satisfies Record<Kind, true>;
/** The healer knows no targets. */
const DESCRIPTORS = /^(config\/kinds|aws\/description|aws\/kinds(\/\w+)?)\.ts$|^heal\//;

/** Lines where a kind's name stands as a value; in a type it is no comparison. */
function namedIn(text: string): readonly number[] {
  const file = ts.createSourceFile('sample.ts', text, ts.ScriptTarget.Latest, true);
  const lines: number[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) && node.text in NAMES && !ts.isLiteralTypeNode(node.parent))
      lines.push(file.getLineAndCharacterOfPosition(node.getStart()).line + 1);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return lines;
}

const sources = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);

test.each(sources.filter((name) => !DESCRIPTORS.test(name)))('%s asks for no kind by its name', (name) => {
  expect(namedIn(readFileSync(join(src, name), 'utf8'))).toEqual([]);
});

test.each([
  ['a comparison', "if (target.kind === 'route') move();"],
  ['a case', "switch (kind) { case 'elasticIp': break; }"],
  ['a list', "['privateAddress'].includes(kind);"],
  ['an argument', "filter(isOfKind('ipv6Address'));"],
])('%s with a kind is found', (_what, text) => {
  expect(namedIn(text)).toEqual([1]);
});

test('a type that names a kind is none', () => {
  expect(namedIn("type RouteTarget = TargetOf<'route'>;")).toEqual([]);
});
