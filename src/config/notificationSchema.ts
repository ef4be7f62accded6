/** Who is to be told of what happens: the part of the configuration for notifications. As in schema.ts, words stand here once. */
import {
  absolutePath,
  choice,
  givenName,
  host,
  keys,
  listOf,
  mandatory,
  optional,
  patternText,
  serviceUrl,
  webhookUrl,
  wholeNumber,
  withDefault,
} from './fields';

const name = () =>
  mandatory(givenName('noc'), {
    description: 'What logs, alarms and `notify test` call the receiver; each has another.',
  });
export const receiverNameSchema = name();

const caFile = () =>
  optional(absolutePath('/app/onbox/noc-ca.pem'), {
    description: 'Certificate to trust, PEM. Absent: those that Node.js trusts, the well-known ones.',
  });

const webhookSchema = mandatory(
  keys(
    {
      name: name(),
      url: mandatory(webhookUrl('https://noc.example.com/xr-aws-ha'), {
        description:
          'Where each notification is sent with POST, as a CloudEvent in JSON. `show config` shows it, so it must hold no secret. http is for a receiver on this machine.',
        format: 'uri',
      }),
      hmac_key_file: optional(absolutePath('/app/onbox/noc-key'), {
        description:
          'File of one line, the key that signs each notification (HMAC with SHA-256, as Standard Webhooks has it): any text, or `whsec_` and base64. It is read anew for each. Absent: they are not signed.',
      }),
      ca_file: caFile(),
    },
    'write {"name": NAME, "url": URL}',
  ),
  { description: 'One webhook.' },
);

const syslogSchema = mandatory(
  keys(
    {
      name: name(),
      server: mandatory(host(), { description: 'Syslog server (RFC 5424).' }),
      port: optional(wholeNumber({ from: 1, to: 65_535 }), {
        description: 'Its port. Absent: 514, and 6514 for `tls`.',
      }),
      transport: withDefault(choice(['udp', 'tcp', 'tls']), 'tcp', {
        description:
          'How to send: `tcp` (octet counting) and `tls` know whether the server has taken it, as far as syslog can; of `udp` nobody knows.',
      }),
      ca_file: caFile(),
    },
    'write {"name": NAME, "server": HOST}',
  ),
  { description: 'One syslog server.' },
);

const snsSchema = mandatory(
  keys(
    {
      name: name(),
      topic_arn: mandatory(
        patternText({
          noun: 'topic ARN',
          hint: 'write the ARN of a topic like arn:aws:sns:us-west-2:123456789012:xr-aws-ha',
          form: /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/,
        }),
        { description: 'The topic, a standard one. The role needs `sns:Publish` on it (`iam-policy`).' },
      ),
      endpoint_url: mandatory(
        serviceUrl('https://vpce-0123456789abcdef0-abcdefgh.sns.us-west-2.vpce.amazonaws.com'),
        { description: "URL of the VPC's interface endpoint for SNS.", format: 'uri' },
      ),
    },
    'write {"name": NAME, "topic_arn": ARN, "endpoint_url": URL}',
  ),
  { description: 'One topic of SNS.' },
);

const snmpSchema = mandatory(
  keys(
    {
      name: name(),
      server: mandatory(host(), { description: 'Manager that takes informs: traps that it acknowledges.' }),
      port: withDefault(wholeNumber({ from: 1, to: 65_535 }), 162, { description: 'Its UDP port.' }),
      snmp_version: mandatory(choice(['v2c', 'v3']), {
        description: 'SNMPv2c with a community, which everybody on the way can read, or SNMPv3 with a user.',
      }),
      community_file: optional(absolutePath('/app/onbox/snmp-community'), {
        description:
          'For `v2c`, and mandatory there: file of one line, the community. It is read anew for each.',
      }),
      user_file: optional(absolutePath('/app/onbox/snmp-user'), {
        description:
          'For `v3`, and mandatory there: file of three lines, the user name, the authentication key and the privacy key (AES-128). It is read anew for each.',
      }),
      auth_protocol: withDefault(choice(['SHA', 'SHA-256']), 'SHA-256', {
        description: 'For `v3`: how it is authenticated.',
      }),
    },
    'write {"name": NAME, "server": HOST, "snmp_version": "v3", "user_file": PATH}',
  ),
  { description: 'One SNMP manager.' },
);

export const notificationsSchema = keys(
  {
    webhooks: optional(listOf(webhookSchema, 'list webhooks, each as {"name": NAME, "url": URL}'), {
      description: 'Receivers of CloudEvents over HTTPS.',
    }),
    syslog_servers: optional(
      listOf(syslogSchema, 'list syslog servers, each as {"name": NAME, "server": HOST}'),
      {
        description: 'Syslog servers that get notifications, beside `syslog_server`, which gets the log.',
      },
    ),
    sns: optional(
      listOf(snsSchema, 'list topics, each as {"name": NAME, "topic_arn": ARN, "endpoint_url": URL}'),
      { description: 'Topics of SNS.' },
    ),
    snmp: optional(
      listOf(
        snmpSchema,
        'list SNMP managers, each as {"name": NAME, "server": HOST, "snmp_version": "v3", "user_file": PATH}',
      ),
      { description: 'SNMP managers (deploy/monitoring/XR-AWS-HA-MIB.txt).' },
    ),
  },
  'write an object like {"webhooks": [{"name": NAME, "url": URL}]}',
);
