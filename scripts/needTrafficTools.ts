/**
 * What the tests with real BFD and real packets run: FRR, nftables, iproute2. Installs the Debian packages where
 * programs are missing and this user may, without starting their services, and says what to do where not.
 */
import { existsSync } from 'node:fs';
import { installDebian, isThere } from './debianPackages';
import { whatIsMissing } from '../lab/real-router/kernel';

const needed = [
  { there: () => existsSync('/usr/lib/frr/bfdd'), from: 'frr' },
  { there: () => isThere('nft'), from: 'nftables' },
  { there: () => isThere('ip'), from: 'iproute2' },
  { there: () => isThere('unshare'), from: 'util-linux' },
] as const;

const missing = () => needed.flatMap(({ there, from }) => (there() ? [] : [from]));

function complain(): string | null {
  if (process.getuid?.() !== 0) return 'Network namespaces are made by root: run this as root.';
  const packages = missing();
  if (packages.length > 0 && !(installDebian(packages, { services: 'off' }) && missing().length === 0))
    return `These Debian packages are missing: ${missing().join(', ')}. apt-get install ${missing().join(' ')}`;
  const lacks = whatIsMissing();
  return lacks.length === 0 ? null : `This kernel lacks: ${lacks.join('; ')}.`;
}

const complaint = complain();
if (complaint !== null) {
  process.stderr.write(`${complaint}\n`);
  process.exitCode = 1;
}
