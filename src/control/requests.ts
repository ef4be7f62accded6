/**
 * From a command of an operator to an event of the loop, and from the loop's answer back to who asked. Every
 * command gets an answer: the core's, or that there are too many, or that the daemon is stopping, or at last
 * that none has come.
 */
import type { Event } from '../core/state/model';
import type { OperatorAnswer, OperatorCommand } from './commands';

/** The commands as the core knows them; `request` comes back in its answer. */
export type OperatorEvent = Extract<
  Event,
  {
    type:
      | 'inhibitRequested'
      | 'releaseRequested'
      | 'switchoverRequested'
      | 'scheduleRequested'
      | 'cancelRequested'
      | 'previewRequested'
      | 'drillRequested';
  }
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

export function operatorRequests({
  groups,
  enqueue,
  wallNow,
  unready = () => [],
  stored,
}: {
  readonly groups: readonly string[];
  readonly enqueue: (group: string, event: OperatorEvent) => void;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  /** What of the readiness of this group fails, a sentence each. */
  readonly unready?: (group: string) => readonly string[];
  /** Whether what has been decided so far outlives the daemon. Never rejects, and never waits for ever. */
  readonly stored: () => Promise<boolean>;
}): OperatorRequests {
  /** By the number of the request; a command is one request to each of its groups. */
  const pending = new Map<
    number,
    { readonly command: OperatorCommand; readonly settle: (answer: OperatorAnswer) => void }
  >();
  let last = 0;
  let closed = false;

  const askGroup = (group: string, command: OperatorCommand): Promise<OperatorAnswer> => {
    last += 1;
    const request = last;
    return new Promise((resolve) => {
      const timer = setTimeout(() => pending.get(request)?.settle(unanswered), patienceMs).unref();
      const settle = (answer: OperatorAnswer) => {
        clearTimeout(timer);
        pending.delete(request);
        resolve(answer);
      };
      pending.set(request, { command, settle });
      enqueue(group, eventOf(command, request, { wallNow, unready: () => unready(group) }));
    });
  };

  return {
    async submit(command) {
      if (closed) return stopping;
      const commands = new Set([...pending.values()].map((each) => each.command));
      if (commands.size >= maxPending) return tooMany;
      const meant = groupsMeant(groups, command);
      if (!meant.ok) return meant.answer;
      const answers = await Promise.all(meant.groups.map((group) => askGroup(group, command)));
      const answer = groups.length === 1 ? (answers[0] ?? unanswered) : inOneAnswer(meant.groups, answers);
      const isKept = !answer.accepted || !KEPT.includes(command.kind) || (await stored());
      return isKept ? answer : { ...answer, sentence: `${answer.sentence}; ${NOT_STORED}` };
    },
    answer({ request, ...answer }) {
      pending.get(request)?.settle(answer);
    },
    close() {
      closed = true;
      for (const { settle } of pending.values()) settle(stopping);
    },
  };
}

/** What an operator orders by these has to outlive the daemon: who has the answer may pull the plug. */
const KEPT: readonly OperatorCommand['kind'][] = ['inhibit', 'release', 'schedule', 'cancel'];
const NOT_STORED = 'this is not on disk yet: a daemon that ends now forgets it';

const HANDING_OVER: readonly OperatorCommand['kind'][] = ['switchover', 'schedule', 'preview', 'drill'];

type Meant =
  | { readonly ok: true; readonly groups: readonly string[] }
  | { readonly ok: false; readonly answer: OperatorAnswer };

/**
 * An order to begin nothing is safe for all groups at once. To give away is not taken back as easily, and on one
 * router of an active-active pair it is about some of the groups only: which, has to be said.
 */
function groupsMeant(groups: readonly string[], { kind, group }: OperatorCommand): Meant {
  const decline = (sentence: string): Meant => ({ ok: false, answer: { accepted: false, sentence } });
  const names = groups.join(', ');
  if (group !== undefined) {
    if (groups.includes(group)) return { ok: true, groups: [group] };
    return decline(
      groups.length === 1
        ? 'the configuration has no groups: leave --group out'
        : `there is no group ${group}: the groups are ${names}`,
    );
  }
  if (HANDING_OVER.includes(kind) && groups.length > 1)
    return decline(`no switchover: there are several groups, ${names}: say which one with --group`);
  return { ok: true, groups };
}

/** One sentence for those that say the same. Accepted where all have accepted it. */
function inOneAnswer(groups: readonly string[], answers: readonly OperatorAnswer[]): OperatorAnswer {
  const sentences = [...new Set(answers.map(({ sentence }) => sentence))];
  const told = sentences.map((sentence) => {
    const saying = groups.filter((_, place) => answers[place]?.sentence === sentence);
    return `${saying.join(', ')}: ${sentence}`;
  });
  const lines = answers.flatMap((each) => each.lines ?? []);
  return {
    accepted: answers.every(({ accepted }) => accepted),
    sentence: told.join('; '),
    ...(lines.length === 0 ? {} : { lines }),
    ...(answers.some(({ begun }) => begun === true) ? { begun: true } : {}),
  };
}

function eventOf(
  command: OperatorCommand,
  request: number,
  { wallNow, unready }: { readonly wallNow: () => number; readonly unready: () => readonly string[] },
): OperatorEvent {
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
    case 'switchover':
      return { type: 'switchoverRequested', request };
    case 'schedule':
      return { type: 'scheduleRequested', request, atWall: command.atWallMs, wallNow: wallNow() };
    case 'cancel':
      return { type: 'cancelRequested', request };
    case 'drill':
      return { type: 'drillRequested', request, holdMs: command.holdMs, unready: unready() };
    case 'preview':
      return { type: 'previewRequested', request };
  }
}
