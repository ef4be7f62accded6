/**
 * What the peer's daemon says of itself, read from its status endpoint: for `show ha_peer`, readiness and an alarm.
 * Nothing is decided by it: the cloud alone says who has the targets, and BFD alone whether the peer lives. Loaded only
 * where the configuration has `peer_status_url`.
 */
import type { Logger } from 'pino';
import type { ConditionNow } from '../cloud';
import { PEER_CONDITION } from '../runtime/readiness';
import { member } from '../config/document';
import type { PeerStatusSettings } from '../config/settings';
import type { JsonObject } from '../core/state/json';
import { oneLine } from '../transport/words';
import { askStatus, type StatusAnswer } from './askStatus';

/** So many answers in a row that are bad, or missing, are an alarm. */
const BAD_MAX = 3;
const EVERY_MS_MIN = 5_000;

export type PeerStatusOptions = {
  readonly settings: PeerStatusSettings;
  readonly keepaliveMs: number;
  readonly log: Logger;
  readonly put: (value: JsonObject) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly wallNow: () => number;
  /** Nothing moves: while something does, the peer is not asked. */
  readonly isAtRest: () => boolean;
  readonly ask?: (settings: PeerStatusSettings) => Promise<StatusAnswer>;
  /** Calls until it is called off. */
  readonly every?: (ms: number, call: () => void) => () => void;
};

type Word = Pick<ConditionNow, 'state' | 'text'>;

export class PeerStatus {
  readonly #options: PeerStatusOptions;
  readonly #stop: () => void;
  #word: Word = { state: 'unknown', text: "the peer's status endpoint has not been asked yet" };
  /** When the last word came; null: none has. */
  #saidAt: number | null = null;
  #bad = 0;
  #isAsking = false;
  #wasBad = false;

  constructor(options: PeerStatusOptions) {
    this.#options = options;
    const { keepaliveMs, every = everyMs } = options;
    this.#stop = every(Math.max(keepaliveMs, EVERY_MS_MIN), () => void this.#ask());
  }

  /** `failing` means that it could not take over from this router. */
  condition(): ConditionNow {
    const ageMs = this.#saidAt === null ? null : this.#options.now() - this.#saidAt;
    return {
      condition: PEER_CONDITION.name,
      ...this.#word,
      ageMs,
      whatToDo: PEER_CONDITION.whatToDo,
    };
  }

  close(): void {
    this.#stop();
  }

  async #ask(): Promise<void> {
    const { settings, isAtRest, now, ask = askStatus } = this.#options;
    if (this.#isAsking || !isAtRest()) return;
    this.#isAsking = true;
    const answer = await ask(settings);
    this.#isAsking = false;
    const word = answer.ok ? wordOf(answer.document) : silenceOf(answer.cause);
    const isBad = word.state === 'failing';
    this.#bad = isBad ? this.#bad + 1 : 0;
    // One answer that is missing says nothing yet.
    if (answer.ok || this.#bad >= BAD_MAX) this.#word = word;
    if (answer.ok) this.#saidAt = now();
    this.#show(answer);
    this.#tell(word);
  }

  #show(answer: StatusAnswer): void {
    const { put, settings, wallNow } = this.#options;
    const said = answer.ok ? answer.document : null;
    put({
      url: settings.url,
      asked_at: new Date(wallNow()).toISOString(),
      answers: answer.ok,
      ...(answer.ok ? {} : { cause: answer.cause }),
      router: textOf(member(said, 'router')),
      version: textOf(member(said, 'version')),
      ha_state: textOf(member(said, 'ha_state')),
      reason: textOf(member(said, 'reason')),
      live: member(said, 'live') === true,
      ready: said !== null && member(said, 'live') === true && failingIn(said).length === 0,
      failing: failingIn(said),
    });
  }

  #tell({ text }: Word): void {
    const { log } = this.#options;
    if (this.#bad === BAD_MAX)
      log.warn({ event: 'peer-unwell', reason: text }, "The peer's daemon is not well");
    if (this.#bad === 0 && this.#wasBad)
      log.info({ event: 'peer-well', reason: text }, "The peer's daemon is well again");
    this.#wasBad = this.#bad >= BAD_MAX || (this.#wasBad && this.#bad > 0);
  }
}

function silenceOf(cause: string): Word {
  return { state: 'failing', text: `the peer's status endpoint does not answer: ${cause}` };
}

function wordOf(said: unknown): Word {
  const router = textOf(member(said, 'router')) || 'the peer';
  const haState = textOf(member(said, 'ha_state')) || 'UNKNOWN';
  if (member(said, 'live') !== true)
    return { state: 'failing', text: `the daemon of ${router} answers and does not decide` };
  const failing = failingIn(said);
  return failing.length === 0
    ? { state: 'ok', text: `${router} is ${haState} and ready` }
    : { state: 'failing', text: `${router} is ${haState} and not ready: ${failing.join('; ')}` };
}

/** Without what it says of this router: each would wait for the other to be ready. */
function failingIn(said: unknown): readonly string[] {
  const lines = member(member(member(member(said, 'show'), 'ha_ready'), 'value'), 'lines');
  if (!Array.isArray(lines)) return said === null ? [] : ['it has not said yet what a failover needs'];
  return lines
    .filter(
      (line) => member(line, 'state') === 'failing' && member(line, 'condition') !== PEER_CONDITION.name,
    )
    .map((line) => textOf(member(line, 'text')));
}

/** Others have written it. */
const textOf = (value: unknown): string => (typeof value === 'string' ? oneLine(value) : '');

function everyMs(ms: number, call: () => void): () => void {
  const timer = setInterval(call, ms).unref();
  return () => clearInterval(timer);
}
