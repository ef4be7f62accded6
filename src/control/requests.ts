/**
 * From a command of an operator to an event of the loop, and from the loop's answer back to who asked. Every
 * command gets an answer: the core's, or that there are too many, or that the daemon is stopping, or at last
 * that none has come.
 */
import type { Event } from '../core/model';
import type { OperatorAnswer, OperatorCommand } from './commands';

/** The commands as the core knows them; `request` comes back in its answer. */
export type OperatorEvent = Extract<
  Event,
  { type: 'inhibitRequested' | 'releaseRequested' | 'giveRequested' }
>;

export type OperatorRequests = {
  /** Never rejects, and never waits for ever. */
  readonly submit: (command: OperatorCommand) => Promise<OperatorAnswer>;
  /** The runner of the effect `answerOperator`. A number that waits for nothing is ignored. */
  readonly answer: (answer: { readonly request: number } & OperatorAnswer) => void;
  /** Answers everything pending, and what comes later, with that the daemon is stopping. */
  readonly close: () => void;
};

const maxPending = 16;
/** Longer than any command takes and than `ha` waits: this only keeps the table from filling up for good. */
const patienceMs = 30_000;

const stopping: OperatorAnswer = { accepted: false, sentence: 'the daemon is stopping' };
const tooMany: OperatorAnswer = {
  accepted: false,
  sentence: `${maxPending} commands are waiting for their answers already; try again in a moment`,
};
const unanswered: OperatorAnswer = {
  accepted: false,
  sentence: `the command has had no answer for ${patienceMs / 1000} s; show ha_reason tells what the daemon does`,
};

/** `wallNow`: milliseconds since 1970. */
export function operatorRequests(
  enqueue: (event: OperatorEvent) => void,
  wallNow: () => number,
): OperatorRequests {
  const pending = new Map<number, (answer: OperatorAnswer) => void>();
  let last = 0;
  let closed = false;
  return {
    submit(command) {
      if (closed) return Promise.resolve(stopping);
      if (pending.size >= maxPending) return Promise.resolve(tooMany);
      last += 1;
      const request = last;
      return new Promise((resolve) => {
        const timer = setTimeout(() => pending.get(request)?.(unanswered), patienceMs).unref();
        pending.set(request, (answer) => {
          clearTimeout(timer);
          pending.delete(request);
          resolve(answer);
        });
        enqueue(eventOf(command, request, wallNow));
      });
    },
    answer({ request, accepted, sentence }) {
      pending.get(request)?.({ accepted, sentence });
    },
    close() {
      closed = true;
      for (const settle of pending.values()) settle(stopping);
    },
  };
}

function eventOf(command: OperatorCommand, request: number, wallNow: () => number): OperatorEvent {
  switch (command.kind) {
    case 'inhibit':
      return {
        type: 'inhibitRequested',
        request,
        forMs: command.forMs,
        why: command.why,
        wallNow: wallNow(),
      };
    case 'release':
      return { type: 'releaseRequested', request };
    case 'give':
      return { type: 'giveRequested', request };
  }
}
