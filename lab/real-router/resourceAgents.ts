/**
 * Pacemaker's resource agents for AWS as Debian installs them, on rtr2: their `start` moves one address or route there
 * with the AWS CLI. What the whole cluster adds is not part of it. Each has what it moves on rtr1 before.
 */
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nowMs } from '../ec2-emulator/world';
import type { TargetPlan } from '../topology/targets';
import { holderOfTarget } from '../topology/targets';
import type { RouterName } from '../topology/plan';
import { isWrite, type LoggedRequest } from '../ec2-emulator/requestLog';
import type { RealLab, RealTopology } from './realLab';

export type AgentPlan = {
  readonly name: 'awsvip' | 'aws-vpc-move-ip' | 'awseip';
  readonly topology: RealTopology;
  /** What it moves, and the interface of either router that it moves it from or to. */
  readonly target: (real: RealLab) => TargetPlan;
  readonly deviceIndex: number;
  /** Its parameters: the quickest that it can be told. */
  readonly parameters: (real: RealLab) => Readonly<Record<string, string>>;
};

/** Milliseconds from the begin of `start`. */
export type AgentStart = {
  /** Until EC2 was asked to change something, and until it had. */
  readonly askedMs: number;
  readonly movedMs: number;
  /** Until the agent was done. */
  readonly endedMs: number;
  /** What it asked of EC2, in order. */
  readonly calls: readonly string[];
};

const MOVED_WITHIN_MS = 60_000;
const FOLDER = '/usr/lib/ocf/resource.d/heartbeat';
/** It moves a single address by a route of this length only. */
const OVERLAY = '10.9.200.1';
/** In the subnet of the primary interface, the only one that awsvip knows. */
const ADDRESS = '172.31.99.50';

export const agents: readonly AgentPlan[] = [
  {
    name: 'awsvip',
    topology: 'one-zone',
    target: () => ({ kind: 'secondaryAddress', address: ADDRESS, deviceIndex: 0 }),
    deviceIndex: 0,
    parameters: () => ({ secondary_private_ip: ADDRESS, api_delay: '0' }),
  },
  {
    name: 'aws-vpc-move-ip',
    topology: 'two-zones',
    target: (real) => overlayRoute(real),
    deviceIndex: 2,
    parameters: (real) => ({
      ip: OVERLAY,
      routing_table: overlayRoute(real).routeTableId,
      interface: 'eth2',
    }),
  },
  {
    name: 'awseip',
    topology: 'two-zones',
    target: (real) => elasticIp(real),
    deviceIndex: 1,
    parameters: (real) => {
      const { publicIp, allocationId } = elasticIp(real);
      const private_ip_address = networkInterface(real, 'rtr2', 1).primaryIp;
      return { elastic_ip: publicIp, allocation_id: allocationId, private_ip_address, api_delay: '0' };
    },
  },
];

/** @throws Error where the agent fails, or what it moves is not on rtr2 afterwards. */
export async function startAgent(real: RealLab, agent: AgentPlan): Promise<AgentStart> {
  giveTo(real, 'rtr1', agent);
  const requests = real.lab.ec2.requests().at(-1)?.number ?? 0;
  const target = agent.target(real);
  const wanted = networkInterface(real, 'rtr2', agent.deviceIndex).networkInterfaceId;
  const begunMs = nowMs();
  let movedMs = NaN;
  const forget = real.lab.world.onChange(() => {
    if (Number.isNaN(movedMs) && holderOfTarget(real.lab.world, target) === wanted) movedMs = nowMs();
  });
  const { namespace } = real.routers.rtr2;
  const child = namespace.spawn(['env', ...environmentOf(real, agent), join(FOLDER, agent.name), 'start'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: MOVED_WITHIN_MS,
  });
  let words = '';
  child.stderr?.on('data', (chunk: Buffer) => (words += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  const endedMs = nowMs();
  forget();
  if (code !== 0 || Number.isNaN(movedMs))
    throw new Error(`${agent.name} start: exit code ${code ?? 'none'}\n${words.trim()}`);
  const asked = real.lab.ec2.requests().filter(({ number }) => number > requests);
  return {
    askedMs: (asked.find(isWrite)?.receivedAt ?? NaN) - begunMs,
    movedMs: movedMs - begunMs,
    endedMs: endedMs - begunMs,
    calls: asked.map(({ action }: LoggedRequest) => action),
  };
}

/** Metadata under the address that the agents have built in; seen in the namespace of rtr2 only. */
export function leadToMetadata(real: RealLab): void {
  const { namespace, managementGateway } = real.routers.rtr2;
  const { port } = new URL(real.lab.routers.rtr2.imdsUrl);
  namespace.ip([`route add 169.254.169.254/32 via ${managementGateway}`]);
  namespace.nft(
    [
      'table ip metadata { chain out { type nat hook output priority -100;',
      `ip daddr 169.254.169.254 tcp dport 80 dnat to ${managementGateway}:${port}; }; }`,
    ].join(' '),
  );
}

function environmentOf(real: RealLab, agent: AgentPlan): readonly string[] {
  const { directory } = real.lab.routers.rtr2;
  const [cli, profile] = [join(directory, 'aws'), join(directory, 'aws-profile')];
  writeFileSync(profile, `[default]\nregion = ${real.lab.plan.region}\n`);
  writeFileSync(cli, `#!/bin/sh\nexec /usr/bin/aws "$@" --endpoint-url ${real.ec2Url('rtr2')}\n`);
  chmodSync(cli, 0o755);
  const parameters = { ...agent.parameters(real), awscli: cli };
  return [
    'OCF_ROOT=/usr/lib/ocf',
    'OCF_RA_VERSION_MAJOR=1',
    'OCF_RA_VERSION_MINOR=1',
    `OCF_RESOURCE_INSTANCE=${agent.name}`,
    'HA_LOGTAG=agent',
    `AWS_CONFIG_FILE=${profile}`,
    ...Object.entries(parameters).map(([key, value]) => `OCF_RESKEY_${key}=${value}`),
  ];
}

function giveTo(real: RealLab, router: RouterName, agent: AgentPlan): void {
  const { world } = real.lab;
  const { networkInterfaceId, primaryIp } = networkInterface(real, router, agent.deviceIndex);
  const target = agent.target(real);
  if (target.kind === 'secondaryAddress') world.assign(networkInterfaceId, [target.address]);
  else if (target.kind === 'route') {
    const { routeTableId, destination } = target;
    world.setRoute({ routeTableId, destination }, { kind: 'networkInterface', id: networkInterfaceId });
    const other = real.routers.rtr2.namespace;
    other.run('sh', ['-c', `ip addr del ${OVERLAY}/32 dev eth${agent.deviceIndex} 2>/dev/null || true`]);
  } else
    world.associateAddress({
      allocationId: target.allocationId,
      networkInterfaceId,
      privateIp: primaryIp,
    });
}

function overlayRoute(real: RealLab) {
  const found = real.lab.plan.targets.find((target) => target.kind === 'route');
  if (found === undefined) throw new Error('no route table in this lab');
  return { ...found, destination: { kind: 'ipv4', value: `${OVERLAY}/32` } as const };
}

function elasticIp(real: RealLab) {
  const found = real.lab.plan.targets.find((target) => target.kind === 'elasticIp');
  if (found === undefined) throw new Error('no Elastic IP in this lab');
  return found;
}

function networkInterface(real: RealLab, router: RouterName, deviceIndex: number) {
  const instanceId = real.lab.plan.instanceId[router];
  const found = real.lab.world.model.networkInterfaces.find(
    ({ attachment }) => attachment?.instanceId === instanceId && attachment.deviceIndex === deviceIndex,
  );
  if (found === undefined) throw new Error(`${router} has no network interface ${deviceIndex}`);
  return found;
}
