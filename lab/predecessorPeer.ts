/**
 * The predecessor `xrv9k-aws-ha` as its peer sees it: what it does at the router's BFD sessions and at EC2, and
 * when. A model of its behaviour, made from what it is known to do and not from its code, for tests of a pair
 * of which only one router has been migrated. Good for one takeover in its life: the real one goes on
 * repeating its requests from the second on.
 *
 * - It learns its role from EC2 every 10 s: one DescribeInstances for each address, UNKNOWN when one fails.
 * - It acts on the event of a session's going DOWN, once, and only if it is STANDBY at that moment: each
 *   address by itself, DescribeInstances and then AssignPrivateIpAddresses, repeated until it succeeds.
 *   A DOWN at another moment is forgotten, and so is NEIGHBOR_UNCONFIG.
 * - It registers with REGISTER and EOF at once, so that its start removes the sessions of an earlier run.
 * - It withdraws its sessions when it is told to stop, also where it is ACTIVE.
 * - After the end of an event stream it hears nothing any more, and goes on.
 *
 * Whether it would act on the DOWN that some routers report of a new session is not known and not modelled:
 * its lab's routers begin with `initialStatus: 'UNKNOWN'`.
 */
import {
  AssignPrivateIpAddressesCommand,
  DescribeInstancesCommand,
  EC2Client,
  type InstanceNetworkInterface,
} from '@aws-sdk/client-ec2';
import { setTimeout as delay } from 'node:timers/promises';
import { RoleCredentials } from './imds-emulator/roleCredentials';
import { PredecessorSessions } from './predecessorSessions';
import type { Lab } from './topology/topology';
import type { InterfacePlan, RouterName } from './topology/plan';

export type PredecessorState = 'ACTIVE' | 'STANDBY' | 'UNKNOWN';

export type PredecessorOptions = {
  /** Default 10_000, which cannot be changed in the real one. */
  readonly pollMs?: number;
};

/** Between two tries of one address, where the real one makes no pause at all. */
const RETRY_MS = 20;
const HOUR_MS = 3_600_000;

/** On a router of the first interface generation that is up and runs no daemon. */
export async function startPredecessor(
  lab: Lab,
  name: RouterName,
  { pollMs = 10_000 }: PredecessorOptions = {},
): Promise<PredecessorPeer> {
  const peer = new PredecessorPeer(lab, name, pollMs);
  await peer.start();
  return peer;
}

export class PredecessorPeer {
  readonly #lab: Lab;
  readonly #name: RouterName;
  readonly #pollMs: number;
  readonly #ec2: EC2Client;
  readonly #sessions: PredecessorSessions;
  readonly #ended = new AbortController();
  #state: PredecessorState = 'UNKNOWN';
  #handled: Promise<void> = Promise.resolve();

  constructor(lab: Lab, name: RouterName, pollMs: number) {
    this.#lab = lab;
    this.#name = name;
    this.#pollMs = pollMs;
    const credentials = new RoleCredentials(
      { role: 'xrv9k-ha', lifetimeMs: 6 * HOUR_MS, rotateBeforeMs: 5 * 60_000 },
      () => lab.plan.instanceId[name],
      (set) => lab.credentials.register(set),
    );
    this.#ec2 = new EC2Client({
      region: lab.plan.region,
      endpoint: lab.ec2.url,
      credentials: credentials.current(),
      maxAttempts: 1,
    });
    this.#sessions = new PredecessorSessions(lab, name, () => this.#peerWentDown());
  }

  get state(): PredecessorState {
    return this.#state;
  }

  async start(): Promise<void> {
    await this.#poll();
    await this.#sessions.program();
    void this.#keepPolling();
  }

  /** SIGTERM: withdraws its sessions. */
  async stop(): Promise<void> {
    await this.#sessions.withdraw();
    this.kill();
  }

  /** SIGKILL, or the end of its router: the sessions stay on the router. */
  kill(): void {
    this.#ended.abort();
    this.#sessions.close();
    this.#ec2.destroy();
  }

  async #keepPolling(): Promise<void> {
    while (await this.#pause(this.#pollMs)) await this.#poll();
  }

  async #poll(): Promise<void> {
    const held: boolean[] = [];
    try {
      for (const target of this.#lab.plan.interfaces) held.push(await this.#holds(target));
    } catch {
      this.#state = 'UNKNOWN';
      return;
    }
    if (held.every((mine) => mine)) this.#state = 'ACTIVE';
    else this.#state = held.some((mine) => mine) ? 'UNKNOWN' : 'STANDBY';
  }

  /** One event after the other: the next one waits until a takeover is done. */
  #peerWentDown(): void {
    this.#handled = this.#handled.then(() => (this.#state === 'STANDBY' ? this.#takeOver() : undefined));
  }

  async #takeOver(): Promise<void> {
    await Promise.all(this.#lab.plan.interfaces.map((target) => this.#assign(target)));
    if (!this.#ended.signal.aborted) await this.#poll();
  }

  async #assign(target: InterfacePlan): Promise<void> {
    do {
      try {
        const own = await this.#interfaceOf(target);
        await this.#ec2.send(
          new AssignPrivateIpAddressesCommand({
            NetworkInterfaceId: own?.NetworkInterfaceId,
            PrivateIpAddresses: [target.floatingAddress],
            AllowReassignment: true,
          }),
          { abortSignal: this.#ended.signal },
        );
        return;
      } catch {
        // Whatever it was, it is tried again.
      }
    } while (await this.#pause(RETRY_MS));
  }

  async #holds(target: InterfacePlan): Promise<boolean> {
    const own = await this.#interfaceOf(target);
    return own?.PrivateIpAddresses?.some((each) => each.PrivateIpAddress === target.floatingAddress) === true;
  }

  async #interfaceOf({ deviceIndex }: InterfacePlan): Promise<InstanceNetworkInterface | undefined> {
    const { Reservations } = await this.#ec2.send(
      new DescribeInstancesCommand({ InstanceIds: [this.#lab.plan.instanceId[this.#name]] }),
      { abortSignal: this.#ended.signal },
    );
    const interfaces = Reservations?.[0]?.Instances?.[0]?.NetworkInterfaces;
    return interfaces?.find(({ Attachment }) => Attachment?.DeviceIndex === deviceIndex);
  }

  /** False when it has ended. */
  #pause(ms: number): Promise<boolean> {
    return delay(ms, true, { signal: this.#ended.signal }).catch(() => false);
  }
}
