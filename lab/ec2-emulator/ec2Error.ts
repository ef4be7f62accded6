/** EC2's refusals as values. Codes: https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html */

export interface Ec2Error {
  readonly code: string;
  readonly message: string;
  /** Where it is another one than the code usually comes with. */
  readonly status?: number | undefined;
}

export type Outcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Ec2Error };

export const accepted = <T>(value: T): Outcome<T> => ({ ok: true, value });
export const refused = (
  code: string,
  message: string,
  status?: number,
): { readonly ok: false; readonly error: Ec2Error } => ({ ok: false, error: { code, message, status } });

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  AuthFailure: 401,
  UnauthorizedOperation: 403,
  SignatureDoesNotMatch: 403,
  DryRunOperation: 412,
  InternalError: 500,
  InternalFailure: 500,
  ServerInternal: 500,
  RequestLimitExceeded: 503,
  Unavailable: 503,
  ServiceUnavailable: 503,
};

/** The HTTP status that goes with a code: 400 for every client error that has no status of its own. */
export const statusOf = (code: string): number => STATUS_BY_CODE[code] ?? 400;
