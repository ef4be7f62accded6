/**
 * The daemon's ear for operators: HTTP on a Unix socket that takes the commands of `ha`. Failover does not depend on
 * it: where the socket cannot be had, the log says why and what to do, and it is tried again for ever. It
 * decides nothing: `submit` does.
 */
import type { Logger } from 'pino';
import type { OperatorAnswer, OperatorCommand } from './commands';
import { refusal, type HttpAnswer } from './httpServer';
import { Listener, type ListeningTiming } from './listener';
import { readCommand } from './protocol';

export type ControlTiming = ListeningTiming;

export type ControlOptions = {
  readonly path: string;
  readonly log: Logger;
  /** Has to settle for every command, at the daemon's end too: requests.ts does. */
  readonly submit: (command: OperatorCommand) => Promise<OperatorAnswer>;
  /** Of each group that has switched over in this life of the daemon. */
  readonly progress?: () => readonly object[];
  /** The report of the last drill of each group that has had one. */
  readonly drills?: () => readonly object[];
} & Partial<ControlTiming>;

export type Control = Listener;

export function openControl({
  path,
  log,
  submit,
  progress = () => [],
  drills = () => [],
  ...timing
}: ControlOptions): Control {
  return new Listener({
    ...timing,
    place: { key: 'control_socket', path },
    routes: {
      'POST /command': (body) => decide({ log, submit }, body),
      'GET /progress': () =>
        Promise.resolve({ status: 200, body: { progress: progress(), drills: drills() } }),
    },
    onOpen: () => log.info({ event: 'control-available', path }, 'Commands of ha are taken'),
    onObstacle: ({ code, cause, advice }) =>
      log.error(
        { event: 'control-unavailable', path, code, cause, reason: advice },
        'Commands of ha cannot be taken; failover is not affected',
      ),
  });
}

async function decide(
  { log, submit }: Pick<ControlOptions, 'log' | 'submit'>,
  body: Buffer,
): Promise<HttpAnswer> {
  const request = readCommand(body);
  if (!request.ok) return refusal(400, request.error);
  const { kind } = request.command;
  try {
    return { status: 200, body: await submit(request.command) };
  } catch (err: unknown) {
    log.error({ event: 'control-failed', kind, err }, 'A command could not be decided');
    return refusal(500, 'the daemon failed over this request; its log says how');
  }
}
