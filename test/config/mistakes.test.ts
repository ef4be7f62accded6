/** Every kind of mistake with the words of its report, and every warning. */
import { parseConfig } from '../../src/config/load';
import {
  addressWith,
  configWith,
  mistakesOf,
  multiHop,
  textOf,
  withAddresses,
  withSessions,
} from './documents';

function warningsOf(config: unknown): readonly string[] {
  const loaded = parseConfig(textOf(config), 'FILE');
  return loaded.ok ? loaded.settings.warnings : [loaded.report];
}

const addressHint = 'write {"secondary_ip": ADDRESS, "instance_intf_number": DEVICE INDEX}';
const urlExample = 'https://vpce-0123456789abcdef0-abcdefgh.ec2.us-west-2.vpce.amazonaws.com';

describe('a value that is wrong by itself', () => {
  const table: readonly (readonly [what: string, config: unknown, mistake: string])[] = [
    [
      'an address of three numbers',
      withSessions({ neigh_ip: '172.31.105' }),
      'config.bfd_sessions[0].neigh_ip: "172.31.105" is not an IP address; write four numbers from 0 to 255, like 172.31.105.154, or an IPv6 address',
    ],
    [
      'an address with a leading zero',
      withAddresses(addressWith({ secondary_ip: '172.31.105.010' })),
      'config.action.method_params.intf_list[0].secondary_ip: "172.31.105.010" is not an IP address; write four numbers from 0 to 255, like 172.31.105.10, or an IPv6 address',
    ],
    [
      'an address with a prefix length',
      withSessions({ neigh_ip: '172.31.105.154/24' }),
      'config.bfd_sessions[0].neigh_ip: "172.31.105.154/24" is not an IP address; write four numbers from 0 to 255, like 172.31.105.154, or an IPv6 address',
    ],
    [
      'a multicast address',
      withSessions({ neigh_ip: '224.0.0.5' }),
      'config.bfd_sessions[0].neigh_ip: "224.0.0.5" is a multicast address; write the address of one host, like 172.31.105.154',
    ],
    [
      'a loopback address',
      withAddresses(addressWith({ secondary_ip: '127.0.0.1' })),
      'config.action.method_params.intf_list[0].secondary_ip: "127.0.0.1" is a loopback address; write the address of one host, like 172.31.105.10',
    ],
    [
      'an address that is a number',
      withSessions({ neigh_ip: 172 }),
      'config.bfd_sessions[0].neigh_ip: 172 is not a text in double quotes; write an IPv4 or IPv6 address like 172.31.105.154',
    ],
    [
      'a port out of range',
      configWith({ grpc_port: 70_000 }),
      'config.grpc_port: 70000 is out of range; write a whole number from 1 to 65535',
    ],
    [
      'a port out of range, as a text',
      configWith({ redis_port: '0' }),
      'config.redis_port: 0 is out of range; write a whole number from 1 to 65535',
    ],
    [
      'a port that is no number',
      configWith({ grpc_port: 'grpc' }),
      'config.grpc_port: "grpc" is not a whole number; write a whole number from 1 to 65535',
    ],
    [
      'a port that is null',
      configWith({ grpc_port: null }),
      'config.grpc_port: null is not a whole number; write a whole number from 1 to 65535',
    ],
    [
      'a fraction of a millisecond',
      configWith({ settle_ms: 1.5 }),
      'config.settle_ms: 1.5 is not a whole number; write a whole number of milliseconds from 0 to 1000',
    ],
    [
      'no keepalive',
      configWith({ keepalive_s: 0 }),
      'config.keepalive_s: 0 is out of range; write a number of seconds from 0.5 to 3600',
    ],
    [
      'milliseconds where microseconds are meant',
      withSessions({ bfd_desired_tx_int_usec: 50 }),
      'config.bfd_sessions[0].bfd_desired_tx_int_usec: 50 is out of range; write a whole number of microseconds from 1000 to 30000000',
    ],
    [
      'a multiplier beyond its field in the packet',
      withSessions({ detect_multiplier: 256 }),
      'config.bfd_sessions[0].detect_multiplier: 256 is out of range; write a whole number from 1 to 255',
    ],
    [
      'a word for yes or no',
      configWith({ preferred: 'yes' }),
      'config.preferred: "yes" is not true or false; write one of these, without quotes',
    ],
    [
      'a word that is not in the list',
      configWith({ trigger: 'one' }),
      'config.trigger: "one" is not accepted; write "any" or "all"',
    ],
    [
      'a level of another logger',
      configWith({ log_level: 'trace' }),
      'config.log_level: "trace" is not accepted; write "debug", "info", "warn" or "error"',
    ],
    [
      'another method',
      configWith({
        action: { method: 'address_shift', method_params: { intf_list: [addressWith({})] } },
      }),
      'config.action.method: "address_shift" is not accepted; write "secondary_ip_shift", "route_table_shift", "elastic_ip_shift", "floating_ip_shift" or "extra_route_shift"',
    ],
    [
      'an IPv6 address with its zone',
      withSessions({ neigh_ip: 'fe80::1%TenGigE0/0/0/2' }),
      'config.bfd_sessions[0].neigh_ip: "fe80::1%TenGigE0/0/0/2" has a zone; write the address without %: the interface is that of the session',
    ],
    [
      'an IPv6 address with a prefix length',
      withSessions({ neigh_ip: '2001:db8::1/64' }),
      'config.bfd_sessions[0].neigh_ip: "2001:db8::1/64" is not an IP address; write four numbers from 0 to 255, like 172.31.105.154, or an IPv6 address',
    ],
    [
      'an IPv6 multicast address',
      withSessions({ neigh_ip: 'FF02::1' }),
      'config.bfd_sessions[0].neigh_ip: "FF02::1" is a multicast address; write the address of one host, like 172.31.105.154',
    ],
    [
      'the IPv6 loopback address',
      withSessions({ neigh_ip: '0:0:0:0:0:0:0:1' }),
      'config.bfd_sessions[0].neigh_ip: "0:0:0:0:0:0:0:1" is the loopback address; write the address of one host, like 172.31.105.154',
    ],
    [
      'an IPv4 address in the form of IPv6',
      withSessions({ neigh_ip: '::ffff:172.31.105.154' }),
      'config.bfd_sessions[0].neigh_ip: "::ffff:172.31.105.154" is an IPv4 address in the form of IPv6; write the address of one host, like 172.31.105.154',
    ],
    [
      'the peer of a tunnel by IPv6',
      configWith({ peer_private_ips: ['2001:db8::1'] }),
      'config.peer_private_ips[0]: "2001:db8::1" is not an IPv4 address; write four numbers from 0 to 255, like 172.31.105.154',
    ],
    [
      'a kind of session in small letters',
      withSessions({ session_type: 'single_hop' }),
      'config.bfd_sessions[0].session_type: "single_hop" is not accepted; write it in capitals, "SINGLE_HOP"',
    ],
    [
      'an interface name with a space',
      withSessions({ intf_name: 'TenGigE 0/0/0/2' }),
      'config.bfd_sessions[0].intf_name: "TenGigE 0/0/0/2" holds a space or a control character; write the interface\'s name as the router does, like TenGigE0/0/0/2',
    ],
    [
      'an empty interface name',
      withSessions({ intf_name: '' }),
      'config.bfd_sessions[0].intf_name: "" is empty; write the interface\'s name as the router does, like TenGigE0/0/0/2',
    ],
    [
      'a VRF name that is too long',
      withSessions({ vrf_name: 'v'.repeat(33) }),
      'config.bfd_sessions[0].vrf_name: "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv" is longer than the router\'s 32 characters; write the name of the VRF, or leave the key out for "default"',
    ],
    [
      'a relative path',
      configWith({ state_dir: 'state' }),
      'config.state_dir: "state" is not an absolute path; write an absolute path like /var/lib/xr-aws-ha',
    ],
    [
      'a log path that is relative',
      configWith({ syslog_file: './ha.log' }),
      'config.syslog_file: "./ha.log" is not an absolute path; write an absolute path like /var/log/ha_app_bkp.log',
    ],
    [
      'a path with a NUL',
      configWith({ state_dir: '/a\0b' }),
      'config.state_dir: "/a\\u0000b" holds a NUL character; write an absolute path like /var/lib/xr-aws-ha',
    ],
    [
      'a relative path of a socket',
      configWith({ control_socket: 'control.sock' }),
      'config.control_socket: "control.sock" is not an absolute path; write a short absolute path like /run/xr-aws-ha/control.sock',
    ],
    [
      'a directory as a socket',
      configWith({ control_socket: '/run/xr-aws-ha/' }),
      'config.control_socket: "/run/xr-aws-ha/" is the path of a directory; write a short absolute path like /run/xr-aws-ha/control.sock',
    ],
    [
      'a path too long for a socket, in bytes',
      configWith({ control_socket: `/run/${'ä'.repeat(49)}/s.sock` }),
      `config.control_socket: "/run/${'ä'.repeat(49)}/s...." has 110 bytes; the path of a socket can have 107; write a short absolute path like /run/xr-aws-ha/control.sock`,
    ],
    [
      'a directory too long for a socket',
      configWith({ control_socket: `/run/${'d'.repeat(95)}/s` }),
      `config.control_socket: "/run/${'d'.repeat(52)}..." has 100 bytes before the last slash; the path of a socket can have 97 there; write a short absolute path like /run/xr-aws-ha/control.sock`,
    ],
    [
      'a place to listen at that is a port alone',
      configWith({ status_listen: ':9469' }),
      'config.status_listen: ":9469" is no place to listen at; write an address of this router and a port like 127.0.0.1:9469 or [::1]:9469, or the absolute path of a socket',
    ],
    [
      'a place to listen at that is a name',
      configWith({ status_listen: 'localhost:9469' }),
      'config.status_listen: "localhost:9469" is no place to listen at; write an address of this router and a port like 127.0.0.1:9469 or [::1]:9469, or the absolute path of a socket',
    ],
    [
      'a place to listen at that is an address without a port',
      configWith({ status_listen: '10.0.0.1' }),
      'config.status_listen: "10.0.0.1" is no place to listen at; write an address of this router and a port like 127.0.0.1:9469 or [::1]:9469, or the absolute path of a socket',
    ],
    [
      'a place to listen at that is no port',
      configWith({ status_listen: '10.0.0.1:70000' }),
      'config.status_listen: "10.0.0.1:70000" is no place to listen at; write an address of this router and a port like 127.0.0.1:9469 or [::1]:9469, or the absolute path of a socket',
    ],
    [
      'a place to listen at that is an IPv6 address without brackets',
      configWith({ status_listen: '::1:9469' }),
      'config.status_listen: "::1:9469" is no place to listen at; write an address of this router and a port like 127.0.0.1:9469 or [::1]:9469, or the absolute path of a socket',
    ],
    [
      'a place to listen at that is a directory',
      configWith({ status_listen: '/run/' }),
      'config.status_listen: "/run/" is no place to listen at; write an address of this router and a port like 127.0.0.1:9469 or [::1]:9469, or the absolute path of a socket',
    ],
    [
      'a check of EC2 that could ask nobody',
      configWith({ application_status_check: 'asc-0123456789abcdef0' }),
      'config.application_status_check: EC2 cannot ask this daemon without status_listen; listen on the address of the interface that the check asks, or remove it',
    ],
    [
      'a check of EC2 that could ask only from within',
      configWith({ application_status_check: 'asc-0123456789abcdef0', status_listen: '127.0.0.1:9469' }),
      'config.application_status_check: EC2 cannot ask this daemon at status_listen, which is within this machine; listen on the address of the interface that the check asks, or remove it',
    ],
    [
      'a token for no endpoint',
      configWith({ status_token_file: '/app/onbox/token' }),
      'config.status_token_file: not used without status_listen; remove it, or say where to listen',
    ],
    [
      'a webhook whose URL has a secret',
      configWith({
        notifications: { webhooks: [{ name: 'noc', url: 'https://user:secret@noc.example.com/' }] },
      }),
      'config.notifications.webhooks[0].url: holds a user name or password, which logs and show would show; write a URL like https://noc.example.com/xr-aws-ha',
    ],
    [
      'a webhook whose URL has a query',
      configWith({ notifications: { webhooks: [{ name: 'noc', url: 'https://noc.example.com/?token=1' }] } }),
      'config.notifications.webhooks[0].url: goes on after the path; write a URL like https://noc.example.com/xr-aws-ha',
    ],
    [
      'a webhook in plain text',
      configWith({ notifications: { webhooks: [{ name: 'noc', url: 'http://noc.example.com/' }] } }),
      'config.notifications.webhooks[0].url: is not encrypted, and everybody on the way could read and change it; write a URL like https://noc.example.com/xr-aws-ha',
    ],
    [
      'a webhook that is no URL',
      configWith({ notifications: { webhooks: [{ name: 'noc', url: 'noc' }] } }),
      'config.notifications.webhooks[0].url: is not an https URL; write a URL like https://noc.example.com/xr-aws-ha',
    ],
    [
      'two receivers of one name',
      configWith({
        notifications: {
          webhooks: [{ name: 'noc', url: 'https://noc.example.com/' }],
          syslog_servers: [{ name: 'noc', server: '10.0.0.9' }],
        },
      }),
      'config.notifications.syslog_servers[0].name: the name of config.notifications.webhooks[0] too; give each receiver its own',
    ],
    [
      'an SNMP manager without the file of its version',
      configWith({ notifications: { snmp: [{ name: 'nms', server: '10.0.0.8', snmp_version: 'v3' }] } }),
      'config.notifications.snmp[0].user_file: missing; v3 needs it',
    ],
    [
      'an SNMP manager with the file of the other version',
      configWith({
        notifications: {
          snmp: [
            { name: 'nms', server: '10.0.0.8', snmp_version: 'v2c', community_file: '/a', user_file: '/b' },
          ],
        },
      }),
      'config.notifications.snmp[0].user_file: not used with v2c; remove it',
    ],
    [
      'a topic that is none',
      configWith({
        notifications: {
          sns: [{ name: 'pager', topic_arn: 'pager', endpoint_url: 'https://sns.example.com' }],
        },
      }),
      'config.notifications.sns[0].topic_arn: "pager" is not a valid topic ARN; write the ARN of a topic like arn:aws:sns:us-west-2:123456789012:xr-aws-ha',
    ],
    [
      'a server with a port',
      configWith({ redis_server: '127.0.0.1:6379' }),
      'config.redis_server: "127.0.0.1:6379" is not the name or address of a host; write a host name or an IPv4 address, without a port',
    ],
    [
      'an incomplete address of a server',
      configWith({ syslog_server: '10.0.1' }),
      'config.syslog_server: "10.0.1" is not the name or address of a host; write a host name or an IPv4 address, without a port',
    ],
    [
      'a relative socket',
      configWith({ grpc_server: 'unix:ems/grpc.sock' }),
      'config.grpc_server: "unix:ems/grpc.sock" is not the name or address of a host; write a host name or an IPv4 address, without a port, or unix: and the absolute path of a socket',
    ],
    [
      'a URL without a scheme',
      configWith({ ec2_private_endpoint_url: 'ec2.us-west-2.amazonaws.com' }),
      'config.ec2_private_endpoint_url: "ec2.us-west-2.amazonaws.com" has no scheme; put https:// before it',
    ],
    [
      'a URL of another scheme',
      configWith({ ec2_private_endpoint_url: 'ftp://ec2.example.com' }),
      `config.ec2_private_endpoint_url: "ftp://ec2.example.com" is not an https URL; write a URL like ${urlExample}`,
    ],
    [
      'a URL with a path',
      configWith({ ec2_private_endpoint_url: 'https://ec2.example.com/v1?x=1' }),
      'config.ec2_private_endpoint_url: "https://ec2.example.com/v1?x=1" goes on after the host; end it there: https://ec2.example.com',
    ],
    [
      'a URL with a password, which is not repeated',
      configWith({ ec2_private_endpoint_url: 'https://key:secret@ec2.example.com' }),
      'config.ec2_private_endpoint_url: holds a user name or password; leave them out: requests are signed with the role of the instance',
    ],
    [
      'a list where an object is due',
      configWith({ grpc_tls: [] }),
      'config.grpc_tls: an empty list is not an object; write {"ca_file": PATH}',
    ],
    [
      'an address where its entry is due',
      withAddresses('172.31.105.10'),
      `config.action.method_params.intf_list[0]: "172.31.105.10" is not an object; ${addressHint}`,
    ],
    [
      'an object where a list is due',
      configWith({ bfd_sessions: {} }),
      'config.bfd_sessions: an object is not a list; list at least one BFD session to the peer router, with "session_type", "intf_name" and "neigh_ip"',
    ],
    [
      'no address',
      withAddresses(),
      'config.action.method_params.intf_list: is empty; list the floating addresses, each as {"secondary_ip": ..., "instance_intf_number": ...}',
    ],
    [
      'no session',
      withSessions(),
      'config.bfd_sessions: is empty; list at least one BFD session to the peer router, with "session_type", "intf_name" and "neigh_ip"',
    ],
    [
      'a text that would steer a terminal',
      configWith({ trigger: '\u001b[2J\u202e' }),
      'config.trigger: "\\u001b[2J\\u202e" is not accepted; write "any" or "all"',
    ],
    [
      'a long text',
      configWith({ trigger: 'x'.repeat(500) }),
      `config.trigger: "${'x'.repeat(57)}..." is not accepted; write "any" or "all"`,
    ],
  ];

  test.each(table)('%s', (_what, config, mistake) => {
    expect(mistakesOf(textOf(config))).toEqual([mistake]);
  });

  test('a number too large for any range', () => {
    expect(
      mistakesOf(textOf(configWith({ grpc_port: 1 })).replace('"grpc_port":1', '"grpc_port":1e999')),
    ).toEqual(['config.grpc_port: Infinity is out of range; write a whole number from 1 to 65535']);
  });
});

describe('a key that is missing', () => {
  const table: readonly (readonly [key: string, config: unknown, mistake: string])[] = [
    [
      'ec2_private_endpoint_url',
      configWith({ ec2_private_endpoint_url: undefined }),
      `config.ec2_private_endpoint_url: missing; write a URL like ${urlExample}`,
    ],
    [
      'action',
      configWith({ action: undefined }),
      'config.action: missing; write {"method": "secondary_ip_shift", "method_params": {"intf_list": [...]}}',
    ],
    [
      'method_params',
      configWith({ action: { method: 'secondary_ip_shift' } }),
      'config.action.method_params: missing; write {"intf_list": [...]}',
    ],
    [
      'bfd_sessions',
      configWith({ bfd_sessions: undefined }),
      'config.bfd_sessions: missing; list at least one BFD session to the peer router, with "session_type", "intf_name" and "neigh_ip"',
    ],
    [
      'session_type',
      withSessions({ session_type: undefined }),
      'config.bfd_sessions[0].session_type: missing; write "SINGLE_HOP", or "MULTI_HOP" for a neighbour that is not on the subnet of the interface',
    ],
    [
      'instance_intf_number',
      withAddresses(addressWith({ instance_intf_number: undefined })),
      'config.action.method_params.intf_list[0].instance_intf_number: missing; write a whole number from 0 to 255',
    ],
    [
      'ca_file',
      configWith({ grpc_tls: {} }),
      'config.grpc_tls.ca_file: missing; write an absolute path like /app/onbox/ems.pem',
    ],
    ['type', configWith({ store: {} }), 'config.store.type: missing; write "redis" or "file"'],
  ];

  test.each(table)('%s', (_key, config, mistake) => {
    expect(mistakesOf(textOf(config))).toEqual([mistake]);
  });

  test('config, with its content outside of it', () => {
    expect(mistakesOf('{"grpc_port": 57777}')).toEqual([
      'config: missing; put the keys inside it: {"config": {...}}',
      'grpc_port: this key does not belong here; move it to config',
    ]);
  });

  test.each(['{}', '{"_note": 1}'])('config, in %s', (text) => {
    expect(mistakesOf(text)).toEqual([
      'config: missing; write an object with the keys "ec2_private_endpoint_url", "action" and "bfd_sessions"',
    ]);
  });

  test.each([
    ['[]', 'an empty list'],
    ['"text"', '"text"'],
    ['null', 'null'],
    ['12', '12'],
  ])('all of them, in %s', (text, words) => {
    expect(mistakesOf(text)).toEqual([`the document: ${words} is not an object; write {"config": {...}}`]);
  });
});

describe('a key that is not known', () => {
  const remove = 'unknown key; remove it, or start its name with "_" to keep it as a note';
  const table: readonly (readonly [what: string, config: unknown, mistake: string])[] = [
    ['a slip', configWith({ keepalve_s: 10 }), 'config.keepalve_s: unknown key; did you mean "keepalive_s"?'],
    [
      'two letters swapped',
      withSessions({ vfr_name: 'default' }),
      'config.bfd_sessions[0].vfr_name: unknown key; did you mean "vrf_name"?',
    ],
    [
      'hyphens and capitals',
      configWith({ 'GRPC-Server': '127.0.0.1' }),
      'config.GRPC-Server: unknown key; did you mean "grpc_server"?',
    ],
    [
      'inside an entry of a list',
      withAddresses(addressWith({ instance_intf_num: 2 })),
      'config.action.method_params.intf_list[0].instance_intf_num: unknown key; did you mean "instance_intf_number"?',
    ],
    [
      'its beginning only',
      withSessions({ detect_mult: 3 }),
      'config.bfd_sessions[0].detect_mult: unknown key; did you mean "detect_multiplier"?',
    ],
    ['the beginning of several', configWith({ syslog: 'host' }), `config.syslog: ${remove}`],
    ['nothing like it', configWith({ colour: 'red' }), `config.colour: ${remove}`],
    ['with a blank', configWith({ 'my key\n': 'red' }), `config["my key\\n"]: ${remove}`],
    [
      'of another object',
      configWith({ detect_multiplier: 3 }),
      'config.detect_multiplier: this key does not belong here; move it to config.bfd_sessions[]',
    ],
    [
      'of an object above',
      configWith({ store: { type: 'redis', redis_port: 1 } }),
      'config.store.redis_port: this key does not belong here; move it to config',
    ],
  ];

  test.each(table)('%s', (_what, config, mistake) => {
    expect(mistakesOf(textOf(config))).toEqual([mistake]);
  });

  test('beside config', () => {
    expect(mistakesOf(JSON.stringify({ config: configWith(), version: 1 }))).toEqual([`version: ${remove}`]);
  });

  test('a key written twice', () => {
    const text = `{\n"config": ${JSON.stringify(configWith({ grpc_port: 1 }), null, 2).replace('"grpc_port": 1', '"grpc_port": 1,\n"grpc_port": 2')}\n}`;
    const line = text.split('\n').findIndex((content) => content.includes('grpc_port')) + 1;
    expect(mistakesOf(text)).toEqual([
      `config.grpc_port: written on line ${line} and again on line ${line + 1}; keep one`,
    ]);
    expect(mistakesOf(text.replace('1,\n"grpc_port"', '1, "grpc_port"'))).toEqual([
      `config.grpc_port: written twice on line ${line}; keep one`,
    ]);
  });
});

describe('rules across keys', () => {
  const table: readonly (readonly [what: string, config: unknown, mistake: string])[] = [
    [
      'taking from a running holder before EC2 is asked',
      configWith({ take_from_running_after_s: 20 }),
      'config.take_from_running_after_s: 20 is shorter than evidence_hold_s = 30; write at least 30',
    ],
    [
      'a role that ends before two questions',
      configWith({ keepalive_s: 10, api_timeout_s: 2.5, role_ttl_s: 14.9 }),
      'config.role_ttl_s: 14.9 is shorter than keepalive_s + 2 x api_timeout_s = 15; write at least 15, or ask EC2 more often',
    ],
    [
      'a default that is shorter than what is written',
      configWith({ keepalive_s: '29' }),
      'config.role_ttl_s: 30 is shorter than keepalive_s + 2 x api_timeout_s = 31; write at least 31, or ask EC2 more often',
    ],
    [
      'an address twice',
      withAddresses(addressWith({}), addressWith({ secondary_ip: '172.31.105.11' }), addressWith({})),
      'config.action.method_params.intf_list[2].secondary_ip: 172.31.105.10 is in the list already, at config.action.method_params.intf_list[0]; remove one of the two',
    ],
    [
      'a session twice',
      withSessions({}, { vrf_name: 'default', detect_multiplier: 4 }),
      'config.bfd_sessions[1]: the same session as config.bfd_sessions[0]; remove one of the two',
    ],
    [
      'an IPv6 session twice, in other words',
      withSessions({ neigh_ip: '2001:db8::1' }, { neigh_ip: '2001:DB8:0:0::0001' }),
      'config.bfd_sessions[1]: the same session as config.bfd_sessions[0]; remove one of the two',
    ],
    [
      'a multi-hop session twice, over two interfaces',
      withSessions(multiHop(), { ...multiHop(), intf_name: 'TenGigE0/0/0/1' }),
      'config.bfd_sessions[1]: the same session as config.bfd_sessions[0]; remove one of the two',
    ],
    [
      'a multi-hop session without a source',
      withSessions({ session_type: 'MULTI_HOP' }),
      "config.bfd_sessions[0].source_ip: missing; a multi-hop session needs it: write this router's own address that the peer router has as its neighbour",
    ],
    [
      'two families in one session',
      withSessions(multiHop({ source_ip: '2001:db8::2' })),
      'config.bfd_sessions[0].source_ip: 2001:db8::2 is of another family than the neigh_ip, 172.31.105.154; write an IPv4 address',
    ],
    [
      'two families in one session, the other way round',
      withSessions(multiHop({ neigh_ip: '2001:db8::2' })),
      'config.bfd_sessions[0].source_ip: 172.31.101.241 is of another family than the neigh_ip, 2001:db8::2; write an IPv6 address',
    ],
    [
      'a session to itself',
      withSessions(multiHop({ neigh_ip: '2001:db8::2', source_ip: '2001:db8:0::2' })),
      "config.bfd_sessions[0].source_ip: 2001:db8::2 is the neigh_ip too; write this router's own address",
    ],
    [
      'a link-local neighbour of a multi-hop session',
      withSessions(multiHop({ neigh_ip: 'fe80::1', source_ip: '2001:db8::2' })),
      'config.bfd_sessions[0].neigh_ip: fe80::1 is a link-local address, which is not routed; write another address, or "SINGLE_HOP"',
    ],
    [
      'a floating address as source',
      withSessions(multiHop({ source_ip: '172.31.105.10' })),
      "config.bfd_sessions[0].source_ip: 172.31.105.10 is one of the floating addresses; write this router's own (primary) address on that subnet",
    ],
    [
      'a floating address to recognise the peer by',
      configWith({ peer_private_ips: ['172.31.105.154', '172.31.105.10'] }),
      "config.peer_private_ips[1]: 172.31.105.10 is one of the floating addresses; write the peer router's own (primary) address on that subnet",
    ],
    [
      'a floating address as neighbour',
      withSessions({ neigh_ip: '172.31.105.10' }),
      "config.bfd_sessions[0].neigh_ip: 172.31.105.10 is one of the floating addresses; write the peer router's own (primary) address on that subnet",
    ],
    [
      'a file store without a file',
      configWith({ store: { type: 'file' } }),
      'config.store.path: missing; a store of type "file" needs its path',
    ],
    [
      'Redis with a file',
      configWith({ store: { type: 'redis', path: '/var/lib/xr-aws-ha/show.json' } }),
      'config.store.path: a store of type "redis" has no path; remove it, or write "type": "file"',
    ],
  ];

  test.each(table)('%s', (_what, config, mistake) => {
    expect(mistakesOf(textOf(config))).toEqual([mistake]);
  });

  test('the same neighbour and interface in another VRF is another session', () => {
    expect(mistakesOf(textOf(withSessions({}, { vrf_name: 'blue' })))).toEqual([]);
  });

  test('are checked although other keys are wrong, and all come in one report', () => {
    const config = {
      ...withSessions({ neigh_ip: '172.31.105.10', detect_multiplier: 0 }, { neigh_ip: '10.0.0.300' }),
      grpc_port: 0,
      role_ttl_s: 5,
      nonsense: true,
    };
    expect(mistakesOf(textOf(config))).toEqual([
      'config.bfd_sessions[0].detect_multiplier: 0 is out of range; write a whole number from 1 to 255',
      'config.bfd_sessions[1].neigh_ip: "10.0.0.300" is not an IP address; write four numbers from 0 to 255, like 172.31.105.154, or an IPv6 address',
      'config.grpc_port: 0 is out of range; write a whole number from 1 to 65535',
      'config.nonsense: unknown key; remove it, or start its name with "_" to keep it as a note',
      'config.role_ttl_s: 5 is shorter than keepalive_s + 2 x api_timeout_s = 12; write at least 12, or ask EC2 more often',
      "config.bfd_sessions[0].neigh_ip: 172.31.105.10 is one of the floating addresses; write the peer router's own (primary) address on that subnet",
    ]);
  });
});

describe('warnings', () => {
  const table: readonly (readonly [what: string, config: unknown, warnings: readonly string[]])[] = [
    ['none for the defaults', configWith(), []],
    ['none at the sensible limits', configWith({ keepalive_s: 2, settle_ms: 100, hedge_ms: 200 }), []],
    [
      'a short keepalive',
      configWith({ keepalive_s: 1 }),
      [
        "config.keepalive_s: 1 s is less than the sensible 2 s: the calls eat into the account's EC2 request quota",
      ],
    ],
    [
      'a long keepalive',
      configWith({ keepalive_s: 61, role_ttl_s: 100 }),
      [
        'config.keepalive_s: 61 s is more than the sensible 60 s: a change made outside the routers is noticed late',
      ],
    ],
    [
      'a single packet',
      withSessions({ detect_multiplier: 1, bfd_desired_tx_int_usec: 300_000 }),
      [
        'config.bfd_sessions[0].detect_multiplier: 1 is less than the sensible 2: a single lost packet is then a failover',
      ],
    ],
    [
      'a detection time for hardware',
      withSessions({ bfd_desired_tx_int_usec: '16500' }),
      [
        'config.bfd_sessions[0]: the detection time, 16500 µs x 3 = 49.5 ms, is less than the sensible 100 ms: pauses of a virtual machine then look like a failed peer router',
      ],
    ],
    [
      'http',
      configWith({ ec2_private_endpoint_url: 'http://127.0.0.1:4566' }),
      ['config.ec2_private_endpoint_url: http is not encrypted; use it in a lab only and https:// with AWS'],
    ],
    [
      'a status endpoint that everybody reaches',
      configWith({ status_listen: '0.0.0.0:9469' }),
      [
        'config.status_listen: everybody who reaches this address can read the status, the configuration among it; add status_token_file, or listen on 127.0.0.1',
      ],
    ],
    ...['127.0.0.1:9469', '[::1]:9469', '/run/xr-aws-ha/status.sock'].map(
      (place): [string, object, string[]] => [
        `a status endpoint at ${place}`,
        configWith({ status_listen: place }),
        [],
      ],
    ),
    [
      'a password in clear text',
      configWith({ grpc_server: '10.0.0.1', grpc_credentials_file: '/app/onbox/credentials' }),
      [
        'config.grpc_credentials_file: without grpc_tls the user name and password cross the network to 10.0.0.1 in clear text; configure grpc_tls',
      ],
    ],
    [
      'a password that does not leave the machine',
      configWith({
        grpc_server: 'unix:/root/ems/grpc.sock',
        grpc_credentials_file: '/app/onbox/credentials',
      }),
      [],
    ],
    [
      'a syslog port alone',
      configWith({ syslog_port: 514 }),
      ['config.syslog_port: not used without syslog_server; add that key or remove this one'],
    ],
    [
      'a source address of a single-hop session',
      withSessions({ source_ip: '172.31.105.206' }),
      ['config.bfd_sessions[0].source_ip: not used for a single-hop session; remove it'],
    ],
    [
      'a multi-hop session',
      withSessions(multiHop()),
      [
        'config.bfd_sessions[0].session_type: multi-hop BFD through the Service-Layer API is unproven on XRv9000: see that the session comes up; it probably needs `bfd multipath include location 0/RP0/CPU0` on the router, and a single-hop session over a GRE tunnel is the alternative',
      ],
    ],
    [
      'neighbours that EC2 does not know',
      withSessions({ neigh_ip: 'fe80::1' }),
      [
        'config.peer_private_ips: missing; EC2 does not know link-local addresses, so the peer is not recognised there: list the private addresses of its interfaces, or `ha switchover` and the check of foreign holders do not work',
      ],
    ],
    ['one of two that it does not know', withSessions({ neigh_ip: 'fe80::1' }, {}), []],
  ];

  test.each(table)('%s', (_what, config, warnings) => {
    expect(warningsOf(config)).toEqual(warnings);
  });
});

describe('groups', () => {
  const session = (name: string, third: number) => ({
    name,
    session_type: 'SINGLE_HOP',
    intf_name: `TenGigE0/0/0/${third}`,
    neigh_ip: `172.31.${third}.154`,
  });
  const group = (name: string, address: string, change: object = {}) => ({
    name,
    action: {
      method: 'secondary_ip_shift',
      method_params: { intf_list: [{ secondary_ip: address, instance_intf_number: 1 }] },
    },
    ...change,
  });
  const pair = (change: object = {}, groups: readonly object[]) => ({
    ec2_private_endpoint_url: 'https://ec2.example.com',
    bfd_sessions: [session('to-a', 1), session('to-b', 2)],
    groups,
    ...change,
  });

  test('that are right have no mistakes', () => {
    const right = pair({}, [
      group('north', '172.31.1.10', { bfd_sessions: ['to-a', 'to-b'], preferred: true }),
      group('south', '172.31.2.10', { bfd_sessions: ['to-b'], trigger: 'all' }),
    ]);
    expect(mistakesOf(textOf(right))).toEqual([]);
  });

  test('all mistakes are named at once', () => {
    const wrong = pair({ bfd_sessions: [session('to-a', 1), session('to-a', 2), session('to-c', 3)] }, [
      group('north', '172.31.1.10', { bfd_sessions: ['to-a', 'to-d', 'to-a'] }),
      group('north', '172.31.1.10', { bfd_sessions: ['to-a'] }),
      group('-South', '172.31.3.154', { bfd_sessions: [] }),
    ]);
    expect(mistakesOf(textOf(wrong))).toEqual([
      'config.groups[2].name: "-South" is not a name of up to 32 such characters that begins with a letter or digit; write a name of small letters, digits, "-" and "_", like "north"',
      'config.groups[2].bfd_sessions: is empty; list names of BFD sessions, or leave the key out for all sessions',
      'config.groups[1].action.method_params.intf_list[0].secondary_ip: 172.31.1.10 is in the list already, at config.groups[0].action.method_params.intf_list[0]; remove one of the two',
      'config.groups[1].name: the same name as config.groups[0]; give each group its own',
      'config.bfd_sessions[1].name: the same name as config.bfd_sessions[0]; give each session its own',
      'config.groups[0].bfd_sessions[1]: no session is named "to-d"; did you mean "to-a"?',
      'config.groups[0].bfd_sessions[2]: "to-a" is in the list already; remove one of the two',
      'config.bfd_sessions[2]: "to-c" is in no group; write it into the "bfd_sessions" of one, or remove the session',
      "config.bfd_sessions[2].neigh_ip: 172.31.3.154 is one of the floating addresses; write the peer router's own (primary) address on that subnet",
    ]);
  });

  test('beside action, and neither of them', () => {
    const { action } = configWith();
    expect(mistakesOf(textOf(pair({ action }, [group('north', '172.31.1.10')])))).toEqual([
      'config.action: beside "groups"; move it into one of the groups, or write no groups',
    ]);
    expect(mistakesOf(textOf(configWith({ action: undefined })))).toEqual([
      'config.action: missing; write {"method": "secondary_ip_shift", "method_params": {"intf_list": [...]}}',
    ]);
  });

  test('a group without an action, and with both', () => {
    const { action: _action, ...none } = group('north', '172.31.1.10');
    const { action } = group('south', '172.31.2.10');
    const both = { name: 'south', action, actions: [group('', '172.31.3.10').action] };
    expect(mistakesOf(textOf(pair({}, [none, both])))).toEqual([
      'config.groups[0].action: missing; write {"method": "secondary_ip_shift", "method_params": {"intf_list": [...]}}',
      'config.groups[1].actions: there is an "action" too; put that one into this list and remove it',
    ]);
  });

  test('a session without a name that no group can refer to', () => {
    const { name: _name, ...nameless } = session('to-b', 2);
    const wrong = pair({ bfd_sessions: [session('to-a', 1), nameless] }, [
      group('north', '172.31.1.10', { bfd_sessions: ['to-a'] }),
    ]);
    expect(mistakesOf(textOf(wrong))).toEqual([
      'config.bfd_sessions[1]: in no group, because it has no name; give it one and write it into the "bfd_sessions" of a group',
    ]);
  });
});
