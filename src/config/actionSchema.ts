/** What a takeover moves: the `action` of config.json, with the lists of targets that its methods have. */
import {
  choice,
  ec2Id,
  hostAddress,
  hostAddressOfEitherFamily,
  keys,
  listOf,
  mandatory,
  optional,
  routeDestination,
  tagText,
  wholeNumber,
  withDefault,
} from './fields';
import { extraRouteEntrySchema, floatingIpEntrySchema } from './openstackSchema';

const deviceIndex = (what: string) =>
  mandatory(wholeNumber({ from: 0, to: 255 }), {
    description: `Device index, as EC2 counts it, of this router's interface that is to hold ${what}; it differs between the routers where their interfaces do.`,
    dropIn: true,
  });
const cardIndex = () =>
  withDefault(wholeNumber({ from: 0, to: 15 }), 0, {
    description: 'Network card of that interface; only large instance types have more than card 0.',
  });
const priority = () =>
  withDefault(wholeNumber({ from: 0, to: 1_000_000 }), 100, {
    description:
      'What is moved first where EC2 does not take all requests at once: the lower number, then the order of the configuration.',
  });

export const interfaceEntrySchema = mandatory(
  keys(
    {
      secondary_ip: mandatory(hostAddressOfEitherFamily('172.31.105.10'), {
        description:
          'The floating address: a secondary private address, or an IPv6 address, of the interface on the active router.',
        dropIn: true,
      }),
      instance_intf_number: deviceIndex('the address'),
      instance_card_number: cardIndex(),
      priority: priority(),
    },
    'write {"secondary_ip": ADDRESS, "instance_intf_number": DEVICE INDEX}',
  ),
  { description: 'One floating address.' },
);

const tagSchema = keys(
  {
    key: mandatory(tagText(128), { description: 'Key of the tag.' }),
    value: mandatory(tagText(256), { description: 'Its value.' }),
  },
  'write {"key": KEY, "value": VALUE}',
);

export const routeEntrySchema = mandatory(
  keys(
    {
      route_table_id: optional(ec2Id('rtb', 'rtb-0123456789abcdef0'), { description: 'The route table.' }),
      route_table_tag: optional(tagSchema, {
        description:
          'In place of `route_table_id`: the tag that one route table of the VPC has. Write tables the same way on both routers.',
      }),
      destination: mandatory(routeDestination('10.9.0.0/16'), {
        description: 'Destination of the route: an IPv4 or IPv6 CIDR block, or a prefix list.',
      }),
      instance_intf_number: deviceIndex('the route'),
      instance_card_number: cardIndex(),
      priority: priority(),
    },
    'write {"route_table_id": TABLE, "destination": CIDR BLOCK, "instance_intf_number": DEVICE INDEX}',
  ),
  { description: 'One floating route.' },
);

export const elasticIpEntrySchema = mandatory(
  keys(
    {
      allocation_id: mandatory(ec2Id('eipalloc', 'eipalloc-0123456789abcdef0'), {
        description: 'Allocation of the Elastic IP.',
      }),
      instance_intf_number: deviceIndex('the Elastic IP'),
      instance_card_number: cardIndex(),
      private_ip: optional(hostAddress('172.31.105.154'), {
        description: 'Private address of that interface to associate it with. Absent: the primary one.',
      }),
      priority: priority(),
    },
    'write {"allocation_id": ALLOCATION, "instance_intf_number": DEVICE INDEX}',
  ),
  { description: 'One floating Elastic IP.' },
);

export const methods = [
  'secondary_ip_shift',
  'route_table_shift',
  'elastic_ip_shift',
  'floating_ip_shift',
  'extra_route_shift',
] as const;

export const actionHint = 'write {"method": "secondary_ip_shift", "method_params": {"intf_list": [...]}}';

export const listHints = {
  intf_list: 'list the floating addresses, each as {"secondary_ip": ..., "instance_intf_number": ...}',
  route_list:
    'list the routes, each as {"route_table_id": ..., "destination": ..., "instance_intf_number": ...}',
  eip_list: 'list the Elastic IPs, each as {"allocation_id": ..., "instance_intf_number": ...}',
  floating_ip_list: 'list the floating IPs, each as {"floating_ip": ..., "instance_intf_number": ...}',
  extra_route_list:
    'list the routes, each as {"router_id": ..., "destination": ..., "instance_intf_number": ...}',
} as const;

export const actionSchema = mandatory(
  keys(
    {
      method: mandatory(choice(methods), {
        description:
          'What a takeover does: move private addresses, routes or Elastic IPs to this router; in OpenStack, fixed addresses (`secondary_ip_shift`), floating IPs or extra routes.',
        dropIn: true,
      }),
      method_params: mandatory(
        keys(
          {
            intf_list: optional(listOf(interfaceEntrySchema, listHints.intf_list), {
              description:
                'For `secondary_ip_shift`: the floating addresses and where they belong on this router.',
              dropIn: true,
            }),
            route_list: optional(listOf(routeEntrySchema, listHints.route_list), {
              description: 'For `route_table_shift`: the routes and the interfaces that they lead to.',
            }),
            eip_list: optional(listOf(elasticIpEntrySchema, listHints.eip_list), {
              description: 'For `elastic_ip_shift`: the Elastic IPs and where they belong on this router.',
            }),
            floating_ip_list: optional(listOf(floatingIpEntrySchema, listHints.floating_ip_list), {
              description: 'For `floating_ip_shift`: the floating IPs and where they belong on this router.',
            }),
            extra_route_list: optional(listOf(extraRouteEntrySchema, listHints.extra_route_list), {
              description: 'For `extra_route_shift`: the routes of Neutron routers and where they lead.',
            }),
          },
          'write {"intf_list": [...]}',
        ),
        { description: 'The parameters of the method: its list.', dropIn: true },
      ),
    },
    actionHint,
  ),
  { description: 'One action.' },
);
