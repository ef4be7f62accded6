/** heal.json: the examples are right, and every mistake is named with its place, what is wrong and what to do. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadHealFile, parseHealFile } from '../../src/heal/config/load';

const folder = join(__dirname, '..', '..', 'config', 'heal');
const examples = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'schema.json');

test.each(examples)('the example %s has neither mistake nor warning', (name) => {
  const loaded = loadHealFile(join(folder, name));
  expect(loaded.ok ? loaded.warnings : loaded.report).toEqual([]);
});

type Json = { [key: string]: unknown };
const pair = (): { heal: Json & { identities: Json[]; pairs: Json[] } } =>
  JSON.parse(readFileSync(join(folder, 'pair.json'), 'utf8')) as ReturnType<typeof pair>;

function mistakesOf(change: (heal: ReturnType<typeof pair>['heal']) => void): readonly string[] {
  const document = pair();
  change(document.heal);
  const loaded = parseHealFile(JSON.stringify(document), 'FILE');
  if (loaded.ok) return loaded.warnings;
  const [title, ...lines] = loaded.report.split('\n');
  expect(title).toBe(`FILE has ${lines.length === 1 ? '1 mistake' : `${lines.length} mistakes`}:`);
  return lines.map((line) => line.trim());
}

const first = (heal: { identities: Json[] }): Json => heal.identities[0] ?? {};
const eni = 'eni-0a15e9d47c3f86001';

test.each<[what: string, change: Parameters<typeof mistakesOf>[0], sentences: readonly string[]]>([
  [
    'two mistakes at once',
    (heal) => {
      heal['vpc_id'] = 'vpc-1';
      delete heal['region'];
    },
    [
      'heal.region: missing; write a Region like us-west-2',
      'heal.vpc_id: "vpc-1" is not an id like vpc-0123456789abcdef0; copy it from EC2',
    ],
  ],
  [
    'an unknown key',
    (heal) => (first(heal)['reboot_after_atach'] = true),
    ['heal.identities[0].reboot_after_atach: unknown key; did you mean "reboot_after_attach"?'],
  ],
  [
    'a key of another place',
    (heal) => (heal['volumes'] = []),
    ['heal.volumes: this key does not belong here; move it to heal.identities[]'],
  ],
  [
    'one group for two identities',
    (heal) => (first(heal)['auto_scaling_group'] = 'rtr2'),
    [
      'heal.identities[1].auto_scaling_group: the same as in heal.identities[0].auto_scaling_group; each needs its own',
    ],
  ],
  [
    'neither id nor tag',
    (heal) => (first(heal)['volumes'] = [{ device: '/dev/sdf' }]),
    ['heal.identities[0].volumes[0].volume_id: missing; write "volume_id" or "volume_tag"'],
  ],
  [
    'both id and tag',
    (heal) =>
      (first(heal)['volumes'] = [
        { volume_id: 'vol-0123456789abcdef0', volume_tag: { key: 'a', value: 'b' }, device: '/dev/sdf' },
      ]),
    ['heal.identities[0].volumes[0].volume_tag: beside "volume_id"; keep one of the two'],
  ],
  [
    'an interface of two identities',
    (heal) =>
      (first(heal)['network_interfaces'] = [
        { network_interface_id: 'eni-0a15e9d47c3f86003', device_index: 1 },
      ]),
    [
      'heal.identities[1].network_interfaces[0]: the same as in heal.identities[0].network_interfaces[0]; each needs its own',
    ],
  ],
  [
    'two interfaces in one place',
    (heal) =>
      (first(heal)['network_interfaces'] = [
        { network_interface_id: eni, device_index: 1 },
        { network_interface_tag: { key: 'a', value: 'b' }, device_index: 1 },
      ]),
    [
      'heal.identities[0].network_interfaces[1].device_index: the same as in heal.identities[0].network_interfaces[0].device_index; each needs its own',
    ],
  ],
  [
    'the primary interface',
    (heal) => (first(heal)['network_interfaces'] = [{ network_interface_id: eni, device_index: 0 }]),
    [
      'heal.identities[0].network_interfaces[0].device_index: 0 is out of range; write a whole number from 1 to 255',
    ],
  ],
  [
    'what the daemons move',
    (heal) => {
      const route = { route_table_id: 'rtb-0123456789abcdef0', destination: '10.9.0.0/16' };
      first(heal)['routes'] = [{ ...route, destination: '10.9.1.1/16' }];
      heal.pairs = [{ name: 'edge', members: ['rtr1', 'rtr2'], floating: { routes: [route] } }];
    },
    ['heal.identities[0].routes[0]: the daemons move it (heal.pairs[0].floating.routes[0]); remove it here'],
  ],
  [
    'a member that is no identity, and a third one',
    (heal) => ((heal.pairs[0] ?? {})['members'] = ['rtr1', 'rtr3', 'rtr2']),
    ['heal.pairs[0].members[1]: no identity is called "rtr3"', 'heal.pairs[0].members: 3 names; write two'],
  ],
  [
    'an identity that is paired with itself',
    (heal) => ((heal.pairs[0] ?? {})['members'] = ['rtr1', 'rtr1']),
    ['heal.pairs[0].members[1]: the same as in heal.pairs[0].members[0]; each needs its own'],
  ],
  [
    'nothing that floats',
    (heal) => ((heal.pairs[0] ?? {})['floating'] = {}),
    [
      'heal.pairs[0].floating: is empty; name what the daemons move: by it the healer sees which router is ACTIVE',
    ],
  ],
  [
    'a proof with keys of another one',
    (heal) => (first(heal)['proofs'] = [{ type: 'instance_status', port: 80 }, { type: 'bfd' }]),
    [
      'heal.identities[0].proofs[0].port: does not belong to "instance_status"; remove it',
      'heal.identities[0].proofs[1].peer_status_url: missing; a proof of type "bfd" needs it',
    ],
  ],
  [
    'a healing that is shorter than the reboot',
    (heal) => Object.assign(first(heal), { reboot_after_attach: true, restart_s: 600, heal_within_s: 900 }),
    [
      'heal.identities[0].heal_within_s: 900 s is too short: a guest that reboots counts only 600 s (restart_s) after it; write 1200 or more',
    ],
  ],
  [
    'a lease that is shorter than the writes under it',
    (heal) => Object.assign(heal, { lease_s: 30, api_timeout_s: 5 }),
    [
      'heal.lease_s: 30 s is too short: a write of 5 s (api_timeout_s) that is seen 10 s later (staleness_s) has to fit into it; write 45 or more',
    ],
  ],
  [
    'a wildcard in a tag',
    (heal) => (first(heal)['volumes'] = [{ volume_tag: { key: 'a', value: 'b*' }, device: '/dev/sdf' }]),
    [
      'heal.identities[0].volumes[0].volume_tag.value: "b*" holds a wildcard or a control character; give it another tag',
    ],
  ],
  [
    'warned of: an http endpoint, and nobody who is told',
    (heal) => {
      heal['ec2_endpoint_url'] = 'http://127.0.0.1:9000';
      delete heal['topic_arn'];
    },
    [
      'heal.ec2_endpoint_url: http is not encrypted; use it in a lab only and https:// with AWS',
      'heal.topic_arn: missing; nobody is told of alarms but who reads the log',
    ],
  ],
])('%s', (_what, change, sentences) => {
  expect(mistakesOf(change)).toEqual(sentences);
});

test('a file that is none', () => {
  const loaded = parseHealFile('', 'FILE');
  expect(loaded).toEqual({
    ok: false,
    report:
      'FILE: is empty; write it as {"heal": {...}}, see the examples pair.json and nat.json in config/heal',
  });
  expect(loadHealFile('/nowhere/heal.json').ok).toBe(false);
});
