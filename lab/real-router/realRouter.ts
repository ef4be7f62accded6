/**
 * One router of real parts: a namespace with a management interface and one for each subnet, which the kernel forwards
 * between; bfdd; and the simulated Service-Layer API, which passes on what those two say.
 */
import type { SimRouter } from '../slapi-sim/router';
import type { RouterName } from '../topology/plan';
import { Bfdd, type BfddEvent } from './bfdd';
import { Bridge } from './bridge';
import { CommandPipe, run } from './commands';
import { portTowards, sides, type Layout, type Port } from './layout';
import { watchLinks, type LinkMonitor } from './linkMonitor';
import { Namespace } from './namespace';
import type { Vpc } from './vpc';

export type RealRouterParts = {
  readonly name: RouterName;
  readonly layout: Layout;
  readonly vpc: Vpc;
  readonly sim: SimRouter;
};

export class RealRouter {
  readonly name: RouterName;
  readonly namespace: Namespace;
  readonly bfdd: Bfdd;
  /** Of the machine that the EC2 endpoint and the metadata service run on, as seen from here. */
  readonly managementGateway: string;
  readonly #layout: Layout;
  readonly #ports: readonly Port[];
  readonly #bridge: Bridge;
  readonly #monitor: LinkMonitor;
  readonly #pipe: CommandPipe;
  readonly #events: BfddEvent[] = [];
  readonly #shut = new Set<string>();

  constructor({ name, layout, vpc, sim }: RealRouterParts) {
    this.name = name;
    this.#layout = layout;
    this.#ports = layout.ports.filter(({ router }) => router === name);
    this.namespace = new Namespace(name, { forwards: true });
    this.managementGateway = this.#joinManagement();
    for (const port of this.#ports) {
      vpc.plug(port, this.namespace);
      this.namespace.ip([
        `addr add ${port.address}/${port.cidrBlock.split('/')[1]} dev ${port.device}`,
        `link set ${port.device} up`,
      ]);
    }
    this.namespace.ip([
      ...layout.ownAddresses.map((address) => `addr add ${address}/32 dev lo`),
      ...this.#routes(),
    ]);
    this.#pipe = new CommandPipe(name);
    this.bfdd = new Bfdd(this.namespace, (event) => {
      this.#events.push(event);
      this.#bridge.bfddSays(event);
    });
    this.#bridge = new Bridge(sim, this.bfdd, {
      deviceOf: (interfaceName) => this.#device(interfaceName),
      interfaceOf: (device) => this.#ports.find((port) => port.device === device)?.name ?? null,
    });
    this.#monitor = watchLinks(this.namespace, (device, state) => this.#bridge.kernelSays(device, state));
  }

  /** What bfdd has said since the lab was made, oldest first. */
  get events(): readonly BfddEvent[] {
    return this.#events;
  }

  async startBfdd(): Promise<void> {
    await this.bfdd.start();
    this.#bridge.started();
    await this.#bridge.told();
  }

  /** bfdd dies and comes back; the router's other parts do not notice. */
  async restartBfdd(): Promise<void> {
    await this.bfdd.kill();
    await this.startBfdd();
  }

  /** No packet any more, on any interface, and no process. */
  async powerOff(): Promise<void> {
    await this.#pipe.change(this.#allDevices().map((device) => `link set ${device} down`));
    await this.bfdd.kill();
  }

  /** Interfaces and bfdd. */
  async powerOn(): Promise<void> {
    this.#shut.clear();
    await this.#pipe.change([
      ...this.#allDevices().map((device) => `link set ${device} up`),
      ...this.#routes(),
    ]);
    await this.startBfdd();
  }

  /** As an operator shuts it. */
  interfaceDown(interfaceName: string): Promise<void> {
    const device = this.#device(interfaceName);
    this.#shut.add(device);
    return this.#pipe.change([`link set ${device} down`]);
  }

  interfaceUp(interfaceName: string): Promise<void> {
    const device = this.#device(interfaceName);
    this.#shut.delete(device);
    return this.#pipe.change([`link set ${device} up`, ...this.#routes()]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.bfdd.kill(), this.#monitor.stop(), this.#pipe.stop()]);
    run('nft', ['delete', 'table', 'ip', this.name]);
    run('ip', ['link', 'del', managementOf(this.name)]);
    this.namespace.remove();
  }

  #allDevices(): readonly string[] {
    return ['mgmt', ...this.#ports.map(({ device }) => device)];
  }

  #device(interfaceName: string): string {
    const port = this.#ports.find(({ name }) => name === interfaceName);
    if (port === undefined) throw new Error(`${this.name} has no data interface ${interfaceName}`);
    return port.device;
  }

  /** An interface that goes down takes its routes along; those that are there already are left. */
  #routes(): readonly string[] {
    const { hosts } = this.#layout;
    const peers = this.#layout.ports.filter(
      (port) =>
        port.router !== this.name && !this.#ports.some(({ cidrBlock }) => cidrBlock === port.cidrBlock),
    );
    const own = (deviceIndex: number) => this.#ports.find((port) => port.deviceIndex === deviceIndex);
    const way = (cidrBlock: string, port: Port | undefined) =>
      port === undefined || this.#shut.has(port.device)
        ? []
        : [`route replace ${cidrBlock} via ${port.gateway} dev ${port.device}`];
    return [
      ...sides.flatMap((side) => way(hosts[side].cidrBlock, portTowards(this.#layout, this.name, side))),
      ...peers.flatMap((peer) => way(peer.cidrBlock, own(peer.deviceIndex))),
    ];
  }

  /** A cable to the machine of the lab, whose loopback answers there as well: EC2, metadata, the API of the router. */
  #joinManagement(): string {
    const third = this.name === 'rtr1' ? 1 : 2;
    const [outside, gateway] = [managementOf(this.name), `10.98.${third}.1`];
    run(
      'ip',
      ['-batch', '-'],
      [
        `link add ${outside} type veth peer name mgmt netns ${this.name}`,
        `addr add ${gateway}/30 dev ${outside}`,
        `link set ${outside} up`,
        '',
      ].join('\n'),
    );
    run('sh', ['-c', `echo 1 > /proc/sys/net/ipv4/conf/${outside}/route_localnet`]);
    run(
      'nft',
      ['-f', '-'],
      `table ip ${this.name} { chain arriving { type nat hook prerouting priority dstnat; iifname "${outside}" meta l4proto tcp dnat to 127.0.0.1; }; }`,
    );
    this.namespace.ip([`addr add 10.98.${third}.2/30 dev mgmt`, 'link set mgmt up']);
    return gateway;
  }
}

/** The lab's end of the cable. */
const managementOf = (name: RouterName): string => `mgmt-${name}`;
