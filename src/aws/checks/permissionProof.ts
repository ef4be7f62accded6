/**
 * Whether the role may do what a takeover needs, asked once in the life of the daemon, in the background: a permission
 * that lacks would else be found when the peer is dead. A takeover goes before in all: the questions wait while one is
 * under way, have connections of their own, and take tokens from full buckets alone.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Ec2Settings } from '../../config/settings';
import type { Observation } from '../../core/state/readings';
import type { AwsPlan } from '../description';
import type { Caller, Ec2 } from '../transport/ec2';
import type { Pacer } from '../moves/pacer';
import { denialWords, dryRunWrites, type Permission } from './permissions';

/** Between two looks whether a question may be asked: nothing is in a hurry here. */
const LOOK_AGAIN_MS = 250;

type ProofOptions = {
  readonly plan: AwsPlan;
  readonly settings: Ec2Settings;
  readonly pacer: Pacer;
  /** The route table of a route, by target id. */
  readonly tableOf: (id: string) => string | null;
  /** Whether every group knows its role, and moves nothing. */
  readonly isAtRest: () => boolean;
  readonly log: Logger;
  /** What else is asked once, over the same connections. */
  readonly afterwards?: (ec2: Caller) => Promise<void>;
};

export class PermissionProof {
  readonly #options: ProofOptions;
  readonly #stopping = new AbortController();
  #observations = 0;
  #permissions: readonly Permission[] | null = null;

  constructor(options: ProofOptions) {
    this.#options = options;
  }

  /** The second observation begins it: until then all that this process does, it does for the first time. */
  observed(ec2: Ec2, observation: Observation): void {
    this.#observations += 1;
    if (this.#observations === 2) void this.#prove(ec2, observation);
  }

  /** What EC2 has said; null before it was asked. */
  get permissions(): readonly Permission[] | null {
    return this.#permissions;
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #prove(ec2: Ec2, observation: Observation): Promise<void> {
    const { plan, settings, tableOf, isAtRest, afterwards } = this.#options;
    await this.#until(isAtRest);
    const aside = ec2.aside();
    this.#stopping.signal.addEventListener('abort', () => aside.stop());
    const timeoutMs = settings.apiTimeoutMs;
    const turn = (action: string) => this.#until(() => this.#mayAsk(action));
    const asking = { ec2: aside, plan, timeoutMs, turn };
    this.#permissions = await dryRunWrites(asking, settings, observation, tableOf);
    this.#tell(this.#permissions);
    await this.#until(isAtRest);
    await afterwards?.(aside);
    aside.stop();
  }

  /** Never fulfilled once the daemon stops. */
  async #until(isTrue: () => boolean): Promise<void> {
    const { signal } = this.#stopping;
    while (!isTrue())
      await delay(LOOK_AGAIN_MS, undefined, { signal, ref: false }).catch(() => new Promise(() => {}));
  }

  #mayAsk(action: string): boolean {
    const { isAtRest, pacer, settings } = this.#options;
    return isAtRest() && (!isPaced(action, settings.limits) || pacer.takeSpare(action));
  }

  #tell(permissions: readonly Permission[]): void {
    const { log } = this.#options;
    for (const permission of permissions) {
      const { action, on, verdict, detail } = permission;
      if (verdict === 'denied') {
        const reason = `EC2 would deny ${action} on ${on}, which a takeover may need: ${denialWords(permission)}`;
        log.error({ event: 'permission-denied', action, on, reason }, 'A permission is missing');
      }
      if (verdict === 'unknown') {
        const reason = `EC2 does not say whether it permits ${action} on ${on} (${detail}): check-config --online asks again`;
        log.warn({ event: 'permission-unknown', action, on, reason }, 'A permission is not known');
      }
    }
    if (permissions.length === 0 || permissions.some(({ verdict }) => verdict !== 'permitted')) return;
    const asked = permissions.map(({ action, on }) => `${action} on ${on}`).join(', ');
    const reason = `EC2 permits what it can be asked about ahead: ${asked}`;
    log.info({ event: 'permissions-proven', reason }, 'No permission is missing');
  }
}

function isPaced(action: string, limits: Ec2Settings['limits']): action is keyof Ec2Settings['limits'] {
  return action in limits;
}
