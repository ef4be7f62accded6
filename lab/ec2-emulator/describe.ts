/** What the Describe actions have in common: ids, filters with wildcards, DryRun and pages. */
import { accepted, refused } from './ec2Error';
import type { Outcome } from './ec2Error';
import { filterParams } from './queryProtocol';
import type { QueryParams } from './queryProtocol';

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
  if (params.get('DryRun') === 'true') {
    return refused('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.');
  }
  const known = new Set(listing.resources.map(listing.idOf));
  const missing = listing.requestedIds.filter((id) => !known.has(id));
  if (missing.length > 0) return listing.unknownIds(missing);
  const filtered = applyFilters(params, listing);
  if (!filtered.ok) return filtered;
  const asked = new Set(listing.requestedIds);
  return cutPage(
    params,
    filtered.value.filter((resource) => asked.size === 0 || asked.has(listing.idOf(resource))),
    asked.size > 0,
  );
}

function applyFilters<T>(
  params: QueryParams,
  { resources, filters, isShown = () => true }: Listing<T>,
): Outcome<readonly T[]> {
  const asked = filterParams(params);
  if (asked.reduce((sum, { values }) => sum + values.length, 0) > MAX_FILTER_VALUES) {
    return refused(
      'FilterLimitExceeded',
      `The maximum number of filter values specified on a single call is ${MAX_FILTER_VALUES}`,
    );
  }
  const tests: ((resource: T) => boolean)[] = [];
  for (const { name, values } of asked) {
    const read = Object.hasOwn(filters, name) ? filters[name] : undefined;
    if (read === undefined) return refused('InvalidParameterValue', `The filter '${name}' is invalid`);
    if (values.length === 0) return refused('InvalidParameterValue', `The filter '${name}' has no values`);
    const patterns = values.map(wildcard);
    tests.push((resource) =>
      read(resource).some((value) => patterns.some((pattern) => pattern.test(String(value)))),
    );
  }
  return accepted(resources.filter((resource) => isShown(resource) && tests.every((test) => test(resource))));
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

function cutPage<T>(params: QueryParams, all: readonly T[], byId: boolean): Outcome<Page<T>> {
  const maxResults = params.get('MaxResults');
  const token = params.get('NextToken');
  if (maxResults !== undefined && byId) {
    return refused(
      'InvalidParameterCombination',
      'The parameter MaxResults cannot be used with a list of ids',
    );
  }
  const size = maxResults === undefined ? PAGE_SIZE.max : Number(maxResults);
  if (!Number.isInteger(size) || size < PAGE_SIZE.min || size > PAGE_SIZE.max) {
    return refused(
      'InvalidParameterValue',
      `Value ( ${maxResults} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.`,
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
