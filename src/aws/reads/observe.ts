/**
 * Asks EC2 who owns what: DescribeNetworkInterfaces for this router's interfaces, the holders of addresses and the
 * peer's interfaces together, and where there are routes and Elastic IPs, DescribeRouteTables and DescribeAddresses
 * beside it. What the daemon does where one of them is slow or fails is in observer.ts.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html
 */
import { DescribeNetworkInterfacesCommand } from '@aws-sdk/client-ec2';
import type { Failure, Observation } from '../../core/state/readings';
import type { AwsPlan } from '../description';
import { Malformed } from './answer';
import { malformed, type Ask, type Ec2 } from '../transport/ec2';
import { describeElasticIps, readElasticIps } from './elasticIps';
import type { InstanceIdentity } from './instanceIdentity';
import {
  observationQuestion,
  readInterfaces,
  type InterfacesReading,
  type ObservationQuestion,
} from './observation';
import { allPages, cut, joined, type Pages } from './pages';
import { readingsFor } from '../kinds';
import { isElasticIp } from '../kinds/elasticIp';
import type { AddressLimits, ReadingAction } from '../kinds/kind';
import { isRoute } from '../kinds/route';
import { foreseeRefusals } from './refusals';
import { describeRouteTables, readRoutes, type TableOf } from './routeTables';
import { conflictWords, type TagConflict } from './tagConflicts';

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
  /** Null: the route tables have not been read this time. */
  readonly conflicts: readonly TagConflict[] | null;
};

/** EC2's limit of filter values in one call. */
const FILTER_VALUES_MAX = 200;
/** The largest page. */
const PAGE_SIZE = 1000;

/** One of the questions that an observation consists of. */
export type Question = {
  readonly action: ReadingAction;
  /** Ids of the targets that its answer is about. */
  readonly targets: readonly string[];
  readonly ask: (call: Ask) => Promise<Pages>;
};

/** What there is to ask for this plan; the interfaces first, since the others are read by what they show. */
export function questionsOf(
  plan: AwsPlan,
  identity: InstanceIdentity,
  tableOf: TableOf,
): readonly Question[] {
  const question = observationQuestion(plan, identity);
  const { vpcIds } = question;
  const routes = plan.targets.filter(isRoute);
  const elasticIps = plan.targets.filter(isElasticIp);
  const asks: { readonly [Action in ReadingAction]: Question['ask'] } = {
    DescribeNetworkInterfaces: (call) => describeInterfaces(call, question),
    DescribeRouteTables: (call) => describeRouteTables({ targets: routes, vpcIds, call, tableOf }),
    DescribeAddresses: (call) => describeElasticIps({ targets: elasticIps, call }),
  };
  return readingsFor(plan.targets).map(({ action, targets }) => ({
    action,
    targets: targets.map(({ id }) => id),
    ask: asks[action],
  }));
}

/** The members that each question has been answered with; what is missing has no answer. */
export type Answers = Partial<Record<Question['action'], readonly unknown[]>>;

/** What is known beside the answers. */
export type Beside = {
  /** What the interfaces were when they were last read, for answers without them. */
  readonly known: InterfacesReading | null;
  readonly tableOf: TableOf;
  /** Null: not known. */
  readonly limits: AddressLimits | null;
};

/** @throws Malformed */
export function readAnswers(
  plan: AwsPlan,
  identity: InstanceIdentity,
  answers: Answers,
  { known, tableOf, limits }: Beside,
): { readonly interfaces: InterfacesReading; readonly observation: Observation } & Findings {
  const members = answers.DescribeNetworkInterfaces;
  const interfaces =
    members === undefined ? known : readInterfaces(observationQuestion(plan, identity), members);
  if (interfaces === null) throw new Malformed('nothing is known of the interfaces yet');
  const routing = readRoutes(
    answers.DescribeRouteTables === undefined ? [] : plan.targets.filter(isRoute),
    answers.DescribeRouteTables ?? [],
    interfaces.known,
    tableOf,
  );
  const elastic = readElasticIps(
    answers.DescribeAddresses === undefined ? [] : plan.targets.filter(isElasticIp),
    answers.DescribeAddresses ?? [],
    interfaces.known,
  );
  const { observation, checked } = interfaces;
  const own = members === undefined ? {} : observation.holders;
  const whole = { ...observation, holders: { ...own, ...routing.holders, ...elastic.holders } };
  const shown = {
    described: interfaces.known.described,
    elasticIps: elastic.shown,
    vpcs: routing.vpcs,
    limits,
  };
  const refusals = foreseeRefusals(plan, whole, shown);
  return {
    interfaces,
    observation: Object.keys(refusals).length === 0 ? whole : { ...whole, refusals },
    checked,
    tables: routing.tables,
    mistakes: [...routing.mistakes, ...elastic.mistakes],
    conflicts: answers.DescribeRouteTables === undefined ? null : routing.conflicts,
  };
}

/** Nothing is remembered where EC2 is asked once. */
const noTable: TableOf = () => null;

/** Once, all or nothing: where one question fails, there is no observation. `timeoutMs` bounds each page. Never rejects. */
export async function observeOwnership({
  ec2,
  plan,
  identity,
  timeoutMs,
  now,
  limits = null,
}: {
  readonly ec2: Ec2;
  readonly plan: AwsPlan;
  readonly identity: InstanceIdentity;
  readonly timeoutMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly limits?: Promise<AddressLimits | null> | null;
}): Promise<ObservationResult> {
  const startedAt = now();
  const call: Ask = (action, command) => ec2.call(action, timeoutMs, command);
  const answers: Answers = {};
  const asked = await Promise.all(
    questionsOf(plan, identity, noTable).map(async ({ action, ask }) => ({ action, pages: await ask(call) })),
  );
  for (const { action, pages } of asked) {
    if (!pages.ok) return { ...pages, startedAt };
    answers[action] = pages.members;
  }
  const beside = { known: null, tableOf: noTable, limits: await limits };
  try {
    const { interfaces: _interfaces, ...read } = readAnswers(plan, identity, answers, beside);
    const ambiguous = (read.conflicts ?? []).map(conflictWords);
    return { ok: true, startedAt, ...read, mistakes: [...read.mistakes, ...ambiguous] };
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, failure: malformed(error.message), startedAt };
    throw error;
  }
}

async function describeInterfaces(call: Ask, { addresses, vpcIds }: ObservationQuestion): Promise<Pages> {
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
          const result = await call('DescribeNetworkInterfaces', (client, options) =>
            client.send(new DescribeNetworkInterfacesCommand(input), options),
          );
          if (!result.ok) return result;
          return { ok: true, members: result.output.NetworkInterfaces, next: result.output.NextToken };
        }),
      ),
    ),
  );
}
