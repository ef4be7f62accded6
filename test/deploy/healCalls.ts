/** What the healer asks AWS for with an example of config/heal, by its own code: all reads, and each step that its rules know. */
import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { SNSClient } from '@aws-sdk/client-sns';
import { answersTo, look } from '../../src/heal/aws/look';
import { perform } from '../../src/heal/aws/perform';
import type { Called, ServiceCaller } from '../../src/aws/transport/service';
import type { Services } from '../../src/heal/aws/services';
import type { Desired, Identity, Selector } from '../../src/heal/core/desired';
import type { Step, StepName } from '../../src/heal/core/steps';
import { record } from '../heal/healWorld';
import type { Call } from '../support/iam';

/** Ids of what the examples name by a tag, and of what comes new with each instance. */
export const idOf = (type: 'eni' | 'rtb' | 'vol', selector: Selector): string =>
  'id' in selector ? selector.id : `${type}-${hex(selector.tag.value)}`;
export const instanceOf = ({ name }: Identity): string => `i-${hex(name)}`;
/** Made with the instance, by the launch template. */
export const newInterfaceOf = ({ name }: Identity): string => `eni-${hex(`new ${name}`)}`;
export const attachmentOf = (interfaceId: string): string => interfaceId.replace('eni-', 'eni-attach-');

const hex = (text: string): string => Buffer.from(text).toString('hex').padStart(17, '0').slice(-17);

/** The one at this device index. */
function interfaceAt(identity: Identity, deviceIndex: number): string {
  const own = identity.interfaces.find(({ slot }) => slot.deviceIndex === deviceIndex);
  return own === undefined ? newInterfaceOf(identity) : idOf('eni', own.selector);
}

/** The compiler asks for a new step here. */
const STEPS: { readonly [Name in StepName]: (identity: Identity) => readonly Step[] } = {
  attachInterface: (identity) =>
    identity.interfaces.map(({ selector, slot }) => ({
      do: 'attachInterface',
      interfaceId: idOf('eni', selector),
      instanceId: instanceOf(identity),
      slot,
    })),
  detachInterface: (identity) =>
    identity.interfaces.map(({ selector }) => ({
      do: 'detachInterface',
      interfaceId: idOf('eni', selector),
      attachmentId: attachmentOf(idOf('eni', selector)),
      instanceId: instanceOf(identity),
    })),
  attachVolume: (identity) => volumeSteps('attachVolume', identity),
  detachVolume: (identity) => volumeSteps('detachVolume', identity),
  assignAddresses: ({ interfaces }) =>
    interfaces.map(({ selector, privateAddresses: addresses }) => ({
      do: 'assignAddresses',
      interfaceId: idOf('eni', selector),
      addresses,
    })),
  disableSourceDestCheck: (identity) =>
    [newInterfaceOf(identity), ...identity.interfaces.map(({ selector }) => idOf('eni', selector))].map(
      (interfaceId) => ({ do: 'disableSourceDestCheck', interfaceId }),
    ),
  keepInterface: ({ interfaces }) =>
    interfaces.map(({ selector }) => ({
      do: 'keepInterface',
      interfaceId: idOf('eni', selector),
      attachmentId: attachmentOf(idOf('eni', selector)),
    })),
  keepVolume: (identity) => volumeSteps('keepVolume', identity),
  reboot: (identity) => [
    { do: 'reboot', instanceId: instanceOf(identity), group: identity.group, record: record() },
  ],
  associateAddress: (identity) =>
    identity.elasticIps.map(({ allocationId, slot }) => ({
      do: 'associateAddress',
      allocationId,
      interfaceId: interfaceAt(identity, slot.deviceIndex),
      privateAddress: '10.0.0.4',
      reassociate: true,
    })),
  replaceRoute: (identity) => routeSteps('replaceRoute', identity),
  createRoute: (identity) => routeSteps('createRoute', identity),
  heartbeat: (identity) => [{ do: 'heartbeat', ...actionOf(identity) }],
  complete: (identity) => [{ do: 'complete', ...actionOf(identity), result: 'CONTINUE' }],
  writeRecord: ({ group }) => [{ do: 'writeRecord', group, record: record() }],
  tell: ({ name: identity, group }) => {
    const message = {
      id: 'm',
      identity,
      kind: 'healing-began',
      code: null,
      instanceId: null,
      text: 't',
    } as const;
    return [{ do: 'tell', group, messages: [message], record: record() }];
  },
};

const volumeSteps = <Name extends 'attachVolume' | 'detachVolume' | 'keepVolume'>(
  name: Name,
  identity: Identity,
) =>
  identity.volumes.map(({ selector, device }) => ({
    do: name,
    volumeId: idOf('vol', selector),
    instanceId: instanceOf(identity),
    device,
  }));

const routeSteps = <Name extends 'replaceRoute' | 'createRoute'>(name: Name, identity: Identity) =>
  identity.routes.map(({ table, destination, slot }) => ({
    do: name,
    tableId: idOf('rtb', table),
    destination,
    interfaceId: interfaceAt(identity, slot.deviceIndex),
  }));

const actionOf = (identity: Identity) => ({
  group: identity.group,
  hook: identity.launchHook,
  instanceId: instanceOf(identity),
});

/** Every call, in the words of the API. */
export async function healCalls(desired: Desired, topicArn: string): Promise<readonly Call[]> {
  const calls: Call[] = [];
  const services = recorder(calls, desired);
  const asking = { services, timeoutMs: 1_000 };
  const seen = await look(asking, desired, { owner: 'healer', keepsLease: false }, () => 0);
  expect(seen.unread).toEqual([]);
  for (const identity of desired.identities) {
    const instanceId = instanceOf(identity);
    await answersTo(asking, [
      { ask: 'hooks', group: identity.group },
      { ask: 'activity', group: identity.group },
      { ask: 'status', instanceId },
    ]);
    const steps = Object.values(STEPS).flatMap((stepsOf) => stepsOf(identity));
    for (const step of steps)
      expect(await perform({ ...asking, topicArn, eventId: 'event' }, step)).toBeNull();
  }
  return calls;
}

/** Clients that send nothing and note what they are given; the groups have an instance each, all else is empty. */
function recorder(calls: Call[], { identities }: Desired): Services {
  const groups = identities.map((identity) => ({
    AutoScalingGroupName: identity.group,
    DesiredCapacity: 1,
    Instances: [{ InstanceId: instanceOf(identity), LifecycleState: 'Pending:Wait' }],
    Tags: [],
  }));
  const caller = <Client>(service: string): ServiceCaller<Client> => ({
    call: async <Output>(
      action: string,
      _timeoutMs: number,
      command: (client: Client, options: never) => Promise<Output>,
    ): Promise<Called<Output>> => {
      const send = ({ input }: { readonly input: object }) => {
        calls.push({ service, action, params: flat(input) });
        return Promise.resolve(action === 'DescribeAutoScalingGroups' ? { AutoScalingGroups: groups } : {});
      };
      return { ok: true, output: await command({ send } as Client, undefined as never) };
    },
  });
  return {
    ec2: caller<EC2Client>('ec2') as unknown as Services['ec2'],
    autoscaling: caller<AutoScalingClient>('autoscaling'),
    sns: caller<SNSClient>('sns'),
    ready: Promise.resolve(),
    stop: () => {},
  };
}

/** `{Tags: [{Key: 'a'}]}` as `Tags.1.Key`; ids of a list by the name of one, as EC2's protocol has them. */
function flat(input: unknown, path = ''): Record<string, string> {
  if (typeof input !== 'object' || input === null) return { [path]: String(input) };
  const under = (key: string) => (path === '' ? key : `${path}.${key}`);
  const entries = Array.isArray(input)
    ? input.map((each: unknown, place) => [String(place + 1), each] as const)
    : Object.entries(input).map(
        ([key, each]: [string, unknown]) => [key.replace(/Ids$/, 'Id'), each] as const,
      );
  return Object.assign({}, ...entries.map(([key, each]) => flat(each, under(key)))) as Record<string, string>;
}
