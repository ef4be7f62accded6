/** The rules of the healer as tables: one thing of a whole world is changed, and one sentence says what is done and why. */
import type { Identity } from '../../src/heal/core/desired';
import { noMemory } from '../../src/heal/core/memory';
import type { Observed } from '../../src/heal/core/observed';
import { givingBack } from '../../src/heal/core/reconcile';
import {
  attachment,
  decisionsOf,
  desiredOf,
  did,
  group,
  hooksOf,
  instance,
  ME,
  networkInterface,
  NOW,
  observed,
  ownInterfaces,
  record,
  statusOf,
  volume,
} from './healWorld';

const nat = desiredOf('nat');
const fw = desiredOf('network-function');
const pair = desiredOf('pair');
const identityOf = ({ identities: [first] }: typeof nat): Identity => {
  if (first === undefined) throw new Error('no identity');
  return first;
};
const fw1 = identityOf(fw);
const ALLOCATION = 'eipalloc-0a1b2c3d4e5f60718';
const underWay = (id: string, part = {}) =>
  record({ instance: id, begunAt: NOW - 90_000, told: ['begun'], ...part });

/** fw1-2 waits in the launching hook; `part` says where its things are. */
const launching = (part: Partial<Observed>): Observed =>
  observed({
    groups: { fw1: group('fw1', [['fw1-2', 'Pending:Wait']], { record: underWay('fw1-2') }) },
    instances: { 'fw1-2': instance('fw1-2') },
    interfaces: [
      ...ownInterfaces(fw1, null),
      networkInterface('eni-primary', 'fw1-2', { attachment: attachment('eni-primary', 'fw1-2', 0) }),
    ],
    volumes: [volume('vol-0a1b2c3d4e5f60718', null)],
    elasticIps: { [ALLOCATION]: { interfaceId: null, instanceId: null, privateAddress: null } },
    answers: hooksOf('fw1'),
    memory: { ...noMemory, heartbeats: { 'fw1-2': NOW } },
    ...part,
  });

const withInterface = (
  holder: string,
  part: Partial<ReturnType<typeof networkInterface>> = {},
): Observed['interfaces'] => ownInterfaces(fw1, holder).map((each) => ({ ...each, ...part }));

describe('what belongs to the instance', () => {
  test.each<[what: string, part: Partial<Observed>, steps: readonly string[], reason: RegExp]>([
    [
      'all is free: attached at once',
      {},
      ['attachInterface eni-of-fw1 fw1-2', 'attachVolume vol-0a1b2c3d4e5f60718 fw1-2 /dev/sdf'],
      /^attaching eni-of-fw1 to fw1-2 at device index 1 and attaching vol-0a1b2c3d4e5f60718 to fw1-2 as \/dev\/sdf$/,
    ],
    [
      'the old instance runs and has them: nothing is detached',
      {
        interfaces: withInterface('fw1-1'),
        volumes: [volume('vol-0a1b2c3d4e5f60718', 'fw1-1')],
        instances: { 'fw1-2': instance('fw1-2'), 'fw1-1': instance('fw1-1', { state: 'shutting-down' }) },
      },
      [],
      /fw1-1 has eni-of-fw1 and is shutting-down and fw1-1 has vol-0a1b2c3d4e5f60718 and is shutting-down/,
    ],
    [
      'the old instance has stopped for longer than readings lag: detached, not by force',
      {
        interfaces: withInterface('fw1-1'),
        instances: { 'fw1-2': instance('fw1-2'), 'fw1-1': instance('fw1-1', { state: 'stopped' }) },
        memory: { ...noMemory, heartbeats: { 'fw1-2': NOW }, stoppedSince: { 'fw1-1': NOW - 10_001 } },
      },
      [
        'detachInterface eni-of-fw1 attach-eni-of-fw1 fw1-1',
        'attachVolume vol-0a1b2c3d4e5f60718 fw1-2 /dev/sdf',
      ],
      /detaching eni-of-fw1 from fw1-1, which has stopped/,
    ],
    [
      'the old instance has only just been seen stopped: waited for',
      {
        interfaces: withInterface('fw1-1'),
        instances: { 'fw1-2': instance('fw1-2'), 'fw1-1': instance('fw1-1', { state: 'stopped' }) },
        memory: { ...noMemory, heartbeats: { 'fw1-2': NOW }, stoppedSince: { 'fw1-1': NOW - 9_000 } },
      },
      ['attachVolume vol-0a1b2c3d4e5f60718 fw1-2 /dev/sdf'],
      /fw1-1 has eni-of-fw1 and has only just been seen stopped/,
    ],
    [
      'an instance of somebody else has it, stopped or not: waited for',
      {
        interfaces: withInterface('i-other'),
        instances: {
          'fw1-2': instance('fw1-2'),
          'i-other': instance('i-other', { state: 'stopped', group: null }),
        },
        memory: { ...noMemory, heartbeats: { 'fw1-2': NOW }, stoppedSince: { 'i-other': 0 } },
      },
      ['attachVolume vol-0a1b2c3d4e5f60718 fw1-2 /dev/sdf'],
      /eni-of-fw1 is attached to i-other, which is stopped and not of group fw1/,
    ],
    [
      'the volume is in another zone: said, with what to do',
      { volumes: [volume('vol-0a1b2c3d4e5f60718', null, { zone: 'us-west-2b' })] },
      ['attachInterface eni-of-fw1 fw1-2', 'alarm-raised wrong-zone'],
      /vol-0a1b2c3d4e5f60718 is in us-west-2b and fw1-2 in us-west-2a: it cannot be attached there; let the group launch in us-west-2b only/,
    ],
    [
      'another interface is in its place',
      { interfaces: [...ownInterfaces(fw1, null), networkInterface('eni-stray', 'fw1-2')] },
      ['attachVolume vol-0a1b2c3d4e5f60718 fw1-2 /dev/sdf', 'alarm-raised wrong-place'],
      /eni-of-fw1 belongs at device index 1 of fw1-2, where eni-stray is/,
    ],
    [
      'two interfaces have the tag: nothing is touched',
      {
        interfaces: [
          ...ownInterfaces(fw1, null),
          ...ownInterfaces(fw1, null).map((each) => ({ ...each, id: 'eni-double' })),
        ],
      },
      ['alarm-raised ambiguous'],
      /2 network interfaces have tag identity=fw1 \(eni-of-fw1, eni-double\): give the tag to one of them/,
    ],
    [
      'it would be deleted with the instance, lacks an address and has its check on',
      {
        interfaces: withInterface('fw1-2', {
          addresses: ['10.0.0.4'],
          sourceDestCheck: true,
          attachment: { ...attachment('eni-of-fw1', 'fw1-2'), deleteOnTermination: true },
        }),
        volumes: [volume('vol-0a1b2c3d4e5f60718', 'fw1-2')],
      },
      [
        'assignAddresses eni-of-fw1 10.0.2.20',
        'keepInterface eni-of-fw1 attach-eni-of-fw1',
        'disableSourceDestCheck eni-of-fw1',
      ],
      /assigning 10\.0\.2\.20 to eni-of-fw1/,
    ],
    [
      'all is attached: one reboot',
      { interfaces: withInterface('fw1-2'), volumes: [volume('vol-0a1b2c3d4e5f60718', 'fw1-2')] },
      ['reboot fw1-2'],
      /^rebooting fw1-2, so that it sees what was attached$/,
    ],
  ])('%s', (_what, part, steps, reason) => {
    const [decision] = decisionsOf(fw, launching(part));
    const done = decision === undefined ? [] : did(decision).map((each) => each.replace(/^tell /, ''));
    expect(done.sort()).toEqual([...steps].sort());
    expect(decision?.reason).toMatch(reason);
  });
});

describe('the launching hook', () => {
  const attached = {
    interfaces: withInterface('fw1-2'),
    volumes: [volume('vol-0a1b2c3d4e5f60718', 'fw1-2')],
  };
  const rebooted = (agoMs: number, part = {}) => ({
    groups: {
      fw1: group('fw1', [['fw1-2', 'Pending:Wait']], {
        record: underWay('fw1-2', { rebootedAt: NOW - agoMs, ...part }),
      }),
    },
  });
  const mine = {
    [ALLOCATION]: { interfaceId: 'eni-of-fw1', instanceId: 'fw1-2', privateAddress: '10.0.0.4' },
  };

  test('a proof that was given soon after the reboot does not count', () => {
    const [decision] = decisionsOf(fw, launching({ ...attached, ...rebooted(60_000) }));
    expect(decision?.reason).toBe('fw1-2 was rebooted, and what it answers counts 120 s later');
    expect(decision?.steps).toEqual([]);
  });

  test('what proves it is asked, and waited for', () => {
    const world = launching({ ...attached, ...rebooted(200_000) });
    expect(decisionsOf(fw, world)[0]?.questions).toEqual([{ ask: 'status', instanceId: 'fw1-2' }]);
    const answers = { ...hooksOf('fw1'), ...statusOf('fw1-2', 'initializing') };
    expect(decisionsOf(fw, { ...world, answers })[0]?.reason).toBe(
      'the status checks of fw1-2 say initializing',
    );
  });

  test('proven: the Elastic IP, and when it is read back, CONTINUE', () => {
    const answers = { ...hooksOf('fw1'), ...statusOf('fw1-2', 'ok') };
    const world = launching({ ...attached, ...rebooted(200_000), answers });
    expect(did(decisionsOf(fw, world)[0]!)).toEqual([
      `associateAddress ${ALLOCATION} eni-of-fw1 10.0.0.4 false`,
    ]);
    expect(did(decisionsOf(fw, { ...world, elasticIps: mine })[0]!)).toEqual(['complete fw1-2 CONTINUE']);
  });

  test('heartbeats at a third of the timeout, and none after the deadline', () => {
    const world = launching({
      answers: hooksOf('fw1', 60_000),
      memory: { ...noMemory, heartbeats: { 'fw1-2': NOW - 20_000 } },
    });
    expect(did(decisionsOf(fw, world)[0]!)).toContain('heartbeat fw1-2');
    const soon = { ...world, memory: { ...noMemory, heartbeats: { 'fw1-2': NOW - 19_000 } } };
    expect(did(decisionsOf(fw, soon)[0]!)).not.toContain('heartbeat fw1-2');
    const late = { ...world, instances: { 'fw1-2': instance('fw1-2', { launchedAt: NOW - 2_400_000 }) } };
    expect(did(decisionsOf(fw, late)[0]!)).toEqual([
      'complete fw1-2 ABANDON',
      'tell alarm-raised not-healed',
    ]);
    expect(decisionsOf(fw, late)[0]?.alarms.map(({ code }) => code)).toContain('not-healed');
  });

  test('a group without the hook: healed all the same, and said', () => {
    const answers = { 'hooks fw1': { kind: 'hooks', hooks: {} } } as const;
    const [decision] = decisionsOf(fw, launching({ answers }));
    expect(decision?.alarms).toEqual([
      {
        code: 'no-hook',
        text: 'group fw1 has no lifecycle hook heal-launch for launching: add it to the group',
      },
    ]);
    expect(did(decision!)).toContain('attachInterface eni-of-fw1 fw1-2');
  });
});

describe('routes and Elastic IPs of a NAT instance', () => {
  const primary = networkInterface('eni-new', 'nat-2', { attachment: attachment('eni-new', 'nat-2', 0) });
  const tables = (entry: object | null): Observed['tables'] => [
    {
      id: 'rtb-0a1b2c3d4e5f60718',
      selectors: ['rtb-0a1b2c3d4e5f60718'],
      routes:
        entry === null
          ? []
          : [
              {
                destination: '0.0.0.0/0',
                blackhole: false,
                interfaceId: null,
                instanceId: null,
                other: null,
                ...entry,
              },
            ],
    },
    {
      id: 'rtb-b',
      selectors: ['tag nat=private-b'],
      routes: [
        {
          destination: '0.0.0.0/0',
          blackhole: false,
          interfaceId: 'eni-new',
          instanceId: 'nat-2',
          other: null,
        },
      ],
    },
  ];
  const world = (entry: object | null, on: object = {}): Observed =>
    observed({
      groups: { nat: group('nat', [['nat-2', 'InService']], { record: underWay('nat-2') }) },
      instances: {
        'nat-1': instance('nat-1', { state: 'shutting-down', group: 'nat' }),
        'nat-2': instance('nat-2', { group: 'nat' }),
        'i-other': instance('i-other', { group: null }),
      },
      interfaces: [primary, networkInterface('eni-old', 'nat-1'), networkInterface('eni-other', 'i-other')],
      tables: tables(entry),
      elasticIps: {
        [ALLOCATION]: { interfaceId: 'eni-new', instanceId: 'nat-2', privateAddress: '10.0.0.4', ...on },
      },
      answers: {
        ...statusOf('nat-2', 'ok'),
        'probe http://10.0.0.4:8080/livez': { kind: 'probe', ok: true, says: '200' },
      },
    });

  test.each<[what: string, seen: Observed, steps: readonly string[], reason: RegExp]>([
    [
      'a missing route is created',
      world(null),
      ['createRoute rtb-0a1b2c3d4e5f60718 0.0.0.0/0 eni-new'],
      /^creating/,
    ],
    [
      'one to an older instance of the group is taken',
      world({ interfaceId: 'eni-old', instanceId: 'nat-1' }),
      ['replaceRoute rtb-0a1b2c3d4e5f60718 0.0.0.0/0 eni-new'],
      /^leading/,
    ],
    [
      'a blackhole is taken',
      world({ interfaceId: 'eni-gone', blackhole: true }),
      ['replaceRoute rtb-0a1b2c3d4e5f60718 0.0.0.0/0 eni-new'],
      /^leading/,
    ],
    [
      'one to somebody else is left there',
      world({ interfaceId: 'eni-other', instanceId: 'i-other' }),
      [],
      /leads to eni-other of i-other, which is running and not of group nat/,
    ],
    ['one to a gateway is left there', world({ other: 'nat-0123' }), [], /leads to nat-0123/],
    [
      'an Elastic IP of an older instance is taken',
      world({ interfaceId: 'eni-new' }, { interfaceId: 'eni-old', instanceId: 'nat-1' }),
      [`associateAddress ${ALLOCATION} eni-new 10.0.0.4 true`],
      /^associating/,
    ],
    [
      'one of a third instance is left there',
      world({ interfaceId: 'eni-new' }, { interfaceId: 'eni-other', instanceId: 'i-other' }),
      [],
      /is associated with eni-other of i-other/,
    ],
  ])('%s', (_what, seen, steps, reason) => {
    const [decision] = decisionsOf(nat, seen);
    expect(did(decision!)).toEqual(steps);
    expect(decision?.reason).toMatch(reason);
  });

  test('what is held elsewhere is an alarm only when the time is over', () => {
    const seen = world({ other: 'nat-0123' });
    expect(decisionsOf(nat, seen)[0]?.alarms).toEqual([]);
    const late = {
      ...seen,
      groups: {
        nat: group('nat', [['nat-2', 'InService']], {
          record: underWay('nat-2', { begunAt: NOW - 600_000 }),
        }),
      },
    };
    expect(decisionsOf(nat, late)[0]?.alarms.map(({ code }) => code)).toEqual([
      'held-elsewhere',
      'not-healed',
    ]);
  });

  test('a guest that is not proven gets nothing', () => {
    const answers = {
      ...statusOf('nat-2', 'ok'),
      'probe http://10.0.0.4:8080/livez': { kind: 'probe', ok: false, says: '503' },
    } as const;
    const [decision] = decisionsOf(nat, { ...world(null), answers });
    expect(decision?.steps).toEqual([]);
    expect(decision?.reason).toBe('http://10.0.0.4:8080/livez says 503');
  });

  test('whole: nothing is asked and nothing is done', () => {
    const seen = {
      ...world({ interfaceId: 'eni-new', instanceId: 'nat-2' }),
      groups: { nat: group('nat', [['nat-2', 'InService']]) },
    };
    expect(decisionsOf(nat, seen)).toEqual([
      {
        identity: 'nat',
        condition: 'whole',
        reason: 'nat is whole: nat-2 is in service and has what belongs to it',
        steps: [],
        questions: [],
        alarms: [],
        pace: 'sweep',
        lookBy: null,
      },
    ]);
  });
});

describe('a pair', () => {
  /** `active`: the instance that has what floats. */
  const world = (
    lifecycles: { rtr1: string; rtr2: string },
    active: string | null,
    part: Partial<Observed> = {},
  ): Observed => {
    const floating = ['172.31.101.10', '172.31.105.10'];
    const interfaces = pair.identities.flatMap((identity) => {
      const holder = `${identity.name}-1`;
      return ownInterfaces(identity, holder).map((each, index) => ({
        ...each,
        addresses: [`${identity.name}.${index}`, ...(holder === active ? [floating[index] ?? ''] : [])],
      }));
    });
    return observed({
      groups: {
        rtr1: group('rtr1', [['rtr1-1', lifecycles.rtr1]]),
        rtr2: group('rtr2', [['rtr2-1', lifecycles.rtr2]]),
      },
      instances: { 'rtr1-1': instance('rtr1-1'), 'rtr2-1': instance('rtr2-1') },
      interfaces,
      answers: {
        ...hooksOf('rtr1'),
        ...hooksOf('rtr2'),
        ...statusOf('rtr1-1', 'ok'),
        ...statusOf('rtr2-1', 'ok'),
      },
      memory: { ...noMemory, heartbeats: { 'rtr1-1': NOW, 'rtr2-1': NOW } },
      ...part,
    });
  };
  /** The launch of both was given up before they were rebooted. */
  const unfinished = (): Observed['groups'] =>
    Object.fromEntries(
      ['rtr1', 'rtr2'].map((name) => [
        name,
        group(name, [[`${name}-1`, 'Terminating:Wait']], { record: underWay(`${name}-1`) }),
      ]),
    );
  const leaving = { rtr1: 'Terminating:Wait', rtr2: 'InService' };
  const codes = (seen: Observed): readonly string[] =>
    decisionsOf(pair, seen)[0]?.alarms.map(({ code }) => code) ?? [];

  test('the STANDBY router may go while the other one has all that floats', () => {
    expect(did(decisionsOf(pair, world(leaving, 'rtr2-1'))[0]!)).toEqual(['complete rtr1-1 CONTINUE']);
  });

  test('the ACTIVE router stays in its hook until the other one has taken over', () => {
    const seen = world(leaving, 'rtr1-1');
    expect(codes(seen)).toEqual(['active-terminating']);
    expect(did(decisionsOf(pair, seen)[0]!)).toEqual(['tell alarm-raised active-terminating']);
  });

  test('the last router of a pair stays too', () => {
    expect(codes(world(leaving, null))).toEqual(['last-one']);
  });

  test('one that EC2 calls impaired goes: it forwards nothing', () => {
    const seen = world(leaving, 'rtr1-1');
    const answers = { ...seen.answers, ...statusOf('rtr1-1', 'impaired') };
    expect(did(decisionsOf(pair, { ...seen, answers })[0]!)).toEqual(['complete rtr1-1 CONTINUE']);
  });

  test('one that is not well and has nothing of what floats goes: nobody misses it', () => {
    const seen = world({ rtr1: 'Terminating:Wait', rtr2: 'Terminating:Wait' }, null);
    const answers = {
      ...seen.answers,
      ...statusOf('rtr1-1', 'initializing'),
      ...statusOf('rtr2-1', 'initializing'),
    };
    expect(decisionsOf(pair, { ...seen, answers }).map(did)).toEqual([
      ['complete rtr1-1 CONTINUE'],
      ['complete rtr2-1 CONTINUE'],
    ]);
  });

  test.each<[what: string, part: Partial<Observed>]>([
    [
      'lacks an interface',
      { interfaces: pair.identities.flatMap((identity) => ownInterfaces(identity, null)) },
    ],
    ['was not rebooted yet', { groups: unfinished() }],
  ])('one that %s could not serve: it goes, even if nobody serves', (_what, part) => {
    const rebooting = {
      ...pair,
      identities: pair.identities.map((identity) => ({ ...identity, rebootAfterAttach: true })),
    };
    const seen = world({ rtr1: 'Terminating:Wait', rtr2: 'Terminating:Wait' }, null);
    expect(decisionsOf(rebooting, { ...seen, ...part }).map(did)).toEqual([
      ['complete rtr1-1 CONTINUE'],
      ['complete rtr2-1 CONTINUE'],
    ]);
  });

  test('one that was seen stopped just now may run again: it is waited for', () => {
    const seen = world(leaving, 'rtr1-1', {
      instances: { 'rtr1-1': instance('rtr1-1', { state: 'stopped' }), 'rtr2-1': instance('rtr2-1') },
    });
    expect(decisionsOf(pair, seen)[0]?.reason).toContain(
      'rtr1-1 is stopped, and may have been started meanwhile',
    );
    const memory = { ...seen.memory, stoppedSince: { 'rtr1-1': NOW - 10_001 } };
    expect(did(decisionsOf(pair, { ...seen, memory })[0]!)).toEqual(['complete rtr1-1 CONTINUE']);
  });

  test('both are to go: never both at once', () => {
    const seen = world({ rtr1: 'Terminating:Wait', rtr2: 'Terminating:Wait' }, 'rtr1-1');
    expect(decisionsOf(pair, seen).map(did)).toEqual([
      ['tell alarm-raised active-terminating'],
      ['complete rtr2-1 CONTINUE'],
    ]);
  });

  test('what would be deleted with the instance is kept first', () => {
    const seen = world(leaving, 'rtr2-1');
    const interfaces = seen.interfaces.map((each) =>
      each.id === 'eni-0a15e9d47c3f86001' && each.attachment !== null
        ? { ...each, attachment: { ...each.attachment, deleteOnTermination: true } }
        : each,
    );
    expect(did(decisionsOf(pair, { ...seen, interfaces })[0]!)).toEqual([
      'keepInterface eni-0a15e9d47c3f86001 attach-eni-0a15e9d47c3f86001',
    ]);
  });
});

describe('the right to write', () => {
  const free = launching({});
  const withRecord = (part: Partial<ReturnType<typeof record>> | null): Observed => ({
    ...free,
    groups: {
      fw1: group('fw1', [['fw1-2', 'Pending:Wait']], {
        record: part === null ? null : underWay('fw1-2', part),
      }),
    },
  });

  test.each<[what: string, part: Parameters<typeof withRecord>[0], steps: readonly string[], reason: RegExp]>(
    [
      ['nobody has it: it is taken, and nothing else is done', null, ['writeRecord'], /^attaching/],
      [
        'another healer has it',
        { owner: 'healer-2' },
        [],
        /^healer-2 may write for fw1, so this healer does not/,
      ],
      [
        'the other one has let it end',
        { owner: 'healer-2', until: NOW - 10_001 },
        ['writeRecord'],
        /^attaching/,
      ],
      ['clocks may differ', { owner: 'healer-2', until: NOW - 9_000 }, [], /^healer-2 may write/],
      ['it was taken just now', { since: NOW - 5_000 }, [], /is certain 25 s later\. Then: attaching/],
      ['it ends too soon for a call', { until: NOW + 14_000 }, ['writeRecord'], /^attaching/],
    ],
  )('%s', (_what, part, steps, reason) => {
    const [decision] = decisionsOf(fw, withRecord(part));
    expect(did(decision!)).toEqual(steps);
    expect(decision?.reason).toMatch(reason);
  });

  test.each([
    ['is ours', {}, [{ identity: 'fw1', step: expect.objectContaining({ do: 'writeRecord' }) as unknown }]],
    ['was taken just now', { since: NOW - 5_000 }, []],
    ["is another one's", { owner: 'healer-2' }, []],
    ['is over', { until: NOW - 1 }, []],
  ])('a healer that ends gives back what %s', (_what, part, steps) => {
    const given = givingBack(fw, withRecord(part), NOW);
    expect(given).toEqual(steps);
    for (const { step } of given)
      expect(step).toMatchObject({ record: { until: 0, number: record().number + 1, owner: ME } });
  });

  test('a sentence stays the same while nothing changes but the time', () => {
    for (const part of [{}, { since: NOW - 5_000 }, { owner: 'healer-2' }]) {
      const [before] = decisionsOf(fw, withRecord(part), NOW);
      const [after] = decisionsOf(fw, withRecord(part), NOW + 1_500);
      expect(after?.reason).toBe(before?.reason);
    }
  });

  test('what cannot be read is no ground to do anything', () => {
    const [decision] = decisionsOf(fw, {
      ...free,
      unread: ['DescribeVolumes: Timeout: no answer within 5000 ms'],
    });
    expect(decision?.steps).toEqual([]);
    expect(decision?.reason).toBe(
      'nothing is done about fw1, because AWS could not be read: DescribeVolumes: Timeout: no answer within 5000 ms',
    );
  });
});
