/**
 * `ha inhibit`, `ha release`, `ha switchover` and `ha drill`: an operator's command to the running daemon, which decides and
 * answers with one sentence. What goes wrong is said on the error output, with what to do.
 */
import { writeFileSync } from 'node:fs';
import { ask, type Asked } from '../control/client';
import {
  maxAheadMs,
  maxHoldMs,
  maxInhibitMs,
  minHoldMs,
  minInhibitMs,
  whyFault,
  type OperatorCommand,
} from '../control/commands';
import { closest } from '../config/closest';
import { printable } from '../config/words';
import type { FoundSocket } from './controlSocket';
import { drillPicture } from './drillPicture';
import { parseDuration } from './duration';
import { Following } from './following';
import { parseMoment } from './moment';

export type Output = { write(text: string): unknown };

/**
 * `undone`: something has moved, and it is not as it was ordered. `notReachable`: no daemon can be asked, or it was asked and has
 * not answered, and may have acted.
 */
export const haExitCodes = { accepted: 0, declined: 1, wrongUsage: 2, undone: 3, notReachable: 4 } as const;

/** A move may take longer, and is then followed by what the daemon tells of it. */
const answerTimeoutMs = 20_000;

const usage = `usage: xr-aws-ha ha inhibit --for 30m --why "AWS maintenance" [--group NAME] [-c FILE]
       xr-aws-ha ha release [--group NAME] [-c FILE]
       xr-aws-ha ha switchover [--dry-run | --at TIME | --cancel] [--group NAME] [-c FILE]
       xr-aws-ha ha drill [--hold 60s] [--report FILE.json] [--group NAME] [-c FILE]

switchover, or give, hands the targets to the peer router, where it is seen to be well, and waits until EC2 has shown
them there for a keepalive. A peer that is inhibited gets them all the same, since that cannot be seen from here: type
show ha_reason there first.
  --dry-run  only says what would be asked of EC2, and what speaks against it
  --at       at that time: 2026-12-01T03:00Z, 03:00 (UTC), or 30m from now; at most 7 days ahead
  --cancel   takes such an order back, and stops a drill
drill checks both ways, switches over, leaves the targets at the peer for --hold, takes them back, and verifies each half;
at the first thing that is not as it should be it stops, and the targets stay with whoever serves them.
`;

/** What stands behind `ha` on the command line. */
export type HaArguments = {
  readonly words: readonly string[];
  readonly for?: string | undefined;
  readonly why?: string | undefined;
  readonly at?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly cancel?: boolean | undefined;
  readonly hold?: string | undefined;
  readonly report?: string | undefined;
  readonly group?: string | undefined;
};

export type ReadHa =
  { readonly ok: true; readonly command: OperatorCommand } | { readonly ok: false; readonly problem: string };

export function readHa(args: HaArguments, nowMs = Date.now()): ReadHa {
  const [written, ...more] = args.words;
  const action = written === 'give' ? 'switchover' : written;
  if (action === undefined) return wrong('what to do is missing: inhibit, release, switchover or drill');
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
  for (const { name, written: option, of } of OWN_OPTIONS)
    if (args[name] !== undefined && args[name] !== false && action !== of)
      return wrong(`${action} takes no ${option}`);
  if (action === 'inhibit') return readInhibit(args);
  if (args.for !== undefined) return wrong(`${action} takes no --for`);
  if (args.why !== undefined) return wrong(`${action} takes no --why`);
  if (action === 'drill') return readDrill(args);
  return action === 'switchover'
    ? readSwitchover(args, nowMs)
    : { ok: true, command: { kind: action, ...groupOf(args) } };
}

const SWITCHOVER_OPTIONS = [
  { name: 'dryRun', written: '--dry-run' },
  { name: 'at', written: '--at' },
  { name: 'cancel', written: '--cancel' },
] as const;

const OWN_OPTIONS = [
  ...SWITCHOVER_OPTIONS.map((option) => ({ ...option, of: 'switchover' as const })),
  { name: 'hold', written: '--hold', of: 'drill' },
  { name: 'report', written: '--report', of: 'drill' },
] as const;

function readDrill(args: HaArguments): ReadHa {
  const holdMs = parseDuration(args.hold ?? '60s');
  if (holdMs === null)
    return wrong(`--hold: '${printable(args.hold ?? '')}' is not a duration; ${durationHint}`);
  if (holdMs < minHoldMs || holdMs > maxHoldMs)
    return wrong(`--hold: '${printable(args.hold ?? '')}' is out of range; from 1s to 1h are possible`);
  return { ok: true, command: { kind: 'drill', ...groupOf(args), holdMs } };
}

function readSwitchover(args: HaArguments, nowMs: number): ReadHa {
  const given = SWITCHOVER_OPTIONS.filter(({ name }) => args[name] !== undefined && args[name] !== false);
  const [option, other] = given;
  if (option !== undefined && other !== undefined)
    return wrong(`switchover takes one of ${option.written} and ${other.written}`);
  const group = groupOf(args);
  if (args.cancel === true) return { ok: true, command: { kind: 'cancel', ...group } };
  if (args.dryRun === true) return { ok: true, command: { kind: 'preview', ...group } };
  if (args.at === undefined) return { ok: true, command: { kind: 'switchover', ...group } };
  const atWallMs = parseMoment(args.at, nowMs);
  if (atWallMs === null)
    return wrong(
      `--at: '${printable(args.at)}' is not a time; write it like 2026-12-01T03:00Z, 03:00 (UTC) or 30m`,
    );
  if (atWallMs < nowMs || atWallMs > nowMs + maxAheadMs)
    return wrong(`--at: '${printable(args.at)}' is out of range; from now to 7 days ahead are possible`);
  return { ok: true, command: { kind: 'schedule', ...group, atWallMs } };
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
  const { command } = reading;
  if (command.kind === 'switchover' || command.kind === 'drill')
    return followed(socket, command, { out, err }, { timeoutMs, reportPath: args.report });
  const asked = await ask(socket.path, command, timeoutMs);
  return told(asked, socket, { out, err });
}

type Streams = { readonly out: Output; readonly err: Output };

/** Says what came of the command; returns the exit code. */
function told(asked: Asked, socket: FoundSocket, { out, err }: Streams): number {
  switch (asked.outcome) {
    case 'answered': {
      const stream = asked.accepted ? out : err;
      stream.write(`${printable(asked.sentence)}\n`);
      for (const line of asked.lines ?? []) stream.write(`  ${printable(line)}\n`);
      if (asked.accepted) return haExitCodes.accepted;
      return asked.begun === true ? haExitCodes.undone : haExitCodes.declined;
    }
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

/** A switchover: told as it goes, until the targets are seen to be well at the peer. */
async function followed(
  socket: FoundSocket,
  command: OperatorCommand,
  { out, err }: Streams,
  { timeoutMs, reportPath }: { readonly timeoutMs: number; readonly reportPath?: string | undefined },
): Promise<number> {
  const kind = command.kind === 'drill' ? 'drill' : 'switchover';
  const following = new Following(socket.path, kind, (line) => out.write(`${line}\n`));
  await following.begin();
  const begunMs = Date.now();
  const running = following.run();
  const asked = await ask(socket.path, command, timeoutMs);
  const isAccepted = asked.outcome === 'answered' && asked.accepted;
  // Many routes, or an EC2 that throttles, take longer than an answer is waited for: what has begun is followed to its end.
  const isGoingOn = isAccepted || (asked.outcome === 'unanswered' && (await following.hasBegun()));
  if (!isGoingOn) following.stop();
  else if (isAccepted) out.write(`${printable(asked.sentence)}\n`);
  const ending = await running;
  if (!isGoingOn) return told(asked, socket, { out, err });
  switch (ending) {
    case 'done':
    case 'declined':
    case 'undone':
      out.write(`${following.legs.join('\n')}\n`);
      if (kind === 'drill') out.write(`${drillPicture(begunMs, Date.now())}\n`);
      return ended(ending === 'done', reportPath === undefined || written(reportPath, following.drills, err));
    case 'lost':
      err.write('ha: the daemon does not answer any more: see show ha_targets and its log.\n');
      return haExitCodes.notReachable;
    case 'none':
      return haExitCodes.accepted;
  }
}

/** Where all is done, a report that is lost must not say that targets are in the wrong place. */
function ended(isDone: boolean, isReported: boolean): number {
  if (!isDone) return haExitCodes.undone;
  return isReported ? haExitCodes.accepted : haExitCodes.declined;
}

/** The report of a drill, for whoever it is handed on to. Returns whether it could be written. */
function written(path: string, drills: readonly unknown[], err: Output): boolean {
  try {
    writeFileSync(path, `${JSON.stringify(drills, null, 2)}\n`);
    return true;
  } catch (error: unknown) {
    err.write(
      `ha: the report cannot be written: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return false;
  }
}

const actions = [
  'inhibit',
  'release',
  'switchover',
  'drill',
] as const satisfies readonly OperatorCommand['kind'][];

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
