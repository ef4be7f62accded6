/**
 * Whether an answer is one of AWS. The SDK's XML parser takes nearly anything for an answer without fields. An answer of
 * EC2 is one element of a known name from the first byte to the last; a page of a proxy, half an answer and no answer are
 * not.
 */
import { MalformedAnswer, type HttpAnswer } from '../../transport/connections';

/** What answers of AWS look like, and by when most of them have come. */
export const AWS_ANSWERS = { check: checkEnvelope, doubtAfterMs: 500 } as const;

function checkEnvelope({ statusCode, body }: HttpAnswer, action: string): void {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8').trim();
  const roots = statusCode === 200 ? [`${action}Response`] : ['Response', 'ErrorResponse'];
  const isWhole = roots.some(
    (root) => new RegExp(`^(<\\?xml[^>]*\\?>\\s*)?<${root}[\\s>]`).test(text) && text.endsWith(`</${root}>`),
  );
  if (!isWhole)
    throw new MalformedAnswer(`HTTP ${statusCode} with ${describeBody(text)} instead of an answer of EC2`);
}

function describeBody(text: string): string {
  if (text === '') return 'an empty body';
  if (/^<(!doctype html|html)/i.test(text)) return 'an HTML page';
  return text.startsWith('<') ? 'broken or foreign XML' : 'a body that is not XML';
}
