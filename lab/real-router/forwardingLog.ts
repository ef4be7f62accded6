/**
 * Who forwards the user's packets, looked at all the time. Between two looks without a change in the VPC it has to be
 * one router at most: two would mean that both answer for what EC2 says belongs to one.
 */
import { nowMs } from '../ec2-emulator/world';
import { routerNames, type RouterName } from '../topology/plan';
import type { Forwarded, Move, Vpc } from './vpc';

/** The counters were read at a moment from `fromMs` to `untilMs`. */
export type Look = { readonly fromMs: number; readonly untilMs: number; readonly forwarded: Forwarded };

export type Forwarding = {
  /** Times between two looks in which nothing moved. */
  readonly quiet: number;
  /** Those of them in which both routers forwarded. */
  readonly both: number;
};

const EVERY_MS = 200;
/** Packets that a router had already when the VPC changed its mind. */
const UNDER_WAY_MS = 100;

export class ForwardingLog {
  readonly #vpc: Vpc;
  readonly #looking: Promise<void>;
  #looks: Look[] = [];
  #ended = false;

  constructor(vpc: Vpc) {
    this.#vpc = vpc;
    this.#looking = this.#look();
  }

  /** Of what was seen since this was asked last; all that moved in this time has to have taken effect. */
  take(): Forwarding {
    const looks = this.#looks;
    this.#looks = looks.slice(-1);
    return forwardingOf(looks, this.#vpc.moves);
  }

  /** @throws Error where the VPC's counters could not be read. */
  async stop(): Promise<void> {
    this.#ended = true;
    await this.#looking;
  }

  async #look(): Promise<void> {
    while (!this.#ended) {
      const fromMs = nowMs();
      const forwarded = await this.#vpc.forwarded();
      this.#looks.push({ fromMs, untilMs: nowMs(), forwarded });
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }
}

export function forwardingOf(looks: readonly Look[], moves: readonly Move[]): Forwarding {
  const quiet = looks.slice(1).flatMap((after, index) => {
    const before = looks[index];
    return before !== undefined && !moves.some((move) => isBetween(move, before, after))
      ? [{ before, after }]
      : [];
  });
  const forwards = (name: RouterName, { before, after }: (typeof quiet)[number]) =>
    after.forwarded[name].passed > before.forwarded[name].passed;
  return {
    quiet: quiet.length,
    both: quiet.filter((time) => routerNames.every((name) => forwards(name, time))).length,
  };
}

const isBetween = ({ changedAtMs, appliedAtMs }: Move, before: Look, after: Look): boolean =>
  changedAtMs <= after.untilMs && appliedAtMs + UNDER_WAY_MS >= before.fromMs;
