/**
 * Asks EC2 who owns what: DescribeNetworkInterfaces for this router's interfaces, the holders of addresses and the
 * peer's interfaces together, and where there are routes and Elastic IPs, DescribeRouteTables and DescribeAddresses
 * beside it. One observation is all of them: where one fails, there is none.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html
 */
import { DescribeNetworkInterfacesCommand } from '@aws-sdk/client-ec2';
import type { Failure, Observation } from '../../core/state/model';
import type { Plan, Target } from '../../core/state/plan';
import { Malformed } from './answer';
import { malformed, type Ec2 } from '../transport/ec2';
import { describeElasticIps, readElasticIps } from './elasticIps';
import type { InstanceIdentity } from './instanceIdentity';
import { observationQuestion, readInterfaces, type ObservationQuestion } from './observation';
import { allPages, cut, joined, type Pages } from './pages';
import { describeRouteTables, readRoutes } from './routeTables';

/** `startedAt`: monotonic ms, before the first byte was sent. */
export type ObservationResult = { readonly startedAt: number } & (
  | ({ readonly ok: true; readonly observation: Observation } & Findings)
  | { readonly ok: false; readonly failure: Failure }
);

/** What the answers show beside the observation. */
export type Findings = {
  /** Interfaces of this router whose source/destination check is on. */
  readonly checked: readonly string[];
  /** The route table of each route of the plan, by target id. */
  readonly tables: ReadonlyMap<string, string>;
  /** What the configuration names and EC2 does not have, a sentence each. */
  readonly mistakes: readonly string[];
};

/** EC2's limit of filter values in one call. */
const FILTER_VALUES_MAX = 200;
/** The largest page. */
const PAGE_SIZE = 1000;

/** `timeoutMs` bounds the whole, however many calls and pages it takes. Never rejects. */
export async function observeOwnership({
  ec2,
  plan,
  identity,
  timeoutMs,
  now,
}: {
  readonly ec2: Ec2;
  readonly plan: Plan;
  readonly identity: InstanceIdentity;
  readonly timeoutMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}): Promise<ObservationResult> {
  const startedAt = now();
  const question = observationQuestion(plan, identity);
  const remainingMs = () => Math.max(1, startedAt + timeoutMs - now());
  const routes = plan.targets.filter(isOfKind('route'));
  const elasticIps = plan.targets.filter(isOfKind('elasticIp'));
  const [interfaces, tables, addresses] = await Promise.all([
    describeInterfaces(ec2, question, remainingMs),
    describeRouteTables({ ec2, targets: routes, vpcIds: question.vpcIds, remainingMs }),
    describeElasticIps({ ec2, targets: elasticIps, remainingMs }),
  ]);
  if (!interfaces.ok) return { ...interfaces, startedAt };
  if (!tables.ok) return { ...tables, startedAt };
  if (!addresses.ok) return { ...addresses, startedAt };
  try {
    const { observation, known, checked } = readInterfaces(question, interfaces.members);
    const routing = readRoutes(routes, tables.members, known);
    const elastic = readElasticIps(elasticIps, addresses.members, known);
    const holders = { ...observation.holders, ...routing.holders, ...elastic.holders };
    const mistakes = [...routing.mistakes, ...elastic.mistakes];
    return {
      ok: true,
      startedAt,
      observation: { ...observation, holders },
      checked,
      tables: routing.tables,
      mistakes,
    };
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, failure: malformed(error.message), startedAt };
    throw error;
  }
}

function isOfKind<Kind extends Target['kind']>(kind: Kind) {
  return (target: Target): target is Extract<Target, { readonly kind: Kind }> => target.kind === kind;
}

async function describeInterfaces(
  ec2: Ec2,
  { addresses, vpcIds }: ObservationQuestion,
  remainingMs: () => number,
): Promise<Pages> {
  const size = FILTER_VALUES_MAX - vpcIds.length;
  const isIpv6 = (address: string) => address.includes(':');
  const ipv4 = addresses.filter((address) => !isIpv6(address));
  // Filters of two names have to match both, so each family is asked for by itself.
  const filters = [
    ...cut(ipv4, size).map((Values) => ({ Name: 'addresses.private-ip-address', Values })),
    ...cut(addresses.filter(isIpv6), size).map((Values) => ({ Name: 'ipv6-addresses.ipv6-address', Values })),
  ];
  const inVpc = { Name: 'vpc-id', Values: [...vpcIds] };
  return joined(
    await Promise.all(
      filters.map((filter) =>
        allPages(async (token) => {
          const input = { Filters: [filter, inVpc], MaxResults: PAGE_SIZE, ...token };
          const result = await ec2.call('DescribeNetworkInterfaces', remainingMs(), (client, options) =>
            client.send(new DescribeNetworkInterfacesCommand(input), options),
          );
          if (!result.ok) return result;
          return { ok: true, members: result.output.NetworkInterfaces, next: result.output.NextToken };
        }),
      ),
    ),
  );
}
