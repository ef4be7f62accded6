/**
 * What the tests of test/fuzz have in common. Each property runs as often as fits into a few seconds; for a
 * long campaign with new cases multiply the runs: `FUZZ_RUNS=20 npx jest test/fuzz` (properties.ts). An
 * exception or a rejection that nobody catches fails the test in which it happens: Jest sees to that.
 */

const factor = Number(process.env['FUZZ_RUNS'] ?? 1);
if (!(factor > 0)) throw new Error('FUZZ_RUNS is to be a number above 0');

export function runs(usual: number): { readonly numRuns: number } {
  return { numRuns: Math.max(1, Math.round(usual * factor)) };
}

/** To be called at the top of a file: shrinking takes its time, and nothing here is timed. */
export function allowTime(): void {
  jest.setTimeout(120_000 * Math.max(1, factor));
}

/** Throws where something that has to hold does not, with the facts. */
export function ensure(holds: boolean, what: string, ...facts: readonly unknown[]): void {
  if (!holds) throw new Error([what, ...facts.map((fact) => shortened(fact))].join('\n'));
}

function shortened(fact: unknown): string {
  const text = typeof fact === 'string' ? fact : (JSON.stringify(fact) ?? String(fact));
  return text.length > 4_000 ? `${text.slice(0, 4_000)}... (${text.length} characters)` : text;
}
