/** What the stories of healings share: a region that is whole, what a loss is, and when all is healed. */
import { existsSync } from 'node:fs';
import { findInstance } from '../../lab/ec2-emulator/model';
import type { LoggedRequest } from '../../lab/ec2-emulator/requestLog';
import { healPath } from '../../lab/heal/bundle';
import { firewall, type ExampleName } from '../../lab/heal/regions';
import { startStage, type Stage, type StageOptions } from '../../lab/heal/stage';

jest.setTimeout(120_000);

export const HOUR_MS = 3_600_000;
const open: Stage[] = [];
const harms: string[] = [];

beforeAll(() => {
  if (!existsSync(healPath)) throw new Error(`${healPath} is missing: run npm run build before these tests`);
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((stage) => stage.stop()));
  expect(harms.splice(0)).toEqual([]);
});

/** The stage ends with the test. */
export async function openStage(example: ExampleName, options: StageOptions): Promise<Stage> {
  const stage = await startStage(example, options);
  open.push(stage);
  watch(stage);
  return stage;
}

/** All is whole, and the healer has the right to write. A guest boots in 20 s. */
export async function whole(example: ExampleName, options: StageOptions = {}): Promise<Stage> {
  const stage = await openStage(example, {
    ...options,
    pace: { bootMs: 20_000, shutdownMs: 10_000, ...options.pace },
    identity: { restart_s: 15, heal_within_s: 300, ...options.identity },
  });
  await stage.pass(100_000);
  return stage;
}

/** The old instance dies, as one whose host fails. */
export const lose = (stage: Stage, instanceId: string = firewall.instanceId): void =>
  void stage.world.slow.terminate(instanceId);

/** A new instance is in service, and all who listen have been told. */
export const healed = (stage: Stage, group = 'fw1', old: string = firewall.instanceId): Promise<void> =>
  stage.until(
    `${group} is whole again`,
    () =>
      stage.isInService(group) &&
      stage.instanceOf(group) !== old &&
      stage.told.includes(`healing-ended ${group}`) &&
      stage.lambda.isIdle,
    HOUR_MS,
  );

/** What belongs to the firewall is on this instance. */
export function hasAll(stage: Stage, instanceId = stage.instanceOf('fw1')): void {
  expect(stage.interface(firewall.interfaceId).attachment).toMatchObject({
    instanceId,
    deviceIndex: 1,
    status: 'attached',
  });
  expect(stage.interface(firewall.interfaceId).secondaryIps).toEqual([firewall.address]);
  const [volume] = stage.world.model.volumes;
  expect(volume?.attachment).toMatchObject({ instanceId, device: '/dev/sdf', status: 'attached' });
  const [elasticIp] = stage.world.model.elasticIps;
  expect(elasticIp?.association?.networkInterfaceId).toBe(firewall.interfaceId);
}

export const launchesOf = (stage: Stage) =>
  stage.events.filter((event) => event['detail-type'] === 'EC2 Instance-launch Lifecycle Action');

/** The results that a group was told for launches, oldest first. */
export const results = (stage: Stage): readonly (string | undefined)[] =>
  stage
    .done('CompleteLifecycleAction')
    .filter(({ params }) => params['LifecycleHookName'] === 'heal-launch')
    .map(({ params }) => params['LifecycleActionResult']);

export const isRequested = (stage: Stage, action: string): boolean =>
  stage.writes.some((each) => each.action === action);

/** The writes of a healing of the firewall that nothing disturbs. */
export const UNDISTURBED = [
  'AttachNetworkInterface',
  'AttachVolume',
  'CompleteLifecycleAction', // of the old instance
  'CompleteLifecycleAction',
  'CreateOrUpdateTags', // with each message and with the reboot
  'CreateOrUpdateTags',
  'CreateOrUpdateTags',
  'ModifyNetworkInterfaceAttribute',
  'Publish',
  'Publish',
  'RebootInstances',
];

export const writesSince = (stage: Stage, mark: number): readonly string[] =>
  stage.writes
    .filter(({ number, action }) => number > mark && action !== 'RecordLifecycleActionHeartbeat')
    .map(({ action }) => action)
    .sort();

export const markOf = (stage: Stage): number => stage.ec2.requests().at(-1)?.number ?? 0;

// ---- What must never happen ----

/** Whatever goes wrong, no healing may do this: looked at as each request arrives. */
function watch(stage: Stage): void {
  stage.ec2.onRequest((request) => {
    const harm = harmOf(stage, request);
    if (harm !== null) harms.push(`${request.action} ${JSON.stringify(request.params)}: ${harm}`);
  });
}

function harmOf({ world, scaling }: Stage, { action, params }: LoggedRequest): string | null {
  const { networkInterfaces, volumes, elasticIps } = world.model;
  const stateOf = (instanceId = '') => findInstance(world.model, instanceId)?.state ?? 'terminated';
  if (params['Force'] !== undefined) return 'never by force';
  switch (action) {
    case 'DetachNetworkInterface': {
      const eni = networkInterfaces.find((each) => each.attachment?.attachmentId === params['AttachmentId']);
      return stateOf(eni?.attachment?.instanceId) === 'running' ? 'its holder runs' : null;
    }
    case 'DetachVolume': {
      const volume = volumes.find(({ volumeId }) => volumeId === params['VolumeId']);
      return stateOf(volume?.attachment?.instanceId) === 'running' ? 'its holder runs' : null;
    }
    case 'AssociateAddress': {
      const held = elasticIps.find(
        ({ allocationId }) => allocationId === params['AllocationId'],
      )?.association;
      const eni = networkInterfaces.find(
        ({ networkInterfaceId }) => networkInterfaceId === held?.networkInterfaceId,
      );
      const holder = findInstance(world.model, eni?.attachment?.instanceId ?? '');
      return holder !== undefined && holder.tags?.['aws:autoscaling:groupName'] === undefined
        ? 'another instance has it'
        : null;
    }
    case 'RebootInstances': {
      const id = params['InstanceId.1'] ?? '';
      const member = scaling.groupOf(id)?.members.find(({ instanceId }) => instanceId === id);
      return member?.lifecycleState === 'InService' ? 'it is in service' : null;
    }
    default:
      return null;
  }
}
