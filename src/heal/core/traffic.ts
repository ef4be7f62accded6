/**
 * Elastic IPs and routes: the last to move, and only to a guest that is proven to forward. They may come from nobody, or
 * from an older instance of the same group; what anybody else has is left there.
 */
import type { Context } from './context';
import { routeWords, selectorWords, type ElasticIp, type Route, type Slot } from './desired';
import { act, blocked, held, wait, type Finding } from './finding';
import { isOwn } from './members';
import { interfaceAt, isGone, selected, type NetworkInterface } from './observed';

export function trafficFindings(context: Context): readonly Finding[] {
  const { identity } = context;
  return [
    ...identity.elasticIps.flatMap((wanted) => elasticIpFindings(context, wanted)),
    ...identity.routes.flatMap((wanted) => routeFindings(context, wanted)),
  ];
}

function elasticIpFindings(context: Context, wanted: ElasticIp): readonly Finding[] {
  const { observed } = context;
  const { allocationId, slot } = wanted;
  const seen = observed.elasticIps[allocationId];
  if (seen === undefined) return [blocked('missing', `this account has no Elastic IP ${allocationId} here`)];
  const place = interfaceAt(observed, context.target.id, slot);
  if (place === null) return [noPlace(context, allocationId, slot)];
  const privateAddress = wanted.privateAddress ?? place.primaryAddress;
  if (!place.addresses.includes(privateAddress))
    return [blocked('missing', `${place.id} has no address ${privateAddress} for ${allocationId}`)];
  if (seen.interfaceId === place.id && seen.privateAddress === privateAddress) return [];
  const reassociate = seen.interfaceId !== null;
  if (seen.interfaceId !== null && !mayBeTaken(context, seen.interfaceId, seen.instanceId))
    return [held(`${allocationId} is associated with ${holderWords(context, seen)}`)];
  return [act({ do: 'associateAddress', allocationId, interfaceId: place.id, privateAddress, reassociate })];
}

function routeFindings(context: Context, wanted: Route): readonly Finding[] {
  const { observed, target } = context;
  const { table: selector, destination, slot } = wanted;
  const [table] = selected(observed.tables, selector);
  if (table === undefined)
    return [blocked('missing', `the VPC has no route table ${selectorWords(selector)}`)];
  const place = interfaceAt(observed, target.id, slot);
  if (place === null) return [noPlace(context, routeWords(wanted), slot)];
  const entry = table.routes.find((each) => each.destination === destination.value);
  const step = { tableId: table.id, destination, interfaceId: place.id };
  if (entry === undefined) return [act({ do: 'createRoute', ...step })];
  if (entry.interfaceId === place.id && !entry.blackhole) return [];
  if (entry.interfaceId === place.id) return [wait(`${routeWords(wanted)} is a blackhole still`, 'ec2')];
  if (entry.blackhole) {
    const instance = observed.instances[entry.instanceId ?? ''];
    const isForeign =
      instance !== undefined && instance.state !== 'terminated' && !isOurs(context, instance.id);
    if (!isForeign) return [act({ do: 'replaceRoute', ...step })];
  }
  if (entry.other !== null) return [held(`${routeWords(wanted)} leads to ${entry.other}`)];
  return mayBeTaken(context, entry.interfaceId, entry.instanceId)
    ? [act({ do: 'replaceRoute', ...step })]
    : [held(`${routeWords(wanted)} leads to ${holderWords(context, entry)}`)];
}

/** It is on an interface of this identity, or of an instance of its group. */
function mayBeTaken(context: Context, interfaceId: string | null, instanceId: string | null): boolean {
  const { identity, observed } = context;
  const seen = observed.interfaces.find(({ id }) => id === interfaceId);
  if (
    seen !== undefined &&
    identity.interfaces.some(({ selector }) => isSelected(observed.interfaces, seen, selector))
  )
    return true;
  const holder = seen?.attachment?.instanceId ?? instanceId;
  return holder !== null && (isOurs(context, holder) || isGone(observed, holder));
}

function isSelected(
  interfaces: readonly NetworkInterface[],
  seen: NetworkInterface,
  selector: Parameters<typeof selected>[1],
): boolean {
  return selected(interfaces, selector).includes(seen);
}

function isOurs({ identity, group, observed }: Context, instanceId: string): boolean {
  return isOwn(identity, group, observed.instances[instanceId]);
}

function holderWords(
  { observed, identity }: Context,
  { interfaceId, instanceId }: { readonly interfaceId: string | null; readonly instanceId: string | null },
): string {
  const instance = instanceId === null ? undefined : observed.instances[instanceId];
  if (instance === undefined) return `${interfaceId ?? 'nothing'}, which is no interface of ${identity.name}`;
  return `${interfaceId} of ${instance.id}, which is ${instance.state} and not of group ${identity.group}`;
}

function noPlace({ target }: Context, what: string, { deviceIndex }: Slot): Finding {
  return blocked('missing', `${target.id} has no interface at device index ${deviceIndex} for ${what}`);
}
