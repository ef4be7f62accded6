// The source/destination check: named when it is found on, and switched off only where the configuration says so.
import { SourceDestCheck } from '../../../src/aws/checks/sourceDestCheck';
import { observeOwnership } from '../../../src/aws/reads/observe';
import type { AwsTarget } from '../../../src/aws/description';
import { eniOf, limits, memoryLog, now, openAwsLab, plan, until, type AwsLab } from './awsLab';
import { elasticIpTarget } from './targetsLab';

let lab: AwsLab;
beforeEach(async () => {
  lab = await openAwsLab();
});
afterEach(() => lab.close());

const settings = { endpointUrl: '', apiTimeoutMs: 1_000, limits };
const isOn = () =>
  lab.world.model.networkInterfaces.find(({ networkInterfaceId: id }) => id === eniOf(1, 1))?.sourceDestCheck;

function checking(sourceDestCheck: 'report' | 'disable', targets: readonly AwsTarget[] = plan.targets) {
  const { log, logged } = memoryLog();
  const of = { ...plan, targets };
  const check = new SourceDestCheck(of, { ...settings, sourceDestCheck, applicationStatusCheck: null }, log);
  return {
    events: () => logged().map(({ event, networkInterfaceId }) => [event, networkInterfaceId]),
    keepalive: async () => {
      const result = await observeOwnership({
        ec2: lab.ec2,
        plan: of,
        identity: lab.identity,
        timeoutMs: 2_000,
        now,
      });
      if (!result.ok) throw new Error(result.failure.message);
      check.observed(lab.ec2, result.observation, result.checked);
    },
  };
}

test('off: nothing is said', async () => {
  const { keepalive, events } = checking('report');
  await keepalive();
  expect(events()).toEqual([]);
});

test('on: said once, and again when it changes; not switched off', async () => {
  const { keepalive, events } = checking('report');
  for (const on of [true, true, false, true]) {
    lab.world.setSourceDestCheck(eniOf(1, 1), on);
    await keepalive();
  }
  expect(events()).toEqual([
    ['source-dest-check-on', eniOf(1, 1)],
    ['source-dest-check-off', eniOf(1, 1)],
    ['source-dest-check-on', eniOf(1, 1)],
  ]);
  expect(isOn()).toBe(true);
});

test('switched off where the configuration says so, and tried again when EC2 refuses', async () => {
  const { keepalive, events } = checking('disable');
  lab.world.setSourceDestCheck(eniOf(1, 1), true);
  lab.emulator.addFault({
    kind: 'error',
    code: 'UnauthorizedOperation',
    action: 'ModifyNetworkInterfaceAttribute',
    count: 1,
  });
  await keepalive();
  await until('EC2 has refused', () => events().some(([event]) => event === 'source-dest-check-stays-on'));
  expect(isOn()).toBe(true);
  await keepalive();
  await until('it is off', () => isOn() === false);
  await keepalive();
  expect(events().at(-1)).toEqual(['source-dest-check-off', eniOf(1, 1)]);
});

test('an interface of the peer, or one that holds an Elastic IP alone, needs nothing', async () => {
  const { keepalive, events } = checking('report', [elasticIpTarget()]);
  for (const router of [1, 2] as const) lab.world.setSourceDestCheck(eniOf(router, 1), true);
  await keepalive();
  expect(events()).toEqual([]);
});
