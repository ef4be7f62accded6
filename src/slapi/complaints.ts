/**
 * What the daemon has to say about a router's messages and refusals, without saying it with each message:
 * a kind of malformed message is logged once in a process life, a refusal when it is new.
 */
import type { Logger } from 'pino';
import type { BfdSessionSettings } from '../config/settings';
import type { ErrorMeaning } from './errors';
import { raw } from './message';

const multiHopAdvice =
  'multi-hop BFD through this interface is unproven on XRv9000 and probably needs `bfd multipath include ' +
  'location 0/RP0/CPU0` on the router; where it stays refused, use a single-hop session over a GRE tunnel';

export class Complaints {
  readonly #log: Logger;
  readonly #kinds = new Set<string>();
  readonly #limits = new Map<string, string>();
  readonly #refusals = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** `what` is a constant sentence and the kind; `content` is whatever came. */
  malformed(what: string, content: unknown): void {
    if (this.#kinds.has(what)) return;
    this.#kinds.add(what);
    this.#log.warn(
      { event: 'slapi-malformed', reason: `ignored ${what}`, what, raw: raw(content) },
      'Ignored a message of the router that it should not send',
    );
  }

  sessionRefused(session: BfdSessionSettings, error: ErrorMeaning): void {
    if (session.sourceAddress === null) return this.refused(session.id, error);
    // The interface of a multi-hop session is not told to the router: what it misses is a single-hop session.
    const configKey = error.configKey === 'intf_name' ? 'session_type' : error.configKey;
    this.refused(session.id, { ...error, configKey }, multiHopAdvice);
  }

  /** `subject` is named as in the configuration: a session's id, an interface. */
  refused(
    subject: string,
    { name, code, meaning, retryable, configKey }: ErrorMeaning,
    advice: string | null = null,
  ): void {
    if (this.#refusals.get(subject) === name) return;
    this.#refusals.set(subject, name);
    const mend = configKey === null ? null : `bfd_sessions[].${configKey}`;
    const fields = {
      event: 'slapi-config-refused',
      reason: [
        `the router refused ${subject}: ${meaning} (${name})`,
        ...(mend === null ? [] : [`see ${mend}`]),
        ...(advice === null ? [] : [advice]),
      ].join('; '),
      subject,
      errno: name,
      code,
      meaning,
      retryable,
      configKey: mend,
    };
    this.#log.error(fields, 'The router refused a part of the configuration; it is tried again slowly');
  }

  /** `mend` names the configuration keys, one sentence each; none: it is within them. */
  belowLimits(subject: string, mend: readonly string[]): void {
    const text = mend.join('; ');
    if ((this.#limits.get(subject) ?? '') === text) return;
    this.#limits.set(subject, text);
    if (text === '') {
      const reason = `the router allows ${subject} as it is configured`;
      this.#log.info({ event: 'slapi-within-limits', reason, subject }, 'A BFD session is within the limits');
      return;
    }
    this.#log.error(
      { event: 'slapi-below-limits', reason: `${subject}: ${text}`, subject, mend },
      'A BFD session is configured below the limits of the router',
    );
  }

  accepted(subject: string): void {
    if (!this.#refusals.delete(subject)) return;
    this.#log.info(
      { event: 'slapi-config-accepted', reason: `the router accepted ${subject}`, subject },
      'The router accepted what it had refused before',
    );
  }
}
