/** Reads all pages of a Describe call. The pages are for EC2's sake: such reads draw on its larger token bucket. */
import type { Failure } from '../../core/state/readings';
import { malformed } from '../transport/ec2';

export type Page =
  | { readonly ok: true; readonly members: readonly unknown[] | undefined; readonly next: string | undefined }
  | { readonly ok: false; readonly failure: Failure };

export type Pages =
  | { readonly ok: true; readonly members: readonly unknown[] }
  | { readonly ok: false; readonly failure: Failure };

/** EC2 may send any number of empty pages before the data: only one that does not end is no answer. */
const PAGES_MAX = 1_000;
/** Nothing that is asked for here has as many. */
const MEMBERS_MAX = 10_000;

/** `ask` gets the token of the page, none for the first one; each page has the whole deadline of a call. */
export async function allPages(ask: (token: { NextToken?: string }) => Promise<Page>): Promise<Pages> {
  const members: unknown[] = [];
  const tokens = new Set<string>();
  let next: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const result = await ask(next === undefined ? {} : { NextToken: next });
    if (!result.ok) return result;
    if (result.members === undefined)
      return { ok: false, failure: malformed('the answer lacks the list that was asked for') };
    members.push(...result.members);
    if (members.length > MEMBERS_MAX)
      return { ok: false, failure: malformed(`more than ${MEMBERS_MAX} members in the pages of one answer`) };
    // EC2 writes an empty token on the last page, or none.
    next = result.next === '' ? undefined : result.next;
    if (next === undefined) return { ok: true, members };
    if (tokens.has(next)) return { ok: false, failure: malformed('its pages lead back to one of them') };
    tokens.add(next);
  }
  return { ok: false, failure: malformed(`more than ${PAGES_MAX} pages`) };
}

export function cut<Item>(items: readonly Item[], size: number): readonly Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/** All members of several questions that were asked side by side, or the first failure. */
export function joined(parts: readonly Pages[]): Pages {
  const failed = parts.find((part) => !part.ok);
  return failed ?? { ok: true, members: parts.flatMap((part) => (part.ok ? part.members : [])) };
}
