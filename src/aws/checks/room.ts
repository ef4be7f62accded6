/**
 * How many addresses EC2 allows on an interface of this router, by the type of its instance: it says so only when one
 * too many is assigned, in a takeover. Whether they suffice is judged with what else a reading shows (refusals.ts).
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html
 */
import { DescribeInstanceTypesCommand, type _InstanceType } from '@aws-sdk/client-ec2';
import type { AwsPlan } from '../description';
import { addressBrought } from '../kinds';
import type { AddressLimits } from '../kinds/kind';
import type { Caller } from '../transport/ec2';
import type { Imds } from '../transport/imds';

/** `unknown`: why they are not known. Both are null where nothing of the plan needs room. */
export type Room =
  | { readonly limits: AddressLimits | null; readonly unknown: null }
  | { readonly limits: null; readonly unknown: string };

const notKnown = (unknown: string): Room => ({ limits: null, unknown });

/** Never rejects. */
export async function askRoom(
  { imds, ec2, timeoutMs }: { readonly imds: Imds; readonly ec2: Caller; readonly timeoutMs: number },
  { targets }: AwsPlan,
): Promise<Room> {
  if (targets.every((target) => addressBrought(target) === null)) return { limits: null, unknown: null };
  const answer = await imds.get('instance-type');
  const type = answer.ok ? answer.text.trim() : '';
  if (!/^[a-z0-9-]{1,40}\.[a-z0-9-]{1,40}$/.test(type))
    return notKnown('IMDS does not say what type of instance this is');
  const input = { InstanceTypes: [type as _InstanceType] };
  const result = await ec2.call('DescribeInstanceTypes', timeoutMs, (client, options) =>
    client.send(new DescribeInstanceTypesCommand(input), options),
  );
  const silent = `EC2 does not say how many addresses ${type} allows`;
  if (!result.ok) return notKnown(`${silent} (${result.failure.code}: ${result.failure.message})`);
  const info = result.output.InstanceTypes?.[0]?.NetworkInfo;
  const ipv4 = info?.Ipv4AddressesPerInterface;
  const ipv6 = info?.Ipv6AddressesPerInterface;
  return ipv4 === undefined || ipv6 === undefined
    ? notKnown(silent)
    : { limits: { type, ipv4, ipv6 }, unknown: null };
}
