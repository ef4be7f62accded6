/** What others have written, as it may stand in a log, on a terminal and in a sentence: in one line, and without secrets. */

const WITHHELD = '[withheld]';

/** A token, a signature, the digest of a request or a secret access key, of whatever credentials: no word looks so. */
const SIGNED = /[\w+/=%-]{60,}|(?=\w*[\d+/])[\w+/=]{30,}/g;

/** Of the parts of credentials; what is shorter would be found in any text. */
const SECRET_LENGTH_MIN = 16;

/** However they are written: a service quotes what it was sent, also as it stands in a URL. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter(({ length }) => length >= SECRET_LENGTH_MIN)
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .reduce((shown, secret) => shown.replaceAll(secret, WITHHELD), text);
}

/** In one line, without these secrets and without anything that may be one of other credentials. */
export const quoted = (text: string, secrets: readonly string[]): string =>
  oneLine(withoutSecrets(text, secrets).replace(SIGNED, WITHHELD));

/** For what others have written: it goes to logs and terminals, and nothing in it may steer them. */
export function oneLine(text: string): string {
  return text
    .slice(0, 1000)
    .replace(/[\s\p{C}]+/gu, ' ')
    .trim()
    .slice(0, 300);
}
