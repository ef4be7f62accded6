/**
 * What the daemon and `check-config --online` ask EC2 for with a configuration, as the lab's EC2 has received it: their
 * own code runs here against it, on both routers, and moves everything in every way that it can.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import pino from 'pino';
import type { LoggedRequest } from '../../lab/ec2-emulator/requestLog';
import type { AnyLab } from '../../lab/topology/topology';
import { routerNames, type RouterName } from '../../lab/topology/plan';
import { connectAws } from '../../src/aws/aws';
import type { Cloud } from '../../src/cloud';
import { checkOnline } from '../../src/cli/checkOnline';
import type { Settings } from '../../src/config/settings';
import { peersBeside } from '../../src/core/levels/ownership';
import { callsOf, moveOf, takeoverRequests } from '../../src/core/moves/grouping';
import type { RequestedMove } from '../../src/core/state/model';
import type { Observation } from '../../src/core/state/readings';
import type { Plan } from '../../src/core/state/plan';
import { heldOn } from '../support/coreWorld';
import { eventually } from '../support/eventually';
import { settingsOf } from '../support/permitted';
import { inAws } from '../support/inAws';

const IMDS = 'AWS_EC2_METADATA_SERVICE_ENDPOINT';

/** Merges keys into what both routers are configured with. */
export function configure(lab: AnyLab, keys: object): void {
  for (const { configPath } of Object.values(lab.routers)) {
    const { config } = JSON.parse(readFileSync(configPath, 'utf8')) as { config: object };
    writeFileSync(configPath, JSON.stringify({ config: { ...config, ...keys } }));
  }
}

/** All that EC2 was asked for, oldest first. */
export async function askEverything(lab: AnyLab): Promise<readonly LoggedRequest[]> {
  for (const name of routerNames) {
    await onRouter(lab, name, async () => {
      const output = { write: () => true };
      await checkOnline(lab.routers[name].configPath, { prove: true }, { out: output, err: output });
      const aws = connect(settingsOf(lab, name));
      await moveEverything(lab, name, aws).finally(() => aws.stop());
    });
  }
  return lab.ec2.requests();
}

/** Says to what runs in this process which metadata service is the one of this router. */
async function onRouter(lab: AnyLab, name: RouterName, work: () => Promise<void>): Promise<void> {
  const before = process.env[IMDS];
  process.env[IMDS] = lab.routers[name].imdsUrl;
  await work().finally(() => {
    if (before === undefined) delete process.env[IMDS];
    else process.env[IMDS] = before;
  });
}

const connect = (settings: Settings): Cloud => {
  const { ec2, groups, whole } = inAws(settings);
  return connectAws({
    settings: ec2,
    groups,
    plan: whole,
    log: pino({ level: 'silent' }),
    now: () => performance.now(),
    isAtRest: () => true,
  });
};

async function moveEverything(lab: AnyLab, name: RouterName, aws: Cloud): Promise<void> {
  const { groups, ec2 } = inAws(settingsOf(lab, name));
  let observation = await observe(aws);
  await aws.askHolders(Object.values(lab.plan.instanceId));
  let attempt = 0;
  for (const { name: group, plan } of groups) {
    const mover = aws.mover(group);
    if (mover === null) throw new Error('AWS is not ready');
    const send = async (moves: readonly RequestedMove[]): Promise<void> => {
      attempt += 1;
      for (const [place, move] of moves.entries())
        await mover.send({ ...move, attempt, call: place + 1, send: 1, timeoutMs: 1_000 });
    };
    const takes = takeoverRequests(plan, observation);
    await send(takes);
    observation = await observe(aws);
    // What is here already is claimed: refused, and it has to be allowed.
    await send(takes.map(({ releases: _none, ...move }) => ({ ...move, allowReassignment: false })));
    await send(givenToPeer(plan, observation));
    observation = await observe(aws);
  }
  if (ec2.sourceDestCheck === 'disable') await checkIsOff(lab, name, settingsOf(lab, name).whole);
}

async function observe(aws: Cloud): Promise<Observation> {
  const result = await aws.observe(() => {});
  if (!result.ok) throw new Error(`${result.failure.code}: ${result.failure.message}`);
  return result.observation;
}

function givenToPeer(plan: Plan, observation: Observation): readonly RequestedMove[] {
  const moves = plan.targets.flatMap((target) =>
    peersBeside(plan, observation, target).map(({ networkInterfaceId, instanceId }) => ({
      target,
      to: heldOn(networkInterfaceId, instanceId),
      allowReassignment: true,
    })),
  );
  return callsOf(plan, moves, 0).map((call) => moveOf(plan, observation.holders, call));
}

/** The daemon does so in the background. */
function checkIsOff(lab: AnyLab, name: RouterName, { targets }: Plan): Promise<void> {
  const forwarding = targets.filter(({ kind }) => kind !== 'elasticIp').map(({ deviceIndex }) => deviceIndex);
  return eventually(() => {
    for (const { networkInterfaceId, sourceDestCheck, attachment } of lab.world.model.networkInterfaces)
      if (attachment?.instanceId === lab.plan.instanceId[name] && forwarding.includes(attachment.deviceIndex))
        expect([networkInterfaceId, sourceDestCheck]).toEqual([networkInterfaceId, false]);
  });
}

/** As an operator finds it who has made the interfaces and no more. */
export function switchChecksOn({ world }: AnyLab): void {
  const networkInterfaces = world.model.networkInterfaces.map((each) => ({ ...each, sourceDestCheck: true }));
  world.commit({ ok: true, value: { ...world.model, networkInterfaces } }, { by: 'operator' });
}
