/** The receivers of notifications, from the lists of the configuration to one. */
import type { Config } from './schema';
import type { ReceiverSettings } from './settings';

const PORTS = { udp: 514, tcp: 514, tls: 6514 } as const;

export function receiversOf({ notifications }: Config): readonly ReceiverSettings[] {
  const { webhooks = [], syslog_servers: syslog = [], sns = [], snmp = [] } = notifications ?? {};
  return [
    ...webhooks.map(({ name, url, hmac_key_file: keyFile = null, ca_file: caFile = null }) => ({
      type: 'webhook' as const,
      name,
      url,
      keyFile,
      caFile,
    })),
    ...syslog.map(({ name, server: host, port, transport, ca_file: caFile = null }) => ({
      type: 'syslog' as const,
      name,
      host,
      port: port ?? PORTS[transport],
      transport,
      caFile,
    })),
    ...sns.map(({ name, topic_arn: topicArn, endpoint_url: endpointUrl }) => ({
      type: 'sns' as const,
      name,
      topicArn,
      endpointUrl: new URL(endpointUrl).origin,
    })),
    ...snmp.map(({ name, server: host, port, snmp_version: version, ...files }) => {
      const receiver = { type: 'snmp' as const, name, host, port };
      // The rules see to it that the file is there.
      return version === 'v2c'
        ? { ...receiver, version, communityFile: files.community_file ?? '' }
        : { ...receiver, version, userFile: files.user_file ?? '', authProtocol: files.auth_protocol };
    }),
  ];
}
