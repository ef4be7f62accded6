/** What has to be true for the demo to end well. Each expectation is a sentence; those that fail are kept. */
import type { AnyLab } from '../topology/topology';
import { isWrite, type LoggedRequest } from '../ec2-emulator/requestLog';
import { readsBeforeWrite, type Failover } from './failover';
import { countWords, writesToMove } from './targets';

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

/**
 * Holds on a busy machine too: no figure of time is judged. A daemon that was kept from running reads first (its
 * rule 16), and asks again on another connection where an answer stays away; both are as they should be.
 */
export function checkFailover(checks: Checks, lab: AnyLab, failover: Failover): void {
  const { victim, survivor, downAtMs, requests, moves, decision, timeline, records, stalls } = failover;
  const expect = (holds: boolean, sentence: string) =>
    checks.expect(holds, `${victim} to ${survivor}: ${sentence}`);
  const sessions = lab.plan.paths.length;
  const writes = requests.filter(isWrite);
  const [different, answered] = [
    differentOf(writes),
    differentOf(writes.filter(({ outcome }) => outcome === 'ok')),
  ];
  const reads = readsBeforeWrite(failover).length;
  const expected = [...writesToMove(lab.plan)].sort().join(', ');
  const seen = different.map(({ action }) => action).sort();
  const attempts = [...new Set(records.flatMap(({ attempt }) => (attempt === undefined ? [] : [attempt])))];

  expect(downAtMs.length === sessions, `sessions that are DOWN: ${sessions}, not ${downAtMs.length}`);
  expect(/^taking over/.test(decision.reason ?? ''), `the decision is a takeover, not "${decision.reason}"`);
  expect(attempts.length === 1, `one attempt, not ${attempts.length}`);
  expect(stalls.length > 0 || reads === 0, `EC2 is not asked between BFD DOWN and the first write: ${reads}`);
  expect(
    seen.join(', ') === expected,
    `one EC2 write for each of ${countWords(lab.plan)}, not ${seen.join(', ')}`,
  );
  expect(
    answered.length === different.length,
    `every write of ${survivor} is answered with 200, not ${answered.length} of ${different.length}`,
  );
  expect(
    writes.length === different.length || records.some(({ reason }) => /\bagain\b/.test(reason ?? '')),
    `no write is made twice without a word why: ${writes.length} for ${different.length}`,
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

/** Without hedges and retries, which have the parameters of the first. */
function differentOf(writes: readonly LoggedRequest[]): readonly LoggedRequest[] {
  return [...new Map(writes.map((write) => [JSON.stringify([write.action, write.params]), write])).values()];
}
