/**
 * The least-privilege IAM policy for a configuration: only the actions that the daemon and `check-config --online` need
 * for its targets and options, on resources as narrow as is known. One policy is for both routers: each may write to the other's interfaces, because
 * it gives the targets back there.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_ec2.html
 */
import type { Ec2Settings } from '../../config/settings';
import type { Plan, RouteTableName, Target } from '../../core/state/plan';
import { partitionOf } from '../transport/endpointRegion';

/** What the configuration does not say; null and empty where it is not known. */
export type PolicyScope = {
  readonly region: string | null;
  readonly account: string | null;
  /** Of both routers. */
  readonly interfaces: readonly string[];
  readonly instances: readonly string[];
};

type Compared = { readonly [key: string]: string | readonly string[] };
type Condition = { readonly StringEquals: Compared } | { readonly StringEqualsIgnoreCase: Compared };

export type Statement = {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Condition;
};

export type Policy = { readonly Version: '2012-10-17'; readonly Statement: readonly Statement[] };

/** Stand in the policy for what is not known; AWS refuses such a policy, so nobody forgets them. */
export const PLACEHOLDERS = { region: 'REGION', account: 'ACCOUNT' } as const;

export function iamPolicy(plan: Plan, settings: Ec2Settings, scope: PolicyScope): Policy {
  const region = scope.region ?? PLACEHOLDERS.region;
  const arn = (resource: string) =>
    `arn:${partitionOf(region)}:ec2:${region}:${scope.account ?? PLACEHOLDERS.account}:${resource}`;
  const arns = (type: string, ids: readonly string[]) =>
    (ids.length === 0 ? ['*'] : ids).map((id) => arn(`${type}/${id}`));
  const interfaces = arns('network-interface', scope.interfaces);
  const has = (kind: Target['kind']) => plan.targets.some((target) => target.kind === kind);
  const elasticIps = plan.targets.flatMap((target) =>
    target.kind === 'elasticIp' ? [target.allocationId] : [],
  );
  const allow = (sid: string, actions: readonly string[], resources: Statement['Resource']): Statement => ({
    Sid: sid,
    Effect: 'Allow',
    Action: actions.map((action) => `ec2:${action}`),
    Resource: resources,
  });
  const addressActions = [
    ...(has('privateAddress') ? ['AssignPrivateIpAddresses'] : []),
    ...(has('ipv6Address') ? ['AssignIpv6Addresses', 'UnassignIpv6Addresses'] : []),
  ];
  return {
    Version: '2012-10-17',
    Statement: [
      {
        ...allow(
          'Read',
          [
            'DescribeNetworkInterfaces',
            'DescribeInstanceStatus',
            ...(addressActions.length > 0 ? ['DescribeInstanceTypes'] : []),
            ...(has('route') ? ['DescribeRouteTables'] : []),
            ...(has('elasticIp') ? ['DescribeAddresses'] : []),
          ],
          '*',
        ),
        Condition: { StringEquals: { 'ec2:Region': region } },
      },
      ...(addressActions.length === 0 ? [] : [allow('MoveAddresses', addressActions, interfaces)]),
      ...(takesIpv6FromAnybody(plan) && scope.interfaces.length > 0
        ? [allow('TakeIpv6AddressesFromOthers', ['UnassignIpv6Addresses'], arns('network-interface', []))]
        : []),
      ...routeStatements(plan).map(({ sid, ids, condition }) => ({
        ...allow(sid, ['ReplaceRoute', 'CreateRoute'], arns('route-table', ids)),
        ...(condition === null ? {} : { Condition: { StringEquals: condition } }),
      })),
      ...(elasticIps.length === 0
        ? []
        : [
            allow(
              'MoveElasticIps',
              ['AssociateAddress'],
              [...arns('elastic-ip', elasticIps), ...interfaces, ...arns('instance', scope.instances)],
            ),
          ]),
      ...(settings.sourceDestCheck === 'disable' && forwards(plan)
        ? ONLY_THE_CHECK.map(({ sid, condition }) => ({
            ...allow(sid, ['ModifyNetworkInterfaceAttribute'], interfaces),
            Condition: { StringEqualsIgnoreCase: condition },
          }))
        : []),
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

/** What a third instance holds is unassigned from its interface, whichever that is. */
function takesIpv6FromAnybody({ targets, foreignHolder }: Plan): boolean {
  return foreignHolder === 'take' && targets.some(({ kind }) => kind === 'ipv6Address');
}

/** Characters that a policy may have: IAM counts no white space. */
export const POLICY_LENGTH_MAX = { managed: 6_144, inline: 10_240 } as const;

/**
 * As IAM counts it; placeholders count as they stand.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export const policyLength = (policy: Policy): number => JSON.stringify(policy).length;

/** An Elastic IP alone needs no forwarding. */
function forwards({ targets }: Plan): boolean {
  return targets.some(({ kind }) => kind !== 'elasticIp');
}

type RouteStatement = {
  readonly sid: string;
  readonly ids: readonly string[];
  readonly condition: { readonly [key: string]: readonly string[] } | null;
};

/** Tables by id in one statement, and one for each key of a tag: conditions of one statement all have to hold. */
function routeStatements({ targets }: Plan): readonly RouteStatement[] {
  const tables = targets.flatMap((target) => (target.kind === 'route' ? [target.routeTable] : []));
  const ids = [...new Set(tables.flatMap((table) => ('id' in table ? [table.id] : [])))];
  const values = new Map<string, Set<string>>();
  for (const table of tables.filter(isTagged)) {
    const { key, value } = table.tag;
    values.set(key, (values.get(key) ?? new Set()).add(literal(value)));
  }
  return [
    ...(ids.length === 0 ? [] : [{ sid: 'MoveRoutes', ids, condition: null }]),
    ...[...values].map(([key, tagged], place) => ({
      sid: `MoveRoutesOfTaggedTables${place === 0 ? '' : place + 1}`,
      ids: [],
      condition: { [`ec2:ResourceTag/${key}`]: [...tagged] },
    })),
  ];
}

function isTagged(table: RouteTableName): table is Extract<RouteTableName, { readonly tag: object }> {
  return 'tag' in table;
}

/** IAM would take `${...}` for a variable. */
function literal(value: string): string {
  return value.split('${').join('${$}{');
}
