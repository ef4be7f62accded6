/** What AWS announces for this router and its peer, as the metadata and DescribeInstanceStatus have it. */
import { scheduledIn, scheduledOf } from '../../../src/aws/reads/maintenance';
import { MaintenanceWatch } from '../../../src/aws/reads/maintenanceWatch';
import type { AnnouncedMaintenance } from '../../../src/cloud';
import type { ImdsAnswer } from '../../../src/aws/transport/imds';
import { eventually } from '../../support/eventually';
import { recordingLogger } from '../../support/logRecords';

const WALL = Date.parse('2026-11-30T12:00:00Z');
const CLOCKS = { now: 5_000, wallNow: WALL };
const AT = { at: 3_605_000, atWall: WALL + 3_600_000 };
const NOT_BEFORE = '30 Nov 2026 13:00:00 GMT';

describe('scheduled events of the metadata', () => {
  test.each<[string, object, object | null]>([
    [
      'as AWS documents them',
      {
        NotBefore: NOT_BEFORE,
        Code: 'system-reboot',
        Description: 'scheduled reboot',
        EventId: 'instance-event-0d59937288b749b32',
        NotAfter: '30 Nov 2026 15:00:00 GMT',
        State: 'active',
      },
      { code: 'system-reboot', ...AT },
    ],
    ['without an end', { NotBefore: NOT_BEFORE, Code: 'instance-stop' }, { code: 'instance-stop', ...AT }],
    ['without a beginning', { Code: 'instance-stop' }, { code: 'instance-stop', at: null, atWall: null }],
    [
      'with a beginning that is no time',
      { NotBefore: 'soon', Code: 'instance-stop' },
      { code: 'instance-stop', at: null, atWall: null },
    ],
    ['without a code', { NotBefore: NOT_BEFORE }, { code: 'maintenance', ...AT }],
    [
      'whose code steers the terminal',
      { NotBefore: NOT_BEFORE, Code: '\u001b[2J' },
      { code: 'maintenance', ...AT },
    ],
    ['that is over', { NotBefore: NOT_BEFORE, Code: 'system-reboot', State: 'completed' }, null],
    ['that was called off', { Code: 'system-reboot', Description: '[Canceled] scheduled reboot' }, null],
  ])('%s', (_what, event, announced) => {
    expect(scheduledIn(JSON.stringify([event]), CLOCKS)).toEqual(announced === null ? [] : [announced]);
  });

  test('none, and what is no list', () => {
    expect(scheduledIn('[]', CLOCKS)).toEqual([]);
    for (const text of ['', '{}', 'null', '<html>']) expect(scheduledIn(text, CLOCKS)).toBeNull();
  });
});

test('the events of an instance that EC2 was asked about', () => {
  const NotBefore = new Date(WALL + 3_600_000);
  expect(scheduledOf(undefined, CLOCKS)).toEqual([]);
  expect(
    scheduledOf(
      [
        { Code: 'instance-retirement', NotBefore },
        { Code: 'system-reboot', NotBefore, Description: '[Completed] done' },
        {},
      ],
      CLOCKS,
    ),
  ).toEqual([
    { code: 'instance-retirement', ...AT },
    { code: 'maintenance', at: null, atWall: null },
  ]);
});

describe('the watch', () => {
  const missing: ImdsAnswer = { ok: false, missing: true, problem: '404' };
  let watch: MaintenanceWatch;
  let told: AnnouncedMaintenance[];
  let peersAsked: number;
  let items: { [path: string]: ImdsAnswer };

  function begin(switchesOver: boolean): void {
    told = [];
    peersAsked = 0;
    watch = new MaintenanceWatch({
      imds: { get: (path) => Promise.resolve(items[path] ?? missing) },
      log: recordingLogger().log,
      clocks: () => CLOCKS,
      switchesOver,
      askPeers: () => {
        peersAsked += 1;
        return Promise.resolve();
      },
      tell: (learnt) => told.push(learnt),
      lookMs: 5,
      lifecycleLookMs: 5,
    });
    void watch.run();
  }
  const scheduled = (events: object[]): ImdsAnswer => ({ ok: true, text: JSON.stringify(events) });
  const reboot = { NotBefore: NOT_BEFORE, Code: 'system-reboot' };

  beforeEach(() => (items = {}));
  afterEach(() => watch.stop());

  test('tells what is announced once, and that it is announced no more', async () => {
    items['events/maintenance/scheduled'] = scheduled([reboot]);
    begin(false);
    const first = { instanceId: null, announced: [{ code: 'system-reboot', ...AT }] };
    await eventually(() => expect(told).toEqual([first]));
    await eventually(() => expect(peersAsked).toBeGreaterThan(2));
    expect(told).toEqual([first]);
    // What cannot be read changes nothing.
    items['events/maintenance/scheduled'] = { ok: false, missing: false, problem: 'no answer' };
    const asked = peersAsked;
    await eventually(() => expect(peersAsked).toBeGreaterThan(asked + 2));
    expect(told).toEqual([first]);
    items['events/maintenance/scheduled'] = scheduled([]);
    await eventually(() => expect(told).toEqual([first, { instanceId: null, announced: [] }]));
  });

  test('the end by an Auto Scaling group counts as maintenance that begins now, until it is called off', async () => {
    const state = (text: string): ImdsAnswer => ({ ok: true, text });
    items['autoscaling/target-lifecycle-state'] = state('InService');
    begin(true);
    await eventually(() => expect(peersAsked).toBeGreaterThan(1));
    expect(told).toEqual([]);
    items['autoscaling/target-lifecycle-state'] = state('Terminated');
    const ends = { code: 'autoscaling-termination', at: CLOCKS.now, atWall: CLOCKS.wallNow };
    await eventually(() => expect(told).toEqual([{ instanceId: null, announced: [ends] }]));
    items['autoscaling/target-lifecycle-state'] = missing;
    await eventually(() => expect(told.at(-1)).toEqual({ instanceId: null, announced: [] }));
  });

  test('the peer is asked about only while it matters; what EC2 says of it is told once', async () => {
    let looks = 0;
    begin(false);
    const count = (): void => void (looks += 1);
    items = new Proxy(items, { get: () => (count(), missing) });
    await eventually(() => expect(looks).toBeGreaterThan(4));
    expect(peersAsked).toBe(0);
    watch.learntOf('i-peer', []);
    watch.learntOf('i-peer', []);
    watch.learntOf('i-peer', null);
    expect(told).toEqual([
      { instanceId: 'i-peer', announced: [] },
      { instanceId: 'i-peer', announced: null },
    ]);
  });
});
