/** What an action of the API is made of: the parameters it knows, and what it does with a request. */
import { refused } from './ec2Error';
import type { Outcome } from './ec2Error';
import type { ChangeOrigin } from './history';
import type { Ec2Model } from './model';
import type { QueryParams, XmlElement } from './queryProtocol';
import type { Ec2World } from './world';

export interface ActionRequest {
  readonly action: string;
  readonly params: QueryParams;
  readonly world: Ec2World;
  /** How old the model is that a reading action shows. */
  readonly readAgeMs: number;
  readonly origin: ChangeOrigin;
}

export type Answer = Outcome<readonly XmlElement[]>;

export interface Action {
  /** Parameters by name; a list or structure is named by its first part (`Filter`). */
  readonly parameters: readonly string[];
  readonly run: (request: ActionRequest) => Answer;
}

export type ActionTable = Readonly<Record<string, Action>>;

/** An action that only reads: the model as it was, where a fault makes reads stale. */
export const read = (
  parameters: readonly string[],
  describe: (model: Ec2Model, params: QueryParams) => Answer,
): Action => ({
  parameters: ['Filter', 'DryRun', ...parameters],
  run: ({ world, params, readAgeMs }) =>
    describe(readAgeMs > 0 ? world.modelAgo(readAgeMs) : world.model, params),
});

/**
 * The refusal that a DryRun means to get; undefined for a request that is meant. A permission that lacks is
 * a fault rule (`error` UnauthorizedOperation), which strikes before it comes to this. That a DryRun looks at
 * permissions and parameters but not at the resources they name is inferred.
 */
export function dryRun(params: QueryParams): ReturnType<typeof refused> | undefined {
  return params.get('DryRun') === 'true'
    ? refused('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.')
    : undefined;
}

/** The first of the named parameters that the request lacks, as a refusal. */
export function missingParameter(
  params: QueryParams,
  names: readonly string[],
): ReturnType<typeof refused> | undefined {
  const missing = names.find((name) => !params.has(name));
  if (missing === undefined) return undefined;
  const spelt = `${missing.charAt(0).toLowerCase()}${missing.slice(1)}`;
  return refused('MissingParameter', `The request must contain the parameter ${spelt}`);
}
