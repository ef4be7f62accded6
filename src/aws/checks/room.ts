/**
 * Whether the interfaces have room for all floating addresses: EC2 limits the addresses of an interface by the type of
 * its instance, and says so only when one too many is assigned, in a takeover.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html
 */
import { DescribeInstanceTypesCommand, type _InstanceType } from '@aws-sdk/client-ec2';
import type { Observation, OwnInterface } from '../../core/state/model';
import { interfaceFor } from '../../core/levels/ownership';
import type { Plan } from '../../core/state/plan';
import type { Consultation } from './consultation';

export type Room = {
  readonly mistakes: readonly string[];
  /** Why it is not known; null where it is. */
  readonly unknown: string | null;
};

export async function findRoom(
  { imds, ec2, timeoutMs }: Pick<Consultation, 'imds' | 'ec2' | 'timeoutMs'>,
  plan: Plan,
  observation: Observation,
): Promise<Room> {
  // Routes and Elastic IPs bring no address to an interface.
  if (!plan.targets.some(({ kind }) => kind === 'privateAddress' || kind === 'ipv6Address'))
    return { mistakes: [], unknown: null };
  const answer = await imds.get('instance-type');
  const type = answer.ok ? answer.text.trim() : '';
  if (!/^[a-z0-9-]{1,40}\.[a-z0-9-]{1,40}$/.test(type))
    return { mistakes: [], unknown: 'IMDS does not say what type of instance this is' };
  const input = { InstanceTypes: [type as _InstanceType] };
  const result = await ec2.call('DescribeInstanceTypes', timeoutMs, (client, options) =>
    client.send(new DescribeInstanceTypesCommand(input), options),
  );
  if (!result.ok) {
    const { code, message } = result.failure;
    return {
      mistakes: [],
      unknown: `EC2 does not say how many addresses ${type} allows (${code}: ${message})`,
    };
  }
  const info = result.output.InstanceTypes?.[0]?.NetworkInfo;
  const ipv4Max = info?.Ipv4AddressesPerInterface;
  const ipv6Max = info?.Ipv6AddressesPerInterface;
  if (ipv4Max === undefined || ipv6Max === undefined)
    return { mistakes: [], unknown: `EC2 does not say how many addresses ${type} allows` };
  return {
    mistakes: observation.interfaces.flatMap((own) => [
      ...tooMany(own, ipv4Count(plan, observation, own), ipv4Max, type, 'IPv4'),
      // What else the interface has of these is not read.
      ...tooMany(own, floating(plan, observation, own, 'ipv6Address').length, ipv6Max, type, 'IPv6'),
    ]),
    unknown: null,
  };
}

function floating(
  { targets }: Plan,
  observation: Observation,
  own: OwnInterface,
  kind: 'privateAddress' | 'ipv6Address',
): readonly string[] {
  return targets.flatMap((target) =>
    target.kind === kind && interfaceFor(observation, target) === own ? [target.address] : [],
  );
}

function ipv4Count(plan: Plan, observation: Observation, own: OwnInterface): number {
  const present = own.privateIpAddresses.map(({ PrivateIpAddress: address }) => address);
  return new Set([...present, ...floating(plan, observation, own, 'privateAddress')]).size;
}

function tooMany(
  { networkInterfaceId, deviceIndex }: OwnInterface,
  count: number,
  most: number,
  type: string,
  family: string,
): readonly string[] {
  if (count <= most) return [];
  return [
    `config.action.method_params.intf_list: ${networkInterfaceId}, device index ${deviceIndex}, would have ${count} ${family} addresses with all that float, and ${type} allows ${most} on an interface: spread them over more interfaces, or use a larger type.`,
  ];
}
