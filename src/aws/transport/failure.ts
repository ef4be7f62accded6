/**
 * What a failed EC2 call means for the rules: one table of EC2's error codes, and the rest by what is known
 * about the request. Codes: https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html
 */
import { EC2ServiceException } from '@aws-sdk/client-ec2';
import type { Failure } from '../../core/state/model';
import { ConnectionError } from './connections';

/** What is known about the request beside the error that it ended with. */
export type RequestFate = {
  /** Handed to the socket of a standing connection. Without it EC2 can have done nothing. */
  readonly sent: boolean;
  /** Set where our own deadline ended it. */
  readonly timedOutAfterMs: number | null;
};

const THROTTLED = new Set([
  'RequestLimitExceeded',
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'EC2ThrottledException',
  'TooManyRequestsException',
  'SlowDown',
]);

/** EC2 did not believe the credentials, or the time in the signature: fresh ones may be believed. */
const CREDENTIALS_TURNED_DOWN = new Set([
  'AuthFailure',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSecurity',
  'InvalidSecurity.RequestHasExpired',
  'MissingAuthenticationToken',
  'RequestExpired',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);

/** The form of EC2's codes. */
const CODE = /^[A-Za-z][\w.]{0,99}$/;

/** An attachment or an instance in transition. EC2 did nothing, and soon would do it. */
const TRANSIENT = new Set(['IncorrectState', 'IncorrectInstanceState', 'ConcurrentModification']);

export function turnsDownCredentials(failure: Failure): boolean {
  return CREDENTIALS_TURNED_DOWN.has(failure.code);
}

export function classify(error: unknown, fate: RequestFate): Failure {
  if (fate.timedOutAfterMs !== null) {
    const message = fate.sent
      ? `no answer within ${Math.round(fate.timedOutAfterMs)} ms`
      : `no connection within ${Math.round(fate.timedOutAfterMs)} ms`;
    return { kind: fate.sent ? 'uncertain' : 'unsent', code: 'Timeout', message };
  }
  if (!fate.sent) return { kind: 'unsent', code: localCode(error), message: oneLine(messageOf(error)) };
  const code = codeOfEc2(error);
  if (code === null) return { kind: 'uncertain', code: localCode(error), message: oneLine(messageOf(error)) };
  return { kind: kindOf(code, statusOf(error)), code, message: messageOfEc2(code, error) };
}

function kindOf(code: string, status: number): Failure['kind'] {
  if (THROTTLED.has(code)) return 'throttled';
  if (CREDENTIALS_TURNED_DOWN.has(code) || TRANSIENT.has(code)) return 'unsent';
  // A server error may come after the work was done.
  return status >= 400 && status < 500 ? 'refused' : 'uncertain';
}

/** The code that EC2 wrote, not one that the SDK made up for an answer without any. */
function codeOfEc2(error: unknown): string | null {
  if (!(error instanceof EC2ServiceException)) return null;
  const written: unknown = 'Code' in error ? error.Code : null;
  return typeof written === 'string' && CODE.test(written) ? written : null;
}

function statusOf(error: unknown): number {
  return error instanceof EC2ServiceException ? (error.$metadata.httpStatusCode ?? 0) : 0;
}

/** EC2 quotes the signed request, with the session token in it, when a signature does not match. */
function messageOfEc2(code: string, error: unknown): string {
  if (CREDENTIALS_TURNED_DOWN.has(code))
    return 'EC2 does not accept the credentials or the time of the request';
  return oneLine(messageOf(error));
}

/** The code of the socket, or the error's name. */
function localCode(error: unknown): string {
  if (error instanceof ConnectionError) return error.code;
  // The SDK names an error by what EC2 has written for a code, whatever that is.
  return error instanceof Error && error.name !== 'Error' && CODE.test(error.name) ? error.name : 'Unknown';
}

function messageOf(error: unknown): string {
  // The SDK puts into an error what EC2 has written, and elements where it has written elements.
  const message: unknown = error instanceof Error ? error.message : error;
  return typeof message === 'string' ? message : 'a message that is no text';
}

/** For what others have written: it goes to logs and terminals, and nothing in it may steer them. */
export function oneLine(text: string): string {
  return text
    .slice(0, 1000)
    .replace(/[\s\p{C}]+/gu, ' ')
    .trim()
    .slice(0, 300);
}
