/** The rules about which cloud has the targets, and how it is reached. As all rules they look at what is valid by itself. */
import type { Rule } from './parts';
import { endpointExample } from './schema';
import { listed } from './words';

/** What EC2 has and Neutron has not: limits that are published, reads that lag, a check of its own, the state of an instance. */
const ONLY_IN_AWS = [
  'api_limits',
  'application_status_check',
  'hedge_ms',
  'hedge_least_ms',
  'source_dest_check',
  'staleness_s',
  'take_from_running_after_s',
] as const;

export const cloudRules: readonly Rule[] = [
  {
    severity: 'mistake',
    sentence: 'The configuration has either `ec2_private_endpoint_url` or `cloud`.',
    find: ({ isWritten, hasConfig }) => {
      const [isAws, isOther] = [isWritten('ec2_private_endpoint_url'), isWritten('cloud')];
      if (isAws && isOther)
        return [
          {
            path: ['config', 'ec2_private_endpoint_url'],
            message: 'beside "cloud"; a pair has its targets in one cloud: keep one of the two',
          },
        ];
      if (isAws || isOther || !hasConfig) return [];
      return [
        {
          path: ['config', 'ec2_private_endpoint_url'],
          message: `missing; write a URL like ${endpointExample}`,
        },
      ];
    },
  },
  {
    severity: 'warning',
    sentence: '`ec2_private_endpoint_url` is an https URL; http is for a lab.',
    find: ({ endpointUrl }) =>
      endpointUrl === undefined || !/^http:/i.test(endpointUrl)
        ? []
        : [
            {
              path: ['config', 'ec2_private_endpoint_url'],
              message: 'http is not encrypted; use it in a lab only and https:// with AWS',
            },
          ],
  },
  {
    severity: 'warning',
    sentence: '`maintenance` is for AWS, which announces it.',
    find: ({ isWritten }) =>
      isWritten('cloud') && isWritten('maintenance')
        ? [{ path: ['config', 'maintenance'], message: 'this cloud announces none; leave the key out' }]
        : [],
  },
  {
    severity: 'warning',
    sentence: `With \`cloud\` these keys are not used: ${listed(ONLY_IN_AWS, 'and').replaceAll('"', '`')}.`,
    find: ({ isWritten }) =>
      isWritten('cloud')
        ? ONLY_IN_AWS.filter((key) => isWritten(key)).map((key) => ({
            path: ['config', key],
            message: 'not used with "cloud" (docs/openstack.md says why); remove it',
          }))
        : [],
  },
  {
    severity: 'warning',
    sentence: '`cloud.auth_url` and `cloud.network_url` are https URLs; http is for a lab.',
    find: ({ cloudUrls }) =>
      cloudUrls.flatMap(({ key, url }) =>
        url === undefined || !/^http:/i.test(url)
          ? []
          : [
              {
                path: ['config', 'cloud', key],
                message:
                  'http is not encrypted, and the secret and the tokens go over it; use it in a lab only',
              },
            ],
      ),
  },
];
