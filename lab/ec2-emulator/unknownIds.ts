/** What EC2 says to ids that it does not know. */
import { refused } from './ec2Error';

/** EC2 tells an id that could exist from one that could not. */
export function unknownInterfaces([id = '']: readonly string[]) {
  return /^eni-[0-9a-f]{8,17}$/.test(id)
    ? refused('InvalidNetworkInterfaceID.NotFound', `The networkInterface ID '${id}' does not exist`)
    : refused('InvalidNetworkInterfaceId.Malformed', `Invalid id: "${id}" (expecting "eni-...")`);
}

export function unknownInstances(ids: readonly string[]) {
  const malformed = ids.find((id) => !/^i-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id));
  if (malformed !== undefined)
    return refused('InvalidInstanceID.Malformed', `Invalid id: "${malformed}" (expecting "i-...")`);
  return refused(
    'InvalidInstanceID.NotFound',
    ids.length === 1
      ? `The instance ID '${ids.join()}' does not exist`
      : `The instance IDs '${ids.join(', ')}' do not exist`,
  );
}

export function unknownRouteTables([id = '']: readonly string[]) {
  return /^rtb-[0-9a-f]{8,17}$/.test(id)
    ? refused('InvalidRouteTableID.NotFound', `The routeTable ID '${id}' does not exist`)
    : refused('InvalidRouteTableId.Malformed', `Invalid id: "${id}" (expecting "rtb-...")`);
}

export function unknownAllocations([id = '']: readonly string[]) {
  return refused('InvalidAllocationID.NotFound', `The allocation ID '${id}' does not exist`);
}

export function unknownVolumes([id = '']: readonly string[]) {
  return /^vol-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id)
    ? refused('InvalidVolume.NotFound', `The volume '${id}' does not exist.`)
    : refused(
        'InvalidParameterValue',
        `Value (${id}) for parameter volumeId is invalid. Expected: 'vol-...'.`,
      );
}

export function unknownAttachments(id: string) {
  return /^eni-attach-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id)
    ? refused('InvalidAttachmentID.NotFound', `The interface attachment '${id}' does not exist.`)
    : refused('InvalidAttachmentID.Malformed', `Invalid id: "${id}" (expecting "eni-attach-...")`);
}
