/**
 * heal.json, key by key: what belongs to each identity, and how the healer works. The only place where a key, its
 * default, its range, its unit and its sentence are written; the reference in config/heal is generated from here with
 * `npm run docs`. Rules that span keys are in rules.ts.
 */
import type { z } from 'zod';
import {
  anyText,
  choice,
  decimal,
  ec2Id,
  givenName,
  hostAddress,
  hostAddressOfEitherFamily,
  keys,
  listOf,
  mandatory,
  optional,
  patternText,
  routeDestination,
  serviceUrl,
  tagText,
  wholeNumber,
  withDefault,
  yesOrNo,
} from '../../config/fields';

const seconds = (from: number, to: number) => decimal({ from, to, unit: 's' });

const tagSchema = (of: string) =>
  optional(
    keys(
      {
        key: mandatory(tagText(128), { description: 'Key of the tag.' }),
        value: mandatory(tagText(256), { description: 'Its value.' }),
      },
      'write {"key": KEY, "value": VALUE}',
    ),
    {
      description: `In place of the id: the tag that one ${of} of the VPC has. More than one match is refused, and nothing is touched.`,
    },
  );

const deviceIndex = (what: string) =>
  withDefault(wholeNumber({ from: 0, to: 255 }), 0, {
    description: `Device index of the instance's interface that ${what}.`,
  });
const cardIndex = () =>
  withDefault(wholeNumber({ from: 0, to: 15 }), 0, {
    description: 'Network card of that interface; only large instance types have more than card 0.',
  });

export const networkInterfaceSchema = mandatory(
  keys(
    {
      network_interface_id: optional(ec2Id('eni', 'eni-0123456789abcdef0'), {
        description: 'The interface.',
      }),
      network_interface_tag: tagSchema('network interface'),
      device_index: mandatory(wholeNumber({ from: 1, to: 255 }), {
        description: 'Where it is attached. Index 0 is made with the instance and never moves.',
      }),
      card_index: cardIndex(),
      private_ips: optional(
        listOf(
          mandatory(hostAddress('10.0.1.10'), { description: 'One private address.' }),
          'list private addresses, or leave the key out',
        ),
        {
          description:
            'Private addresses that the interface has to have. One that is missing is assigned, never taken from another interface.',
        },
      ),
    },
    'write {"network_interface_id": INTERFACE, "device_index": DEVICE INDEX}',
  ),
  { description: 'One network interface that outlives the instance.' },
);

export const volumeSchema = mandatory(
  keys(
    {
      volume_id: optional(ec2Id('vol', 'vol-0123456789abcdef0'), { description: 'The volume.' }),
      volume_tag: tagSchema('volume'),
      device: mandatory(
        patternText({
          noun: 'device name',
          hint: 'write a device name like /dev/sdf',
          form: /^(\/dev\/)?(sd[a-z]|xvd[a-z]{1,2})(\d{1,2})?$/,
        }),
        { description: 'Name under which it is attached.' },
      ),
    },
    'write {"volume_id": VOLUME, "device": "/dev/sdf"}',
  ),
  { description: 'One EBS volume that outlives the instance.' },
);

export const elasticIpSchema = mandatory(
  keys(
    {
      allocation_id: mandatory(ec2Id('eipalloc', 'eipalloc-0123456789abcdef0'), {
        description: 'Allocation of the Elastic IP.',
      }),
      device_index: deviceIndex('it is associated with'),
      card_index: cardIndex(),
      private_ip: optional(hostAddress('10.0.1.10'), {
        description: 'Private address of that interface to associate it with. Absent: the primary one.',
      }),
    },
    'write {"allocation_id": ALLOCATION, "device_index": DEVICE INDEX}',
  ),
  { description: 'One Elastic IP.' },
);

export const routeSchema = mandatory(
  keys(
    {
      route_table_id: optional(ec2Id('rtb', 'rtb-0123456789abcdef0'), { description: 'The route table.' }),
      route_table_tag: tagSchema('route table'),
      destination: mandatory(routeDestination('0.0.0.0/0'), {
        description: 'Destination of the route: an IPv4 or IPv6 CIDR block, or a prefix list.',
      }),
      device_index: deviceIndex('the route leads to'),
      card_index: cardIndex(),
    },
    'write {"route_table_id": TABLE, "destination": CIDR BLOCK, "device_index": DEVICE INDEX}',
  ),
  { description: 'One route.' },
);

export const proofTypes = ['instance_status', 'application_status', 'http', 'bfd'] as const;

export const proofSchema = mandatory(
  keys(
    {
      type: mandatory(choice(proofTypes), {
        description:
          "`instance_status`: EC2's status checks are ok. `application_status`: EC2's application status checks are ok. `http`: the guest answers with 200 to 299. `bfd`: the daemon of the peer router says that it is ready, which it is only with its BFD sessions to this router UP.",
      }),
      port: optional(wholeNumber({ from: 1, to: 65_535 }), {
        description: 'For `http`: the port of the guest. Absent: 80.',
      }),
      path: optional(
        patternText({
          noun: 'path',
          hint: 'write a path like /livez',
          form: /^\/[\x21-\x7e]{0,1023}$/,
        }),
        { description: 'For `http`: the path. Absent: /.' },
      ),
      device_index: optional(wholeNumber({ from: 0, to: 255 }), {
        description:
          'For `http`: the device index of the interface whose primary address is asked. Absent: 0.',
      }),
      peer_status_url: optional(serviceUrl('http://172.31.101.101:9464'), {
        description:
          'For `bfd`: the status endpoint of the daemon on the peer router; its `/readyz` is asked.',
      }),
    },
    'write {"type": "instance_status"}',
  ),
  { description: 'One proof that the guest forwards.' },
);

const hookName = patternText({
  noun: 'name',
  hint: 'write the name of a lifecycle hook like heal-launch',
  form: /^[A-Za-z0-9\-_/]{1,255}$/,
});

export const identitySchema = mandatory(
  keys(
    {
      name: mandatory(givenName('rtr1'), { description: 'What messages and `pairs` call it.' }),
      auto_scaling_group: mandatory(
        patternText({
          noun: 'name',
          hint: 'write the name of an Auto Scaling group like rtr1',
          form: /^[^\p{C}:]{1,255}$/u,
        }),
        { description: 'The Auto Scaling group that brings its instance. It is to have one at a time.' },
      ),
      launch_hook: withDefault(hookName, 'heal-launch', {
        description: 'The lifecycle hook of the group that holds a new instance until it is healed.',
      }),
      terminate_hook: withDefault(hookName, 'heal-terminate', {
        description: 'The lifecycle hook of the group that holds an instance that is to be terminated.',
      }),
      network_interfaces: optional(
        listOf(networkInterfaceSchema, 'list the network interfaces, or leave the key out'),
        { description: 'Network interfaces that every new instance gets.' },
      ),
      volumes: optional(listOf(volumeSchema, 'list the volumes, or leave the key out'), {
        description: 'EBS volumes that every new instance gets.',
      }),
      elastic_ips: optional(listOf(elasticIpSchema, 'list the Elastic IPs, or leave the key out'), {
        description: 'Elastic IPs that lead to the instance. Not those that the daemon moves.',
      }),
      routes: optional(listOf(routeSchema, 'list the routes, or leave the key out'), {
        description: 'Routes that lead to the instance. Not those that the daemon moves.',
      }),
      source_dest_check: withDefault(choice(['disable', 'leave']), 'disable', {
        description:
          "EC2's source/destination check of all interfaces of the instance: switch it off, as everything that forwards needs, or leave it as it is.",
      }),
      reboot_after_attach: withDefault(yesOrNo(), false, {
        description:
          'Whether the guest sees an interface that was attached while it ran only after a reboot, as vSRX and vMX do. An instance that is in service is never rebooted.',
      }),
      restart_s: withDefault(seconds(0, 3600), 60, {
        description: 'A proof counts only when it was given this long after the reboot or later.',
      }),
      proofs: withDefault(
        listOf(proofSchema, 'list what proves that the guest forwards'),
        [{ type: 'instance_status' }],
        {
          description:
            'What proves that the guest forwards: all of them. Elastic IPs and routes move only after it.',
        },
      ),
      heal_within_s: withDefault(seconds(60, 172_800), 900, {
        description:
          'How long a healing may take, from the launch of the instance; then an alarm, and a launch that still waits is abandoned.',
      }),
    },
    'write {"name": NAME, "auto_scaling_group": GROUP}',
  ),
  { description: 'One identity: what stays the same while its instances come and go.' },
);

const floatingRouteSchema = mandatory(
  keys(
    {
      route_table_id: optional(ec2Id('rtb', 'rtb-0123456789abcdef0'), { description: 'The route table.' }),
      route_table_tag: tagSchema('route table'),
      destination: mandatory(routeDestination('10.9.0.0/16'), {
        description: 'Destination of the route.',
      }),
    },
    'write {"route_table_id": TABLE, "destination": CIDR BLOCK}',
  ),
  { description: 'One route that the daemons move.' },
);

const floatingSchema = keys(
  {
    private_ips: optional(
      listOf(
        mandatory(hostAddressOfEitherFamily('172.31.101.10'), { description: 'One floating address.' }),
        'list the floating addresses, or leave the key out',
      ),
      { description: 'Floating addresses, IPv4 or IPv6.' },
    ),
    routes: optional(listOf(floatingRouteSchema, 'list the floating routes, or leave the key out'), {
      description: 'Floating routes.',
    }),
    elastic_ips: optional(
      listOf(
        mandatory(ec2Id('eipalloc', 'eipalloc-0123456789abcdef0'), { description: 'One allocation.' }),
        'list the allocations of the floating Elastic IPs, or leave the key out',
      ),
      { description: 'Allocations of floating Elastic IPs.' },
    ),
  },
  'write {"private_ips": [...]}, or "routes", or "elastic_ips"',
);

export const pairSchema = mandatory(
  keys(
    {
      name: mandatory(givenName('edge'), { description: 'What messages call the pair.' }),
      members: mandatory(
        listOf(
          mandatory(givenName('rtr1'), { description: 'Name of an identity.' }),
          'list the names of two identities',
        ),
        { description: 'The two identities.' },
      ),
      floating: mandatory(floatingSchema, {
        description:
          'What the daemons of the two routers move. The healer only reads who has it: that router is ACTIVE, and its group may not terminate it before the other one has taken over.',
      }),
    },
    'write {"name": NAME, "members": [NAME, NAME], "floating": {...}}',
  ),
  { description: 'Two identities that stand in for each other.' },
);

export const healSchema = keys(
  {
    region: mandatory(
      patternText({
        noun: 'Region',
        hint: 'write a Region like us-west-2',
        form: /^[a-z]{2,5}(-[a-z]+){1,3}-\d{1,2}$/,
      }),
      { description: 'Region of everything that is named here.' },
    ),
    vpc_id: mandatory(ec2Id('vpc', 'vpc-0123456789abcdef0'), {
      description: 'The VPC. What is in another one is never looked at.',
    }),
    ec2_endpoint_url: optional(serviceUrl('https://ec2.us-west-2.amazonaws.com'), {
      description: "Endpoint of EC2. Absent: the Region's public one.",
    }),
    autoscaling_endpoint_url: optional(serviceUrl('https://autoscaling.us-west-2.amazonaws.com'), {
      description: "Endpoint of Auto Scaling. Absent: the Region's public one.",
    }),
    sns_endpoint_url: optional(serviceUrl('https://sns.us-west-2.amazonaws.com'), {
      description: "Endpoint of SNS. Absent: the Region's public one.",
    }),
    topic_arn: optional(
      patternText({
        noun: 'ARN',
        hint: 'write the ARN of a topic like arn:aws:sns:us-west-2:123456789012:healing',
        form: /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/,
      }),
      {
        description: 'SNS topic that is told of each beginning, end and alarm. Absent: only the log is told.',
      },
    ),
    sweep_s: withDefault(seconds(1, 3600), 60, {
      description: 'How often `heal --watch` looks while nothing has to be done.',
    }),
    api_timeout_s: withDefault(seconds(0.1, 60), 5, { description: 'How long an answer of AWS may take.' }),
    staleness_s: withDefault(seconds(0, 120), 10, {
      description: 'How old a reading of AWS may be that was answered just now.',
    }),
    lease_s: withDefault(seconds(30, 3600), 300, {
      description:
        'How long the right to write for an identity lasts, which a tag of its Auto Scaling group keeps; a healer that dies is followed by another one after it.',
    }),
    identities: mandatory(listOf(identitySchema, 'list the identities'), {
      description: 'The identities.',
    }),
    pairs: optional(listOf(pairSchema, 'list the pairs, or leave the key out'), {
      description: 'The pairs of routers among them.',
    }),
  },
  'write an object with the keys "region", "vpc_id" and "identities"',
);

export const healDocumentSchema = keys(
  {
    $schema: optional(anyText('write the place of schema.json, or leave the key out'), {
      description: 'For editors: where schema.json is. The healer does not read it.',
    }),
    heal: mandatory(healSchema, { description: 'What to heal, and how.' }),
  },
  'write {"heal": {...}}',
);

/** heal.json with defaults filled in. */
export type HealConfig = z.output<typeof healSchema>;
