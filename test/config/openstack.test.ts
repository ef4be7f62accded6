/** Configurations whose targets are in OpenStack. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig, parseConfig } from '../../src/config/load';
import { pairMistakes } from '../../src/config/pair';
import { OPENSTACK } from '../../src/openstack/description';
import { configWith, mistakesOf, textOf } from './documents';

const examples = join(__dirname, '..', '..', 'config', 'openstack');

const CLOUD = {
  type: 'openstack',
  auth_url: 'https://keystone.example:5000/v3/',
  credentials_file: '/app/onbox/credential.json',
};
const ROUTER = '7f3a1c52-0d4e-4b8a-9c61-2e5f7a90b3d4';

const written = (change: object) =>
  textOf(configWith({ ec2_private_endpoint_url: undefined, action: undefined, cloud: CLOUD, ...change }));

const mistakesIn = (change: object) => mistakesOf(written(change));

test('the examples load, with no other warning than that multi-hop is unproven, each is one of a pair, and they have every kind of target', () => {
  const kinds = new Map<string, Set<string>>();
  const files = readdirSync(examples).filter((file) => file.endsWith('-rtr1.json'));
  for (const file of files) {
    const sides = [file, file.replace('-rtr1', '-rtr2')].map((name) => {
      const loaded = loadConfig(join(examples, name));
      if (!loaded.ok) throw new Error(loaded.report);
      expect(
        loaded.settings.warnings.filter((warning) => !/multi-hop BFD .* is unproven/.test(warning)),
      ).toEqual([]);
      const { cloud } = loaded.settings;
      kinds.set(
        cloud.type,
        new Set([...(kinds.get(cloud.type) ?? []), ...cloud.whole.targets.map(({ kind }) => kind)]),
      );
      return { name, config: loaded.effective.config };
    });
    const [one, other] = sides;
    if (one === undefined || other === undefined) throw new Error('two files');
    expect([file, pairMistakes(one, other)]).toEqual([file, []]);
  }
  expect(kinds).toEqual(new Map([['openstack', new Set(Object.keys(OPENSTACK.kinds))]]));
});

test('each kind of target becomes one of the plan, and the cloud is Neutron', () => {
  const loaded = parseConfig(
    written({
      actions: [
        {
          method: 'secondary_ip_shift',
          method_params: { intf_list: [{ secondary_ip: '10.0.0.100', instance_intf_number: 1 }] },
        },
        {
          method: 'extra_route_shift',
          method_params: {
            extra_route_list: [
              {
                router_id: ROUTER,
                destination: '10.9.1.7/16',
                instance_intf_number: 0,
                next_hop: '10.0.0.11',
              },
            ],
          },
        },
      ],
    }),
    'FILE',
  );
  if (!loaded.ok) throw new Error(loaded.report);
  const { cloud, whole } = loaded.settings;
  expect(whole.cloud).toBe(OPENSTACK);
  expect(cloud).toMatchObject({
    type: 'openstack',
    openstack: {
      authUrl: 'https://keystone.example:5000/v3',
      networkUrl: null,
      visibility: 'public',
      metadataUrl: 'http://169.254.169.254',
      ports: null,
    },
    whole: {
      targets: [
        { kind: 'fixedAddress', id: '10.0.0.100', address: '10.0.0.100', deviceIndex: 1 },
        {
          kind: 'extraRoute',
          id: `10.9.0.0/16 in ${ROUTER}`,
          routerId: ROUTER,
          destination: '10.9.0.0/16',
          nextHop: '10.0.0.11',
        },
      ],
    },
  });
});

test('keys that only EC2 gives a meaning are warned about', () => {
  const only = { hedge_ms: 500, take_from_running_after_s: 60 };
  const loaded = parseConfig(written({ action: shift, ...only }), 'FILE');
  if (!loaded.ok) throw new Error(loaded.report);
  expect(loaded.settings.warnings).toEqual(
    Object.keys(only).map(
      (key) => `config.${key}: not used with "cloud" (docs/openstack.md says why); remove it`,
    ),
  );
});

const floating = { floating_ip: '203.0.113.10', instance_intf_number: 0 };
const shift = { method: 'floating_ip_shift', method_params: { floating_ip_list: [floating] } };

test.each([
  [
    'both clouds',
    { action: shift, ec2_private_endpoint_url: 'https://ec2.example.com' },
    'config.ec2_private_endpoint_url: beside "cloud"; a pair has its targets in one cloud: keep one of the two',
  ],
  [
    'a method of AWS',
    {
      action: {
        method: 'elastic_ip_shift',
        method_params: {
          eip_list: [{ allocation_id: 'eipalloc-0123456789abcdef0', instance_intf_number: 1 }],
        },
      },
    },
    'config.action.method: "elastic_ip_shift" is not there in OpenStack; write "floating_ip_shift", "extra_route_shift" or "secondary_ip_shift"',
  ],
  [
    'a method of OpenStack in AWS',
    { cloud: undefined, ec2_private_endpoint_url: 'https://ec2.example.com', action: shift },
    'config.action.method: "floating_ip_shift" is not there in AWS; write "cloud" for OpenStack, or a method of AWS',
  ],
  [
    'a list of another method',
    {
      action: {
        method: 'floating_ip_shift',
        method_params: {
          floating_ip_list: [floating],
          eip_list: [{ allocation_id: 'eipalloc-0123456789abcdef0', instance_intf_number: 1 }],
        },
      },
    },
    'config.action.method_params.eip_list: does not belong to the method "floating_ip_shift"; write an action of its own for it, in "actions"',
  ],
  [
    'the same floating IP twice',
    { action: { method: 'floating_ip_shift', method_params: { floating_ip_list: [floating, floating] } } },
    'config.action.method_params.floating_ip_list[1].floating_ip: 203.0.113.10 is in the list already, at config.action.method_params.floating_ip_list[0]; remove one of the two',
  ],
  [
    'a secret in a URL',
    { action: shift, cloud: { ...CLOUD, auth_url: 'https://user:secret@keystone.example/v3' } },
    'config.cloud.auth_url: holds a user name or password; leave them out',
  ],
  [
    'a port that is no id',
    { action: shift, cloud: { ...CLOUD, ports: ['eth0'] } },
    'config.cloud.ports[0]: "eth0" is not a valid id; copy the id from OpenStack, like 5c2e9b10-6a7d-4f31-8e44-d0b1c7f2a9e6',
  ],
])('%s is one mistake, which is named', (_what, change, mistake) => {
  expect(mistakesIn(change)).toEqual([mistake]);
});
