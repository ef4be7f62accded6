/**
 * What a failed request to an OpenStack service means for the rules. The service answers in its own words, which are
 * quoted; what kind of failure it is follows from the status, and from what Keystone 22 and Neutron 21 were seen to do.
 */
import type { Failure } from '../../core/state/readings';
import { ConnectionError, MalformedAnswer } from '../../transport/connections';
import { oneLine, withoutSecrets } from '../../transport/words';

/** What is known about a request that has no answer. */
export type RequestFate = {
  /** Handed to the socket of a standing connection. Without it the service can have done nothing. */
  readonly sent: boolean;
  /** Set where our own deadline ended it. */
  readonly timedOutAfterMs: number | null;
};

/** It is not known whom to trust, so nothing was sent. */
export class Untrusted extends Error {}

export function unanswered(error: unknown, { sent, timedOutAfterMs }: RequestFate): Failure {
  const kind = sent ? 'uncertain' : 'unsent';
  if (timedOutAfterMs !== null) {
    const what = sent ? 'no answer' : 'no connection';
    return { kind, code: 'Timeout', message: `${what} within ${Math.round(timedOutAfterMs)} ms` };
  }
  if (error instanceof ConnectionError) return { kind, code: error.code, message: oneLine(error.message) };
  if (error instanceof MalformedAnswer) return malformed(error.message);
  if (error instanceof Untrusted) return { kind, code: 'NoAuthorities', message: oneLine(error.message) };
  return { kind, code: 'Unknown', message: oneLine(String(error)) };
}

/** An answer with a good status and wrong content. */
export function malformed(what: string): Failure {
  return { kind: 'uncertain', code: 'MalformedAnswer', message: oneLine(what) };
}

/** `secrets`: what was sent and must not be told. */
export function refusal(status: number, text: string, secrets: readonly string[]): Failure {
  const { code, message } = saying(status, text);
  return { kind: kindOf(status, text), code, message: oneLine(withoutSecrets(message, secrets)) };
}

function kindOf(status: number, text: string): Failure['kind'] {
  if (status === 401) return 'unsent';
  // 413 was the word of older releases.
  if (status === 429 || status === 413) return 'throttled';
  // Said before the request is looked at: the token could not be checked, since Keystone is away.
  if (status === 503 && text.includes('Keystone')) return 'unsent';
  // An error of the server, or of a proxy, may come after the work was done.
  return status >= 400 && status < 500 ? 'refused' : 'uncertain';
}

/**
 * Neutron: {"NeutronError": {"type", "message"}}; Keystone and its middleware: {"error": {"title", "message"}}; Nova:
 * {"forbidden": {"code", "message"}}, or another word.
 */
function saying(status: number, text: string): { readonly code: string; readonly message: string } {
  const body = parsed(text);
  const neutron = member(body, 'NeutronError');
  const type = member(neutron, 'type');
  const said = member(neutron, 'message');
  if (typeof type === 'string' && typeof said === 'string')
    return { code: codeOf(type, status), message: said };
  if (typeof neutron === 'string') return { code: `HTTP ${status}`, message: neutron };
  const other = member(body, 'error');
  const [title, message] = [member(other, 'title'), member(other, 'message')];
  if (typeof title === 'string' && typeof message === 'string')
    return { code: codeOf(title.replaceAll(' ', ''), status), message };
  const [[fault, about] = []] = typeof body === 'object' && body !== null ? Object.entries(body) : [];
  const cause = member(about, 'message');
  if (fault !== undefined && typeof cause === 'string')
    return { code: codeOf(fault, status), message: cause };
  // A page: its words without its elements.
  const words = oneLine(text.replace(/<[^>]*>/g, ' '));
  return { code: `HTTP ${status}`, message: words === '' ? 'no word of why' : words };
}

const codeOf = (word: string, status: number): string =>
  /^[A-Za-z]\w{0,99}$/.test(word) ? word : `HTTP ${status}`;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function member(of: unknown, key: string): unknown {
  if (typeof of !== 'object' || of === null) return undefined;
  return Object.getOwnPropertyDescriptor(of, key)?.value;
}
