/** A run told from its beginning, as an engineer would read it. */
import type { Scenario } from './scenario';
import { run, Violation } from './world';

export function storyOf(scenario: Scenario): string {
  const { settings, faults, death } = scenario;
  const lines = [
    JSON.stringify(settings),
    ...faults.map((fault) => `fault ${JSON.stringify(fault)}`),
    ...(death === null ? [] : [`death ${JSON.stringify(death)}`]),
  ];
  const clock = (at: number): string => (at / 1000).toFixed(3).padStart(8);
  try {
    run(scenario, (at, router, what) =>
      lines.push(`${clock(at)} ${router === null ? '   ' : `rt${router}`} ${what}`),
    );
  } catch (error: unknown) {
    if (!(error instanceof Violation)) throw error;
    lines.push(`${clock(error.at)} !!! ${error.invariant}: ${error.message}`);
  }
  return lines.join('\n');
}
