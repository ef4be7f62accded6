/** EC2's limits of the calls that move something, as the account has them. */
import { decimal, keys, wholeNumber, withDefault } from './fields';

const limit = (burst: number, action: string) =>
  withDefault(
    keys(
      {
        burst: withDefault(wholeNumber({ from: 1, to: 10_000 }), burst, {
          description: 'Requests that EC2 takes at once.',
        }),
        refill_per_s: withDefault(decimal({ from: 0.1, to: 10_000 }), 5, {
          description: 'Requests a second that it takes from then on.',
        }),
      },
      `write {"burst": ${burst}, "refill_per_s": 5}`,
    ),
    { burst, refill_per_s: 5 },
    { description: `EC2's limit of ${action}.` },
  );

export const limitsSchema = keys(
  {
    assign_private_ip_addresses: limit(100, 'AssignPrivateIpAddresses'),
    assign_ipv6_addresses: limit(100, 'AssignIpv6Addresses'),
    unassign_ipv6_addresses: limit(50, 'UnassignIpv6Addresses'),
    replace_route: limit(50, 'ReplaceRoute'),
    create_route: limit(50, 'CreateRoute'),
    associate_address: limit(50, 'AssociateAddress'),
  },
  'write an object like {"replace_route": {"burst": 200, "refill_per_s": 20}}',
);
