/**
 * keepalived on the two routers in place of the product, as people run it in a VPC: unicast VRRP on the first subnet,
 * and a script that asks EC2 for both addresses at once with the AWS CLI when this router becomes MASTER.
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

/** Seconds between two advertisements: with three of them missed, about what BFD of 50 ms x 3 needs. */
const ADVERTISEMENT_S = 0.05;
const priority: Readonly<Record<RouterName, number>> = { rtr1: 100, rtr2: 90 };

export class KeepalivedPair {
  readonly #real: RealLab;
  readonly #processes = new Map<RouterName, ChildProcess>();

  constructor(real: RealLab) {
    this.#real = real;
  }

  /** Both, with everything on rtr1, which is MASTER before the other is there. */
  async start(): Promise<void> {
    for (const name of routerNames) {
      this.#writeFiles(name);
      this.#processes.set(name, this.#run(name));
      // The second one hears the first, and stays BACKUP.
      await delay(1_000);
    }
  }

  /** SIGKILL, to the process that speaks VRRP first: it would say goodbye. */
  async kill(name: RouterName): Promise<void> {
    const running = this.#processes.get(name);
    this.#processes.delete(name);
    if (running === undefined) return;
    killByFile(join(this.#place(name), 'vrrp.pid'));
    await killed(running);
    // Nobody may have waited for its child yet, and the next one would take it for alive.
    for (const file of ['pid', 'vrrp.pid']) rmSync(join(this.#place(name), file), { force: true });
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
        'vrrp_instance VPC {',
        '  state BACKUP',
        `  interface ${own.device}`,
        '  virtual_router_id 51',
        `  priority ${priority[name]}`,
        `  advert_int ${ADVERTISEMENT_S}`,
        `  unicast_src_ip ${own.address}`,
        '  unicast_peer {',
        `    ${peer.address}`,
        '  }',
        '  virtual_ipaddress {',
        '    192.0.2.51/32 dev lo',
        '  }',
        ...(name === 'rtr2' ? [`  notify_master ${script}`] : []),
        '}',
        '',
      ].join('\n'),
    );
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
