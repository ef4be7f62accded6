/**
 * What the real-router lab is made of, as plain data: which interface of the VPC's namespace is which network
 * interface of EC2, and the two ways that a user's packets take through the active router.
 */
import type { Ec2Region, NetworkInterface } from '../ec2-emulator/model';
import type { LabPlan, RouterName } from '../topology/plan';
import type { TargetPlan } from '../topology/targets';

export type Side = 'user' | 'server';
export const sides: readonly Side[] = ['user', 'server'];
export const otherSide = (side: Side): Side => (side === 'user' ? 'server' : 'user');

/** The end of a stream: a host outside of the routers' subnets, which the VPC knows the way to. */
export type Host = { readonly cidrBlock: string; readonly gateway: string; readonly address: string };

/** A network interface of a router, and its end in the VPC. */
export type Port = {
  readonly router: RouterName;
  readonly networkInterfaceId: string;
  readonly deviceIndex: number;
  /** As the router calls it. */
  readonly name: string;
  /** As the kernel calls it in the router's namespace. */
  readonly device: string;
  /** As the kernel calls it in the VPC's namespace. */
  readonly vpcDevice: string;
  readonly address: string;
  readonly cidrBlock: string;
  /** The VPC's own address in the subnet. */
  readonly gateway: string;
  readonly macAddress: string;
};

export type Layout = {
  readonly ports: readonly Port[];
  readonly hosts: Readonly<Record<Side, Host>>;
  /** What packets from that side are sent to: they reach whichever interface EC2 says has it. */
  readonly gates: Readonly<Record<Side, TargetPlan>>;
  /** Addresses that the active router answers to itself, /32. */
  readonly ownAddresses: readonly string[];
};

const userHost: Host = { cidrBlock: '10.77.1.0/24', gateway: '10.77.1.1', address: '10.77.1.2' };

/** The server stands in another subnet, or behind the destination of the route that leads to the router. */
export function layoutOf(plan: LabPlan, region: Ec2Region, serverPrefix = '10.77.2'): Layout {
  const ports = region.networkInterfaces.flatMap((eni) => portOf(plan, region, eni));
  const [toRouter, back] = gatesOf(plan.targets);
  return {
    ports,
    gates: { user: toRouter, server: back },
    hosts: {
      user: userHost,
      server: {
        cidrBlock: `${serverPrefix}.0/24`,
        gateway: `${serverPrefix}.1`,
        address: `${serverPrefix}.2`,
      },
    },
    ownAddresses: plan.targets.flatMap((target) => {
      if (target.kind === 'secondaryAddress') return [target.address];
      return target.kind === 'elasticIp' ? [target.publicIp] : [];
    }),
  };
}

/** The first two targets that lead to different interfaces. */
function gatesOf(targets: readonly TargetPlan[]): readonly [TargetPlan, TargetPlan] {
  const [first] = targets;
  const second = targets.find(({ deviceIndex }) => deviceIndex !== first?.deviceIndex);
  if (first === undefined || second === undefined)
    throw new Error('packets need targets on two interfaces: one to go in by, one to come back');
  return [first, second];
}

/** None for management, which is no part of the VPC here, and for instances that are no routers. */
function portOf(plan: LabPlan, region: Ec2Region, eni: NetworkInterface): readonly Port[] {
  const { attachment, networkInterfaceId, primaryIp: address, macAddress = '', subnetId } = eni;
  const router = (['rtr1', 'rtr2'] as const).find((name) => plan.instanceId[name] === attachment?.instanceId);
  const subnet = region.subnets.find((each) => each.subnetId === subnetId);
  if (router === undefined || subnet === undefined || !attachment || attachment.deviceIndex === 0) return [];
  const { deviceIndex } = attachment;
  const name = plan.interfaces.find((each) => each.deviceIndex === deviceIndex)?.name;
  if (name === undefined) return [];
  const { cidrBlock } = subnet;
  return [
    {
      ...{ router, networkInterfaceId, deviceIndex, name, address, cidrBlock, macAddress },
      device: `eth${deviceIndex}`,
      vpcDevice: `${router}-eth${deviceIndex}`,
      gateway: cidrBlock.replace(/\.0\/\d+$/, '.1'),
    },
  ];
}

export function portOn(layout: Layout, router: RouterName, deviceIndex: number): Port {
  const found = layout.ports.find((port) => port.router === router && port.deviceIndex === deviceIndex);
  if (found === undefined) throw new Error(`${router} has no interface with device index ${deviceIndex}`);
  return found;
}

/** Where a router sends what is for that side. */
export const portTowards = (layout: Layout, router: RouterName, side: Side): Port =>
  portOn(layout, router, layout.gates[side].deviceIndex);
