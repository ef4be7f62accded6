/**
 * The application status check that the configuration names, as evidence (rule 9) that the daemon of a peer that runs does
 * not answer. It counts only while the same check passes for this router: else it is the check that does not work, its port, its
 * path or a security group, and of two routers that fail it each would take from the other. EC2's words have to be fresh, too.
 */
import type { Logger } from 'pino';
import type { InstanceCondition } from '../../core/state/readings';
import { list } from '../../core/state/turn';
import { failing, ok, unknown, type Judgement } from '../../wellness';
import { askApplicationStatus, type CheckReading, type CheckResult } from '../reads/applicationStatus';
import type { Ec2 } from '../transport/ec2';

/** EC2 checks once a minute: what has missed three checks is news of another time. */
const FRESH_MS = 180_000;
/** A word that is a minute old is not worth a longer wait, and a question of rule 9 may be out for 40 s in all. */
const TIMEOUT_MS = 4_000;
const LOOK_MS = 300_000;

type Conditions = { readonly [instanceId: string]: InstanceCondition };

export type Asked = {
  readonly own: string;
  readonly reading: CheckReading;
  /** Monotonic ms. */
  readonly at: number;
  /** EC2's time of the answer, in ms since 1970; null where it has not said it. */
  readonly ec2Time: number | null;
};

export class ApplicationCheck {
  readonly #checkId: string;
  readonly #now: () => number;
  readonly #log: Logger;
  #last: Asked | null = null;
  #askedAt = -Infinity;
  #told = '';

  constructor({
    checkId,
    now,
    log,
  }: {
    readonly checkId: string;
    readonly now: () => number;
    readonly log: Logger;
  }) {
    this.#checkId = checkId;
    this.#now = now;
    this.#log = log;
  }

  /** The conditions, with `unresponsive` for those that run and are known not to answer. Never rejects. */
  async refined(
    ec2: Pick<Ec2, 'call' | 'prepare' | 'clock'>,
    own: string,
    conditions: Conditions,
  ): Promise<Conditions> {
    const running = Object.keys(conditions).filter((id) => conditions[id] === 'running');
    if (running.length === 0) return conditions;
    const silent = unresponsive(await this.#ask(ec2, own, running));
    return { ...conditions, ...Object.fromEntries(silent.map((id) => [id, 'unresponsive' as const])) };
  }

  /** Looks now and then whether the check would be of use, when nothing moves. */
  atRest(ec2: Pick<Ec2, 'call' | 'prepare' | 'clock'>, own: string, peers: readonly string[]): void {
    if (this.#now() - this.#askedAt >= LOOK_MS) void this.#ask(ec2, own, peers);
  }

  get standing(): Judgement {
    return this.#last === null
      ? unknown('EC2 has not been asked yet', null)
      : standingOf(this.#checkId, this.#last, this.#now() - this.#last.at);
  }

  async #ask(
    ec2: Pick<Ec2, 'call' | 'prepare' | 'clock'>,
    own: string,
    others: readonly string[],
  ): Promise<Asked> {
    this.#askedAt = this.#now();
    const reading = await askApplicationStatus(ec2, this.#checkId, [own, ...others], TIMEOUT_MS);
    const asked = { own, reading, at: this.#now(), ec2Time: ec2.clock()?.dateMs ?? null };
    this.#last = asked;
    const { text } = standingOf(this.#checkId, asked, 0);
    if (text !== this.#told)
      this.#log.info({ event: 'application-status', reason: text }, 'What the application status check says');
    this.#told = text;
    return asked;
  }
}

/** Ids of the others that fail it, where that is evidence. */
export function unresponsive({ own, reading, ec2Time }: Asked): readonly string[] {
  if (!reading.ok) return [];
  const says = (id: string, status: CheckResult['status']): boolean => {
    const result = reading.results.get(id) ?? null;
    return result !== null && result.status === status && isFresh(result, ec2Time);
  };
  if (!says(own, 'passed')) return [];
  return [...reading.results.keys()].filter((id) => id !== own && says(id, 'failed'));
}

function isFresh({ saidAt }: CheckResult, ec2Time: number | null): boolean {
  return ec2Time !== null && Math.abs(ec2Time - saidAt) <= FRESH_MS;
}

function standingOf(checkId: string, { own, reading, ec2Time }: Asked, ageMs: number): Judgement {
  if (!reading.ok) {
    const { kind, code, message } = reading.failure;
    const words = `EC2 does not say what ${checkId} says (${code}: ${message})`;
    return kind === 'refused' ? failing(words, ageMs) : unknown(words, ageMs);
  }
  const results = [...reading.results];
  const without = results.flatMap(([id, result]) => (result === null ? [id] : []));
  if (without.length > 0) return failing(`${checkId} is not associated with ${list(without)}`, ageMs);
  const said = `${checkId} says: ${list(results.map(([id, result]) => wordsOf(id, result)))}`;
  const mine = reading.results.get(own) ?? null;
  if (mine?.status === 'failed')
    return failing(`${said}; it fails for this router, so it proves nothing`, ageMs);
  if (mine?.status !== 'passed')
    return unknown(`${said}; it proves nothing until it has passed for this router`, ageMs);
  const old = results.some(([, result]) => result !== null && !isFresh(result, ec2Time));
  return old
    ? unknown(`${said}; but EC2 has not said so within ${FRESH_MS / 1000} s`, ageMs)
    : ok(said, ageMs);
}

function wordsOf(id: string, result: CheckResult | null): string {
  const { status = 'unknown', reason = null } = result ?? {};
  return `${id} ${status}${reason === null ? '' : ` (${reason})`}`;
}
