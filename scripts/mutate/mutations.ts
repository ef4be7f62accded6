/**
 * The small mutations of one source file, all of them in one text: each mutated place asks which mutant is on. So one
 * build serves every mutant, and telling which of them a test reaches takes one run of it.
 */
import ts from 'typescript';

export type Mutant = {
  readonly id: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The line of the source, without its indentation: with `what` it names the mutant while line numbers change. */
  readonly code: string;
  readonly what: string;
};

/** A way to write a node otherwise; the text null takes a statement out. */
type Change = { readonly text: string; readonly what: string };

const RELATIONAL: { readonly [operator: string]: readonly string[] } = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '**': ['*'],
};

const METHODS: { readonly [name: string]: string } = { some: 'every', every: 'some', min: 'max', max: 'min' };
/** Calls that give back their subject, filtered or ordered: without them it comes as it is. */
const SIEVES = ['filter', 'sort', 'toSorted', 'slice', 'reverse', 'toReversed'];
const WORDS: { readonly [word: string]: string } = { notable: 'routine', routine: 'notable' };

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

/**
 * Takes one file. In the text that comes back `__mutant` is the number of the mutant that is on, and
 * `__reached(first, last)` is called where mutants are reached when `covering` is asked for instead.
 */
export function mutate(
  file: string,
  source: string,
  firstId: number,
  covering: boolean,
): { readonly text: string; readonly mutants: readonly Mutant[] } {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2023, true);
  const lines = source.split('\n');
  const mutants: Mutant[] = [];

  function register(node: ts.Node, what: string): number {
    const { line, character } = tree.getLineAndCharacterOfPosition(node.getStart(tree));
    const id = firstId + mutants.length;
    mutants.push({
      id,
      file,
      line: line + 1,
      column: character + 1,
      code: (lines[line] ?? '').trim(),
      what: oneLine(what),
    });
    return id;
  }

  /** The text of a node in which everything below it can be mutated. */
  function inner(node: ts.Node): string {
    let text = '';
    let at = node.getStart(tree);
    node.forEachChild((child) => {
      const start = child.getStart(tree);
      text += source.slice(at, start) + render(child);
      at = child.end;
    });
    return text + source.slice(at, node.end);
  }

  function render(node: ts.Node): string {
    if (ts.isTypeNode(node) || ts.isTypeAliasDeclaration(node) || ts.isImportDeclaration(node))
      return node.getText(tree);
    if (ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node)) return property(node);
    if (ts.isStatement(node)) return statement(node);
    if (ts.isExpression(node) && !isLink(node)) return expression(node);
    return inner(node);
  }

  function expression(node: ts.Expression): string {
    const changes = changesOf(node, tree);
    const ids = changes.map(({ what }) => register(node, what));
    const text = inner(node);
    const [first] = ids;
    if (first === undefined) return text;
    if (covering) return `(__reached(${first}, ${ids.at(-1)}), ${text})`;
    const others = changes.map((change, index) => `__mutant === ${ids[index]} ? (${change.text}) : `);
    return `(${others.join('')}(${text}))`;
  }

  function statement(node: ts.Statement): string {
    const without = removalOf(node, tree);
    if (without === null) return inner(node);
    const id = register(node, without.what);
    const text = inner(node);
    if (covering) return `{ __reached(${id}, ${id}); ${text} }`;
    return `{ if (__mutant === ${id}) { ${without.text} } else { ${text} } }`;
  }

  /** One field of a change to something: without it, the old value stays. */
  function property(node: ts.PropertyAssignment | ts.ShorthandPropertyAssignment): string {
    const { properties } = node.parent;
    const name = node.name.getText(tree);
    const changes = ts.isSpreadAssignment(properties[0] ?? node);
    if (!changes) return inner(node);
    const id = register(node, `${name} is not changed`);
    const value = ts.isPropertyAssignment(node) ? render(node.initializer) : name;
    if (covering) return `${name}: (__reached(${id}, ${id}), ${value})`;
    return `...(__mutant === ${id} ? {} : { ${name}: ${value} })`;
  }

  return { text: inner(tree), mutants };
}

/** Parentheses around a part of an optional chain would end what a missing value skips. */
function isLink(node: ts.Expression): boolean {
  const { parent } = node;
  return ts.isOptionalChain(parent) && parent.expression === node;
}

function changesOf(node: ts.Expression, tree: ts.SourceFile): readonly Change[] {
  const text = (of: ts.Node): string => of.getText(tree);
  const to = (change: string): Change => ({ text: change, what: `${text(node)} → ${change}` });
  const negated = isCondition(node) && !ts.isBinaryExpression(node) && !ts.isPrefixUnaryExpression(node);
  const changes: Change[] = negated && !isLiteral(node) ? [to(`!(${text(node)})`)] : [];
  if (ts.isBinaryExpression(node)) return [...changes, ...binaryChanges(node, tree, to)];
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
    return [to(text(node.operand))];
  if (ts.isNumericLiteral(node)) {
    const value = Number(node.text);
    return [to(String(value + 1)), to(`(${value - 1})`)];
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword) return [to('false')];
  if (node.kind === ts.SyntaxKind.FalseKeyword) return [to('true')];
  if (ts.isStringLiteral(node) && WORDS[node.text] !== undefined) return [to(`'${WORDS[node.text]}'`)];
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    const { expression: subject, name, questionDotToken } = node.expression;
    const otherwise = METHODS[name.text];
    const args = node.arguments.map(text).join(', ');
    const dot = questionDotToken === undefined ? '.' : '?.';
    if (otherwise !== undefined) changes.push(to(`${text(subject)}${dot}${otherwise}(${args})`));
    if (SIEVES.includes(name.text))
      changes.push({ text: text(subject), what: `${text(node)} → ${text(subject)}` });
  }
  return changes;
}

function binaryChanges(
  node: ts.BinaryExpression,
  tree: ts.SourceFile,
  to: (change: string) => Change,
): readonly Change[] {
  const operator = node.operatorToken.getText(tree);
  const [left, right] = [node.left.getText(tree), node.right.getText(tree)];
  switch (operator) {
    case '&&':
    case '||': {
      const swapped = to(`(${left}) ${operator === '&&' ? '||' : '&&'} (${right})`);
      // Of `a && b && c` the last is taken out here, and the others where `a && b` is looked at.
      const isChain = ts.isBinaryExpression(node.left) && node.left.operatorToken.getText(tree) === operator;
      return [swapped, to(left), ...(isChain ? [] : [to(right)])];
    }
    case '??':
      return [to(left), to(right)];
    case '+':
      return isText(node.left, tree) || isText(node.right, tree) ? [] : [to(`${left} - (${right})`)];
    default:
      return (RELATIONAL[operator] ?? []).map((other) => to(`${left} ${other} ${right}`));
  }
}

function isText(node: ts.Expression, tree: ts.SourceFile): boolean {
  if (ts.isParenthesizedExpression(node)) return isText(node.expression, tree);
  if (ts.isBinaryExpression(node)) return isText(node.left, tree) || isText(node.right, tree);
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}

const isLiteral = (node: ts.Expression): boolean =>
  node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword;

function isCondition(node: ts.Expression): boolean {
  const { parent } = node;
  return (
    (ts.isIfStatement(parent) && parent.expression === node) ||
    (ts.isConditionalExpression(parent) && parent.condition === node)
  );
}

/** What stands for a statement that is taken out; null where taking it out makes no sense. */
function removalOf(node: ts.Statement, tree: ts.SourceFile): Change | null {
  const what = `${oneLine(node.getText(tree)).replace(/;$/, '')} → removed`;
  // A condition with what it guards.
  if (ts.isIfStatement(node) && node.elseStatement === undefined) return { text: '', what };
  if (ts.isExpressionStatement(node)) return { text: '', what };
  if (ts.isReturnStatement(node) && node.expression !== undefined && isInProcedure(node)) {
    return ts.isCallExpression(node.expression) ? { text: 'return;', what } : null;
  }
  return null;
}

/** Whether what is returned here is thrown away: `return note(...)` is a way to write two statements in one. */
function isInProcedure(node: ts.Node): boolean {
  for (let { parent } = node; parent !== undefined; { parent } = parent) {
    if (!ts.isFunctionLike(parent)) continue;
    return parent.type?.kind === ts.SyntaxKind.VoidKeyword;
  }
  return false;
}
