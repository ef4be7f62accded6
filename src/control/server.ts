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
} & Partial<ControlTiming>;

export type Control = Listener;

export function openControl({ path, log, submit, ...timing }: ControlOptions): Control {
  return new Listener({
    ...timing,
    place: { key: 'control_socket', path },
    routes: { 'POST /command': (body) => decide({ log, submit }, body) },
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
    const { accepted, sentence } = await submit(request.command);
    return { status: 200, body: { accepted, sentence } };
  } catch (err: unknown) {
    log.error({ event: 'control-failed', kind, err }, 'A command could not be decided');
    return refusal(500, 'the daemon failed over this request; its log says how');
  }
}
