/** Rules about the status endpoint. */
import { isWithinMachine, parseListenPlace } from './listenPlace';
import type { Rule } from './parts';

export const statusRules: readonly Rule[] = [
  {
    severity: 'mistake',
    sentence: '`peer_status_token_file` and `peer_status_ca_file` go with `peer_status_url`.',
    find: ({ isWritten }) =>
      (['peer_status_token_file', 'peer_status_ca_file'] as const).flatMap((key) =>
        isWritten(key) && !isWritten('peer_status_url')
          ? [
              {
                path: ['config', key],
                message: 'not used without peer_status_url; remove it, or say where the peer answers',
              },
            ]
          : [],
      ),
  },
  {
    severity: 'mistake',
    sentence: '`status_token_file` and `status_tls` go with `status_listen`.',
    find: ({ isWritten }) =>
      (['status_token_file', 'status_tls'] as const).flatMap((key) =>
        isWritten(key) && !isWritten('status_listen')
          ? [
              {
                path: ['config', key],
                message: 'not used without status_listen; remove it, or say where to listen',
              },
            ]
          : [],
      ),
  },
  {
    severity: 'mistake',
    sentence:
      '`application_status_check` goes with a `status_listen` that is reached from outside this machine: EC2 asks `/livez` there.',
    find: ({ isWritten, statusListen }) => {
      const place = statusListen === undefined ? null : parseListenPlace(statusListen);
      const isMissing = !isWritten('status_listen');
      if (
        !isWritten('application_status_check') ||
        !(isMissing || (place !== null && isWithinMachine(place)))
      )
        return [];
      return [
        {
          path: ['config', 'application_status_check'],
          message: `EC2 cannot ask this daemon ${isMissing ? 'without status_listen' : 'at status_listen, which is within this machine'}; listen on the address of the interface that the check asks, or remove it`,
        },
      ];
    },
  },
  {
    severity: 'warning',
    sentence:
      'A status endpoint that others than this machine reach has a `status_token_file`; without `status_tls` its network has to be a trusted one all the same.',
    find: ({ isWritten, statusListen }) => {
      const place = statusListen === undefined ? null : parseListenPlace(statusListen);
      if (place === null || isWithinMachine(place) || isWritten('status_token_file')) return [];
      return [
        {
          path: ['config', 'status_listen'],
          message:
            'everybody who reaches this address can read the status, the configuration among it; add status_token_file, or listen on 127.0.0.1',
        },
      ];
    },
  },
];
