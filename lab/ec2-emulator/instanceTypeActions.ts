/** DescribeInstanceTypes: what an instance type allows. */
import type { ActionTable } from './actionRequest';
import { describePage, pageAnswer } from './describe';
import { refused } from './ec2Error';
import { knownInstanceTypes, limitsOf } from './instanceTypes';
import { element, listParam } from './queryProtocol';

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html */
export const instanceTypeActions: ActionTable = {
  DescribeInstanceTypes: {
    parameters: ['InstanceType', 'Filter', 'MaxResults', 'NextToken', 'DryRun', 'IncludeUnsupportedInRegion'],
    run: ({ params }) =>
      pageAnswer(
        describePage(params, {
          resources: knownInstanceTypes,
          filters: {
            'instance-type': (type) => [type],
            'network-info.maximum-network-interfaces': (type) => [limitsOf(type).maximumNetworkInterfaces],
            'network-info.ipv4-addresses-per-interface': (type) => [limitsOf(type).ipv4AddressesPerInterface],
            'network-info.ipv6-addresses-per-interface': (type) => [limitsOf(type).ipv6AddressesPerInterface],
          },
          maxPage: 100,
          requestedIds: listParam(params, 'InstanceType'),
          idOf: (type) => type,
          unknownIds: (types) =>
            refused(
              'InvalidInstanceType',
              `The following supplied instance types do not exist: [${types.join(', ')}]`,
            ),
        }),
        'instanceTypeSet',
        (type) => [
          element('instanceType', type),
          element(
            'networkInfo',
            Object.entries(limitsOf(type)).map(([name, limit]: [string, number]) => element(name, limit)),
          ),
        ],
      ),
  },
};
