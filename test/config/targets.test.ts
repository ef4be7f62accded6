// What the actions of a configuration become: ids, canonical values, the order of both routers, and the mistakes.
import { isLinkLocal, notAnIpv6Host } from '../../src/config/ipv6';
import { parseConfig } from '../../src/config/load';
import type { AwsTarget } from '../../src/aws/description';
import { configWith, mistakesOf, textOf } from './documents';
import { inAws } from '../support/inAws';

const table = 'rtb-0a1b2c3d4e5f60718';
const other = 'rtb-0a1b2c3d4e5f60719';
const allocation = 'eipalloc-0a1b2c3d4e5f60718';

const route = (change: object = {}) => ({
  route_table_id: table,
  destination: '10.9.0.0/16',
  instance_intf_number: 2,
  ...change,
});
const routes = (...route_list: readonly object[]) => ({
  method: 'route_table_shift',
  method_params: { route_list },
});
const elasticIps = (...eip_list: readonly object[]) => ({
  method: 'elastic_ip_shift',
  method_params: { eip_list },
});
const addresses = (...secondary_ips: readonly string[]) => ({
  method: 'secondary_ip_shift',
  method_params: {
    intf_list: secondary_ips.map((secondary_ip) => ({ secondary_ip, instance_intf_number: 1 })),
  },
});

function targetsOf(...actions: readonly object[]): readonly AwsTarget[] {
  const loaded = parseConfig(textOf(configWith({ action: undefined, actions })), 'FILE');
  if (!loaded.ok) throw new Error(loaded.report);
  return inAws(loaded.settings).whole.targets;
}

const mistakesIn = (change: object) => mistakesOf(textOf(configWith({ ...change })));

test('several actions: one canonical order, whatever that of the configuration', () => {
  const actions = [
    elasticIps({ allocation_id: allocation, instance_intf_number: 2 }),
    routes(route(), route({ destination: '10.10.0.0/16' })),
    addresses('2001:db8::a', '172.31.9.1', '2001:db8::9', '9.0.0.1'),
  ];
  const ids = [
    '9.0.0.1',
    '172.31.9.1',
    '2001:db8::9',
    '2001:db8::a',
    `10.10.0.0/16 in ${table}`,
    `10.9.0.0/16 in ${table}`,
    allocation,
  ];
  expect(targetsOf(...actions).map(({ id }) => id)).toEqual(ids);
  expect(targetsOf(...actions.toReversed()).map(({ id }) => id)).toEqual(ids);
});

test('a lower priority is moved first, and then what comes first in the configuration', () => {
  const targets = targetsOf(
    routes(
      route(),
      route({ destination: '10.8.0.0/16', priority: 5 }),
      route({ destination: '10.7.0.0/16' }),
    ),
    elasticIps({ allocation_id: allocation, instance_intf_number: 2, priority: 6 }),
  );
  const byRank = [...targets].sort((a, b) => a.rank - b.rank);
  expect(byRank.map(({ id }) => id.split(' ')[0])).toEqual([
    '10.8.0.0/16',
    allocation,
    '10.9.0.0/16',
    '10.7.0.0/16',
  ]);
});

test.each([
  ['10.9.3.7/16', 'ipv4', '10.9.0.0/16'],
  ['100.68.0.18/18', 'ipv4', '100.68.0.0/18'],
  ['0.0.0.0/0', 'ipv4', '0.0.0.0/0'],
  ['192.0.2.1/32', 'ipv4', '192.0.2.1/32'],
  ['2001:DB8:9:0::1/48', 'ipv6', '2001:db8:9::/48'],
  ['2001:db8:ffff::/33', 'ipv6', '2001:db8:8000::/33'],
  ['::/0', 'ipv6', '::/0'],
  ['pl-0a1b2c3d4e5f60718', 'prefixList', 'pl-0a1b2c3d4e5f60718'],
])('the destination %s is %s %s for EC2', (destination, kind, value) => {
  expect(targetsOf(routes(route({ destination })))).toMatchObject([{ destination: { kind, value } }]);
});

test('a table by its tag, a card, a private address', () => {
  const tag = { key: 'ha', value: 'north' };
  const targets = targetsOf(
    routes(route({ route_table_id: undefined, route_table_tag: tag, instance_card_number: 1 })),
    elasticIps({ allocation_id: allocation, instance_intf_number: 2, private_ip: '172.31.9.5' }),
  );
  expect(targets).toMatchObject([
    {
      id: '10.9.0.0/16 in the table tagged ha=north',
      routeTable: { tag },
      networkCardIndex: 1,
      deviceIndex: 2,
    },
    { kind: 'elasticIp', privateAddress: '172.31.9.5', networkCardIndex: 0 },
  ]);
});

const at = (path: string) => `config.action.method_params.${path}`;

test.each<[what: string, change: object, mistakes: readonly string[]]>([
  [
    'action and actions',
    { actions: [addresses('172.31.105.11')] },
    ['config.actions: there is an "action" too; put that one into this list and remove it'],
  ],
  [
    'the list of another method',
    { action: { method: 'elastic_ip_shift', method_params: { route_list: [route()] } } },
    [
      `${at('eip_list')}: missing; list the Elastic IPs, each as {"allocation_id": ..., "instance_intf_number": ...}`,
      `${at('route_list')}: does not belong to the method "elastic_ip_shift"; write an action of its own for it, in "actions"`,
    ],
  ],
  [
    'a route without a table',
    { action: routes(route({ route_table_id: undefined })) },
    [
      `${at('route_list[0].route_table_id')}: missing; write the id of the route table, or the tag that it has (route_table_tag)`,
    ],
  ],
  [
    'a route with two',
    { action: routes(route({ route_table_tag: { key: 'a', value: 'b' } })) },
    [`${at('route_list[0].route_table_tag')}: there is a route_table_id too; keep one of the two`],
  ],
  [
    'the same route twice, written differently',
    { action: routes(route(), route({ route_table_id: other }), route({ destination: '10.9.1.0/16' })) },
    [
      `${at('route_list[2].destination')}: 10.9.0.0/16 in ${table} is in the list already, at ${at('route_list[0]')}; remove one of the two`,
    ],
  ],
  [
    'the same address in two actions',
    { action: undefined, actions: [addresses('2001:db8::1'), addresses('2001:DB8:0::1')] },
    [
      'config.actions[1].method_params.intf_list[0].secondary_ip: 2001:db8::1 is in the list already, at config.actions[0].method_params.intf_list[0]; remove one of the two',
    ],
  ],
  [
    'no destination',
    { action: routes(route({ destination: '10.9.0.0/33' })) },
    [
      `${at('route_list[0].destination')}: "10.9.0.0/33" is no destination of a route; write a CIDR block like 10.9.0.0/16 or 2001:db8:9::/48, or the id of a prefix list, pl-...`,
    ],
  ],
  [
    'a tag that EC2 reads as a pattern',
    {
      action: routes(route({ route_table_id: undefined, route_table_tag: { key: 'ha', value: 'north*' } })),
    },
    [
      `${at('route_list[0].route_table_tag.value')}: "north*" holds a wildcard or a control character; give it another tag`,
    ],
  ],
  [
    'no allocation',
    { action: elasticIps({ allocation_id: '203.0.113.9', instance_intf_number: 1 }) },
    [
      `${at('eip_list[0].allocation_id')}: "203.0.113.9" is not an id like eipalloc-0123456789abcdef0; copy it from EC2`,
    ],
  ],
])('mistake: %s', (_what, change, mistakes) => {
  expect(mistakesIn(change)).toEqual(mistakes);
});

test.each([
  ['ff02::1', 'a multicast address', false],
  ['ff:0:a0::1', null, false],
  ['fe80::1', null, true],
  ['febf::1', null, true],
  ['fe8::1', null, false],
])('%s: the first group is told by all four of its digits', (address, notAHost, linkLocal) => {
  expect([notAnIpv6Host(address), isLinkLocal(address)]).toEqual([notAHost, linkLocal]);
});
