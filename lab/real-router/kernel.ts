/** What the real-router lab needs of a machine; the kernel is tried in namespaces of its own that are gone afterwards. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export type NeededProgram = { readonly path: string; /** Debian's package. */ readonly from: string };

export const labPrograms: readonly NeededProgram[] = [
  { path: '/usr/lib/frr/bfdd', from: 'frr' },
  { path: '/usr/sbin/nft', from: 'nftables' },
];

/** Why the lab cannot run here, and what to do; null where it can. */
export function whatHinders(programs: readonly NeededProgram[]): string | null {
  if (process.getuid?.() !== 0) return 'network namespaces are made by root: run this as root';
  const packages = programs.flatMap(({ path, from }) => (existsSync(path) ? [] : [from]));
  if (packages.length > 0) return `programs are missing: apt-get install ${packages.join(' ')}`;
  const lacks = whatIsMissing();
  return lacks.length === 0 ? null : `this kernel lacks: ${lacks.join('; ')}`;
}

const TRIES: readonly (readonly [what: string, script: string])[] = [
  ['network namespaces with names', 'mount -t tmpfs none /run && mkdir /run/netns && ip netns add a'],
  ['veth pairs', 'ip link add v0 type veth peer name v1'],
  ['routing by incoming interface', 'ip rule add iif lo lookup 101'],
  ['nftables', "nft 'add table inet t'"],
  ['random numbers in nftables', "nft 'table inet t { chain c { numgen random mod 100 < 1 drop; }; }'"],
  ['changes of the TTL in nftables', "nft 'table inet t { chain c { ip ttl set 255; }; }'"],
  [
    'address translation in nftables',
    "nft 'table ip t { chain c { type nat hook prerouting priority dstnat; meta l4proto tcp dnat to 127.0.0.1; }; }'",
  ],
];

/** Plain words for each thing that is not there; empty where all is well. */
export function whatIsMissing(): readonly string[] {
  if (!passes('true')) return ['namespaces for network, mounts and processes (unshare)'];
  return TRIES.filter(([, script]) => !passes(script)).map(([what]) => what);
}

const passes = (script: string): boolean =>
  spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', '--mount-proc', 'sh', '-c', script], {
    stdio: 'ignore',
  }).status === 0;
