import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../../src/config/load';
import { pairMistakes } from '../../src/config/pair';
import type { Config } from '../../src/config/schema';
import { configWith, multiHop, textOf, withAddresses, withSessions } from './documents';

const config = (text: string): Config => {
  const loaded = parseConfig(text, 'file');
  if (!loaded.ok) throw new Error(loaded.report);
  return loaded.effective.config;
};
const compare = (one: unknown, other: unknown): readonly string[] =>
  pairMistakes(
    { name: 'a.json', config: config(textOf(one)) },
    { name: 'b.json', config: config(textOf(other)) },
  );

const peer = { neigh_ip: '172.31.105.206' };
/** The other router of `configWith()`. */
const otherWith = (change = {}) => configWith({ ...withSessions(peer), ...change });

const examples = join(__dirname, '../../config/examples');
test.each([
  'active-active',
  'elastic-ip',
  'gre-tunnel',
  'ipv6',
  'multi-hop',
  'routes-and-elastic-ip',
  'routes',
  'secondary-ip',
])('the examples %s go together, and none with itself', (kind) => {
  const [one, other] = ['rtr1', 'rtr2'].map((name) =>
    config(readFileSync(join(examples, `${kind}-${name}.json`), 'utf8')),
  ) as [Config, Config];
  expect(pairMistakes({ name: 'a', config: one }, { name: 'b', config: other })).toEqual([]);
  expect(pairMistakes({ name: 'a', config: one }, { name: 'b', config: one })).not.toEqual([]);
});

const address = (secondary_ip: string) => ({ secondary_ip, instance_intf_number: 2 });
const group = (name: string, ...addresses: readonly string[]) => ({
  name,
  action: { method: 'secondary_ip_shift', method_params: { intf_list: addresses.map(address) } },
});
const groups = (...list: readonly object[]) => ({ action: undefined, groups: list });
const both = '172.31.105.10';

test.each([
  ['a pair that goes together', configWith(), otherWith(), []],
  [
    'a target that one of them lacks',
    withAddresses(address(both), address('172.31.105.11')),
    otherWith(),
    [
      /^a\.json config\.action\.method_params\.intf_list\[1\]\.secondary_ip: 172\.31\.105\.11 is not in b\.json config\.action; .*: add it there, or remove it here$/,
    ],
  ],
  [
    'groups in one of them only',
    configWith(groups(group('north', both))),
    otherWith(),
    [/^a\.json config\.groups: b\.json has no groups; write the same groups in both$/],
  ],
  [
    'groups of other names',
    configWith(groups(group('north', both))),
    otherWith(groups(group('nord', both))),
    [
      /^a\.json config\.groups\[0\]\.name: b\.json config\.groups has no group "north"/,
      /^b\.json config\.groups\[0\]\.name: a\.json config\.groups has no group "nord"/,
      /is in group "north" in the one and in group "nord" in the other/,
    ],
  ],
  [
    'both preferred',
    configWith({ preferred: true }),
    otherWith({ preferred: true }),
    [/^a\.json config\.preferred and b\.json config\.preferred: both routers are preferred, and would take/],
  ],
  [
    'both preferred for a group, one by the key outside',
    configWith({ ...groups(group('north', both)), preferred: true }),
    otherWith(groups({ ...group('north', both), preferred: true })),
    [/^a\.json config\.preferred and b\.json config\.groups\[0\]\.preferred: .* for group "north"/],
  ],
  [
    'other times, all at once',
    configWith({ keepalive_s: 5, evidence_hold_s: 20 }),
    otherWith({ trigger: 'all' }),
    [
      /^a\.json config\.keepalive_s is 5 and b\.json config\.keepalive_s is 10: write the same in both$/,
      /config\.trigger is "any" and b\.json config\.trigger is "all"/,
      /config\.evidence_hold_s is 20 and b\.json config\.evidence_hold_s is 30/,
    ],
  ],
  [
    'other BFD timers',
    withSessions({ detect_multiplier: 5 }),
    withSessions({ ...peer, bfd_desired_tx_int_usec: 300_000 }),
    [
      /bfd_sessions\[0\]\.bfd_desired_tx_int_usec is 50000 and b\.json .* is 300000/,
      /bfd_sessions\[0\]\.detect_multiplier is 5 and b\.json .* is 3/,
    ],
  ],
  [
    'both with the same neighbour',
    configWith(),
    configWith(),
    [
      /neigh_ip and b\.json config\.bfd_sessions\[0\]\.neigh_ip: both are "172\.31\.105\.154", and each has to be/,
    ],
  ],
  [
    'neighbours on no common subnet',
    configWith(),
    withSessions({ neigh_ip: '10.9.0.1' }),
    [/^a\.json .*nothing in b\.json config\.bfd_sessions meets the session/, /^b\.json .*nothing in a\.json/],
  ],
  [
    'single-hop at one end and multi-hop at the other',
    configWith(),
    withSessions(multiHop(peer)),
    [/^a\.json .*write a SINGLE_HOP session on the subnet/, /^b\.json .*write a MULTI_HOP session from 172/],
  ],
  [
    'multi-hop ends that are not each other',
    withSessions(multiHop()),
    withSessions(multiHop({ neigh_ip: '172.31.101.241', source_ip: '172.31.105.155' })),
    [/nothing in b\.json/, /nothing in a\.json/],
  ],
] as const)('%s', (_what, one, other, expected) => {
  const found = compare(one, other);
  expect(found).toHaveLength(expected.length);
  expected.forEach((pattern, index) => expect(found[index]).toMatch(pattern));
});
