/**
 * Two simulated routers whose targets are in OpenStack, each with a daemon of the built product: what the demo and the tests
 * run, with the emulator or with the real services.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDaemon, type DaemonProcess } from '../daemonProcess';
import { Fabric, type FabricOptions } from '../slapi-sim/fabric';
import { SimRouter } from '../slapi-sim/router';
import { peerOf, routerNames, type RouterName } from '../topology/plan';
import { PAIR, type ByRouter, type OpenstackPair } from './pair';

/** What moves; of each kind there is one in the pair. */
export type LabTarget = 'floatingIp' | 'extraRoute' | 'fixedAddress';

export type OpenstackLabOptions = {
  /** Default: the floating IP. */
  readonly targets?: readonly LabTarget[];
  /** Merged into the object `config` of both routers. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly fabric?: FabricOptions;
};

const INTERFACE = 'GigabitEthernet0/0/0/0';

export async function startOpenstackLab(
  pair: OpenstackPair,
  options: OpenstackLabOptions = {},
): Promise<OpenstackLab> {
  const start = async (name: RouterName): Promise<SimRouter> => {
    const sim = new SimRouter({ name, generation: 'gen1', interfaces: [INTERFACE] });
    await sim.start();
    return sim;
  };
  return new OpenstackLab(pair, options, { rtr1: await start('rtr1'), rtr2: await start('rtr2') });
}

export class OpenstackLab {
  readonly pair: OpenstackPair;
  readonly routers: ByRouter<SimRouter>;
  readonly directory: string;
  readonly #fabric: Fabric;
  readonly #link: string;
  readonly #grpcPorts: ByRouter<number>;
  readonly #options: OpenstackLabOptions;
  readonly #daemons = new Map<RouterName, DaemonProcess>();

  constructor(pair: OpenstackPair, options: OpenstackLabOptions, routers: ByRouter<SimRouter>) {
    this.pair = pair;
    this.routers = routers;
    this.#options = options;
    this.#fabric = new Fabric(options.fabric);
    this.#grpcPorts = { rtr1: routers.rtr1.port, rtr2: routers.rtr2.port };
    this.directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-openstack-'));
    const { rtr1, rtr2 } = PAIR.address;
    this.#link = this.#fabric.link(routers.rtr1, INTERFACE, rtr1, routers.rtr2, INTERFACE, rtr2);
    writeFileSync(this.credentialsFile, JSON.stringify(pair.credential), { mode: 0o600 });
    for (const name of routerNames) this.#writeConfig(name);
  }

  get credentialsFile(): string {
    return join(this.directory, 'credential.json');
  }

  configPath(name: RouterName): string {
    return join(this.directory, name, 'config.json');
  }

  /** Where its daemon keeps its journals. */
  stateDirectory(name: RouterName): string {
    return join(this.directory, name, 'state');
  }

  /** @throws Error when the router runs one already. */
  startDaemon(name: RouterName): DaemonProcess {
    if (this.daemon(name) !== null) throw new Error(`${name} runs a daemon already`);
    // There is no metadata service of AWS, and none is asked.
    const imdsUrl = 'http://127.0.0.1:9';
    const daemon = startDaemon({ name, configPath: this.configPath(name), imdsUrl });
    this.#daemons.set(name, daemon);
    return daemon;
  }

  /** The one that runs on the router now. */
  daemon(name: RouterName): DaemonProcess | null {
    const daemon = this.#daemons.get(name);
    return daemon === undefined || daemon.exit !== null ? null : daemon;
  }

  /** Power off: BFD goes silent, the API and the daemon are gone. */
  async killRouter(name: RouterName): Promise<void> {
    const gone = this.daemon(name)?.kill();
    this.routers[name].kill();
    await gone;
  }

  /** Power on: nothing programmed, no daemon. */
  async bootRouter(name: RouterName): Promise<void> {
    rmSync(this.stateDirectory(name), { recursive: true, force: true });
    mkdirSync(this.stateDirectory(name));
    await this.routers[name].boot();
  }

  /** No BFD packet passes either way; both routers run on, and reach the cloud. */
  cutLink(): void {
    this.#fabric.cutLink(this.#link);
  }

  healLink(): void {
    this.#fabric.restoreLink(this.#link);
  }

  async stop(): Promise<void> {
    await Promise.all(routerNames.map(async (name) => this.daemon(name)?.kill()));
    this.#fabric.close();
    for (const name of routerNames) this.routers[name].close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #writeConfig(name: RouterName): void {
    const directory = join(this.directory, name);
    mkdirSync(this.stateDirectory(name), { recursive: true });
    const config = {
      cloud: {
        type: 'openstack',
        auth_url: this.pair.authUrl,
        credentials_file: this.credentialsFile,
        ports: [this.pair.portId[name]],
      },
      router_name: name,
      grpc_port: this.#grpcPorts[name],
      actions: (this.#options.targets ?? ['floatingIp']).map((target) => this.#action(target)),
      bfd_sessions: [
        { session_type: 'SINGLE_HOP', intf_name: INTERFACE, neigh_ip: PAIR.address[peerOf(name)] },
      ],
      store: { type: 'file', path: join(directory, 'show.json') },
      state_dir: this.stateDirectory(name),
      control_socket: join(directory, 'ha.sock'),
      syslog_file: join(directory, 'ha_app_bkp.log'),
      ...this.#options.config,
    };
    writeFileSync(this.configPath(name), `${JSON.stringify({ config }, null, 2)}\n`);
  }

  #action(target: LabTarget): object {
    const place = { instance_intf_number: 0 };
    switch (target) {
      case 'floatingIp':
        return {
          method: 'floating_ip_shift',
          method_params: { floating_ip_list: [{ floating_ip: PAIR.floatingIp, ...place }] },
        };
      case 'extraRoute': {
        const route = { router_id: this.pair.routerId, destination: PAIR.destination, ...place };
        return { method: 'extra_route_shift', method_params: { extra_route_list: [route] } };
      }
      case 'fixedAddress':
        return {
          method: 'secondary_ip_shift',
          method_params: { intf_list: [{ secondary_ip: PAIR.fixedAddress, ...place }] },
        };
    }
  }
}
