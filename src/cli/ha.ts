/**
 * `ha inhibit`, `ha release` and `ha switchover`: an operator's command to the running daemon, which decides and
 * answers with one sentence. What goes wrong is said on the error output, with what to do.
 */
import { ask, type Asked } from '../control/client';
import { maxInhibitMs, minInhibitMs, whyFault, type OperatorCommand } from '../control/commands';
import { closest } from '../config/closest';
import { printable } from '../config/words';
import type { FoundSocket } from './controlSocket';
import { parseDuration } from './duration';

export type Output = { write(text: string): unknown };

export const haExitCodes = { accepted: 0, declined: 1, wrongUsage: 2, notReachable: 4 } as const;

/** A switchover takes the longest: until EC2 has moved everything, up to some 10 s. */
const answerTimeoutMs = 20_000;

const usage = `usage: xr-aws-ha ha inhibit --for 30m --why "AWS maintenance" [--group NAME] [-c FILE]
       xr-aws-ha ha release [--group NAME] [-c FILE]
       xr-aws-ha ha switchover [--group NAME] [-c FILE]

switchover, or give, hands the targets to the peer router, where it is seen to be well. A peer that is inhibited gets
them all the same, since that cannot be seen from here: type show ha_reason there first.
`;

/** What stands behind `ha` on the command line. */
export type HaArguments = {
  readonly words: readonly string[];
  readonly for?: string | undefined;
  readonly why?: string | undefined;
  readonly group?: string | undefined;
};

export type ReadHa =
  { readonly ok: true; readonly command: OperatorCommand } | { readonly ok: false; readonly problem: string };

export function readHa(args: HaArguments): ReadHa {
  const [written, ...more] = args.words;
  const action = written === 'give' ? 'switchover' : written;
  if (action === undefined) return wrong('what to do is missing: inhibit, release or switchover');
  if (!isAction(action)) {
    const suggestion = closest(action, actions);
    const hint = suggestion === null ? '' : `; did you mean ${suggestion}?`;
    return wrong(`there is no '${printable(action)}'${hint}`);
  }
  if (more.length > 0) {
    const hint = action === 'inhibit' ? '; put the whole reason in quotes: --why "AWS maintenance"' : '';
    return wrong(`${action} takes no '${printable(more.join(' '))}'${hint}`);
  }
  if (args.group === '') return wrong('--group: it is empty; write the name of a group');
  if (action === 'inhibit') return readInhibit(args);
  if (args.for !== undefined) return wrong(`${action} takes no --for`);
  if (args.why !== undefined) return wrong(`${action} takes no --why`);
  return { ok: true, command: { kind: action, ...groupOf(args) } };
}

/** Resolves to the exit code; never rejects. */
export async function ha(
  args: HaArguments,
  socket: FoundSocket,
  { out, err }: { readonly out: Output; readonly err: Output },
  timeoutMs = answerTimeoutMs,
): Promise<number> {
  const reading = readHa(args);
  if (!reading.ok) {
    err.write(`ha: ${reading.problem}\n\n${usage}`);
    return haExitCodes.wrongUsage;
  }
  const asked = await ask(socket.path, reading.command, timeoutMs);
  switch (asked.outcome) {
    case 'answered':
      (asked.accepted ? out : err).write(`${printable(asked.sentence)}\n`);
      return asked.accepted ? haExitCodes.accepted : haExitCodes.declined;
    case 'refused':
      err.write(`ha: the daemon has not taken the command: ${printable(asked.error)}\n`);
      return haExitCodes.declined;
    case 'unanswered':
      err.write(
        `ha: the daemon was asked and has not answered: ${asked.cause}.\n` +
          'It may do it all the same: see show ha_reason and its log before you ask again.\n',
      );
      return haExitCodes.notReachable;
    case 'unreachable':
      err.write(notReachable(socket, asked));
      return haExitCodes.notReachable;
  }
}

const actions = ['inhibit', 'release', 'switchover'] as const satisfies readonly OperatorCommand['kind'][];

function isAction(word: string): word is (typeof actions)[number] {
  return actions.some((action) => action === word);
}

const durationHint = 'write it like 90s, 30m, 2h or 1h30m';

function readInhibit(args: HaArguments): ReadHa {
  if (args.for === undefined) return wrong(`inhibit needs --for: how long, like --for 30m`);
  const forMs = parseDuration(args.for);
  if (forMs === null) return wrong(`--for: '${printable(args.for)}' is not a duration; ${durationHint}`);
  if (forMs < minInhibitMs || forMs > maxInhibitMs) {
    return wrong(`--for: '${printable(args.for)}' is out of range; from 1s to 7d are possible`);
  }
  const why = args.why?.trim();
  if (why === undefined || why === '') {
    return wrong('inhibit needs --why: the reason, for the log and for whoever comes after you');
  }
  const fault = whyFault(why);
  return fault === null
    ? { ok: true, command: { kind: 'inhibit', ...groupOf(args), forMs, why } }
    : wrong(`--why: it ${fault}`);
}

function groupOf({ group }: HaArguments): { readonly group?: string } {
  return group === undefined ? {} : { group };
}

function wrong(problem: string): ReadHa {
  return { ok: false, problem };
}

function notReachable(
  { path, configPath, doubt }: FoundSocket,
  { code, cause }: Extract<Asked, { outcome: 'unreachable' }>,
): string {
  const lines = [`ha: ${whatIsWrong(path, code, cause)}`];
  if (doubt !== null) lines.push(`The default socket was tried because ${doubt}.`);
  lines.push(whatToDo(code, configPath), '');
  return lines.join('\n');
}

function whatIsWrong(path: string, code: string, cause: string): string {
  if (code === 'ENOENT') return `no daemon can be asked: there is no ${path}.`;
  if (code === 'ECONNREFUSED') return `no daemon can be asked: nobody listens on ${path}.`;
  if (code === 'EACCES' || code === 'EPERM') return `the daemon cannot be asked: ${path} may not be opened.`;
  return `the daemon cannot be asked: ${cause}.`;
}

function whatToDo(code: string, configPath: string): string {
  if (code === 'EACCES' || code === 'EPERM') return 'Run ha as the user that the daemon runs as.';
  return (
    `Is the daemon running, in this container, with control_socket as in ${configPath}? ` +
    'Its log says control-unavailable where it cannot have the socket.'
  );
}
