/**
 * The faults of a healing against the built healer, dist/heal.js, as a Lambda function in a region of virtual time: nothing
 * here waits, and nothing depends on how busy the machine is. What must never happen is watched in every story.
 */
import {
  instance,
  firewall,
  nat,
  networkInterface,
  OTHER_ZONE,
  pair,
  subnet,
  ZONE,
  type HealRegion,
} from '../../lab/heal/regions';
import type { Stage } from '../../lab/heal/stage';
import {
  hasAll,
  healed,
  isRequested,
  launchesOf,
  lose,
  markOf,
  openStage,
  results,
  UNDISTURBED,
  whole,
  writesSince,
} from './healSupport';

test('a launch event that comes twice, and once more when all is over', async () => {
  const stage = await whole('network-function');
  const mark = markOf(stage);
  lose(stage);
  await stage.until('a launch', () => launchesOf(stage).length > 0);
  const [launch] = launchesOf(stage);
  stage.deliver(launch!);
  await healed(stage);
  stage.deliver(launch!);
  await stage.until('it has looked once more', () => stage.lambda.isIdle);
  hasAll(stage);
  expect(writesSince(stage, mark)).toEqual(UNDISTURBED);
  expect(stage.told).toEqual(['healing-began fw1', 'healing-ended fw1']);
});

test('a message has the id of the event that has caused it', async () => {
  const stage = await whole('nat');
  lose(stage, nat.instanceId);
  await healed(stage, 'nat', nat.instanceId);
  const [began] = stage.messages;
  const cause = stage.events.find(({ id }) => id === began?.event);
  expect(cause?.['detail-type']).toMatch(/^EC2 Instance-(launch|terminate) Lifecycle Action$/);
  expect(stage.messages.filter(({ event }) => stage.events.every(({ id }) => id !== event))).toEqual([]);
});

test('a guest that boots for longer than an invocation lasts: its hook waits for it', async () => {
  const stage = await whole('nat', {
    pace: { bootMs: 250_000 },
    lambdaTimeoutMs: 120_000,
    region: ({ region, groups }) => ({
      region,
      groups: groups.map((group) => ({
        ...group,
        hooks: (group.hooks ?? []).map((hook) => ({ ...hook, heartbeatTimeoutS: 60 })),
      })),
    }),
  });
  lose(stage, nat.instanceId);
  await healed(stage, 'nat', nat.instanceId);
  expect(results(stage)).toEqual(['CONTINUE']);
  // At a third of the hook's timeout, and at the pace of the looks.
  const beats = stage.done('RecordLifecycleActionHeartbeat').map(({ receivedAt }) => receivedAt);
  const pauses = beats.slice(1).map((at, index) => at - beats[index]!);
  expect(beats.length).toBeGreaterThan(8);
  expect(Math.max(...pauses)).toBeLessThan(26_000);
  expect(stage.lambda.failures.every((failure) => failure === null)).toBe(true);
});

test('no capacity in the zone: nothing is done, an alarm quotes the group, and ends when there is some', async () => {
  const stage = await whole('nat');
  stage.scaling.setCapacity(ZONE, false);
  const mark = markOf(stage);
  lose(stage, nat.instanceId);
  await stage.until('the alarm', () => stage.told.includes('alarm-raised nat no-instance'));
  expect(stage.messages.find(({ code }) => code === 'no-instance')?.text).toMatch(
    /^group nat has no instance: Could not launch On-Demand Instances\. InsufficientInstanceCapacity - /,
  );
  await stage.pass(300_000);
  expect(writesSince(stage, mark).filter((action) => !/Tags|Publish|Complete/.test(action))).toEqual([]);
  expect(stage.told.filter((told) => told.startsWith('alarm'))).toHaveLength(1);
  stage.scaling.setCapacity(ZONE, true);
  await healed(stage, 'nat', nat.instanceId);
  expect(stage.told).toContain('alarm-ended nat no-instance');
});

test('both routers of a pair die: both are healed', async () => {
  const stage = await whole('pair');
  const { rtr1, rtr2 } = pair.instanceId;
  lose(stage, rtr1);
  lose(stage, rtr2);
  await healed(stage, 'rtr1', rtr1);
  await healed(stage, 'rtr2', rtr2);
  for (const name of ['rtr1', 'rtr2'] as const)
    for (const id of pair.interfaceIds[name])
      expect(stage.interface(id).attachment?.instanceId).toBe(stage.instanceOf(name));
});

test('events that are lost: the schedule heals', async () => {
  const stage = await whole('network-function');
  stage.loses(({ 'detail-type': type }) => type !== 'Scheduled Event');
  lose(stage);
  await healed(stage);
  hasAll(stage);
  expect(stage.told).toEqual(['healing-began fw1', 'healing-ended fw1']);
});

describe('the hook expires midway', () => {
  const expireWhileAttaching = async (stage: Stage): Promise<string> => {
    lose(stage);
    await stage.until('attaching', () => isRequested(stage, 'AttachNetworkInterface'));
    const first = stage.instanceOf('fw1');
    stage.scaling.waits.expire(first);
    return first;
  };

  test('and the group abandons: the next instance is healed', async () => {
    const stage = await whole('network-function');
    const first = await expireWhileAttaching(stage);
    await healed(stage, 'fw1', first);
    hasAll(stage);
    expect(results(stage)).toEqual(['CONTINUE']);
    expect(stage.told).toEqual(['healing-began fw1', 'healing-ended fw1']);
  });

  test('and the group goes on: healed in service, where nothing is rebooted', async () => {
    const stage = await whole('network-function', {
      region: ({ region, groups }) => ({
        region,
        groups: groups.map((group) => ({
          ...group,
          hooks: (group.hooks ?? []).map((hook) => ({ ...hook, defaultResult: 'CONTINUE' as const })),
        })),
      }),
    });
    const first = await expireWhileAttaching(stage);
    await healed(stage);
    hasAll(stage, first);
    expect(results(stage)).toEqual([]);
    expect(isRequested(stage, 'RebootInstances')).toBe(false);
    expect(stage.messages.at(-1)?.text).toMatch(
      /reboot it when it is convenient, since it sees eni-\w+ only/,
    );
  });
});

test('the old interface is stuck in detaching: an alarm and no force, and healed when it comes free', async () => {
  const stage = await whole('network-function');
  stage.world.endings.stick(firewall.interfaceId);
  lose(stage);
  await stage.until('the alarm', () => stage.told.includes('alarm-raised fw1 not-healed'));
  await stage.until('given up', () => results(stage).includes('ABANDON'));
  expect(stage.messages.find(({ code }) => code === 'not-healed')?.text).toMatch(
    /^fw1 is not healed with i-\w+ within 300 s: eni-0a15e9d47c3f86fb1 is being detached from i-0a15e9d47c3f86fb1$/,
  );
  expect(isRequested(stage, 'AttachNetworkInterface')).toBe(false);
  stage.world.endings.release(firewall.interfaceId);
  await healed(stage);
  hasAll(stage);
  expect(results(stage).at(-1)).toBe('CONTINUE');
  expect(stage.told.slice(-2)).toEqual(['alarm-ended fw1 not-healed', 'healing-ended fw1']);
});

test('the volume is in another zone than the instance: an alarm, no call, and another launch', async () => {
  const elsewhere = subnet('3', '10.0.3.0/24', OTHER_ZONE);
  const stage = await whole('network-function', {
    region: ({ region, groups }) => ({
      region: { ...region, subnets: [...region.subnets, elsewhere] },
      groups: groups.map((group) => ({ ...group, subnetIds: [...group.subnetIds, elsewhere.subnetId] })),
    }),
  });
  stage.scaling.setCapacity(ZONE, false);
  lose(stage);
  await stage.until('the alarm', () => stage.told.includes('alarm-raised fw1 wrong-zone'));
  expect(stage.messages.find(({ code }) => code === 'wrong-zone')?.text).toContain(
    `${firewall.volumeId} is in us-west-2a and ${stage.instanceOf('fw1')} in us-west-2b: it cannot be attached there`,
  );
  stage.scaling.setCapacity(ZONE, true);
  await stage.until('given up', () => results(stage).includes('ABANDON'));
  expect(isRequested(stage, 'AttachVolume') || isRequested(stage, 'AttachNetworkInterface')).toBe(false);
  await healed(stage);
  hasAll(stage);
  expect(stage.told.filter((told) => told.endsWith('wrong-zone'))).toEqual([
    'alarm-raised fw1 wrong-zone',
    'alarm-ended fw1 wrong-zone',
  ]);
});

test('the Elastic IP is on a third instance: it stays there', async () => {
  const third = instance('i-0a15e9d47c3f86fe1');
  const thirdInterface = networkInterface(
    'eni-0a15e9d47c3f86fe1',
    { subnetId: subnet('1', '').subnetId, primaryIp: '10.0.1.99' },
    { instanceId: third.instanceId, deviceIndex: 0 },
  );
  const stage = await whole('network-function', {
    region: ({ region, groups }) => ({
      groups,
      region: {
        ...region,
        instances: [...region.instances, third],
        networkInterfaces: [...region.networkInterfaces, thirdInterface],
      },
    }),
  });
  const association = { networkInterfaceId: thirdInterface.networkInterfaceId, privateIp: '10.0.1.99' };
  stage.world.associateAddress({ allocationId: firewall.allocationId, ...association });
  lose(stage);
  await stage.until('the alarm', () => stage.told.includes('alarm-raised fw1 held-elsewhere'));
  expect(stage.messages.find(({ code }) => code === 'held-elsewhere')?.text).toBe(
    `${firewall.allocationId} is associated with ${thirdInterface.networkInterfaceId} of ${third.instanceId}, which is running and not of group fw1`,
  );
  expect(isRequested(stage, 'AssociateAddress')).toBe(false);
  stage.world.disassociateAddress(firewall.allocationId);
  await healed(stage);
  hasAll(stage);
  expect(stage.done('AssociateAddress')).toHaveLength(1);
});

test('one of two route tables is denied: the other one moves, and the alarm quotes EC2', async () => {
  const stage = await whole('nat');
  const [first, second] = nat.tables;
  const fault = stage.ec2.addFault({
    kind: 'error',
    code: 'UnauthorizedOperation',
    message: 'You are not authorized to perform this operation.',
    action: 'ReplaceRoute',
    naming: [second],
  });
  lose(stage, nat.instanceId);
  await stage.until('the alarm', () => stage.told.includes('alarm-raised nat refused'));
  expect(stage.messages.find(({ code }) => code === 'refused')?.text).toBe(
    'AWS refuses ReplaceRoute: UnauthorizedOperation: You are not authorized to perform this operation.',
  );
  const placeOf = (tableId: string) => stage.world.targetHistory(`${tableId} 0.0.0.0/0`).at(-1)?.to;
  const own = stage.world.model.networkInterfaces.find(
    ({ attachment }) => attachment?.instanceId === stage.instanceOf('nat'),
  )!.networkInterfaceId;
  await stage.until('the other table', () => placeOf(first) === own);
  stage.ec2.removeFault(fault);
  await healed(stage, 'nat', nat.instanceId);
  expect(placeOf(second)).toBe(own);
  expect(stage.interface(own).sourceDestCheck).toBe(false);
  expect(stage.told).toContain('alarm-ended nat refused');
});

test('throttling: fewer and fewer calls, then healed with none too many', async () => {
  const stage = await whole('network-function');
  const mark = markOf(stage);
  lose(stage);
  await stage.until('a launch', () => launchesOf(stage).length > 0);
  const throttle = stage.ec2.addFault({ kind: 'throttle' });
  await stage.pass(60_000);
  const looks = stage.ec2
    .requests()
    .filter(({ action, faults }) => action === 'DescribeAutoScalingGroups' && faults.includes('throttle'))
    .map(({ receivedAt }) => receivedAt);
  const pauses = looks.slice(1).map((at, index) => at - looks[index]!);
  expect(pauses.at(-1)).toBeGreaterThan(5 * pauses[0]!);
  stage.ec2.removeFault(throttle);
  for (const action of ['Attach*', 'RebootInstances', 'CompleteLifecycleAction', 'Publish'])
    stage.ec2.addFault({ kind: 'throttle', action, count: 2 });
  await healed(stage);
  hasAll(stage);
  const carriedOut = stage.writes.filter(({ number, applied }) => number > mark && applied);
  expect(carriedOut.filter(({ action }) => action === 'RebootInstances')).toHaveLength(1);
  expect(results(stage)).toEqual(['CONTINUE']);
});

test('readings that lag by 8 s: no call more than without', async () => {
  const stage = await whole('network-function');
  const mark = markOf(stage);
  stage.ec2.addFault({ kind: 'stale', ageMs: 8_000, action: 'Describe*' });
  lose(stage);
  await healed(stage);
  hasAll(stage);
  const without = (action: string): boolean => action !== 'CreateOrUpdateTags';
  expect(writesSince(stage, mark).filter(without)).toEqual(UNDISTURBED.filter(without));
});

test('the new instance is terminated while it is healed: the next one is healed', async () => {
  const stage = await whole('network-function');
  lose(stage);
  await stage.until('attaching', () => isRequested(stage, 'AttachNetworkInterface'));
  const first = stage.instanceOf('fw1');
  lose(stage, first);
  await healed(stage, 'fw1', first);
  hasAll(stage);
  expect(stage.told).toEqual(['healing-began fw1', 'healing-ended fw1']);
});

test('another VPC with the same CIDRs, addresses and tags: nothing of it is touched', async () => {
  const VPC_2 = 'vpc-0b25e9d47c3f86000';
  const twin = ({ region, groups }: HealRegion): HealRegion => ({
    groups,
    region: {
      ...region,
      subnets: [
        ...region.subnets,
        ...region.subnets.map((each) => ({
          ...each,
          subnetId: `${each.subnetId.slice(0, -3)}2${each.subnetId.slice(-2)}`,
          vpcId: VPC_2,
        })),
      ],
      instances: [...region.instances, { ...instance('i-0b25e9d47c3f86fb1'), state: 'stopped' }],
      networkInterfaces: [
        ...region.networkInterfaces,
        ...region.networkInterfaces.map((eni) =>
          networkInterface(
            eni.networkInterfaceId.replace('eni-0a1', 'eni-0b2'),
            {
              subnetId: `${eni.subnetId.slice(0, -3)}2${eni.subnetId.slice(-2)}`,
              primaryIp: eni.primaryIp,
              secondaryIps: eni.secondaryIps,
              tags: eni.tags ?? {},
            },
            { instanceId: 'i-0b25e9d47c3f86fb1', deviceIndex: eni.attachment?.deviceIndex ?? 0 },
          ),
        ),
      ],
    },
  });
  const stage = await whole('network-function', { region: twin });
  const others = () =>
    stage.world.model.networkInterfaces.filter(({ networkInterfaceId }) =>
      networkInterfaceId.startsWith('eni-0b2'),
    );
  const before = others();
  expect(before).toHaveLength(2);
  lose(stage);
  await healed(stage);
  hasAll(stage);
  expect(others()).toEqual(before);
});

test('the group recycles the standby in the middle of a takeover: it stays until the other router has all', async () => {
  const stage = await whole('pair');
  const { rtr1, rtr2 } = pair.instanceId;
  const take = (name: 'rtr1' | 'rtr2', place: number): void =>
    stage.world.assign(pair.interfaceIds[name][place]!, [pair.floating[place]!]);
  const running = (name: string) =>
    stage.scaling.group(name)!.members.filter(({ instanceId }) => stage.stateOf(instanceId) === 'running');
  let least = Infinity;
  stage.world.onChange(() => (least = Math.min(least, running('rtr1').length + running('rtr2').length)));
  lose(stage, rtr1);
  take('rtr2', 0);
  stage.scaling.terminateMember(rtr2, { decrement: false });
  await stage.pass(2_000);
  take('rtr2', 1);
  await stage.until('rtr1 is back', () => stage.told.includes('healing-ended rtr1'));
  await stage.until('the alarm', () => stage.told.includes('alarm-raised rtr2 active-terminating'));
  await stage.pass(60_000);
  expect(stage.stateOf(rtr2)).toBe('running');
  // An operator switches over.
  take('rtr1', 0);
  take('rtr1', 1);
  await healed(stage, 'rtr2', rtr2);
  expect(least).toBe(1);
  expect(stage.isInService('rtr1')).toBe(true);
  for (const name of ['rtr1', 'rtr2'] as const)
    for (const id of pair.interfaceIds[name])
      expect(stage.interface(id).attachment?.instanceId).toBe(stage.instanceOf(name));
});

test('a reboot that never comes back: given up at the deadline, and the next instance is healed', async () => {
  const stage = await whole('network-function');
  let first = '';
  stage.ec2.onRequest(({ action, params }) => {
    if (action !== 'RebootInstances' || first !== '') return;
    first = params['InstanceId.1'] ?? '';
    stage.world.endings.stick(first);
  });
  lose(stage);
  await stage.until('given up', () => results(stage).includes('ABANDON'));
  expect(stage.messages.find(({ code }) => code === 'not-healed')?.text).toBe(
    `fw1 is not healed with ${first} within 300 s: the status checks of ${first} say initializing`,
  );
  await healed(stage, 'fw1', first);
  hasAll(stage);
  expect(results(stage)).toEqual(['ABANDON', 'CONTINUE']);
  expect(stage.done('RebootInstances')).toHaveLength(2);
});

test('first start: the group is raised from none to one, and its first instance gets all', async () => {
  const stage = await whole('nat', {
    region: ({ region, groups }) => ({
      region: {
        ...region,
        instances: [],
        networkInterfaces: [],
        elasticIps: (region.elasticIps ?? []).map((each) => ({ ...each, association: null })),
        routeTables: (region.routeTables ?? []).map((table) => ({
          ...table,
          routes: table.routes.filter(({ origin }) => origin === 'CreateRouteTable'),
        })),
      },
      groups: groups.map((group) => ({ ...group, instanceIds: [], desiredCapacity: 0, maxSize: 1 })),
    }),
  });
  expect(stage.told).toEqual([]);
  stage.scaling.change('nat', { desiredCapacity: 1 });
  await healed(stage, 'nat', '');
  expect(stage.done('CreateRoute')).toHaveLength(2);
  expect(stage.done('AssociateAddress')).toHaveLength(1);
  expect(stage.told).toEqual(['healing-began nat', 'healing-ended nat']);
});

test('AWS cannot be read for a while: an alarm after two minutes, and its end', async () => {
  const stage = await whole('nat');
  const fault = stage.ec2.addFault({ kind: 'error', code: 'InternalError', action: 'DescribeInstances' });
  await stage.until('the alarm', () => stage.told.includes('alarm-raised nat aws-unread'));
  stage.ec2.removeFault(fault);
  await stage.until('its end', () => stage.told.includes('alarm-ended nat aws-unread'));
  expect(stage.lambda.deadLetters).toEqual([]);
});

test('an event that fails three times is kept', async () => {
  const stage = await openStage('nat', { heal: { vpc_id: 'none' } });
  await stage.until('a dead letter', () => stage.lambda.deadLetters.length > 0);
  expect(stage.lambda.failures.slice(0, 1)).toEqual([expect.stringMatching(/^failed: [\s\S]*heal\.vpc_id/)]);
});

test('heal --once for a cron job: as many writes as the plan says, and the right to write given back', async () => {
  const stage = await openStage('network-function', { identity: { restart_s: 15 } });
  stage.loses(() => true);
  lose(stage);
  await stage.until('the old instance is gone', () => stage.stateOf(firewall.instanceId) === 'terminated');
  const plan = await stage.command('plan');
  expect(plan.exitCode).toBe(0);
  const [, planned] = /= (\d+) writes; then: fw1 is whole/.exec(plan.text) ?? [];
  const first = await stage.command('once');
  expect(first.exitCode).toBe(0);
  hasAll(stage);
  // All but the giving back, and a heartbeat in between.
  expect(writesSince(stage, 0)).toHaveLength(Number(planned) + 1);
  expect(stage.scaling.group('fw1')?.tags['xr-aws-ha:heal']).toMatch(/ until=0 /);

  // Nobody waits for the end of that right.
  const last = stage.instanceOf('fw1');
  lose(stage, last);
  await stage.until('the next one runs', () => ['', last].every((id) => stage.instanceOf('fw1') !== id));
  const since = stage.clock.nowMs();
  const second = await stage.command('once');
  expect(second.exitCode).toBe(0);
  hasAll(stage);
  expect(stage.clock.nowMs() - since).toBeLessThan(300_000);
});
