/**
 * Look, decide, do, look again. The duties that the core leaves to its shell (core/reconcile.ts) are here: the steps of
 * one decision side by side, all answered before the next look; nothing sent by an old look; questions answered within
 * the same look. Pauses grow with the time that is waited already, so that a short wait ends soon and a long one costs
 * few calls.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { answersTo, look } from './aws/look';
import { perform } from './aws/perform';
import type { Services } from './aws/services';
import type { HealSettings } from './config/settings';
import { afterStep, forgetting, noMemory, recalled } from './core/memory';
import type { Answer, Healer, Memory, Observed } from './core/observed';
import { givingBack, reconcile, type Decision } from './core/reconcile';
import { ACTIONS, stepWords, type Step } from './core/steps';

export type Round = {
  readonly decisions: readonly Decision[];
  readonly observed: Observed;
  /** How many steps were sent. */
  readonly sent: number;
};

export type HealerShell = {
  /** Looks, decides and does what is to be done now. `eventId`: what has caused it. Never rejects. */
  readonly round: (eventId: string) => Promise<Round>;
  /** Looks and decides, and sends nothing. */
  readonly inspect: () => Promise<Round>;
  /** Gives the right to write back, as far as it is held. To be called when nothing is sent any more. Never rejects. */
  readonly giveBack: () => Promise<void>;
  /** How long to wait before the next round. */
  readonly pauseMs: (round: Round) => number;
};

type Standing = Pick<Decision, 'reason' | 'condition'> & { readonly since: number };

type KnownHooks = { readonly [question: string]: { readonly answer: Answer; readonly at: number } };

function hooksIn(answers: Observed['answers'], at: number): KnownHooks {
  const said = Object.entries(answers).filter(([, { kind }]) => kind === 'hooks');
  return Object.fromEntries(said.map(([question, answer]) => [question, { answer, at }]));
}

/** Who changes a hook sees it work after so long. Asking each time would make each look longer. */
const HOOKS_KEPT_MS = 30_000;
/** Of a wait so far, until the next look. */
const SHARE = 0.06;
const PAUSE_MS_MIN = 200;
const PAUSE_MS_MAX = { ec2: 2_000, guest: 5_000, time: 5_000 } as const;
/** A decision asks for what it needs first, and for more when it knows that. */
const QUESTIONS_MAX = 4;

export function openHealer({
  settings: { desired, topicArn, sweepMs },
  services,
  healer,
  log,
  now = Date.now,
}: {
  readonly settings: HealSettings;
  /** Asked at each look: connections may be closed between two. */
  readonly services: () => Services;
  readonly healer: Healer;
  readonly log: Logger;
  /** Wall-clock milliseconds. */
  readonly now?: () => number;
}): HealerShell {
  const asking = () => ({ services: services(), timeoutMs: desired.apiTimeoutMs });
  let memory: Memory = noMemory;
  /** By question: what a group said last of its hooks. */
  let hooks: KnownHooks = {};
  /** By identity: the sentence that stands, and since when nothing has been done and the condition is the same. */
  const standing = new Map<string, Standing>();

  const hooksAt = (at: number): Observed['answers'] =>
    Object.fromEntries(
      Object.entries(hooks)
        .filter(([, known]) => at - known.at < HOOKS_KEPT_MS)
        .map(([question, { answer }]) => [question, answer]),
    );

  const inspect = async (): Promise<Round> => {
    const seen = await look(asking(), desired, healer, now);
    let observed = recalled({ ...seen, answers: hooksAt(seen.startedAt) }, memory, desired);
    memory = forgetting(observed.memory, now());
    let decisions = reconcile(desired, observed, now());
    for (let asked = 0; asked < QUESTIONS_MAX; asked += 1) {
      const questions = decisions.flatMap((decision) => decision.questions);
      if (questions.length === 0) break;
      const answers = await answersTo(asking(), questions);
      hooks = { ...hooks, ...hooksIn(answers, now()) };
      observed = { ...observed, answers: { ...observed.answers, ...answers } };
      decisions = reconcile(desired, observed, now());
    }
    for (const decision of decisions) tell(decision);
    return { decisions, observed, sent: 0 };
  };

  const tell = ({ identity, condition, reason, alarms }: Decision): void => {
    const before = standing.get(identity);
    const isSame = before !== undefined && before.condition === condition;
    standing.set(identity, { reason, condition, since: isSame ? before.since : now() });
    if (before?.reason === reason) return;
    const fields = { event: 'decision', identity, condition, alarms: alarms.map(({ code }) => code) };
    if (alarms.length > 0) log.warn(fields, reason);
    else log.info(fields, reason);
  };

  const round = async (eventId: string): Promise<Round> => {
    const found = await inspect();
    const { decisions, observed } = found;
    const steps = decisions.flatMap(({ identity, steps: own }) => own.map((step) => ({ identity, step })));
    // What was decided too long ago is decided anew: the right to write counts on it.
    if (now() - observed.startedAt > 2 * desired.apiTimeoutMs) return { ...found, sent: steps.length };
    await Promise.all(steps.map(({ identity, step }) => send(identity, step, eventId)));
    for (const { identity } of steps) {
      const before = standing.get(identity);
      if (before !== undefined) standing.set(identity, { ...before, since: now() });
    }
    return { ...found, sent: steps.length };
  };

  const send = async (identity: string, step: Step, eventId: string): Promise<void> => {
    const startedAt = now();
    const failure = await perform({ ...asking(), topicArn, eventId }, step);
    memory = afterStep(memory, step, failure, now());
    const fields = { event: 'step', identity, action: ACTIONS[step.do], durationMs: now() - startedAt };
    if (failure === null) log.info(fields, stepWords(step));
    else
      log.warn(
        { ...fields, code: failure.code, failure: failure.kind },
        `${stepWords(step)}: ${failure.code}: ${failure.message}`,
      );
  };

  const giveBack = async (): Promise<void> => {
    const { observed } = await inspect();
    const steps = givingBack(desired, observed, now());
    await Promise.all(steps.map(({ identity, step }) => send(identity, step, '')));
  };

  const pauseMs = ({ decisions, sent }: Round): number => {
    if (sent > 0) return 0;
    const pauses = decisions.map(({ identity, pace, lookBy }) => {
      if (pace === 'sweep') return sweepMs;
      const waited = pace === 'time' ? Infinity : now() - (standing.get(identity)?.since ?? now());
      const growing = Math.min(Math.max(SHARE * waited, PAUSE_MS_MIN), PAUSE_MS_MAX[pace]);
      return Math.min(growing, Math.max(PAUSE_MS_MIN, (lookBy ?? Infinity) - now()));
    });
    return Math.min(sweepMs, ...pauses);
  };

  return { round, inspect, giveBack, pauseMs };
}

/** Rounds until `isOver` says so, or the signal. The last round; null where there was none. */
export async function healUntil(
  shell: HealerShell,
  {
    isOver,
    eventId,
    signal,
  }: {
    /** Asked after each round that has sent nothing. */
    readonly isOver: (round: Round) => boolean;
    readonly eventId: () => string;
    readonly signal: AbortSignal;
  },
): Promise<Round | null> {
  let last: Round | null = null;
  while (!signal.aborted) {
    last = await shell.round(eventId());
    if (last.sent === 0 && isOver(last)) break;
    await delay(shell.pauseMs(last), undefined, { signal }).catch(() => undefined);
  }
  return last;
}

/** Nothing that time or AWS will change soon. */
export function isAtRest({ decisions }: Round): boolean {
  return decisions.every(({ pace }) => pace === 'sweep');
}
