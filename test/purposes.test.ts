/** What tells the purposes of a move from each other stands in one table: nothing else asks for a purpose by its name. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import type { Purpose } from '../src/core/state/model';

const src = resolve(__dirname, '../src');
const NAMES = {
  takeover: true,
  evidence: true,
  repair: true,
  claim: true,
  preemption: true,
  switchover: true,
  giveBack: true,
} as const satisfies Record<Purpose, true>;

/** Lines that compare with the name of a purpose or list such names; what a rule calls for is a property and is no question. */
function askedIn(text: string): readonly number[] {
  const file = ts.createSourceFile('sample.ts', text, ts.ScriptTarget.Latest, true);
  const lines: number[] = [];
  const visit = (node: ts.Node): void => {
    const { parent } = node;
    const isAsked =
      ts.isStringLiteralLike(node) &&
      node.text in NAMES &&
      ((ts.isBinaryExpression(parent) && /purpose/i.test(parent.getText())) ||
        ts.isCaseClause(parent) ||
        ts.isArrayLiteralExpression(parent));
    if (isAsked) lines.push(file.getLineAndCharacterOfPosition(node.getStart()).line + 1);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return lines;
}

const sources = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
  (name) => /^(core|runtime|status|history|report)\//.test(name) && name.endsWith('.ts'),
);

test.each(sources)('%s asks for no purpose by its name', (name) => {
  expect(askedIn(readFileSync(join(src, name), 'utf8'))).toEqual([]);
});

test.each([
  ['a comparison', "if (attempt.purpose === 'claim') end();"],
  ['a case', "switch (purpose) { case 'giveBack': break; }"],
  ['a list', "['takeover'].includes(purpose);"],
])('%s with a purpose is found', (_what, text) => {
  expect(askedIn(text)).toEqual([1]);
});

test.each(["openAttempt({ purpose: 'switchover' });", "type P = Exclude<Purpose, 'giveBack'>;"])(
  'what gives a purpose does not ask for one: %s',
  (text) => {
    expect(askedIn(text)).toEqual([]);
  },
);
