/** What the kernel has to have for the real-router lab, tried in namespaces of its own that are gone afterwards. */
import { spawnSync } from 'node:child_process';

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
