// How the holders of the targets are: every state and check of EC2, and nothing read into an answer that lacks it.
import fc from '../../support/properties';
import { PATIENCE_MS } from '../../support/eventually';
import type { Ec2FaultInput } from '../../../lab/ec2-emulator/faults';
import {
  EVENT_CODES,
  type InstanceState,
  type ScheduledEvent,
  type StatusCheck,
} from '../../../lab/ec2-emulator/model';
import { connectAws } from '../../../src/aws/aws';
import { askHolders } from '../../../src/aws/reads/instanceStatus';
import { scheduledOf } from '../../../src/aws/reads/maintenance';
import type { Maintenance } from '../../../src/core/state/model';
import { memoryLog, now, openAwsLab, plan, ROUTER_1, ROUTER_2, type AwsLab, limits } from './awsLab';

const UNKNOWN = 'i-00000000000000fff';

let lab: AwsLab;
beforeEach(async () => {
  lab = await openAwsLab();
});
afterEach(() => lab.close());
const ask = (instanceIds: readonly string[], timeoutMs = PATIENCE_MS) =>
  askHolders(lab.ec2, instanceIds, timeoutMs);
const asked = () => lab.emulator.requests();

test('one call for all', async () => {
  lab.world.setInstanceState(ROUTER_2, 'stopped');
  expect(await ask([ROUTER_1, ROUTER_2, ROUTER_1])).toEqual({
    ok: true,
    conditions: { [ROUTER_1]: 'running', [ROUTER_2]: 'stopped' },
  });
  expect(asked().map(({ params }) => params)).toMatchObject([
    {
      Action: 'DescribeInstanceStatus',
      IncludeAllInstances: 'true',
      'InstanceId.1': ROUTER_1,
      'InstanceId.2': ROUTER_2,
    },
  ]);
  expect(asked()[0]?.params).not.toHaveProperty('InstanceId.3');
});

describe('what AWS announces for them, in the same answer', () => {
  const CLOCKS = { now: 5_000, wallNow: Date.parse('2026-12-04T11:00:00Z') };
  const noon = { at: 3_605_000, atWall: Date.parse('2026-12-04T12:00:00Z') };
  const instanceEventId = 'instance-event-0d59937288b749b32';
  const notBefore = '2026-12-04T12:00:00.000Z';

  async function announcedFor(
    events: readonly Omit<ScheduledEvent, 'instanceEventId'>[],
  ): Promise<ReadonlyMap<string, readonly Maintenance[]>> {
    lab.world.setScheduledEvents(
      ROUTER_2,
      events.map((event) => ({ instanceEventId, ...event })),
    );
    const announced = new Map<string, readonly Maintenance[]>();
    const read = await askHolders(lab.ec2, [ROUTER_1, ROUTER_2], PATIENCE_MS, (id, said) =>
      announced.set(id, scheduledOf(said, CLOCKS)),
    );
    expect(read).toEqual({ ok: true, conditions: { [ROUTER_1]: 'running', [ROUTER_2]: 'running' } });
    return announced;
  }

  test.each(EVENT_CODES)('%s, with and without its times', async (code) => {
    const announced = await announcedFor([
      {
        code,
        notBefore,
        notAfter: '2026-12-04T14:00:00.000Z',
        notBeforeDeadline: '2026-12-06T12:00:00.000Z',
      },
      { code, notBefore },
      { code, description: 'nobody knows when' },
      { code, notBefore, description: '[Completed] scheduled' },
      { code, notBefore, description: '[Canceled] scheduled' },
    ]);
    expect(Object.fromEntries(announced)).toEqual({
      [ROUTER_1]: [],
      [ROUTER_2]: [
        { code, ...noon },
        { code, ...noon },
        { code, at: null, atWall: null },
      ],
    });
  });

  test('nothing is left of what AWS has called off', async () => {
    await announcedFor([{ code: 'instance-stop', notBefore }]);
    expect((await announcedFor([])).get(ROUTER_2)).toEqual([]);
  });
});

test('nobody to ask about: nothing is asked', async () => {
  expect(await ask([])).toEqual({ ok: true, conditions: {} });
  expect(asked()).toEqual([]);
});

test.each<InstanceState>(['pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated'])(
  'an instance that is %s',
  async (state) => {
    lab.world.setInstanceState(ROUTER_2, state);
    expect(await ask([ROUTER_2])).toEqual({ ok: true, conditions: { [ROUTER_2]: state } });
  },
);

test.each<[StatusCheck, StatusCheck, string]>([
  ['impaired', 'ok', 'impaired'],
  ['ok', 'impaired', 'impaired'],
  ['impaired', 'impaired', 'impaired'],
  ['impaired', 'insufficient-data', 'impaired'],
  ['insufficient-data', 'insufficient-data', 'running'],
  ['initializing', 'initializing', 'running'],
  ['ok', 'not-applicable', 'running'],
])('instance check %s, system check %s: %s', async (instanceStatus, systemStatus, condition) => {
  lab.world.setStatusChecks(ROUTER_2, { instanceStatus, systemStatus });
  expect(await ask([ROUTER_2])).toEqual({ ok: true, conditions: { [ROUTER_2]: condition } });
});

test('a check that failed before the instance was stopped counts no more', async () => {
  lab.world.setStatusChecks(ROUTER_2, { instanceStatus: 'impaired' });
  lab.world.setInstanceState(ROUTER_2, 'stopping');
  expect(await ask([ROUTER_2])).toMatchObject({ conditions: { [ROUTER_2]: 'stopping' } });
});

describe('instances that EC2 does not know', () => {
  test('alone: gone, in one call', async () => {
    expect(await ask([UNKNOWN])).toEqual({ ok: true, conditions: { [UNKNOWN]: 'gone' } });
    expect(asked()).toHaveLength(1);
  });

  test('among others: gone, and the others are asked about again', async () => {
    lab.world.setStatusChecks(ROUTER_2, { systemStatus: 'impaired' });
    const also = 'i-0000000000000ffff';
    expect(await ask([ROUTER_1, UNKNOWN, ROUTER_2, also])).toEqual({
      ok: true,
      conditions: { [ROUTER_1]: 'running', [UNKNOWN]: 'gone', [ROUTER_2]: 'impaired', [also]: 'gone' },
    });
  });

  test('a failure when asking again is a failure of the whole', async () => {
    lab.emulator.addFault({ kind: 'error', code: 'InvalidInstanceID.NotFound', count: 1 });
    lab.emulator.addFault({ kind: 'throttle', count: 1 });
    expect(await ask([ROUTER_1, ROUTER_2])).toMatchObject({ ok: false, failure: { kind: 'throttled' } });
  });

  test('the deadline covers asking again', async () => {
    lab.emulator.addFault({ kind: 'error', code: 'InvalidInstanceID.NotFound', count: 1 });
    lab.emulator.addFault({ kind: 'blackHole', count: 1 });
    lab.emulator.addFault({ kind: 'blackHole' });
    expect(await ask([ROUTER_1, ROUTER_2], 1_000)).toMatchObject({
      ok: false,
      failure: { kind: 'uncertain', code: 'Timeout' },
    });
  });
});

test('more than one call takes are asked about side by side', async () => {
  const many = Array.from(
    { length: 150 },
    (_, index) => `i-${(index + 0x1000).toString(16).padStart(17, '0')}`,
  );
  lab.emulator.addFault({ kind: 'error', code: 'UnauthorizedOperation' });
  expect(await ask(many)).toMatchObject({ ok: false, failure: { kind: 'refused' } });
  const sizes = asked().map(
    ({ params }) => Object.keys(params).filter((key) => key.startsWith('InstanceId')).length,
  );
  expect(sizes).toEqual([75, 75]);
});

const spoil = (how: Extract<Ec2FaultInput, { kind: 'malformed' }>['how']): Ec2FaultInput => ({
  kind: 'malformed',
  how,
});
const without = (...elements: string[]) => spoil({ as: 'withoutElements', elements });
const replaced = (element: string, text: string) => spoil({ as: 'replacedText', element, text });

test.each<[string, Ec2FaultInput, string, string]>([
  [
    'the permission is missing',
    { kind: 'error', code: 'UnauthorizedOperation' },
    'refused',
    'UnauthorizedOperation',
  ],
  ['throttled', { kind: 'throttle' }, 'throttled', 'RequestLimitExceeded'],
  ['black hole', { kind: 'blackHole' }, 'uncertain', 'Timeout'],
  ['a stalling body', { kind: 'slowBody', ms: 10_000 }, 'uncertain', 'Timeout'],
  ['reset', { kind: 'reset' }, 'uncertain', 'ECONNRESET'],
  ['an HTML page', { kind: 'garbagePage', status: 200 }, 'uncertain', 'MalformedAnswer'],
  ['an empty body', spoil({ as: 'empty' }), 'uncertain', 'MalformedAnswer'],
  ['half an answer', spoil({ as: 'truncated' }), 'uncertain', 'MalformedAnswer'],
  ['no list', without('instanceStatusSet'), 'uncertain', 'MalformedAnswer'],
  ['an empty list', replaced('instanceStatusSet', ''), 'uncertain', 'MalformedAnswer'],
  ['no ids', without('instanceId'), 'uncertain', 'MalformedAnswer'],
  ['an instance twice, another not at all', replaced('instanceId', ROUTER_2), 'uncertain', 'MalformedAnswer'],
  ['instances that nobody asked about', replaced('instanceId', UNKNOWN), 'uncertain', 'MalformedAnswer'],
  ['no states', without('instanceState'), 'uncertain', 'MalformedAnswer'],
  ['states without a name', without('name'), 'uncertain', 'MalformedAnswer'],
  ['a state that nobody knows', replaced('name', 'exploded'), 'uncertain', 'MalformedAnswer'],
  ['no system checks', without('systemStatus'), 'uncertain', 'MalformedAnswer'],
  ['no checks', without('status'), 'uncertain', 'MalformedAnswer'],
])('%s is a failure, never a condition', async (_name, fault, kind, code) => {
  lab.emulator.addFault(fault);
  const timeoutMs = code === 'Timeout' ? 1_000 : PATIENCE_MS;
  expect(await ask([ROUTER_1, ROUTER_2], timeoutMs)).toMatchObject({ ok: false, failure: { kind, code } });
});

test('whatever one element is replaced with, nobody is said to be gone, and nothing but what EC2 wrote', async () => {
  const elements = [
    'instanceId',
    'instanceState',
    'instanceStatusSet',
    'systemStatus',
    'instanceStatus',
    'item',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...elements),
      fc.string({ maxLength: 20, unit: fc.constantFrom(...'<&>i-0abc stopped'.split('')) }),
      async (element, text) => {
        lab.emulator.clearFaults();
        lab.emulator.addFault(replaced(element, text));
        const result = await ask([ROUTER_2]);
        if (result.ok) expect(result.conditions).toEqual({ [ROUTER_2]: 'running' });
        else expect(result.failure.code).toBe('MalformedAnswer');
      },
    ),
    { numRuns: 60 },
  );
});

test('asked through the whole of AWS: not before IMDS has answered, then with the API timeout, which grows', async () => {
  const endpoint = process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
  process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = lab.imdsEmulator.url;
  const { log } = memoryLog();
  const settings = {
    endpointUrl: lab.emulator.url,
    apiTimeoutMs: 1_000,
    sourceDestCheck: 'report' as const,
    applicationStatusCheck: null,
    limits,
  };
  const aws = connectAws({
    settings,
    groups: [{ name: 'default', plan }],
    plan,
    log,
    now,
    isAtRest: () => false,
  });
  try {
    expect(await aws.askHolders([ROUTER_2])).toMatchObject({ ok: false, failure: { code: 'NotReady' } });
    expect(await aws.observe(() => {})).toMatchObject({ ok: true });
    lab.world.setStatusChecks(ROUTER_2, { instanceStatus: 'impaired' });
    expect(await aws.askHolders([ROUTER_2])).toEqual({ ok: true, conditions: { [ROUTER_2]: 'impaired' } });
    lab.emulator.addFault({ kind: 'blackHole', action: 'DescribeInstanceStatus' });
    const waitedMs = async (): Promise<number> => {
      const result = await aws.askHolders([ROUTER_2]);
      return Number(/^no answer within (\d+) ms$/.exec(result.ok ? '' : result.failure.message)?.[1]);
    };
    const firstMs = await waitedMs();
    expect(firstMs).toBeGreaterThanOrEqual(1_000);
    expect((await waitedMs()) / firstMs).toBeCloseTo(2);
  } finally {
    aws.stop();
    if (endpoint === undefined) delete process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
    else process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = endpoint;
  }
});
