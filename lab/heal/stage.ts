/**
 * A region of an example of config/heal in virtual time, with Auto Scaling, SNS and the built healer as a Lambda function
 * that the events of the template wake: lifecycle actions, state changes of instances, and a schedule of one minute.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { autoScalingService } from '../autoscaling-emulator/actions';
import { AutoScaling } from '../autoscaling-emulator/autoScaling';
import { scheduledEvent, stateChangeEvent, type AwsEvent, type Place } from '../autoscaling-emulator/events';
import type { Member } from '../autoscaling-emulator/model';
import { CredentialRegistry } from '../ec2-emulator/credentials';
import { startEc2Emulator, type Ec2Emulator } from '../ec2-emulator/emulator';
import { findInstance, findInterface, type Ec2Model, type NetworkInterface } from '../ec2-emulator/model';
import { scaledPace, type Pace } from '../ec2-emulator/pace';
import { isWrite, type LoggedRequest } from '../ec2-emulator/requestLog';
import { Ec2World } from '../ec2-emulator/world';
import { Topics } from '../sns-emulator/topics';
import { HealBundle } from './bundle';
import { Lambda } from './lambda';
import { exampleFile, exampleRegion, TOPIC, type ExampleName, type HealRegion } from './regions';
import { VirtualClock } from './virtualClock';

export interface StageOptions {
  /** Of what takes its time; else that of EC2, with guests that boot in a minute. */
  readonly pace?: Partial<Pace>;
  /** Of an invocation. Default: the longest that Lambda allows. */
  readonly lambdaTimeoutMs?: number;
  /** Changes the region before it begins. */
  readonly region?: (whole: HealRegion) => HealRegion;
  /** Keys of `heal` on top of those of the example. */
  readonly heal?: Readonly<Record<string, unknown>>;
  /** Keys of each identity on top of those of the example. */
  readonly identity?: Readonly<Record<string, unknown>>;
}

/** What the function is told, as one reads it. */
export interface Message {
  readonly id: string;
  readonly identity: string;
  readonly kind: 'healing-began' | 'healing-ended' | 'alarm-raised' | 'alarm-ended';
  readonly code: string | null;
  readonly instanceId: string | null;
  readonly text: string;
  /** Of the event that has caused it. */
  readonly event: string;
}

const SWEEP_MS = 60_000;
/** Of which the template has the function told. */
const TOLD_STATES: readonly string[] = ['running', 'stopped', 'terminated'];
const KEY = {
  accessKeyId: 'ASIAHEALERHEALERHEAL',
  secretAccessKey: 'lab-secret-of-the-healer',
  sessionToken: 'lab-token-of-the-healer',
} as const;

const credentialsEnv = {
  AWS_ACCESS_KEY_ID: KEY.accessKeyId,
  AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey,
  AWS_SESSION_TOKEN: KEY.sessionToken,
} as const;

export async function startStage(example: ExampleName, options: StageOptions = {}): Promise<Stage> {
  const stage = new Stage(example, options);
  await stage.open();
  return stage;
}

export class Stage {
  readonly clock: VirtualClock;
  readonly world: Ec2World;
  readonly scaling: AutoScaling;
  readonly topics = new Topics([TOPIC]);
  /** Everything that EventBridge has delivered, oldest first. */
  readonly events: AwsEvent[] = [];
  readonly #example: ExampleName;
  readonly #options: StageOptions;
  readonly #credentials = new CredentialRegistry();
  #ec2: Ec2Emulator | null = null;
  #lambda: Lambda | null = null;
  #isLost: (event: AwsEvent) => boolean = () => false;
  readonly #commands = new Set<HealBundle>();
  #stopped = false;

  constructor(example: ExampleName, options: StageOptions) {
    this.#example = example;
    this.#options = options;
    const { region: changed = (whole: HealRegion) => whole, pace } = options;
    const { region, groups } = changed(exampleRegion[example]());
    this.clock = new VirtualClock(() => this.#isBusy());
    this.world = new Ec2World(region, {
      clock: this.clock,
      pace: { ...scaledPace(1), bootMs: 60_000, ...pace },
    });
    this.scaling = new AutoScaling({ world: this.world, replaceAfterMs: 1_000 });
    for (const group of groups) this.scaling.createGroup(group);
  }

  async open(): Promise<void> {
    this.#credentials.register({ ...KEY, role: 'healer', instanceId: 'healer', expiresAt: Infinity });
    this.#ec2 = await startEc2Emulator({
      world: this.world,
      credentials: this.#credentials,
      services: [autoScalingService(this.scaling), this.topics.service()],
    });
    this.#lambda = new Lambda({
      clock: this.clock,
      env: {
        ...credentialsEnv,
        AWS_LAMBDA_FUNCTION_NAME: 'heal',
        HEAL_JSON: JSON.stringify(this.document()),
      },
      ...(this.#options.lambdaTimeoutMs === undefined ? {} : { timeoutMs: this.#options.lambdaTimeoutMs }),
      onThaw: () => this.ec2.closeIdleConnections(),
    });
    this.scaling.onEvent((event) => this.deliver(event));
    this.world.onChange((before, after) => this.#tellStates(before, after));
    this.#sweepLater();
  }

  get ec2(): Ec2Emulator {
    if (this.#ec2 === null) throw new Error('the stage is not open');
    return this.#ec2;
  }

  get lambda(): Lambda {
    if (this.#lambda === null) throw new Error('the stage is not open');
    return this.#lambda;
  }

  /** heal.json. */
  document(): object {
    const { heal } = exampleFile(this.#example);
    const { url } = this.ec2;
    const identities = heal['identities'] as readonly object[];
    return {
      heal: {
        ...heal,
        ec2_endpoint_url: url,
        autoscaling_endpoint_url: url,
        sns_endpoint_url: url,
        topic_arn: TOPIC,
        identities: identities.map((each) => ({
          ...each,
          proofs: [{ type: 'instance_status' }],
          ...this.#options.identity,
        })),
        ...this.#options.heal,
      },
    };
  }

  /** From now on these events reach nobody. */
  loses(isLost: (event: AwsEvent) => boolean): void {
    this.#isLost = isLost;
  }

  deliver(event: AwsEvent): void {
    if (this.#isLost(event)) return;
    this.events.push(event);
    this.lambda.deliver(event);
  }

  /** The command of the same bundle, beside the function; what it printed. The time passes until it ends. */
  async command(mode: 'once' | 'plan'): Promise<{ readonly exitCode: number; readonly text: string }> {
    const directory = mkdtempSync(join(tmpdir(), 'heal-'));
    const path = join(directory, 'heal.json');
    writeFileSync(path, JSON.stringify(this.document()));
    const bundle = new HealBundle({ clock: this.clock, env: credentialsEnv });
    this.#commands.add(bundle);
    let text = '';
    let exitCode: number | null = null;
    try {
      const out = { write: (part: string) => void (text += part) };
      void bundle.command(path, mode, { out, err: out }).then((code) => (exitCode = code));
      await this.until(`heal --${mode} ends`, () => exitCode !== null, 3_600_000);
    } finally {
      bundle.kill();
      this.#commands.delete(bundle);
      rmSync(directory, { recursive: true, force: true });
    }
    return { exitCode: exitCode ?? NaN, text };
  }

  // ---- Time ----

  until(what: string, holds: () => boolean, withinMs = 1_800_000): Promise<void> {
    return this.clock.until(what, holds, withinMs).catch((cause: unknown) => {
      throw new Error(`${cause instanceof Error ? cause.message : String(cause)}\n${this.story()}`, {
        cause,
      });
    });
  }

  pass(ms: number): Promise<void> {
    return this.clock.pass(ms);
  }

  /** The decisions and calls of the function so far, for messages. */
  story(): string {
    return this.lambda.records
      .slice(-40)
      .map(({ time, identity = '', msg = '' }) => `${String(time)} ${identity}: ${msg}`)
      .join('\n');
  }

  // ---- What is so ----

  get messages(): readonly Message[] {
    return this.topics.published.map(({ message }) => JSON.parse(message) as Message);
  }

  /** `healing-began fw1`, `alarm-raised fw1 wrong-zone`. */
  get told(): readonly string[] {
    return this.messages.map(({ kind, identity, code }) => [kind, identity, code ?? []].flat().join(' '));
  }

  get writes(): readonly LoggedRequest[] {
    return this.ec2.requests().filter(isWrite);
  }

  /** Those of one action that were carried out. */
  done(action: string): readonly LoggedRequest[] {
    return this.writes.filter((each) => each.action === action && each.applied);
  }

  member(groupName: string): Member | undefined {
    return this.scaling
      .group(groupName)
      ?.members.findLast(({ lifecycleState }) => !lifecycleState.startsWith('Terminating'));
  }

  /** Its newest instance; `''` while it has none. */
  instanceOf(groupName: string): string {
    return this.member(groupName)?.instanceId ?? '';
  }

  isInService(groupName: string): boolean {
    return this.member(groupName)?.lifecycleState === 'InService';
  }

  interface(networkInterfaceId: string): NetworkInterface {
    const eni = findInterface(this.world.model, networkInterfaceId);
    if (eni === undefined) throw new Error(`there is no ${networkInterfaceId}`);
    return eni;
  }

  stateOf(instanceId: string): string | undefined {
    return findInstance(this.world.model, instanceId)?.state;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#lambda?.stop();
    this.scaling.stop();
    await this.#ec2?.stop();
  }

  /** More or fewer requests on their way than a fault holds: one of them is being carried out. */
  #isBusy(): boolean {
    const commands = [...this.#commands].reduce((sum, { inFlight }) => sum + inFlight, 0);
    return this.#ec2 !== null && this.lambda.inFlight + commands !== this.#ec2.held;
  }

  #place(): Place {
    const { region, accountId } = this.world.model;
    return { region, accountId, now: this.clock.dateMs() };
  }

  #tellStates(before: Ec2Model, after: Ec2Model): void {
    if (before.instances === after.instances) return;
    for (const { instanceId, state } of after.instances)
      if (TOLD_STATES.includes(state) && findInstance(before, instanceId)?.state !== state)
        this.deliver(stateChangeEvent(this.#place(), instanceId, state));
  }

  #sweepLater(): void {
    this.clock.after(SWEEP_MS, () => {
      if (this.#stopped) return;
      this.deliver(scheduledEvent(this.#place()));
      this.#sweepLater();
    });
  }
}
