/** Pages without members before the data, as EC2 may send any number of: see the fault of that name. */
import type { Outcome } from './ec2Error';
import { element } from './queryProtocol';
import type { QueryParams, XmlElement } from './queryProtocol';

const TOKEN = /^empty-(\d+)$/;

/** The number of empty pages that the client has had; null where its token is one of EC2's own. */
export function pagesHad(params: QueryParams): number | null {
  const token = params.get('NextToken');
  if (token === undefined) return 0;
  const found = TOKEN.exec(token)?.[1];
  return found === undefined ? null : Number(found);
}

/** The question of which empty pages are the answer, without their token. */
export function withoutEmptyToken(params: QueryParams): QueryParams {
  return new Map([...params].filter(([key, value]) => key !== 'NextToken' || !TOKEN.test(value)));
}

/** A page like this answer, with no members and a token to the next one. */
export function emptied(answer: Outcome<readonly XmlElement[]>, had: number): Outcome<readonly XmlElement[]> {
  const [set] = answer.ok ? answer.value : [];
  if (!answer.ok || set === undefined) return answer;
  return { ok: true, value: [{ ...set, content: [] }, element('nextToken', `empty-${had + 1}`)] };
}
