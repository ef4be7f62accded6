/** The rules about which cloud has the targets, and how it is reached. As all rules they look at what is valid by itself. */
import type { Rule } from './parts';
import { endpointExample } from './schema';

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
