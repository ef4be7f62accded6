/**
 * The keys of the configuration that OpenStack has for itself: how it is reached, and what it moves. As in schema.ts,
 * a key, its default and its sentence are written here and nowhere else.
 */
import {
  absolutePath,
  baseUrl,
  choice,
  hostAddress,
  ipv4Block,
  keys,
  listOf,
  mandatory,
  optional,
  patternText,
  wholeNumber,
  withDefault,
  yesOrNo,
} from './fields';

const uuid = (example: string) =>
  patternText({
    noun: 'id',
    hint: `copy the id from OpenStack, like ${example}`,
    form: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  });

const portNumber = (what: string) =>
  mandatory(wholeNumber({ from: 0, to: 255 }), {
    description: `Number of this router's port that is to hold ${what}: its place in \`cloud.ports\`, or else in the metadata service's list, from 0.`,
  });

const priority = () =>
  withDefault(wholeNumber({ from: 0, to: 1_000_000 }), 100, {
    description: 'What is asked for first: the lower number, then the order of the configuration.',
  });

export const floatingIpEntrySchema = mandatory(
  keys(
    {
      floating_ip: mandatory(hostAddress('203.0.113.10'), {
        description: 'The floating IP, as its address.',
      }),
      instance_intf_number: portNumber('the floating IP'),
      private_ip: optional(hostAddress('10.0.0.11'), {
        description: 'Fixed address of that port to associate it with. Absent: the only IPv4 one.',
      }),
      priority: priority(),
    },
    'write {"floating_ip": ADDRESS, "instance_intf_number": NUMBER OF THE PORT}',
  ),
  { description: 'One floating IP.' },
);

export const extraRouteEntrySchema = mandatory(
  keys(
    {
      router_id: mandatory(uuid('7f3a1c52-0d4e-4b8a-9c61-2e5f7a90b3d4'), {
        description: 'The Neutron router that has the route.',
      }),
      destination: mandatory(ipv4Block('10.9.0.0/16'), { description: 'Destination of the route.' }),
      instance_intf_number: portNumber('the route'),
      next_hop: optional(hostAddress('10.0.0.11'), {
        description: 'Fixed address of that port that the route leads to. Absent: the only IPv4 one.',
      }),
      priority: priority(),
    },
    'write {"router_id": ROUTER, "destination": CIDR BLOCK, "instance_intf_number": NUMBER OF THE PORT}',
  ),
  { description: 'One extra route.' },
);

export const cloudSchema = keys(
  {
    type: mandatory(choice(['openstack']), { description: 'The only other cloud.' }),
    auth_url: mandatory(baseUrl('https://keystone.example:5000/v3'), {
      description: 'URL of Keystone, with its version 3.',
      format: 'uri',
    }),
    credentials_file: mandatory(absolutePath('/app/onbox/openstack-credential.json'), {
      description:
        'File with an application credential, as `openstack application credential create -f json` prints it (`id` and `secret`). It needs the roles `member` and `reader`. Read again whenever a token is renewed.',
    }),
    ca_file: optional(absolutePath('/app/onbox/openstack-ca.pem'), {
      description:
        'Certificates of the authorities to trust for Keystone and Neutron, PEM, in place of the well-known ones. Read once: restart the daemon after a change. Absent: those that Node.js trusts.',
    }),
    network_url: optional(baseUrl('https://neutron.example:9696'), {
      description: 'URL of Neutron, without a version. Absent: as the catalogue of Keystone says.',
      format: 'uri',
    }),
    region: optional(
      patternText({
        noun: 'name',
        hint: 'write the name of the region, like "RegionOne"',
        form: /^[\w.-]{1,255}$/,
      }),
      { description: 'Region whose Neutron is meant. Absent: the catalogue has one only.' },
    ),
    interface: withDefault(choice(['public', 'internal', 'admin']), 'public', {
      description: "Which of the catalogue's endpoints of Neutron is used.",
    }),
    ports: optional(
      listOf(
        mandatory(uuid('5c2e9b10-6a7d-4f31-8e44-d0b1c7f2a9e6'), { description: 'Id of a port.' }),
        "list the ids of this router's ports, or leave the key out",
      ),
      {
        description:
          "Ids of this router's ports; their places in the list, from 0, are what `instance_intf_number` says. Absent: the metadata service lists them (`network_data.json`).",
      },
    ),
    ask_nova: withDefault(yesOrNo(), false, {
      description:
        'Ask Nova how the server is that holds the targets, while no session has been UP for `evidence_hold_s`: what it has seen switched off counts as dead. Needs the right to show servers.',
    }),
    metadata_url: withDefault(baseUrl('http://169.254.169.254'), 'http://169.254.169.254', {
      description: 'Where the metadata service is; not asked where `ports` is given.',
      format: 'uri',
    }),
  },
  'write {"type": "openstack", "auth_url": URL, "credentials_file": PATH}',
);
