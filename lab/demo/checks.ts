/** What has to be true for the demo to end well. Each expectation is a sentence; those that fail are kept. */
import type { AnyLab } from '../topology/topology';
import { legsOf, type Failover } from './failover';
import { countWords, isWrite, writesToMove } from './targets';

export class Checks {
  readonly #failed: string[] = [];

  expect(holds: boolean, sentence: string): void {
    if (!holds) this.#failed.push(sentence);
  }

  /** Oldest first; empty when all is as it should be. */
  get failed(): readonly string[] {
    return this.#failed;
  }
}

/** At most this long between the first DOWN and the first write; in truth it is a few ms. */
const SLOWEST_REACTION_MS = 500;

export function checkFailover(checks: Checks, lab: AnyLab, failover: Failover): void {
  const { victim, survivor, downAtMs, requests, moves, decision, timeline, records } = failover;
  const expect = (holds: boolean, sentence: string) =>
    checks.expect(holds, `${victim} to ${survivor}: ${sentence}`);
  const sessions = lab.plan.paths.length;
  const writes = requests.filter(isWrite);
  const firstWrite = requests.findIndex(isWrite);
  const expected = [...writesToMove(lab.plan)].sort().join(', ');
  const seen = writes.map(({ action }) => action).sort();
  const attempts = [...new Set(records.flatMap(({ attempt }) => (attempt === undefined ? [] : [attempt])))];
  const { reactionMs } = legsOf(failover);

  expect(downAtMs.length === sessions, `sessions that are DOWN: ${sessions}, not ${downAtMs.length}`);
  expect(/^taking over/.test(decision.reason ?? ''), `the decision is a takeover, not "${decision.reason}"`);
  expect(attempts.length === 1, `one attempt, not ${attempts.length}`);
  expect(firstWrite === 0, `no EC2 call between BFD DOWN and the first write, not ${firstWrite}`);
  expect(
    seen.join(', ') === expected,
    `one EC2 write for each of ${countWords(lab.plan)}, not ${seen.join(', ')}`,
  );
  expect(
    writes.every(
      ({ outcome, instanceId }) => outcome === 'ok' && lab.routerOfInstance(instanceId) === survivor,
    ),
    `every write is ${survivor}'s own and answered with 200`,
  );
  expect(
    reactionMs < SLOWEST_REACTION_MS,
    `the first write within ${SLOWEST_REACTION_MS} ms, not ${reactionMs}`,
  );
  expect(
    new Set(moves.map(({ target }) => target)).size === moves.length &&
      moves.length === lab.plan.targets.length,
    `each of ${lab.plan.targets.length} targets moves once, not ${moves.length} moves`,
  );
  expect(lab.ownsAll(survivor), `${survivor} has all that floats in EC2`);
  expect(typeof timeline['confirmedMs'] === 'number', `the daemon reports when EC2 confirmed the takeover`);
  expect(
    records.findLast(({ ha }) => ha !== undefined)?.ha === 'ACTIVE',
    `the daemon of ${survivor} is ACTIVE`,
  );
  for (const { reason, event } of records.filter(({ level }) => level === 'error'))
    expect(false, `no alarm, but: ${reason ?? event}`);
}
