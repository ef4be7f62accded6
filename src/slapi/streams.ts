/**
 * Opening a notification stream so that nothing about it goes unseen: its end, its error and another client
 * taking it are losses of the attachment, a message that does not decode is reported and skipped.
 */
import { failureInWords, wantsCalm, type RpcFailure, type StreamListener } from './channel';
import { inWords, isNotRegistered, type ErrorMeaning } from './errors';
import type { Link } from './link';
import { asMessage, raw, type Message } from './message';
import { doubtOf, type Loss } from './operations';
import type { Method } from './protos';

/** `handle` is called inside gRPC's data callback: an event is passed on before anything else happens. */
export function openStream(
  link: Link,
  method: Method,
  request: object,
  handle: (message: Message) => void,
): void {
  link.channel.serverStream(method, request, streamListener(link, method, handle));
}

/** Returns what sends a request on the stream. */
export function openDuplex(
  link: Link,
  method: Method,
  handle: (message: Message) => void,
): (request: object) => void {
  return link.channel.duplexStream(method, streamListener(link, method, handle));
}

function streamListener(link: Link, method: Method, handle: (message: Message) => void): StreamListener {
  return {
    message: (bytes) => {
      link.heard(method);
      const message = decode(link, method, bytes);
      if (message !== null) handle(message);
    },
    ended: (failure) => link.lose(endedLoss(link.channel.target, method, failure)),
  };
}

function decode(link: Link, method: Method, bytes: Buffer): Message | null {
  try {
    return asMessage(method.decode(bytes));
  } catch (error: unknown) {
    const why = error instanceof Error ? error.message : String(error);
    link.complaints.malformed(`a message of ${method.name} that does not decode`, `${why}: ${raw(bytes)}`);
    return null;
  }
}

/** How a stream ends whose connection does, whatever the stream. */
const WITH_THE_CONNECTION: readonly string[] = [
  'UNAVAILABLE',
  'CANCELLED',
  'RESOURCE_EXHAUSTED',
  'UNIMPLEMENTED',
];

const NOT_REGISTERED = /not[ _]registered/i;

function endedLoss(target: string, method: Method, failure: RpcFailure | null): Loss {
  if (failure === null)
    return { kind: 'lost', cause: `the router ended the stream ${method.name}`, ...doubtOf(method, false) };
  if (failure.connectError !== null) {
    const key = target.startsWith('unix:') ? 'grpc_server' : 'grpc_port';
    return {
      kind: 'lost',
      cause: `the router's gRPC server at ${target} cannot be reached (${failure.connectError}): is grpc configured there, with service-layer, and is ${key} right?`,
    };
  }
  const hint = failure.code === 'UNIMPLEMENTED' ? ' (is `service-layer` configured under `grpc`?)' : '';
  return {
    kind: 'lost',
    cause: `the stream ${method.name} broke: ${failureInWords(failure)}${hint}`,
    ...(wantsCalm(failure) ? { calm: true as const } : {}),
    ...(WITH_THE_CONNECTION.includes(failure.code)
      ? {}
      : doubtOf(method, NOT_REGISTERED.test(failure.message))),
  };
}

/** An error that a stream reports about itself. */
export function streamErrorLoss(method: Method, error: ErrorMeaning): Loss {
  if (error.name === 'SL_NOTIF_TERM') {
    return { kind: 'taken', cause: `another client took the stream ${method.name} (SL_NOTIF_TERM)` };
  }
  return {
    kind: 'lost',
    cause: `the stream ${method.name} reported ${inWords(error)}`,
    ...(isNotRegistered(error) ? doubtOf(method, true) : {}),
  };
}
