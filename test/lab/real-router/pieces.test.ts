/** The parts of the real-router lab that can be told right from wrong without a router. */
import { statusOf } from '../../../lab/real-router/bridge';
import { readEvent } from '../../../lab/real-router/bfdd';
import { layoutOf, portTowards } from '../../../lab/real-router/layout';
import { readLink } from '../../../lab/real-router/linkMonitor';
import { faultRules } from '../../../lab/real-router/packetFaults';
import { SILENCE_MIN_MS, StreamRecord } from '../../../lab/real-router/traffic/stream';
import { ec2Model, planTopology } from '../../../lab/topology/plan';

describe('a stream of numbered packets', () => {
  /** Every packet that is sent, by its number; each answer with the server's own number. */
  function record(sent: number, answers: readonly (readonly [sequence: number, answerNumber: number])[]) {
    const stream = new StreamRecord();
    stream.begin(0);
    for (let sequence = 0; sequence < sent; sequence += 1) stream.sent();
    answers.forEach(([sequence, answerNumber], index) => stream.answer(sequence, answerNumber, index));
    return stream.report(answers.length);
  }

  test.each([
    [
      'all answered',
      3,
      [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
      [0, 0, 0, 0],
    ],
    [
      'lost on the way there',
      3,
      [
        [0, 1],
        [2, 2],
      ],
      [1, 0, 0, 0],
    ],
    [
      'lost on the way back',
      3,
      [
        [0, 1],
        [2, 3],
      ],
      [0, 1, 0, 0],
    ],
    [
      'both',
      5,
      [
        [0, 1],
        [2, 3],
        [4, 4],
      ],
      [1, 1, 0, 0],
    ],
    ['the last one is lost', 2, [[0, 1]], [1, 0, 0, 0]],
    [
      'twice',
      2,
      [
        [0, 1],
        [0, 2],
        [1, 3],
      ],
      [0, 0, 1, 0],
    ],
    [
      'in another order',
      3,
      [
        [0, 1],
        [2, 3],
        [1, 2],
      ],
      [0, 0, 0, 1],
    ],
    ['none', 2, [], [2, 0, 0, 0]],
  ] as const)('%s', (_name, sent, answers, [there, back, duplicates, reordered]) => {
    expect(record(sent, answers)).toMatchObject({
      sent,
      lostOnTheWayThere: there,
      lostOnTheWayBack: back,
      duplicates,
      reordered,
    });
  });

  test('a silence is from the last answer before to the first one after, and one that lasts counts', () => {
    const stream = new StreamRecord();
    stream.answer(0, 1, 1000);
    stream.answer(1, 2, 1000 + SILENCE_MIN_MS - 1);
    stream.answer(2, 3, 2000);
    const { silences, longestSilenceMs } = stream.report(5000);
    expect(silences).toEqual([
      { fromMs: 1000 + SILENCE_MIN_MS - 1, untilMs: 2000 },
      { fromMs: 2000, untilMs: 5000 },
    ]);
    expect(longestSilenceMs).toBe(3000);
  });

  test('what was before the beginning counts no more', () => {
    const stream = new StreamRecord();
    stream.sent();
    stream.answer(0, 1, 0);
    stream.begin(1);
    stream.sent();
    stream.answer(0, 2, 1);
    stream.answer(1, 3, 2);
    expect(stream.report(3)).toMatchObject({ sent: 1, answered: 1, duplicates: 0 });
  });
});

test.each([
  ['2: eth1@if7: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500', { device: 'eth1', state: 'up' }],
  ['2: eth1@if7: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500', { device: 'eth1', state: 'down' }],
  ['2: eth1@if7: <BROADCAST,MULTICAST> mtu 1500', { device: 'eth1', state: 'down' }],
  ['Deleted 2: eth1@if7: <BROADCAST,UP,LOWER_UP> mtu 1500', { device: 'eth1', state: 'down' }],
  ['1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536', { device: 'lo', state: 'up' }],
  ['', null],
])('ip monitor says "%s"', (line, expected) => {
  expect(readLink(line)).toEqual(expected);
});

/** As FRR 8.4.4 sends them. */
const told = (more: object): string =>
  JSON.stringify({
    op: 'status',
    ipv6: false,
    multihop: false,
    'peer-address': '10.99.0.2',
    'local-interface': 'eth1',
    id: 2881951986,
    state: 'down',
    diagnostics: 1,
    'remote-diagnostics': 0,
    ...more,
  });

test.each([
  ['up', { state: 'up', diagnostics: 0 }, 'UP'],
  ['detection time expired', {}, 'DOWN'],
  ['the neighbour heard nothing', { diagnostics: 3, 'remote-diagnostics': 1 }, 'DOWN'],
  ['the neighbour was shut', { diagnostics: 3, 'remote-diagnostics': 0 }, 'NEIGHBOR_UNCONFIG'],
])('bfdd says %s', (_name, more, status) => {
  const event = readEvent(told(more), 5);
  expect(event).toMatchObject({ address: '10.99.0.2', device: 'eth1', receivedAtMs: 5 });
  expect(event === null ? null : statusOf(event)).toBe(status);
});

test('bfdd names no interface for a multi-hop session, and other messages are none', () => {
  expect(readEvent(told({ multihop: true }), 0)?.device).toBeNull();
  expect(readEvent(JSON.stringify({ op: 'add' }), 0)).toBeNull();
});

describe('the layout of one zone', () => {
  const plan = planTopology(2);
  const layout = layoutOf(plan, ec2Model(plan, 'rtr1'));

  test('leads each way through another interface, and has no port for management', () => {
    expect(layout.ports).toHaveLength(4);
    expect(portTowards(layout, 'rtr2', 'user').device).toBe('eth1');
    expect(portTowards(layout, 'rtr2', 'server').device).toBe('eth2');
    expect(layout.ownAddresses).toEqual(['172.31.101.10', '172.31.105.10']);
  });

  test.each([
    [
      { router: 'rtr1', interface: 'TenGigE0/0/0/1' },
      ['iifname { "rtr1-eth1" } drop', 'oifname { "rtr1-eth1" } drop'],
    ],
    [{ router: 'rtr1', direction: 'from' }, ['iifname { "rtr1-eth1", "rtr1-eth2" } drop']],
    [
      { router: 'rtr2', direction: 'to', packets: 'bfd', share: 0.01 },
      ['oifname { "rtr2-eth1", "rtr2-eth2" } udp dport { 3784, 4784 } numgen random mod 10000 < 100 drop'],
    ],
  ] as const)('loses %j', (fault, rules) => {
    expect(faultRules(layout, fault)).toEqual(rules);
  });

  test('refuses to lose packets of an interface that is not there', () => {
    expect(() => faultRules(layout, { router: 'rtr1', interface: 'TenGigE0/0/0/9' })).toThrow(
      'rtr1 has no interface TenGigE0/0/0/9',
    );
  });
});
