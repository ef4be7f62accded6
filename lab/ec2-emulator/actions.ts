/**
 * The table of actions: for each the parameters it knows, and what it does. Reading actions see the model
 * they are handed; writing ones always work on the present.
 */
import { assignAddresses, unassignAddresses } from './changes';
import { describeInstanceStatus, describeInstances, describeNetworkInterfaces } from './describeActions';
import { accepted, refused } from './ec2Error';
import type { Outcome } from './ec2Error';
import type { Ec2Model } from './model';
import { element, itemSet, listParam } from './queryProtocol';
import type { QueryParams, XmlElement } from './queryProtocol';
import type { ChangeOrigin, Ec2World } from './world';

export interface ActionRequest {
  readonly action: string;
  readonly params: QueryParams;
  readonly world: Ec2World;
  /** How old the model is that a reading action shows. */
  readonly readAgeMs: number;
  readonly origin: ChangeOrigin;
}

type Answer = Outcome<readonly XmlElement[]>;

interface Action {
  /** Parameters by name; a list or structure is named by its first part (`Filter`). */
  readonly parameters: readonly string[];
  readonly run: (request: ActionRequest) => Answer;
}

const read = (
  ids: string,
  describe: (model: Ec2Model, params: QueryParams) => Answer,
  more: readonly string[] = [],
): Action => ({
  parameters: [ids, 'Filter', 'MaxResults', 'NextToken', 'DryRun', 'IncludeManagedResources', ...more],
  run: ({ world, params, readAgeMs }) =>
    describe(readAgeMs > 0 ? world.modelAgo(readAgeMs) : world.model, params),
});

const ACTIONS: Readonly<Record<string, Action>> = {
  DescribeNetworkInterfaces: read('NetworkInterfaceId', describeNetworkInterfaces),
  DescribeInstances: read('InstanceId', describeInstances),
  DescribeInstanceStatus: read('InstanceId', describeInstanceStatus, ['IncludeAllInstances']),
  AssignPrivateIpAddresses: {
    parameters: [
      'NetworkInterfaceId',
      'PrivateIpAddress',
      'AllowReassignment',
      'SecondaryPrivateIpAddressCount',
      'Ipv4Prefix',
      'Ipv4PrefixCount',
    ],
    run: assign,
  },
  UnassignPrivateIpAddresses: {
    parameters: ['NetworkInterfaceId', 'PrivateIpAddress', 'Ipv4Prefix'],
    run: unassign,
  },
};

export function runAction(request: ActionRequest): Answer {
  const action = Object.hasOwn(ACTIONS, request.action) ? ACTIONS[request.action] : undefined;
  if (action === undefined) {
    return refused('InvalidAction', `The action ${request.action} is not valid for this web service.`);
  }
  const known = new Set(['Action', 'Version', ...action.parameters]);
  const unknown = [...request.params.keys()].find((name) => !known.has(name.split('.')[0] ?? ''));
  if (unknown !== undefined) {
    return refused('UnknownParameter', `The parameter ${unknown} is not recognized`);
  }
  return action.run(request);
}

function assign({ params, world, origin }: ActionRequest): Answer {
  const target = targetOf(params);
  if (!target.ok) return target;
  const { networkInterfaceId, addresses } = target.value;
  const allowReassignment = params.get('AllowReassignment') === 'true';
  const done = world.commit(
    assignAddresses(world.model, { networkInterfaceId, addresses, allowReassignment }),
    origin,
  );
  if (!done.ok) return done;
  return accepted([
    element('networkInterfaceId', networkInterfaceId),
    itemSet(
      'assignedPrivateIpAddressesSet',
      addresses.map((ip) => [element('privateIpAddress', ip)]),
    ),
    element('return', true),
  ]);
}

function unassign({ params, world, origin }: ActionRequest): Answer {
  const target = targetOf(params);
  if (!target.ok) return target;
  const { networkInterfaceId, addresses } = target.value;
  const done = world.commit(unassignAddresses(world.model, networkInterfaceId, addresses), origin);
  return done.ok ? accepted([element('return', true)]) : done;
}

interface Target {
  readonly networkInterfaceId: string;
  readonly addresses: readonly string[];
}

function targetOf(params: QueryParams): Outcome<Target> {
  const unsupported = [...params.keys()].find((name) =>
    /^(SecondaryPrivateIpAddressCount|Ipv4Prefix)/.test(name),
  );
  if (unsupported !== undefined) {
    return refused('UnsupportedOperation', `This emulator moves named addresses only, not ${unsupported}.`);
  }
  const networkInterfaceId = params.get('NetworkInterfaceId');
  const addresses = listParam(params, 'PrivateIpAddress');
  if (networkInterfaceId === undefined || addresses.length === 0) {
    const missing = networkInterfaceId === undefined ? 'networkInterfaceId' : 'privateIpAddress';
    return refused('MissingParameter', `The request must contain the parameter ${missing}`);
  }
  return accepted({ networkInterfaceId, addresses });
}
