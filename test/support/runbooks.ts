/** The commands of docs/runbooks.md, and what stands there that one sees. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** `where`: a router's prompt, the workstation, or what people and AWS do. */
export type Step = {
  readonly line: number;
  readonly where: 'rtr1' | 'rtr2' | 'build' | 'outside';
  readonly command: string;
  /** Each stands in what comes, in this order; `...` for whatever. */
  readonly sees: readonly RegExp[];
};

export type Runbook = { readonly title: string; readonly steps: readonly Step[] };

const PROMPT = /^(?:(rtr1|rtr2)#|(build)\$|(--)) (.+)$/;

export const runbooksPath = join(__dirname, '..', '..', 'docs', 'runbooks.md');

/** By heading; what stands before the first one has the title of the page. */
export function readRunbooks(text = readFileSync(runbooksPath, 'utf8')): readonly Runbook[] {
  const runbooks: { title: string; steps: Step[] }[] = [];
  let isConsole = false;
  for (const [index, content] of text.split('\n').entries()) {
    const heading = /^#{1,2} (.+)$/.exec(content);
    if (heading !== null && !isConsole) runbooks.push({ title: heading[1] ?? '', steps: [] });
    if (content.startsWith('```')) {
      isConsole = content === '```console';
      continue;
    }
    const steps = runbooks.at(-1)?.steps;
    if (!isConsole || steps === undefined) continue;
    const prompt = PROMPT.exec(content);
    const last = steps.at(-1);
    if (prompt !== null) {
      const [, router, build, , command = ''] = prompt;
      const where =
        router === 'rtr1' || router === 'rtr2' ? router : build === undefined ? 'outside' : 'build';
      steps.push({ line: index + 1, where, command, sees: [] });
    } else if (last === undefined)
      throw new Error(`docs/runbooks.md:${index + 1}: an answer without a command`);
    else steps[steps.length - 1] = { ...last, sees: [...last.sees, patternOf(content)] };
  }
  return runbooks;
}

const patternOf = (words: string): RegExp =>
  new RegExp(
    `^${words
      .split('...')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  );

/** The first of them that does not come, in their order; null: all do. */
export function missingIn(output: string, sees: readonly RegExp[]): RegExp | null {
  const lines = output.split('\n').map((line) => line.trimEnd());
  let from = 0;
  for (const pattern of sees) {
    const at = lines.findIndex((line, index) => index >= from && pattern.test(line));
    if (at === -1) return pattern;
    from = at + 1;
  }
  return null;
}
