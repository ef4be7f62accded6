/**
 * The lab of two routers in two Auto Scaling groups of one, with the built healer beside it as an operator runs it in a
 * container (`heal --watch`). A group replaces an instance that is impaired; the new instance boots the same router.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { autoScalingService } from '../autoscaling-emulator/actions';
import { AutoScaling } from '../autoscaling-emulator/autoScaling';
import { mainPath, startDaemon, type DaemonProcess } from '../daemonProcess';
import type { Ec2Model } from '../ec2-emulator/model';
import { findInstance } from '../ec2-emulator/model';
import type { Pace } from '../ec2-emulator/pace';
import { Topics } from '../sns-emulator/topics';
import { MANAGEMENT_SUBNET_ID, routerNames, type RouterName } from '../topology/plan';
import { startLab, type Lab } from '../topology/topology';
import { launchHook, terminateHook, TOPIC } from './regions';

/** Seconds in place of minutes. */
const PACE: Pace = {
  launchMs: 2_000,
  bootMs: 4_000,
  shutdownMs: 2_000,
  attachInterfaceMs: 1_000,
  detachInterfaceMs: 1_000,
  attachVolumeMs: 1_000,
  detachVolumeMs: 1_000,
};

/** Docker's first pause is 100 ms. */
const RESTART_MS = 100;

const KEY = {
  accessKeyId: 'ASIAHEALERHEALERHEAL',
  secretAccessKey: 'lab-secret-of-the-healer',
  sessionToken: 'lab-token-of-the-healer',
} as const;

export async function startPairLab(): Promise<PairLab> {
  const topics = new Topics([TOPIC]);
  let scaling: AutoScaling | undefined;
  const lab = await startLab({
    pace: PACE,
    services: (world) => {
      scaling = new AutoScaling({ world, replaceAfterMs: 500 });
      return [autoScalingService(scaling), topics.service()];
    },
  });
  if (scaling === undefined) throw new Error('the lab has asked for no services');
  return new PairLab(lab, scaling, topics);
}

export class PairLab {
  readonly lab: Lab;
  readonly scaling: AutoScaling;
  readonly topics: Topics;
  readonly #booting: Promise<void>[] = [];
  #healer: DaemonProcess | null = null;
  #stopped = false;

  constructor(lab: Lab, scaling: AutoScaling, topics: Topics) {
    this.lab = lab;
    this.scaling = scaling;
    this.topics = topics;
    lab.credentials.register({ ...KEY, role: 'healer', instanceId: 'healer', expiresAt: Infinity });
    for (const name of routerNames) this.#createGroup(name);
    lab.world.onChange((before, after) => this.#bootGuests(before, after));
  }

  /** Its log records are like those of a daemon. */
  startHealer(): DaemonProcess {
    const path = join(this.lab.directory, 'heal.json');
    writeFileSync(path, JSON.stringify(this.#document(), null, 2));
    this.#healer = startDaemon({
      name: 'healer',
      configPath: path,
      imdsUrl: '',
      env: {
        AWS_ACCESS_KEY_ID: KEY.accessKeyId,
        AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey,
        AWS_SESSION_TOKEN: KEY.sessionToken,
      },
      command: [process.execPath, mainPath, 'heal', '-c', path, '--watch'],
    });
    return this.#healer;
  }

  /** The instance that the group has besides those on their way out; null while it has none. */
  instanceOf(name: RouterName): { readonly instanceId: string; readonly isInService: boolean } | null {
    const member = this.scaling
      .group(name)
      ?.members.findLast(({ lifecycleState }) => !lifecycleState.startsWith('Terminating'));
    return member === undefined
      ? null
      : { instanceId: member.instanceId, isInService: member.lifecycleState === 'InService' };
  }

  /** EC2 finds that the machine of a router is gone. */
  impair(name: RouterName): void {
    this.lab.world.setStatusChecks(this.lab.plan.instanceId[name], { systemStatus: 'impaired' });
  }

  /** @throws Error of a guest that did not boot. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#healer?.kill();
    this.scaling.stop();
    await this.lab.stop();
    await Promise.all(this.#booting);
  }

  #createGroup(name: RouterName): void {
    this.scaling.createGroup({
      name,
      subnetIds: [MANAGEMENT_SUBNET_ID],
      launch: { instanceType: 'm5.24xlarge', sourceDestCheck: false, tags: { Name: name } },
      hooks: [launchHook, terminateHook],
      instanceIds: [this.lab.plan.instanceId[name]],
    });
  }

  #document(): object {
    const { plan, ec2 } = this.lab;
    return {
      heal: {
        region: plan.region,
        vpc_id: plan.vpcId,
        ec2_endpoint_url: ec2.url,
        autoscaling_endpoint_url: ec2.url,
        sns_endpoint_url: ec2.url,
        topic_arn: TOPIC,
        sweep_s: 1,
        api_timeout_s: 1,
        staleness_s: 1,
        lease_s: 120,
        identities: routerNames.map((name) => ({
          name,
          auto_scaling_group: name,
          network_interfaces: plan.interfaces.map(({ networkInterfaceId, deviceIndex }) => ({
            network_interface_id: networkInterfaceId[name],
            device_index: deviceIndex,
          })),
        })),
        pairs: [
          {
            name: 'edge',
            members: routerNames,
            floating: { private_ips: plan.interfaces.map(({ floatingAddress }) => floatingAddress) },
          },
        ],
      },
    };
  }

  /** The guest of a new instance is up: it is the router, with a daemon, as its image has it. */
  #bootGuests(before: Ec2Model, after: Ec2Model): void {
    for (const name of routerNames) {
      const instanceId = this.instanceOf(name)?.instanceId ?? '';
      const isUp = (model: Ec2Model) => findInstance(model, instanceId)?.instanceStatus === 'ok';
      if (instanceId !== this.lab.plan.instanceId[name] && isUp(after) && !isUp(before))
        this.#booting.push(this.#boot(name, instanceId));
    }
  }

  async #boot(name: RouterName, instanceId: string): Promise<void> {
    this.lab.becomesInstance(name, instanceId);
    await this.lab.bootRouter(name);
    this.#runDaemon(name);
  }

  /** As `docker run --restart always` does: a daemon that finds its interfaces missing ends, and is started again. */
  #runDaemon(name: RouterName): void {
    const isAlive = (): boolean => !this.#stopped && this.lab.routers[name].sim.alive;
    if (!isAlive()) return;
    void this.lab.startDaemon(name).exited.then(async ({ code }) => {
      if (code === null || code === 0) return;
      await delay(RESTART_MS);
      this.#runDaemon(name);
    });
  }
}
