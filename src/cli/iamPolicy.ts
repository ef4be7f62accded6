/**
 * `iam-policy -c FILE`: the policy that the role of both routers needs for this configuration. The policy alone goes
 * to standard output, ready to paste; what it is for, and what is left to narrow, to the error output.
 */
import { endpointRegion } from '../aws/transport/endpointRegion';
import {
  iamPolicy,
  PLACEHOLDERS,
  POLICY_LENGTH_MAX,
  policyLength,
  type Policy,
  type PolicyScope,
} from '../aws/checks/iamPolicy';
import { NEUTRON_RIGHTS_EXPLAINED, neutronRights } from '../openstack/checks/rights';
import { loadConfig } from '../config/load';
import { printable } from '../config/words';
import type { Output } from './replay';

export type PolicyArguments = {
  readonly region: string | undefined;
  readonly account: string | undefined;
  readonly interfaces: readonly string[];
  readonly instances: readonly string[];
};

const FORMS = [
  { option: '--region', form: /^[a-z]{2,5}(-[a-z]+){1,3}-\d{1,2}$/, like: 'us-west-2' },
  { option: '--account', form: /^\d{12}$/, like: '123456789012' },
  { option: '--interface', form: /^eni-[0-9a-f]{8,17}$/, like: 'eni-0123456789abcdef0' },
  { option: '--instance', form: /^i-[0-9a-f]{8,17}$/, like: 'i-0123456789abcdef0' },
] as const;

/** The exit code: 0, or 2 where the configuration or an option has mistakes, and where no role can have the policy. */
export function printPolicy(
  configPath: string,
  args: PolicyArguments,
  { out, err }: { readonly out: Output; readonly err: Output },
): number {
  const mistakes = mistakesOf(args);
  if (mistakes.length > 0) {
    err.write(mistakes.map((line) => `iam-policy: ${line}\n`).join(''));
    return 2;
  }
  const loaded = loadConfig(configPath);
  if (!loaded.ok) {
    err.write(`${loaded.report}\n`);
    return 2;
  }
  const { cloud } = loaded.settings;
  if (cloud.type === 'openstack') {
    out.write(`${JSON.stringify(neutronRights(cloud.whole, cloud.openstack), null, 2)}\n`);
    err.write(NEUTRON_RIGHTS_EXPLAINED);
    return 0;
  }
  const { whole: plan, ec2 } = cloud;
  const scope = {
    region: args.region ?? endpointRegion(ec2.endpointUrl),
    account: args.account ?? null,
    interfaces: args.interfaces,
    instances: args.instances,
    topics: loaded.settings.notifications.flatMap((receiver) =>
      receiver.type === 'sns' ? [receiver.topicArn] : [],
    ),
  };
  const policy = iamPolicy(plan, ec2, scope);
  out.write(`${JSON.stringify(policy, null, 2)}\n`);
  err.write(
    explanation(policy, scope)
      .map((line) => `${line}\n`)
      .join(''),
  );
  return policyLength(policy) > POLICY_LENGTH_MAX.inline ? 2 : 0;
}

function lengthWords(policy: Policy): readonly string[] {
  const length = policyLength(policy);
  const { managed, inline } = POLICY_LENGTH_MAX;
  if (length <= managed) return [];
  const count = `The policy has ${length} characters, and IAM allows ${managed} in a managed policy`;
  const mend =
    'Give the route tables one tag and name them by it (route_table_tag): a tag is one condition, however many tables have it.';
  return length <= inline
    ? [`${count}: put it into the role as an inline policy, which may have ${inline}. ${mend}`]
    : [`${count} and ${inline} in all inline policies of a role: it is too long. ${mend}`];
}

function mistakesOf({ region, account, interfaces, instances }: PolicyArguments): readonly string[] {
  const given = [region ?? [], account ?? [], interfaces, instances].map((values) => [values].flat());
  return FORMS.flatMap(({ option, form, like }, place) =>
    (given[place] ?? [])
      .filter((value) => !form.test(value))
      .map((value) => `${option} ${printable(value)} is none; write it like ${like}`),
  );
}

const REASONS: { readonly [action: string]: string } = {
  DescribeNetworkInterfaces: 'who holds what, with every keepalive',
  DescribeInstanceStatus:
    'optional: without it a peer that EC2 knows to have stopped or to be impaired is not taken over from while BFD says nothing',
  DescribeApplicationStatus:
    'optional: without it what application_status_check says of the daemon of a peer that runs is no evidence',
  DescribeInstanceTypes:
    'optional: with it the daemon, check-config --online and plan see whether the interfaces have room for all addresses',
  DescribeRouteTables: 'where the routes lead',
  DescribeAddresses: 'where the Elastic IPs are',
  AssignPrivateIpAddresses: 'moves private addresses',
  AssignIpv6Addresses: 'moves IPv6 addresses',
  UnassignIpv6Addresses: "takes IPv6 addresses off the peer's interface first",
  ReplaceRoute: 'moves routes',
  CreateRoute: 'creates a route that is missing',
  AssociateAddress: 'moves Elastic IPs',
  'sns:Publish': 'tells the topics of notifications what has happened',
  ModifyNetworkInterfaceAttribute: 'switches the source/destination check off, as source_dest_check says',
};

function explanation(policy: Policy, scope: PolicyScope): readonly string[] {
  const actions = policy.Statement.flatMap(({ Action }) => Action.map((each) => each.replace('ec2:', '')));
  const names = (type: string) =>
    policy.Statement.some(({ Resource }) => [Resource].flat().some((arn) => arn.includes(`:${type}/`)));
  return [
    'For the IAM role of both routers:',
    ...actions.map((action) => `  ${action}: ${REASONS[action] ?? ''}`),
    ...(scope.region === null
      ? [
          `Put the Region in place of ${PLACEHOLDERS.region}, or give --region: the endpoint does not name it.`,
        ]
      : []),
    ...(scope.account === null
      ? [`Put the account's number in place of ${PLACEHOLDERS.account}, or give --account.`]
      : []),
    ...(names('network-interface') && scope.interfaces.length === 0
      ? [
          'Which interfaces the routers have is not in the configuration, so all of the account are allowed: give --interface',
          'once for each that holds targets, of both routers. Targets are given, and given back, to those of the peer.',
        ]
      : []),
    ...lengthWords(policy),
    ...(names('instance') && scope.instances.length === 0
      ? ['The same goes for the instances of the Elastic IPs: --instance, of both routers.']
      : []),
  ];
}
