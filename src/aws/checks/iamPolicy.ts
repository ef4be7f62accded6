/**
 * The least-privilege IAM policy for a configuration: only the actions that the daemon and `check-config --online` need
 * for its targets and options, on resources as narrow as is known. One policy is for both routers: each may write to the other's interfaces, because
 * it gives the targets back there.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_ec2.html
 */
import type { Ec2Settings } from '../../config/settings';
import type { AwsPlan } from '../description';
import { awsKindsOf, readingsFor } from '../kinds';
import type { PolicyTools, Statement } from '../kinds/kind';
import { partitionOf } from '../transport/endpointRegion';

/** What the configuration does not say; null and empty where it is not known. */
export type PolicyScope = {
  readonly region: string | null;
  readonly account: string | null;
  /** Of both routers. */
  readonly interfaces: readonly string[];
  readonly instances: readonly string[];
  /** ARNs of the topics that notifications go to; absent: none. */
  readonly topics?: readonly string[];
};

export type Policy = { readonly Version: '2012-10-17'; readonly Statement: readonly Statement[] };

/** Stand in the policy for what is not known; AWS refuses such a policy, so nobody forgets them. */
export const PLACEHOLDERS = { region: 'REGION', account: 'ACCOUNT' } as const;

export function iamPolicy(plan: AwsPlan, settings: Ec2Settings, scope: PolicyScope): Policy {
  const region = scope.region ?? PLACEHOLDERS.region;
  const arn = (resource: string) =>
    `arn:${partitionOf(region)}:ec2:${region}:${scope.account ?? PLACEHOLDERS.account}:${resource}`;
  const arns = (type: string, ids: readonly string[]) =>
    (ids.length === 0 ? ['*'] : ids).map((id) => arn(`${type}/${id}`));
  const interfaces = arns('network-interface', scope.interfaces);
  const allow = (sid: string, actions: readonly string[], resources: Statement['Resource']): Statement => ({
    Sid: sid,
    Effect: 'Allow',
    Action: actions.map((action) => `ec2:${action}`),
    Resource: resources,
  });
  const kinds = awsKindsOf(plan.targets);
  const addressActions = kinds.flatMap(({ kind }) => kind.addressActions);
  const readings = readingsFor(plan.targets).map(({ action }) => action);
  const { foreignHolder } = plan;
  const tools: PolicyTools = { ...scope, foreignHolder, arns, allow };
  return {
    Version: '2012-10-17',
    Statement: [
      {
        ...allow(
          'Read',
          [
            'DescribeNetworkInterfaces',
            'DescribeInstanceStatus',
            ...(settings.applicationStatusCheck === null ? [] : ['DescribeApplicationStatus']),
            ...(addressActions.length > 0 ? ['DescribeInstanceTypes'] : []),
            ...readings.filter((action) => action !== 'DescribeNetworkInterfaces'),
          ],
          '*',
        ),
        Condition: { StringEquals: { 'ec2:Region': region } },
      },
      ...(addressActions.length === 0 ? [] : [allow('MoveAddresses', addressActions, interfaces)]),
      ...kinds.flatMap(({ kind, targets }) => kind.statements(targets, tools)),
      ...(settings.sourceDestCheck === 'disable' && kinds.some(({ kind }) => kind.forwards)
        ? ONLY_THE_CHECK.map(({ sid, condition }) => ({
            ...allow(sid, ['ModifyNetworkInterfaceAttribute'], interfaces),
            Condition: { StringEqualsIgnoreCase: condition },
          }))
        : []),
      ...(scope.topics === undefined || scope.topics.length === 0
        ? []
        : [
            {
              Sid: 'Notify',
              Effect: 'Allow' as const,
              Action: ['sns:Publish'],
              Resource: scope.topics,
            },
          ]),
    ],
  };
}

/**
 * No other attribute of an interface. EC2 documents two forms of the key, and does not say for each action which of them
 * it fills in; a statement for each lets the call through with either.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-policies-for-amazon-ec2.html#attribute-key
 */
const ONLY_THE_CHECK = [
  { sid: 'SwitchSourceDestCheckOff', condition: { 'ec2:Attribute/SourceDestCheck': 'false' } },
  { sid: 'SwitchSourceDestCheckOffByName', condition: { 'ec2:Attribute': 'SourceDestCheck' } },
] as const;

/** Characters that a policy may have: IAM counts no white space. */
export const POLICY_LENGTH_MAX = { managed: 6_144, inline: 10_240 } as const;

/**
 * As IAM counts it; placeholders count as they stand.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export const policyLength = (policy: Policy): number => JSON.stringify(policy).length;
