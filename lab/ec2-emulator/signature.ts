/**
 * Checks AWS Signature Version 4 of a request, the server's half of
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { CredentialRegistry, CredentialSet } from './credentials';
import { refused } from './ec2Error';
import type { Outcome } from './ec2Error';

export interface SignedRequest {
  readonly method: string;
  /** Path and query as received. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Authorization {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** How far the signer's clock may be off. */
const MAX_SKEW_MS = 5 * 60_000;

const invalid = refused('AuthFailure', 'AWS was not able to validate the provided access credentials');

/** The access key id that a request claims, whether its signature holds or not. */
export function claimedAccessKeyId(headers: IncomingHttpHeaders): string | null {
  return parseAuthorization(headers.authorization)?.accessKeyId ?? null;
}

/** AuthFailure for whatever does not fit; RequestExpired for old credentials or a signature out of time. `now`: epoch ms. */
export function checkSignature(
  request: SignedRequest,
  { region, service, now }: { readonly region: string; readonly service: string; readonly now: number },
  credentials: CredentialRegistry,
): Outcome<CredentialSet> {
  const claim = parseAuthorization(request.headers.authorization);
  if (claim === undefined) return invalid;
  const set = credentials.find(claim.accessKeyId);
  const signedAt = header(request.headers, 'x-amz-date');
  if (set === undefined || signedAt === undefined) return invalid;
  if (claim.service !== service || claim.region !== region || !signedAt.startsWith(claim.date)) {
    return refused(
      'AuthFailure',
      `Credential must be scoped to ${region}/${service} and the date of the request`,
    );
  }
  if (header(request.headers, 'x-amz-security-token') !== set.sessionToken) return invalid;
  if (!claim.signedHeaders.includes('host') || !claim.signedHeaders.includes('x-amz-date')) return invalid;
  if (signatureOf(request, claim, signedAt, set.secretAccessKey) !== claim.signature) return invalid;
  if (set.expiresAt <= now) return refused('RequestExpired', 'Request has expired.');
  return withinSkew(signedAt, now)
    ? { ok: true, value: set }
    : refused('RequestExpired', `Request has expired. Timestamp date is ${signedAt}.`);
}

function parseAuthorization(text: string | undefined): Authorization | undefined {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,]+)\/([^/,]+)\/aws4_request, *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})$/.exec(
      text ?? '',
    );
  if (match === null) return undefined;
  const [, accessKeyId = '', date = '', region = '', service = '', signedHeaders = '', signature = ''] =
    match;
  return { accessKeyId, date, region, service, signedHeaders: signedHeaders.split(';'), signature };
}

function signatureOf(request: SignedRequest, claim: Authorization, signedAt: string, secret: string): string {
  const scope = `${claim.date}/${claim.region}/${claim.service}/aws4_request`;
  const toSign = [
    'AWS4-HMAC-SHA256',
    signedAt,
    scope,
    sha256(canonicalRequest(request, claim.signedHeaders)),
  ];
  const key = [claim.date, claim.region, claim.service, 'aws4_request'].reduce<Buffer | string>(
    hmac,
    `AWS4${secret}`,
  );
  return hmac(key, toSign.join('\n')).toString('hex');
}

function canonicalRequest(request: SignedRequest, signedHeaders: readonly string[]): string {
  const [path = '/', query = ''] = request.url.split('?');
  return [
    request.method,
    path,
    query.split('&').sort().join('&'),
    ...signedHeaders.map(
      (name) => `${name}:${(header(request.headers, name) ?? '').trim().replace(/ +/g, ' ')}`,
    ),
    '',
    signedHeaders.join(';'),
    // The body itself and not x-amz-content-sha256: a body changed on the way must not pass.
    sha256(request.body),
  ].join('\n');
}

function withinSkew(signedAt: string, now: number): boolean {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(signedAt);
  if (parts === null) return false;
  const [, year, month, day, hour, minute, second] = parts.map(Number);
  const at = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second);
  return Math.abs(now - at) <= MAX_SKEW_MS;
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
