/** A small valid document, and changes to it: each test says only what is wrong with its own. */
import { parseConfig } from '../../src/config/load';

type Json = { [key: string]: unknown };

const address = { secondary_ip: '172.31.105.10', instance_intf_number: 2 };
const session = { session_type: 'SINGLE_HOP', intf_name: 'TenGigE0/0/0/2', neigh_ip: '172.31.105.154' };

/** The object `config` with these keys in place of its own; `undefined` takes a key away. */
export function configWith(change: Json = {}): Json {
  return {
    ec2_private_endpoint_url: 'https://ec2.example.com',
    action: { method: 'secondary_ip_shift', method_params: { intf_list: [address] } },
    bfd_sessions: [session],
    ...change,
  };
}

export function withAddresses(...entries: readonly unknown[]): Json {
  return configWith({ action: { method: 'secondary_ip_shift', method_params: { intf_list: entries } } });
}

export function addressWith(change: Json): Json {
  return { ...address, ...change };
}

export function withSessions(...changes: readonly Json[]): Json {
  return configWith({ bfd_sessions: changes.map((change) => ({ ...session, ...change })) });
}

/** What makes the session of `withSessions` a multi-hop one. */
export function multiHop(change: Json = {}): Json {
  return { session_type: 'MULTI_HOP', source_ip: '172.31.101.241', ...change };
}

export function textOf(config: unknown): string {
  return JSON.stringify({ config });
}

/** One line each, without the title, which has to count them; none where the text is accepted. */
export function mistakesOf(text: string): readonly string[] {
  const loaded = parseConfig(text, 'FILE');
  if (loaded.ok) return [];
  const [title, ...lines] = loaded.report.split('\n');
  expect(title).toBe(`FILE has ${lines.length === 1 ? '1 mistake' : `${lines.length} mistakes`}:`);
  return lines.map((line) => line.trim());
}
