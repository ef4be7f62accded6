/**
 * Interfaces come and go while the daemon runs: one is replaced, detached, or attached at another index. EC2 is asked
 * about the addresses that IMDS has shown, so an answer that does not fit them is a reason to read IMDS again.
 */
import type { Logger } from 'pino';
import { Backoff } from '../../backoff';
import type { Observation } from '../../core/state/readings';
import type { Slot } from '../../core/state/plan';
import type { AwsPlan } from '../description';
import type { Imds } from '../transport/imds';
import { readIdentity, type InstanceIdentity, type InstanceInterface } from './instanceIdentity';
import type { ObservationResult } from './observe';
import { startMistakes } from '../checks/startChecks';

/** IMDS may be behind EC2: it is asked again soon, and then ever more seldom. */
const PAUSES = { firstMs: 1_000, lastMs: 10_000 };

export class ChangedIdentity {
  readonly #imds: Imds;
  readonly #plan: AwsPlan;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #pauses = new Backoff(PAUSES);
  #notBefore = -Infinity;

  constructor({
    imds,
    plan,
    log,
    now,
  }: {
    readonly imds: Imds;
    readonly plan: AwsPlan;
    readonly log: Logger;
    /** Monotonic milliseconds. */
    readonly now: () => number;
  }) {
    this.#imds = imds;
    this.#plan = plan;
    this.#log = log;
    this.#now = now;
  }

  /** The identity that IMDS shows where EC2's answer does not fit the known one; null where nothing is new. */
  async after(known: InstanceIdentity, result: ObservationResult): Promise<InstanceIdentity | null> {
    if (!isInDoubt(known, this.#plan, result)) {
      this.#pauses.reset();
      this.#notBefore = -Infinity;
      return null;
    }
    if (this.#now() < this.#notBefore) return null;
    this.#notBefore = this.#now() + this.#pauses.nextMs();
    const reading = await readIdentity(this.#imds);
    if (!reading.ok || wordsOf(reading.identity) === wordsOf(known)) return null;
    this.#tell(known, reading.identity);
    return reading.identity;
  }

  #tell(before: InstanceIdentity, after: InstanceIdentity): void {
    const reason = `the interfaces of this router have changed: ${wordsOf(after)}; before: ${wordsOf(before)}`;
    this.#log.warn({ event: 'interfaces-changed', reason }, 'The interfaces of this router have changed');
    const mistakes = startMistakes(this.#plan, after);
    if (mistakes.length > 0)
      this.#log.error({ event: 'config-impossible', reason: mistakes.join('; ') }, 'configuration');
    else this.#log.info({ event: 'config-fits', reason: 'the configuration fits them' }, 'configuration');
  }
}

/** An answer that cannot be of this router, or that lacks an interface of it, or one that targets belong on. */
function isInDoubt(
  { interfaces }: InstanceIdentity,
  { targets }: AwsPlan,
  result: ObservationResult,
): boolean {
  if (!result.ok) return result.failure.code === 'MalformedAnswer';
  const { unread = [] } = result.observation;
  if (unread.some(({ failure }) => failure?.code === 'MalformedAnswer')) return true;
  const hasPlace = (target: Slot) => result.observation.interfaces.some((own) => isSameSlot(own, target));
  return !interfaces.every((own) => isShown(own, result.observation)) || !targets.every(hasPlace);
}

function isSameSlot(one: Slot, other: Slot): boolean {
  return one.deviceIndex === other.deviceIndex && one.networkCardIndex === other.networkCardIndex;
}

function isShown(own: InstanceInterface, { interfaces }: Observation): boolean {
  return interfaces.some(
    (each) => each.networkInterfaceId === own.networkInterfaceId && isSameSlot(each, own),
  );
}

function wordsOf({ instanceId, interfaces }: InstanceIdentity): string {
  const each = interfaces.map(({ networkInterfaceId, networkCardIndex, deviceIndex, primaryAddress }) => {
    const card = networkCardIndex === 0 ? '' : `card ${networkCardIndex} `;
    return `${card}${deviceIndex} ${networkInterfaceId} ${primaryAddress}`;
  });
  return `${instanceId} with ${each.join(', ')}`;
}
