/**
 * Kinds of values that schema.ts builds its keys from, and the sentences for a value that is not of its
 * kind. A sentence says what is wrong and what to do; the report puts the place before it. No key, default
 * or range is written here.
 */
import { z } from 'zod';
import { parseDestination } from './destinations';
import { ipv4Number, notAHost } from './ipv4';
import { canonicalIpv6, notAnIpv6Host } from './ipv6';
import { parseListenPlace } from './listenPlace';
import { socketPathFault } from './socketPath';
import { listed, shown } from './words';

export type Unit = 's' | 'ms' | 'µs';

/** A limit that may be crossed at the price of a warning; `because` completes the warning's sentence. */
export type SensibleLimit = { readonly limit: number; readonly because: string };

/** What the reference says about a key beyond its type; JSON Schema's own keywords keep their names. */
export type FieldNotes = {
  description?: string;
  examples?: unknown[];
  format?: string;
  /** The kind of text in a word or two. */
  noun?: string;
  unit?: Unit;
  atLeast?: SensibleLimit;
  atMost?: SensibleLimit;
  /** Whether the predecessor xrv9k-aws-ha has the same key with the same meaning. */
  dropIn?: boolean;
};

export const fieldNotes = z.registry<FieldNotes>();

export function mandatory<T extends z.ZodType>(field: T, notes: FieldNotes): T {
  fieldNotes.add(field, { ...fieldNotes.get(field), ...notes });
  return field;
}

export function optional<T extends z.ZodType>(field: T, notes: FieldNotes): z.ZodOptional<T> {
  return mandatory(field.optional(), notes);
}

export function withDefault<T extends z.ZodType>(
  field: T,
  value: z.util.NoUndefined<z.output<T>>,
  notes: FieldNotes,
): z.ZodDefault<T> {
  return mandatory(field.default(value), notes);
}

export type Range = { readonly from: number; readonly to: number; readonly unit?: Unit };

type Complaint = { readonly input?: unknown };

const unitNames: { readonly [U in Unit]: string } = { s: 'seconds', ms: 'milliseconds', µs: 'microseconds' };

export function wholeNumber(range: Range) {
  const error = numberComplaint('a whole number', range, Number.isInteger);
  const number = z.int({ error }).min(range.from, { error }).max(range.to, { error });
  return mandatory(z.preprocess(numberOfString, number), unitNote(range));
}

/** A number that may have a fraction. */
export function decimal(range: Range) {
  const error = numberComplaint('a number', range, () => true);
  const number = z.number({ error }).min(range.from, { error }).max(range.to, { error });
  return mandatory(z.preprocess(numberOfString, number), unitNote(range));
}

function unitNote({ unit }: Range): FieldNotes {
  return unit === undefined ? {} : { unit };
}

/** Numbers are also accepted as strings, as the predecessor did. */
function numberOfString(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}

function numberComplaint(noun: string, range: Range, isNoun: (value: number) => boolean) {
  const ofUnit = range.unit === undefined ? '' : ` of ${unitNames[range.unit]}`;
  const hint = `write ${noun}${ofUnit} from ${range.from} to ${range.to}`;
  return ({ input }: Complaint) => {
    if (input === undefined) return `missing; ${hint}`;
    if (typeof input !== 'number') return `${shown(input)} is not ${noun}; ${hint}`;
    // A number too large for JavaScript arrives as Infinity, which is no integer either.
    return isNoun(input) || !Number.isFinite(input)
      ? `${shown(input)} is out of range; ${hint}`
      : `${shown(input)} is not ${noun}; ${hint}`;
  };
}

/** One of a few words. */
export function choice<const W extends readonly string[]>(words: W, hint?: string) {
  const advice = hint ?? `write ${listed(words, 'or')}`;
  return z.enum(words, {
    error: ({ input }) =>
      input === undefined
        ? `missing; ${advice}`
        : `${shown(input)} is not accepted; ${caseAdvice(words, input) ?? advice}`,
  });
}

/** Null where more than the case of the letters is wrong. */
function caseAdvice(words: readonly string[], input: unknown): string | null {
  if (typeof input !== 'string') return null;
  const word = words.find((each) => each.toLowerCase() === input.toLowerCase());
  if (word === undefined) return null;
  return `write it in ${word === word.toUpperCase() ? 'capitals' : 'small letters'}, "${word}"`;
}

export function yesOrNo() {
  const field = z.boolean({
    error: ({ input }) => notOfKind(input, 'true or false', 'write one of these, without quotes'),
  });
  return mandatory(field, { noun: '`true` or `false`' });
}

/** An object with these keys and no others; `hint` says what to write where there is no object. */
export function keys<S extends z.ZodRawShape>(shape: S, hint: string) {
  return z.strictObject(shape, { error: ({ input }) => notOfKind(input, 'an object', hint) });
}

/** A list with at least one entry. */
export function listOf<T extends z.ZodType>(entry: T, hint: string) {
  return z
    .array(entry, { error: ({ input }) => notOfKind(input, 'a list', hint) })
    .min(1, { error: `is empty; ${hint}` });
}

/** The address of one host, with the sentence's example. */
export function hostAddress(example: string) {
  const field = text('IPv4 address', `write an IPv4 address like ${example}`, (value) => {
    const number = ipv4Number(value);
    if (number === null)
      return `${shown(value)} is not an IPv4 address; write four numbers from 0 to 255, like ${example}`;
    const kind = notAHost(number);
    return kind === null
      ? null
      : `${shown(value)} is ${kind}; write the address of one host, like ${example}`;
  });
  return mandatory(field, { format: 'ipv4' });
}

/** The IPv4 or IPv6 address of one host, with the sentence's example. */
export function hostAddressOfEitherFamily(example: string) {
  const hint = `write an IPv4 or IPv6 address like ${example}`;
  return text('IPv4 or IPv6 address', hint, (value) => {
    if (value.includes('%'))
      return `${shown(value)} has a zone; write the address without %: the interface is that of the session`;
    const number = ipv4Number(value);
    const canonical = canonicalIpv6(value);
    if (number === null && canonical === null)
      return `${shown(value)} is not an IP address; write four numbers from 0 to 255, like ${example}, or an IPv6 address`;
    const kind = canonical === null ? notAHost(number ?? 0) : notAnIpv6Host(canonical);
    return kind === null
      ? null
      : `${shown(value)} is ${kind}; write the address of one host, like ${example}`;
  });
}

/** An id of EC2's: the prefix of its kind and 8 or 17 hexadecimal digits. */
export function ec2Id(prefix: string, example: string) {
  const form = new RegExp(`^${prefix}-([0-9a-f]{8}|[0-9a-f]{17})$`);
  return text('EC2 id', `write an id like ${example}`, (value) =>
    form.test(value) ? null : `${shown(value)} is not an id like ${example}; copy it from EC2`,
  );
}

export function routeDestination(example: string) {
  const hint = `write a CIDR block like ${example} or 2001:db8:9::/48, or the id of a prefix list, pl-...`;
  return text('CIDR block or prefix list', hint, (value) =>
    parseDestination(value) === null ? `${shown(value)} is no destination of a route; ${hint}` : null,
  );
}

export function tagText(maxLength: number) {
  const hint = `write a text of 1 to ${maxLength} characters`;
  return text('text', hint, (value) => {
    if (value === '' || value.length > maxLength)
      return `${shown(value)} has ${value.length} characters; ${hint}`;
    // EC2 reads them as wildcards in a filter, which would find other tables too.
    return /[*?\\\p{C}]/u.test(value)
      ? `${shown(value)} holds a wildcard or a control character; give it another tag`
      : null;
  });
}

const hostName = /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*\.?$/;
const hostHint = 'write a host name or an IPv4 address, without a port';

function isHost(value: string): boolean {
  // What has only digits and dots is meant as an address, and a resolver would read 127.1 as one.
  return /^[\d.]+$/.test(value) ? ipv4Number(value) !== null : hostName.test(value);
}

/** A server by name or address. */
export function host() {
  return text('host', hostHint, (value) =>
    isHost(value) ? null : `${shown(value)} is not the name or address of a host; ${hostHint}`,
  );
}

/** A server by name or address, or `unix:` and the absolute path of a socket. */
export function hostOrSocket() {
  const hint = `${hostHint}, or unix: and the absolute path of a socket`;
  return text('host or `unix:` path', hint, (value) => {
    const isFine = value.startsWith('unix:') ? /^unix:(\/\/)?\/[^\0]*[^\0/]$/.test(value) : isHost(value);
    return isFine ? null : `${shown(value)} is not the name or address of a host; ${hint}`;
  });
}

export function absolutePath(example: string) {
  const hint = `write an absolute path like ${example}`;
  return text('absolute path', hint, (value) => relativeFault(value, hint));
}

function relativeFault(value: string, hint: string): string | null {
  if (value.includes('\0')) return `${shown(value)} holds a NUL character; ${hint}`;
  return value.startsWith('/') ? null : `${shown(value)} is not an absolute path; ${hint}`;
}

/** The path of a Unix socket that the daemon makes. */
export function socketPath(example: string) {
  const hint = `write a short absolute path like ${example}`;
  return text('absolute path', hint, (value) => {
    const relative = relativeFault(value, hint);
    if (relative !== null) return relative;
    const fault = socketPathFault(value);
    return fault === null ? null : `${shown(value)} ${fault}; ${hint}`;
  });
}

/** An address of this router with a port, or the path of a Unix socket that the daemon makes. */
export function listenPlace() {
  const hint =
    'write an address of this router and a port like 127.0.0.1:9469 or [::1]:9469, or the absolute path of a socket';
  return text('address and port, or absolute path', hint, (value) =>
    parseListenPlace(value) === null ? `${shown(value)} is no place to listen at; ${hint}` : null,
  );
}

/** A name of the router's own configuration: one word. */
export function routerName(range: { readonly maxLength: number; readonly hint: string }) {
  return text('name', range.hint, (value) => {
    if (value === '') return `"" is empty; ${range.hint}`;
    if (/[\s\p{C}]/u.test(value))
      return `${shown(value)} holds a space or a control character; ${range.hint}`;
    return value.length <= range.maxLength
      ? null
      : `${shown(value)} is longer than the router's ${range.maxLength} characters; ${range.hint}`;
  });
}

/** A name that the operator chooses, and that logs and commands then use. */
export function givenName(example: string) {
  const hint = `write a name of small letters, digits, "-" and "_", like "${example}"`;
  return text('name', hint, (value) =>
    /^[a-z0-9][a-z0-9_-]{0,31}$/.test(value)
      ? null
      : `${shown(value)} is not a name of up to 32 such characters that begins with a letter or digit; ${hint}`,
  );
}

/** Scheme and host, nothing behind them; `because`: why no password belongs there. */
export function serviceUrl(example: string, because = 'requests are signed with the role of the instance') {
  const hint = `write a URL like ${example}`;
  return text('URL', hint, (value) => {
    // The value may hold a password here, so it is not repeated.
    if (value.includes('@')) return `holds a user name or password; leave them out: ${because}`;
    // URL drops blanks and line breaks silently, and reads "host:443" as a scheme.
    const url = /^https?:\/\/[^\s\\]+$/i.test(value) && URL.canParse(value) ? new URL(value) : null;
    if (url === null) {
      return isHost(value)
        ? `${shown(value)} has no scheme; put https:// before it`
        : `${shown(value)} is not an https URL; ${hint}`;
    }
    return url.pathname === '/' && url.search === '' && url.hash === ''
      ? null
      : `${shown(value)} goes on after the host; end it there: ${url.origin}`;
  });
}

/** Scheme, host and path; secrets belong into headers and signatures, not here. */
export function webhookUrl(example: string) {
  const hint = `write a URL like ${example}`;
  return text('URL', hint, (value) => {
    // The value may hold a password or a token here, so it is not repeated.
    if (value.includes('@')) return `holds a user name or password, which logs and show would show; ${hint}`;
    const url = /^https?:\/\/[^\s\\]+$/i.test(value) && URL.canParse(value) ? new URL(value) : null;
    if (url === null) return `is not an https URL; ${hint}`;
    if (url.search !== '' || url.hash !== '') return `goes on after the path; ${hint}`;
    const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
    return url.protocol === 'https:' || isHere
      ? null
      : `is not encrypted, and everybody on the way could read and change it; ${hint}`;
  });
}

/** Scheme, host and a path, nothing behind them. */
export function baseUrl(example: string) {
  const hint = `write a URL like ${example}`;
  return text('URL', hint, (value) => {
    // The value may hold a password here, so it is not repeated.
    if (value.includes('@')) return `holds a user name or password; leave them out`;
    const url = /^https?:\/\/[^\s\\]+$/i.test(value) && URL.canParse(value) ? new URL(value) : null;
    if (url === null) return `${shown(value)} is not an http or https URL; ${hint}`;
    return url.search === '' && url.hash === ''
      ? null
      : `${shown(value)} goes on after the path; end it there: ${url.origin}${url.pathname}`;
  });
}

export function ipv4Block(example: string) {
  const hint = `write an IPv4 CIDR block like ${example}`;
  return text('CIDR block', hint, (value) =>
    parseDestination(value)?.kind === 'ipv4' ? null : `${shown(value)} is no IPv4 CIDR block; ${hint}`,
  );
}

/** A text of a form that one expression says. */
export function patternText({
  noun,
  hint,
  form,
}: {
  readonly noun: string;
  readonly hint: string;
  readonly form: RegExp;
}) {
  return text(noun, hint, (value) =>
    form.test(value) ? null : `${shown(value)} is not a valid ${noun}; ${hint}`,
  );
}

export function anyText(hint: string) {
  return text('text', hint, () => null);
}

function text(noun: string, hint: string, fault: (value: string) => string | null) {
  const field = z
    .string({ error: ({ input }) => notOfKind(input, 'a text in double quotes', hint) })
    .check((context) => {
      const message = fault(context.value);
      if (message !== null) context.issues.push({ code: 'custom', input: context.value, message });
    });
  return mandatory(field, { noun });
}

function notOfKind(input: unknown, kind: string, hint: string): string {
  return input === undefined ? `missing; ${hint}` : `${shown(input)} is not ${kind}; ${hint}`;
}
