/**
 * The VPC as a namespace that forwards: between the interfaces of a subnet, and from a host to whichever router's
 * interface EC2 says has the address, route or Elastic IP that the host sends to. A change in EC2 takes effect after
 * the propagation time. What a router forwards that has not (any more) what leads there is dropped. Like the real one
 * it has no broadcast: it answers ARP itself and carries unicast only.
 */
import { performance } from 'node:perf_hooks';
import type { Ec2World } from '../ec2-emulator/world';
import { nowMs } from '../ec2-emulator/world';
import { routerNames, type RouterName } from '../topology/plan';
import { holderOfTarget } from '../topology/targets';
import { CommandPipe } from './commands';
import { always, type DrawMs } from './distribution';
import { otherSide, portTowards, sides, type Layout, type Port, type Side } from './layout';
import { Namespace } from './namespace';
import { faultRules, type PacketFault } from './packetFaults';

export type Move = {
  readonly side: Side;
  /** Null: nobody has it, and packets are dropped. */
  readonly to: RouterName | null;
  /** Monotonic ms: EC2 has changed; the change was due here; packets go there. */
  readonly changedAtMs: number;
  readonly dueAtMs: number;
  readonly appliedAtMs: number;
};

/** Packets of the hosts that each router has forwarded to the VPC, and those of them that went on. */
export type Forwarded = Readonly<Record<RouterName, { readonly seen: number; readonly passed: number }>>;

const hostDevice = (side: Side): string => `${side}0`;
const gateTable: Readonly<Record<Side, number>> = { user: 101, server: 102 };
const routerTable: Readonly<Record<RouterName, number>> = { rtr1: 201, rtr2: 202 };

export class Vpc {
  readonly namespace: Namespace;
  readonly #layout: Layout;
  readonly #world: Ec2World;
  readonly #pipe: CommandPipe;
  readonly #moves: Move[] = [];
  readonly #faults = new Set<PacketFault>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #holders = new Map<Side, RouterName | null>();
  /** From a change in EC2 to its effect; asked anew for each change. */
  propagation: DrawMs = always(0);

  constructor(layout: Layout, world: Ec2World, hosts: Readonly<Record<Side, Namespace>>) {
    this.#layout = layout;
    this.#world = world;
    this.namespace = new Namespace('vpc', { forwards: true });
    const gateways = new Set(layout.ports.map(({ gateway }) => gateway));
    this.namespace.ip([...gateways].map((gateway) => `addr add ${gateway}/32 dev lo`));
    for (const side of sides) this.#joinHost(side, hosts[side]);
    this.namespace.nft(this.#ruleset());
    this.#pipe = new CommandPipe('vpc');
    world.onChange(() => this.#follow());
  }

  /** A router's cable: both ends of it are there afterwards, the router's without an address. */
  plug(port: Port, router: Namespace): void {
    const { vpcDevice, device, address, macAddress } = port;
    this.namespace.ip([
      `link add ${vpcDevice} type veth peer name ${device} address ${macAddress} netns ${router.name}`,
      `link set ${vpcDevice} up`,
      `route add ${address}/32 dev ${vpcDevice}`,
      `neigh add ${address} lladdr ${macAddress} dev ${vpcDevice} nud permanent`,
      `rule add pref 200 iif ${vpcDevice} lookup ${routerTable[port.router]}`,
    ]);
    this.namespace.settings({
      [`ipv4/conf/${vpcDevice}/proxy_arp`]: 1,
      [`ipv4/neigh/${vpcDevice}/proxy_delay`]: 0,
    });
  }

  /** Packets go to the holders of this moment. */
  async open(): Promise<void> {
    for (const side of sides) await this.#lead(side, this.#holderOf(side));
  }

  get moves(): readonly Move[] {
    return this.#moves;
  }

  /** Resolves when it is in force. The returned function takes it away again. */
  addFault(fault: PacketFault): () => void {
    this.#faults.add(fault);
    this.#renewFaults();
    return () => {
      if (this.#faults.delete(fault)) this.#renewFaults();
    };
  }

  clearFaults(): void {
    this.#faults.clear();
    this.#renewFaults();
  }

  async forwarded(): Promise<Forwarded> {
    const text = await this.namespace.answer('nft', ['-j', 'list', 'counters']);
    const { nftables } = JSON.parse(text) as {
      nftables: readonly { counter?: { name: string; packets: number } }[];
    };
    const count = (name: string) =>
      nftables.find(({ counter }) => counter?.name === name)?.counter?.packets ?? 0;
    const of = (router: RouterName) => ({ seen: count(`seen_${router}`), passed: count(`passed_${router}`) });
    return { rtr1: of('rtr1'), rtr2: of('rtr2') };
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#pipe.stop();
    this.namespace.remove();
  }

  // ---- What EC2 says, and its effect ----

  #follow(): void {
    const changedAtMs = nowMs();
    for (const side of sides) {
      const to = this.#holderOf(side);
      if (this.#holders.get(side) === to) continue;
      this.#holders.set(side, to);
      const propagationMs = this.propagation();
      const effect = () => void this.#lead(side, to, { changedAtMs, dueAtMs: changedAtMs + propagationMs });
      if (propagationMs <= 0) effect();
      else this.#after(propagationMs, effect);
    }
  }

  #after(ms: number, effect: () => void): void {
    const endMs = performance.now() + ms;
    const wait = (leftMs: number): void => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        // Node counts a timer from the start of the loop's turn: a busy turn makes it fire early.
        if (performance.now() < endMs) wait(endMs - performance.now());
        else effect();
      }, leftMs);
      this.#timers.add(timer);
    };
    wait(ms);
  }

  async #lead(side: Side, to: RouterName | null, due?: Pick<Move, 'changedAtMs' | 'dueAtMs'>): Promise<void> {
    this.#holders.set(side, to);
    const { hosts } = this.#layout;
    const beyond = hosts[otherSide(side)].cidrBlock;
    const port = to === null ? null : portTowards(this.#layout, to, side);
    await this.#pipe.change([
      port === null
        ? `route replace blackhole default table ${gateTable[side]}`
        : `route replace default via ${port.address} dev ${port.vpcDevice} onlink table ${gateTable[side]}`,
      ...routerNames.map((name) =>
        name === to
          ? `route replace ${beyond} dev ${hostDevice(otherSide(side))} table ${routerTable[name]}`
          : `route replace blackhole ${beyond} table ${routerTable[name]}`,
      ),
    ]);
    if (due !== undefined) this.#moves.push({ side, to, ...due, appliedAtMs: nowMs() });
  }

  #holderOf(side: Side): RouterName | null {
    const id = holderOfTarget(this.#world, this.#layout.gates[side]);
    return this.#layout.ports.find(({ networkInterfaceId }) => networkInterfaceId === id)?.router ?? null;
  }

  // ---- What stands ----

  #joinHost(side: Side, host: Namespace): void {
    const { gateway, address } = this.#layout.hosts[side];
    const device = hostDevice(side);
    this.namespace.ip([
      `link add ${device} type veth peer name eth0 netns ${host.name}`,
      `addr add ${gateway}/24 dev ${device}`,
      `link set ${device} up`,
      `rule add pref 100 iif ${device} lookup ${gateTable[side]}`,
    ]);
    host.ip([`addr add ${address}/24 dev eth0`, 'link set eth0 up', `route add default via ${gateway}`]);
  }

  /** Counters, and a subnet that costs packets no hop: single-hop BFD and VRRP want a TTL of 255. */
  #ruleset(): string {
    const { ports, hosts } = this.#layout;
    const own = (name: RouterName) => set(ports.filter(({ router }) => router === name));
    const pairs = ports.flatMap((port) =>
      ports.flatMap((other) =>
        other !== port && other.cidrBlock === port.cidrBlock ? [[port.vpcDevice, other.vpcDevice]] : [],
      ),
    );
    const fromHosts = `ip saddr { ${sides.map((side) => hosts[side].cidrBlock).join(', ')} }`;
    return [
      'table inet vpc {',
      ...routerNames.flatMap((name) => [`counter seen_${name} { }`, `counter passed_${name} { }`]),
      'chain arriving { type filter hook prerouting priority filter;',
      ...routerNames.map((name) => `iifname ${own(name)} ${fromHosts} counter name seen_${name}`),
      '}',
      'chain passing { type filter hook forward priority filter;',
      ...pairs.map(([from, to]) => `iifname "${from}" oifname "${to}" ip ttl set 255`),
      ...routerNames.map(
        (name) => `iifname ${own(name)} oifname { "user0", "server0" } counter name passed_${name}`,
      ),
      '}',
      'chain faults { type filter hook forward priority -10; }',
      '}',
    ].join('\n');
  }

  #renewFaults(): void {
    const rules = [...this.#faults].flatMap((fault) => faultRules(this.#layout, fault));
    this.namespace.nft(
      ['flush chain inet vpc faults', ...rules.map((rule) => `add rule inet vpc faults ${rule}`), ''].join(
        '\n',
      ),
    );
  }
}

const set = (ports: readonly Port[]): string =>
  `{ ${ports.map(({ vpcDevice }) => `"${vpcDevice}"`).join(', ')} }`;
