/** What the Describe actions have in common: ids, filters with wildcards, DryRun and pages. */
import { dryRun } from './actionRequest';
import type { Answer } from './actionRequest';
import { accepted, refused } from './ec2Error';
import type { Outcome } from './ec2Error';
import type { Tags } from './model';
import { element, filterParams, itemSet } from './queryProtocol';
import type { QueryParams, XmlElement } from './queryProtocol';

/** Every filter that an action knows, each giving the values of a resource that a filter value may match. */
export type FilterTable<T> = Readonly<
  Record<string, (resource: T) => readonly (string | number | boolean)[]>
>;

export interface Page<T> {
  readonly resources: readonly T[];
  readonly nextToken: string | null;
}

export interface Listing<T> {
  readonly resources: readonly T[];
  readonly filters: FilterTable<T>;
  /** For the filters `tag:KEY` and `tag-key`; absent: the resource has no tags here. */
  readonly tagsOf?: (resource: T) => Tags;
  /** The largest page that may be asked for; default 1000. */
  readonly maxPage?: number;
  /** Whether an answer has the resource where no filter is against it; default: each. */
  readonly isShown?: (resource: T) => boolean;
  /** Ids asked for by name (not by filter); they may not be combined with MaxResults. */
  readonly requestedIds: readonly string[];
  readonly idOf: (resource: T) => string;
  /** What EC2 says to ids that it does not know, one or more. One of them spoils the whole call. */
  readonly unknownIds: (ids: readonly string[]) => {
    readonly ok: false;
    readonly error: { code: string; message: string };
  };
}

const MAX_FILTER_VALUES = 200;
const PAGE_SIZE = { min: 5, max: 1000 };

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html#api-pagination */
export function describePage<T>(params: QueryParams, listing: Listing<T>): Outcome<Page<T>> {
  const dry = dryRun(params);
  if (dry !== undefined) return dry;
  const known = new Set(listing.resources.map(listing.idOf));
  const missing = listing.requestedIds.filter((id) => !known.has(id));
  if (missing.length > 0) return listing.unknownIds(missing);
  const filtered = applyFilters(params, listing);
  if (!filtered.ok) return filtered;
  const asked = new Set(listing.requestedIds);
  return cutPage(
    params,
    filtered.value.filter((resource) => asked.size === 0 || asked.has(listing.idOf(resource))),
    { byId: asked.size > 0, maxPage: listing.maxPage ?? PAGE_SIZE.max },
  );
}

function applyFilters<T>(params: QueryParams, listing: Listing<T>): Outcome<readonly T[]> {
  const { resources, isShown = () => true } = listing;
  const asked = filterParams(params);
  if (asked.reduce((sum, { values }) => sum + values.length, 0) > MAX_FILTER_VALUES) {
    return refused(
      'FilterLimitExceeded',
      `The maximum number of filter values specified on a single call is ${MAX_FILTER_VALUES}`,
    );
  }
  const tests: ((resource: T) => boolean)[] = [];
  for (const { name, values } of asked) {
    const read = filterNamed(listing, name);
    if (read === undefined) return refused('InvalidParameterValue', `The filter '${name}' is invalid`);
    if (values.length === 0) return refused('InvalidParameterValue', `The filter '${name}' has no values`);
    const patterns = values.map(wildcard);
    tests.push((resource) =>
      read(resource).some((value) => patterns.some((pattern) => pattern.test(String(value)))),
    );
  }
  return accepted(resources.filter((resource) => isShown(resource) && tests.every((test) => test(resource))));
}

function filterNamed<T>({ filters, tagsOf }: Listing<T>, name: string): FilterTable<T>[string] | undefined {
  if (Object.hasOwn(filters, name)) return filters[name];
  if (tagsOf === undefined) return undefined;
  if (name === 'tag-key') return (resource) => Object.keys(tagsOf(resource));
  const key = /^tag:(.+)$/s.exec(name)?.[1];
  if (key === undefined) return undefined;
  return (resource) =>
    Object.entries(tagsOf(resource)).flatMap(([each, value]) => (each === key ? [value] : []));
}

/** `*` is any text and `?` any character; a backslash takes their meaning away. */
function wildcard(value: string): RegExp {
  const source = value.replace(
    /\\([\\*?])|([\\^$.*+?()[\]{}|/])/g,
    (_all, escaped?: string, special?: string) => {
      if (escaped !== undefined) return `\\${escaped}`;
      if (special === '*') return '.*';
      return special === '?' ? '.' : `\\${special}`;
    },
  );
  return new RegExp(`^${source}$`, 's');
}

/** Ids together with MaxResults are documented as refused for some actions; for the others that is inferred. */
function cutPage<T>(
  params: QueryParams,
  all: readonly T[],
  { byId, maxPage }: { readonly byId: boolean; readonly maxPage: number },
): Outcome<Page<T>> {
  const maxResults = params.get('MaxResults');
  const token = params.get('NextToken');
  if (maxResults !== undefined && byId) {
    return refused(
      'InvalidParameterCombination',
      'The parameter MaxResults cannot be used with a list of ids',
    );
  }
  const size = maxResults === undefined ? PAGE_SIZE.max : Number(maxResults);
  if (
    !Number.isInteger(size) ||
    size < PAGE_SIZE.min ||
    size > (maxResults === undefined ? PAGE_SIZE.max : maxPage)
  ) {
    return refused(
      'InvalidParameterValue',
      `Value ( ${maxResults} ) for parameter maxResults is invalid. Expecting a value between 5 and ${maxPage}.`,
    );
  }
  const start = token === undefined ? 0 : parseToken(token);
  if (start === undefined || start > all.length) {
    return refused('InvalidNextToken', 'The specified NextToken is not valid.');
  }
  const end = start + size;
  return accepted({ resources: all.slice(start, end), nextToken: end < all.length ? makeToken(end) : null });
}

/** Opaque on purpose: nobody should find a number in it to compute with. */
const makeToken = (offset: number): string => Buffer.from(`page:${offset}`).toString('base64url');

function parseToken(token: string): number | undefined {
  const match = /^page:(\d+)$/.exec(Buffer.from(token, 'base64url').toString());
  return match === null ? undefined : Number(match[1]);
}

export function pageAnswer<T>(
  page: Outcome<Page<T>>,
  setName: string,
  write: (resource: T) => readonly XmlElement[],
): Answer {
  if (!page.ok) return page;
  const { resources, nextToken } = page.value;
  return accepted([
    itemSet(setName, resources.map(write)),
    ...(nextToken === null ? [] : [element('nextToken', nextToken)]),
  ]);
}

/** As every resource that has tags writes them. */
export const tagSet = (tags: Tags): XmlElement =>
  itemSet(
    'tagSet',
    Object.entries(tags).map(([key, value]) => [element('key', key), element('value', value)]),
  );
