/** The list of everything in the image, in the format CycloneDX 1.5: what scanners of vulnerabilities read. */
import { createHash } from 'node:crypto';
import type { ShippedPackage } from './debianBase';

export type SbomSubject = {
  readonly name: string;
  readonly version: string;
  readonly epochS: number;
  readonly base: string;
  readonly imageId: string;
};

export function sbom(
  { name, version, epochS, base, imageId }: SbomSubject,
  packages: readonly ShippedPackage[],
): object {
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    serialNumber: `urn:uuid:${uuidOf(imageId)}`,
    version: 1,
    metadata: {
      timestamp: new Date(epochS * 1000).toISOString(),
      component: {
        type: 'container',
        name,
        version,
        'bom-ref': imageId,
        properties: [{ name: 'base', value: base }],
      },
    },
    components: packages.map((each) => ({
      type: each.kind === 'own' ? 'application' : 'library',
      'bom-ref': purlOf(each, base),
      name: each.name,
      version: each.version,
      purl: purlOf(each, base),
      ...(each.sha256 === undefined ? {} : { hashes: [{ alg: 'SHA-256', content: each.sha256 }] }),
      licenses: [{ license: { name: each.licence } }],
    })),
  };
}

function purlOf({ kind, name, version }: ShippedPackage, base: string): string {
  const at = encodeURIComponent(version);
  switch (kind) {
    case 'deb':
      return `pkg:deb/debian/${name}@${at}?arch=amd64&distro=${base}`;
    case 'npm':
      return `pkg:npm/${name.replace('@', '%40')}@${at}`;
    case 'node':
      return `pkg:generic/node@${at}`;
    case 'own':
      return `pkg:generic/${name}@${at}`;
  }
}

/** The same image has the same number. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
