/**
 * Which calls the role may make, found out without changing anything: by DryRun where an action has it, which EC2
 * answers with an error either way. AssignPrivateIpAddresses, AssignIpv6Addresses and UnassignIpv6Addresses have none;
 * the first two are proven by writing what is there already, without reassignment, so that nothing can move.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  DescribeAddressesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  ModifyNetworkInterfaceAttributeCommand,
} from '@aws-sdk/client-ec2';
import type { Ec2Settings } from '../../config/settings';
import { takeoverRequests } from '../../core/moves/grouping';
import type { Failure, Observation } from '../../core/state/readings';
import { interfaceFor } from '../../core/levels/ownership';
import type { AwsPlan } from '../description';
import { awsKindOf, readingsFor } from '../kinds';
import type { DryRunQuestion, ReadingAction } from '../kinds/kind';
import type { Caller, CallResult } from '../transport/ec2';
import { turnsDownCredentials } from '../transport/failure';
import { forwardingInterfaces } from './sourceDestCheck';
import { prepareMove } from '../moves/moves';

export type Permission = {
  readonly action: string;
  /** What it would be done to. */
  readonly on: string;
  readonly verdict: 'permitted' | 'denied' | 'unknown';
  /** EC2's; null where it has given none. */
  readonly code: string | null;
  readonly detail: string;
};

export type Asking = {
  readonly ec2: Caller;
  readonly plan: AwsPlan;
  readonly timeoutMs: number;
  /** Waited for before each question, where there is something that goes before. */
  readonly turn?: (action: string) => Promise<void>;
};

const DryRun = true;

/** What EC2 says of a denied one, and what is to be done about it. */
export function denialWords({ action, code, detail }: Permission): string {
  const mend =
    code === UNAUTHORIZED
      ? `allow ec2:${action} in the policy of the role (iam-policy prints it) and of the VPC endpoint`
      : 'no policy of the role mends this: see whose it is, and what manages it';
  return `${mend}. EC2 says ${detail}`;
}

const UNAUTHORIZED = 'UnauthorizedOperation';

/** One DryRun for each action and resource, however many targets it has: each costs a token. */
export function dryRunWrites(
  asking: Asking,
  settings: Ec2Settings,
  observation: Observation,
  tableOf: (id: string) => string | null,
): Promise<readonly Permission[]> {
  const { plan } = asking;
  const questions = new Map<string, DryRunQuestion>();
  const ask = (question: DryRunQuestion) => {
    const key = `${question.action} ${question.on}`;
    if (!questions.has(key)) questions.set(key, question);
  };
  for (const target of plan.targets) {
    const own = interfaceFor(observation, target);
    if (own === undefined) continue;
    const { networkInterfaceId } = own;
    const tools = { networkInterfaceId, plan, observation, tableOf };
    for (const question of awsKindOf(target).dryRuns(target, tools)) ask(question);
  }
  if (settings.sourceDestCheck === 'disable')
    for (const id of forwardingInterfaces(plan, observation)) {
      const input = { NetworkInterfaceId: id, SourceDestCheck: { Value: false }, DryRun };
      ask({
        action: 'ModifyNetworkInterfaceAttribute',
        on: id,
        command: (client, options) => client.send(new ModifyNetworkInterfaceAttributeCommand(input), options),
      });
    }
  return askEach(asking, [...questions.values()]);
}

/** For when a reading was denied: which of its calls it was. */
export function dryRunReads(asking: Asking): Promise<readonly Permission[]> {
  const readings = readingsFor(asking.plan.targets);
  return askEach(
    asking,
    readings.map(({ action }) => ({ action, on: 'everything', command: DRY_READS[action] })),
  );
}

const DRY_READS: { readonly [Action in ReadingAction]: DryRunQuestion['command'] } = {
  DescribeNetworkInterfaces: (client, options) =>
    client.send(new DescribeNetworkInterfacesCommand({ MaxResults: 5, DryRun }), options),
  DescribeRouteTables: (client, options) =>
    client.send(new DescribeRouteTablesCommand({ MaxResults: 5, DryRun }), options),
  DescribeAddresses: (client, options) => client.send(new DescribeAddressesCommand({ DryRun }), options),
};

/** Only while EC2 shows that all targets are here. */
export async function proveWrites(
  { ec2, plan, timeoutMs }: Asking,
  observation: Observation,
): Promise<readonly Permission[]> {
  const targets = new Map(plan.targets.map((target) => [target.id, target]));
  const tools = { ec2, tableOf: () => null, answered: () => {}, token: () => Promise.resolve() };
  const proven: Permission[] = [];
  for (const request of takeoverRequests(plan, observation)) {
    const target = targets.get(request.targets[0] ?? '');
    if (target === undefined || awsKindOf(target).provenBy === null) continue;
    const move = prepareMove(tools, { ...request, allowReassignment: false }, targets);
    const { failure } = await move.release(timeoutMs);
    proven.push({
      action: move.action,
      on: `${request.targets.join(', ')} to ${request.networkInterfaceId}`,
      ...(failure === null
        ? { verdict: 'permitted', code: null, detail: 'written again' }
        : verdictOf(failure)),
    });
  }
  return proven;
}

/** One after the other: a daemon in the same account may need the tokens. */
async function askEach(
  { ec2, timeoutMs, turn }: Asking,
  questions: readonly DryRunQuestion[],
): Promise<readonly Permission[]> {
  const permissions: Permission[] = [];
  for (const { action, on, command } of questions) {
    await turn?.(action);
    const result = await settled(() => ec2.call(action, timeoutMs, command));
    const verdict = result.ok
      ? ({ verdict: 'unknown', code: null, detail: 'EC2 did not take the DryRun for one' } as const)
      : verdictOf(result.failure);
    permissions.push({ action, on, ...verdict });
  }
  return permissions;
}

/** Turned down once, a call does not say whether it is for the credentials: they may be asked about meanwhile. */
const TRIES = 3;
const PAUSE_MS = 300;

async function settled<Result extends CallResult<unknown>>(call: () => Promise<Result>): Promise<Result> {
  let result = await call();
  for (let tries = 1; tries < TRIES; tries += 1) {
    if (result.ok || result.failure.kind === 'refused' || !turnsDownCredentials(result.failure)) break;
    await delay(PAUSE_MS, undefined, { ref: false });
    result = await call();
  }
  return result;
}

function verdictOf(failure: Failure): Pick<Permission, 'verdict' | 'code' | 'detail'> {
  const { code, message } = failure;
  const detail = `${code}: ${message}`;
  if (code === 'DryRunOperation') return { verdict: 'permitted', code, detail };
  const isDenied = code === UNAUTHORIZED || (failure.kind === 'refused' && turnsDownCredentials(failure));
  return { verdict: isDenied ? 'denied' : 'unknown', code, detail };
}
