/**
 * keepalived on the two routers in place of the product, as people run it in a VPC: unicast VRRP on the first subnet,
 * alone or with keepalived's own BFD, and a script that asks EC2 for both addresses at once with the AWS CLI when this
 * router becomes MASTER.
 */
import type { ChildProcess } from 'node:child_process';
import { chmodSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { peerOf, routerNames, type RouterName } from '../topology/plan';
import { targetName } from '../topology/targets';
import { killed } from './commands';
import { portOn, portTowards, sides } from './layout';
import type { RealLab } from './realLab';

/**
 * Seconds between two advertisements. By VRRP alone three missed ones are about what BFD of 50 ms x 3 needs. With BFD
 * the VRRP instance is kept down until BFD is, and waits for three of its own then: the least that it can be told.
 */
const advertisementS: Readonly<Record<KeepalivedWatch, number>> = { VRRP: 0.05, BFD: 0.01 };
const priority: Readonly<Record<RouterName, number>> = { rtr1: 100, rtr2: 90 };

/** What tells rtr2 that it has to be MASTER. */
export type KeepalivedWatch = 'VRRP' | 'BFD';

const BFD_INTERVAL_MS = 50;
const BFD_MULTIPLIER = 3;

export class KeepalivedPair {
  readonly #real: RealLab;
  readonly #watch: KeepalivedWatch;
  readonly #processes = new Map<RouterName, ChildProcess>();

  constructor(real: RealLab, watch: KeepalivedWatch) {
    this.#real = real;
    this.#watch = watch;
  }

  /** Both, with everything on rtr1, which is MASTER before the other is there. */
  async start(): Promise<void> {
    for (const name of routerNames) {
      // keepalived wants its port.
      await this.#real.routers[name].bfdd.kill();
      this.#writeFiles(name);
      this.#processes.set(name, this.#run(name));
      // The second one hears the first, and stays BACKUP.
      await delay(1_000);
    }
  }

  /** SIGKILL, to the processes that speak VRRP and BFD first: they would say goodbye. */
  async kill(name: RouterName): Promise<void> {
    const running = this.#processes.get(name);
    this.#processes.delete(name);
    if (running === undefined) return;
    for (const file of ['vrrp.pid', 'bfd.pid']) killByFile(join(this.#place(name), file));
    await killed(running);
    // Nobody may have waited for its children yet, and the next one would take them for alive.
    for (const file of ['pid', 'vrrp.pid', 'bfd.pid']) rmSync(join(this.#place(name), file), { force: true });
  }

  async stop(): Promise<void> {
    for (const name of routerNames) await this.kill(name);
  }

  #run(name: RouterName): ChildProcess {
    const place = this.#place(name);
    const log = openSync(join(place, 'keepalived.log'), 'a');
    return this.#real.routers[name].namespace.spawn(
      [
        'keepalived',
        ...['--dont-fork', '--log-console', '--no-syslog', '--use-file', join(place, 'keepalived.conf')],
        ...['--pid', join(place, 'pid'), '--vrrp_pid', join(place, 'vrrp.pid')],
        ...['--bfd_pid', join(place, 'bfd.pid')],
      ],
      { stdio: ['ignore', log, log] },
    );
  }

  #writeFiles(name: RouterName): void {
    const place = this.#place(name);
    const [own, peer] = [portOn(this.#real.layout, name, 1), portOn(this.#real.layout, peerOf(name), 1)];
    const script = join(place, 'become-master');
    writeFileSync(script, ['#!/bin/sh', ...this.#calls(name), 'wait', ''].join('\n'));
    chmodSync(script, 0o755);
    writeFileSync(
      join(place, 'keepalived.conf'),
      [
        'global_defs {',
        `  router_id ${name}`,
        '  vrrp_version 3',
        '  script_user root',
        '}',
        ...this.#bfdInstance(own.address, peer.address),
        'vrrp_instance VPC {',
        '  state BACKUP',
        `  interface ${own.device}`,
        '  virtual_router_id 51',
        `  priority ${this.#priority(name)}`,
        `  advert_int ${advertisementS[this.#watch]}`,
        `  unicast_src_ip ${own.address}`,
        '  unicast_peer {',
        `    ${peer.address}`,
        '  }',
        '  virtual_ipaddress {',
        '    192.0.2.51/32 dev lo',
        '  }',
        // It is kept down while the peer is UP, and MASTER at once when it is not.
        ...(this.#isByBfd(name) ? ['  track_bfd {', '    peer weight 0 reverse', '  }'] : []),
        ...(name === 'rtr2' ? [`  notify_master ${script}`] : []),
        '}',
        '',
      ].join('\n'),
    );
  }

  #isByBfd(name: RouterName): boolean {
    return this.#watch === 'BFD' && name === 'rtr2';
  }

  /** The highest one becomes MASTER without waiting for VRRP's own timer. */
  #priority(name: RouterName): number {
    return this.#isByBfd(name) ? 255 : priority[name];
  }

  #bfdInstance(own: string, peer: string): readonly string[] {
    if (this.#watch === 'VRRP') return [];
    return [
      'bfd_instance peer {',
      `  source_ip ${own}`,
      `  neighbor_ip ${peer}`,
      `  min_rx ${BFD_INTERVAL_MS}`,
      `  min_tx ${BFD_INTERVAL_MS}`,
      `  multiplier ${BFD_MULTIPLIER}`,
      '}',
    ];
  }

  /** One call for each interface, all at once: the quickest that the CLI can do. */
  #calls(name: RouterName): readonly string[] {
    const { layout, lab } = this.#real;
    // The AWS CLI puts a path behind it as it is: without the slash it calls the endpoint invalid.
    const environment = Object.entries(this.#real.environment(name)).map(
      ([key, value]) => `export ${key}=${value}/`,
    );
    return [
      ...environment,
      ...sides.map((side) =>
        [
          ...['/usr/bin/aws ec2 assign-private-ip-addresses --allow-reassignment'],
          ...['--network-interface-id', portTowards(layout, name, side).networkInterfaceId],
          ...['--private-ip-addresses', targetName(layout.gates[side])],
          ...['--endpoint-url', this.#real.ec2Url(name), '--region', lab.plan.region, '&'],
        ].join(' '),
      ),
    ];
  }

  #place(name: RouterName): string {
    return this.#real.lab.routers[name].directory;
  }
}

function killByFile(path: string): void {
  try {
    process.kill(Number(readFileSync(path, 'utf8')), 'SIGKILL');
  } catch {
    // It had ended, or never begun.
  }
}
