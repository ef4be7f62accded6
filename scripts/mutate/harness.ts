/** Runs bundled tests, or seeds of the simulation, with one mutant on: no more of Jest than the tests of the core use. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { expect } from 'expect';
import fc from 'fast-check';
import { bind } from 'jest-each';
import { root } from './bundle';

export type Case = { readonly name: string; readonly run: () => void };
type Reached = (first: number, last: number) => void;
type Bundle = (...given: readonly unknown[]) => void;

/** In a mutant's hands a test may never end: when it has had the processor for this long, it never does. */
const LIMIT_MS = 4_000;
/** Enough for most that a property can find, and the same ones each time. */
const PROPERTY_RUNS = 20;
const PROPERTY_SEED = 1;

const requireHere = createRequire(join(root, 'package.json'));

/** fast-check with the same runs for every mutant, and without the search for the shortest counterexample. */
const steadyFastCheck = {
  ...fc,
  assert: (property: fc.IProperty<unknown>, parameters: fc.Parameters<unknown> = {}) => {
    const numRuns = Math.min(parameters.numRuns ?? 100, PROPERTY_RUNS);
    return fc.assert(property, { ...parameters, numRuns, seed: PROPERTY_SEED, endOnFailure: true });
  },
};

const provided = (name: string): unknown =>
  name === 'fast-check'
    ? { ...steadyFastCheck, default: steadyFastCheck, __esModule: true }
    : requireHere(name);

function compiled(text: string, names: readonly string[], filename: string): Bundle {
  const script = new Script(`(function (${names.join(', ')}) {${text}\n})`, { filename });
  return script.runInThisContext() as Bundle;
}

/** The test cases of a bundle with this mutant on (0: none), in the order of their files. */
export function testsOf(text: string): (mutant: number, reached?: Reached) => readonly Case[] {
  const bundle = compiled(
    text,
    ['require', '__mutant', '__reached', '__file', 'describe', 'test', 'expect'],
    'tests',
  );
  return (mutant, reached = () => undefined) => {
    const cases: Case[] = [];
    const titles: string[] = [];
    const add = (name: string, run: () => void): void => {
      cases.push({ name: [...titles, name].join(' > '), run });
    };
    const describe = (name: string, body: () => void): void => {
      titles.push(name);
      body();
      titles.pop();
    };
    const test = Object.assign(add, { each: bind(add as never, false) });
    Object.assign(describe, { each: bind(describe as never, false) });
    bundle(provided, mutant, reached, (file: string) => titles.splice(0, 1, file), describe, test, expect);
    return cases;
  };
}

/** Runs one seed of the simulation; it throws what breaks. */
export function simulationOf(text: string): (mutant: number, reached?: Reached) => (seed: number) => void {
  const bundle = compiled(text, ['require', '__mutant', '__reached', '__simulation'], 'simulation');
  return (mutant, reached = () => undefined) => {
    let run: (seed: number) => void = () => undefined;
    bundle(provided, mutant, reached, (given: (seed: number) => void) => (run = given));
    return run;
  };
}

const limited = new Script('__limited()');

/** Runs this to its end, or to the limit; returns what it threw, or null. It has to be something that can begin again. */
export function failureOf(run: () => void): string | null {
  Object.assign(globalThis, { __limited: run });
  const before = process.cpuUsage();
  for (;;) {
    try {
      limited.runInThisContext({ timeout: LIMIT_MS });
      return null;
    } catch (error: unknown) {
      const { user } = process.cpuUsage(before);
      // Other programs may have had the processor meanwhile.
      if (isTimeout(error) && user / 1000 < LIMIT_MS * 0.75) continue;
      return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? '';
    }
  }
}

const isTimeout = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
