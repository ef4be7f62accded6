/**
 * A switchover of targets of which one rests on another, by two cores in virtual time over the daemon's own readings and
 * moves of an emulated EC2: all goes well, and each of its requests fails.
 */
import type { Ec2FaultInput } from '../../../lab/ec2-emulator/faults';
import { Observer } from '../../../src/aws/reads/observer';
import type { InstanceIdentity } from '../../../src/aws/reads/instanceIdentity';
import type { AwsPlan } from '../../../src/aws/description';
import type { Mover } from '../../../src/cloud';
import type { Effect, Event } from '../../../src/core/state/model';
import { Play, started } from '../../core/play';
import { addressTarget, planOf, synchronizedEvent } from '../../support/coreWorld';
import { PATIENCE_MS } from '../../support/eventually';
import {
  ROUTER_1,
  ROUTER_2,
  addressOf,
  eniOf,
  moverOf,
  now as machineNow,
  openAwsLab,
  targetOf,
  type AwsLab,
} from './awsLab';
import { ALLOCATION, IPV6, elasticIpTarget, ipv6Target, newTargetsWorld } from './targetsLab';

const [FLOATING, OTHER] = [targetOf(1), targetOf(2)];
const LATENCY_MS = 50;
/** Router 2 has everything and gives it. */
const GIVER = 2;

type RouterNumber = 1 | 2;

function planFor(router: RouterNumber): AwsPlan {
  const peer = router === 1 ? 2 : 1;
  const sessions = planOf().sessions.map((session, place) => ({
    ...session,
    peerAddress: addressOf(peer, place + 1),
  }));
  return planOf({
    sessions,
    targets: [
      addressTarget(FLOATING, 1),
      ipv6Target,
      { ...elasticIpTarget(FLOATING), rank: 1 },
      addressTarget(OTHER, 2),
    ],
  });
}

/** One router: its core, and what carries out its effects. */
class Router {
  readonly play: Play;
  readonly #mover: Mover;
  readonly #observer: Observer;
  readonly #identity: InstanceIdentity;
  readonly #due: { readonly at: number; readonly event: Event }[] = [];
  #seen = 0;

  constructor(lab: AwsLab, number: RouterNumber) {
    const plan = planFor(number);
    this.play = new Play(plan);
    this.#mover = moverOf(lab.ec2, { plan });
    const { ec2 } = lab;
    this.#observer = new Observer({
      ec2,
      plan,
      timeoutMs: PATIENCE_MS,
      now: machineNow,
      tableOf: () => null,
    });
    this.#identity = {
      ...lab.identity,
      instanceId: number === 1 ? ROUTER_1 : ROUTER_2,
      interfaces: lab.identity.interfaces.map((each) => ({
        ...each,
        networkInterfaceId: eniOf(number, each.deviceIndex),
        primaryAddress: addressOf(number, each.deviceIndex),
      })),
    };
  }

  get nextAt(): number {
    return Math.min(this.play.state.wakeAt, ...this.#due.map(({ at }) => at));
  }

  /** The moment with what is due in it; what it asks for is done in EC2 before time goes on. */
  async at(now: number, ...more: readonly Event[]): Promise<void> {
    const due = this.#due.filter(({ at }) => at <= now).map(({ event }) => event);
    this.#due.splice(0, this.#due.length, ...this.#due.filter(({ at }) => at > now));
    this.play.at(now, ...due, ...more);
    const effects = this.play.effects.slice(this.#seen);
    this.#seen = this.play.effects.length;
    for (const effect of effects) {
      const event = await this.#carriedOut(effect, now);
      if (event !== null) this.#due.push({ at: now + LATENCY_MS, event });
    }
  }

  async #carriedOut(effect: Effect, now: number): Promise<Event | null> {
    if (effect.effect === 'observeOwnership') {
      const { number } = effect;
      const read = await this.#observer.observe(this.#identity, () => {});
      return read.ok
        ? { type: 'ownershipObserved', number, startedAt: now, observation: read.observation }
        : { type: 'observationFailed', number, failure: read.failure };
    }
    if (effect.effect === 'askHolders') {
      const { number, instanceIds } = effect;
      const conditions = Object.fromEntries(instanceIds.map((id) => [id, 'running'] as const));
      return { type: 'holdersAnswered', number, result: { ok: true, conditions } };
    }
    if (effect.effect !== 'sendCall') return null;
    const { attempt, call, send } = effect;
    const outcome = await this.#mover.send({ ...effect, timeoutMs: PATIENCE_MS });
    return { type: 'callAnswered', attempt, call, send, ...outcome, sentAt: now };
  }
}

class Pair {
  readonly lab: AwsLab;
  readonly routers: { readonly [router in RouterNumber]: Router };
  now = 0;

  constructor(lab: AwsLab) {
    this.lab = lab;
    this.routers = { 1: new Router(lab, 1), 2: new Router(lab, 2) };
  }

  async until(end: number): Promise<void> {
    const both = [this.routers[1], this.routers[2]];
    for (let moments = 0; ; moments += 1) {
      if (moments > 2_000) throw new Error(`spins at ${this.now}`);
      const next = Math.max(this.now, Math.min(...both.map(({ nextAt }) => nextAt)));
      if (next > end) break;
      this.now = next;
      for (const router of both) if (router.nextAt <= next) await router.at(next);
    }
    this.now = end;
  }

  async watching(): Promise<void> {
    for (const router of [this.routers[1], this.routers[2]])
      await router.at(0, started(), synchronizedEvent('gen2', 'Up'));
    await this.until(15_000);
    expect(this.roles()).toEqual(['STANDBY', 'ACTIVE']);
  }

  async switchOver(): Promise<void> {
    await this.routers[GIVER].at(this.now, { type: 'switchoverRequested', request: 1 });
  }

  roles(): readonly string[] {
    return [this.routers[1], this.routers[2]].map(({ play }) => play.state.role.haState);
  }

  /** The interface of each target; that of the Elastic IP with the address there. */
  holders(): { readonly [target: string]: unknown } {
    const { world } = this.lab;
    const association = world.model.elasticIps[0]?.association;
    return {
      [FLOATING]: world.ownerOf(FLOATING),
      [IPV6]: world.ownerOf(IPV6),
      [OTHER]: world.ownerOf(OTHER),
      [ALLOCATION]: [association?.networkInterfaceId, association?.privateIp],
    };
  }

  /** All that the operator of the giver is told. */
  sentences(): readonly string[] {
    const { play } = this.routers[GIVER];
    return [...play.reasons, ...play.all('answerOperator').map(({ sentence }) => sentence)];
  }
}

const allAt = (router: RouterNumber) => ({
  [FLOATING]: eniOf(router, 1),
  [IPV6]: eniOf(router, 1),
  [OTHER]: eniOf(router, 2),
  [ALLOCATION]: [eniOf(router, 1), FLOATING],
});

let pair: Pair;
beforeEach(async () => {
  const world = newTargetsWorld();
  const networkInterfaceId = eniOf(GIVER, 1);
  world.associateAddress({ allocationId: ALLOCATION, networkInterfaceId, privateIp: FLOATING });
  const lab = await openAwsLab({ world });
  pair = new Pair(lab);
  expect(pair.holders()).toEqual(allAt(GIVER));
  await pair.watching();
});
afterEach(() => pair.lab.close());

const writes = () =>
  pair.lab.emulator
    .requests()
    .filter(({ action }) => !action.startsWith('Describe'))
    .map(({ params }) => params);

test('the Elastic IP goes after its floating address, to the same address at the peer; the IPv6 address comes off first', async () => {
  await pair.switchOver();
  await pair.until(pair.now + 30_000);
  expect(pair.holders()).toEqual(allAt(1));
  expect(pair.roles()).toEqual(['ACTIVE', 'STANDBY']);
  const sent = writes();
  const placeOf = (of: Readonly<Record<string, string>>) =>
    sent.findIndex((params) => Object.entries(of).every(([name, value]) => params[name] === value));
  const floating = placeOf({ Action: 'AssignPrivateIpAddresses', 'PrivateIpAddress.1': FLOATING });
  const elastic = placeOf({
    Action: 'AssociateAddress',
    PrivateIpAddress: FLOATING,
    NetworkInterfaceId: eniOf(1, 1),
  });
  const off = placeOf({ Action: 'UnassignIpv6Addresses', NetworkInterfaceId: eniOf(GIVER, 1) });
  const on = placeOf({ Action: 'AssignIpv6Addresses', NetworkInterfaceId: eniOf(1, 1) });
  expect([floating >= 0, off >= 0]).toEqual([true, true]);
  expect([elastic > floating, on > off]).toEqual([true, true]);
  expect(pair.sentences()).toContainEqual(
    expect.stringMatching(/^switched over .*EC2 has shown them at the peer/),
  );
});

/** Each request of a switchover, by what its fault names. */
const steps: readonly (readonly [string, string, { readonly action: string; readonly naming: [string] }])[] =
  [
    ['the floating address', FLOATING, { action: 'AssignPrivateIpAddresses', naming: [FLOATING] }],
    ['the other address', OTHER, { action: 'AssignPrivateIpAddresses', naming: [OTHER] }],
    ['taking the IPv6 address off', IPV6, { action: 'UnassignIpv6Addresses', naming: [IPV6] }],
    ['the IPv6 address', IPV6, { action: 'AssignIpv6Addresses', naming: [IPV6] }],
    ['the Elastic IP', ALLOCATION, { action: 'AssociateAddress', naming: [ALLOCATION] }],
  ];

const failures: readonly (readonly [string, Ec2FaultInput])[] = [
  ['turned down once', { kind: 'error', code: 'InternalError', count: 1 }],
  [
    'carried out, and the answer says that it was not',
    { kind: 'error', code: 'InternalError', when: 'after', count: 1 },
  ],
];

describe.each(steps)('%s', (_what, target, scope) => {
  test.each(failures)('%s: everything gets to the peer all the same', async (_how, fault) => {
    pair.lab.emulator.addFault({ ...fault, ...scope });
    await pair.switchOver();
    await pair.until(pair.now + 60_000);
    expect(pair.holders()).toEqual(allAt(1));
    expect(pair.roles()).toEqual(['ACTIVE', 'STANDBY']);
  });

  test('refused for a minute: the operator reads which and why, and afterwards one router has everything', async () => {
    pair.lab.emulator.addFault({ kind: 'error', code: 'UnauthorizedOperation', ...scope });
    await pair.switchOver();
    await pair.until(pair.now + 60_000);
    const told = pair.sentences().filter((sentence) => sentence.includes(target));
    expect(told).toContainEqual(expect.stringMatching(/UnauthorizedOperation|gave up switching/));
    pair.lab.emulator.clearFaults();
    await pair.until(pair.now + 240_000);
    const roles = pair.roles();
    expect([...roles].sort()).toEqual(['ACTIVE', 'STANDBY']);
    expect(pair.holders()).toEqual(allAt(roles[0] === 'ACTIVE' ? 1 : 2));
  });
});
