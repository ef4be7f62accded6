/**
 * What a failed EC2 call means for the rules: one table of EC2's error codes, and the rest by what is known
 * about the request. Codes: https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html
 */
import type { Failure } from '../../core/state/readings';
import { ConnectionError } from '../../transport/connections';
import { oneLine, quoted, withoutSecrets } from '../../transport/words';

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

/**
 * EC2 did not believe the credentials, or the time in the signature: fresh ones may be believed. AuthFailure it also
 * says of what nobody may touch, as an Elastic IP that a service manages: acceptance.ts tells the two apart.
 */
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

/** What is said of the time, or of how long a token lasts, is never about the call. */
export function mayBeAboutCall(failure: Failure): boolean {
  return turnsDownCredentials(failure) && !/Expired|Skewed/.test(failure.code);
}

/** EC2 takes the same credentials for other calls, so it is this call that it does not permit. */
export function asRefusal({ code, message }: Failure): Failure {
  const words = message === TURNED_DOWN ? 'EC2 gives no reason' : message.replace(`${TURNED_DOWN}: `, '');
  return {
    kind: 'refused',
    code,
    message: `${words} (EC2 accepts the same credentials for other calls)`,
  };
}

/** `secrets`: what was signed with, which EC2 may quote. */
export function classify(error: unknown, fate: RequestFate, secrets: readonly string[] = []): Failure {
  if (fate.timedOutAfterMs !== null) {
    const message = fate.sent
      ? `no answer within ${Math.round(fate.timedOutAfterMs)} ms`
      : `no connection within ${Math.round(fate.timedOutAfterMs)} ms`;
    return { kind: fate.sent ? 'uncertain' : 'unsent', code: 'Timeout', message };
  }
  if (!fate.sent) return { kind: 'unsent', code: localCode(error), message: wordsOf(error, secrets) };
  const code = codeOfEc2(error);
  if (code === null) return { kind: 'uncertain', code: localCode(error), message: wordsOf(error, secrets) };
  return { kind: kindOf(code, statusOf(error)), code, message: messageOfEc2(code, error, secrets) };
}

function kindOf(code: string, status: number): Failure['kind'] {
  if (THROTTLED.has(code)) return 'throttled';
  if (CREDENTIALS_TURNED_DOWN.has(code) || TRANSIENT.has(code)) return 'unsent';
  // A server error may come after the work was done.
  return status >= 400 && status < 500 ? 'refused' : 'uncertain';
}

/** The code that EC2 wrote, not one that the SDK made up for an answer without any. */
function codeOfEc2(error: unknown): string | null {
  if (!isServiceException(error)) return null;
  const written: unknown = 'Code' in error ? error.Code : 'name' in error ? error.name : null;
  return typeof written === 'string' && CODE.test(written) ? written : null;
}

function statusOf(error: unknown): number {
  return isServiceException(error) ? (error.$metadata.httpStatusCode ?? 0) : 0;
}

/** What the SDK makes of an error answer, of whatever service. */
function isServiceException(
  error: unknown,
): error is Error & { readonly $metadata: { readonly httpStatusCode?: number } } {
  return error instanceof Error && '$fault' in error && '$metadata' in error;
}

const TURNED_DOWN = 'EC2 does not accept the credentials or the time of the request';

/** EC2 quotes the signed request, with the session token in it, when a signature does not match. */
function messageOfEc2(code: string, error: unknown, secrets: readonly string[]): string {
  if (!CREDENTIALS_TURNED_DOWN.has(code)) return wordsOf(error, secrets);
  const words = quoted(messageOf(error), secrets);
  return words === '' ? TURNED_DOWN : `${TURNED_DOWN}: ${words}`;
}

const wordsOf = (error: unknown, secrets: readonly string[]): string =>
  oneLine(withoutSecrets(messageOf(error), secrets));

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
