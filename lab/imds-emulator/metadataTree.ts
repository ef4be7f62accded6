/**
 * The metadata of an instance as a tree of texts below /latest/, and the way IMDS lists its folders.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html
 */
import type { ImdsInstance } from './instance';

/** Leaves by path, without the leading slash; each is made only when it is read. */
export type MetadataTree = ReadonlyMap<string, () => string>;

export interface RoleLeaf {
  readonly role: string;
  readonly document: () => string;
}

export function metadataTree(instance: ImdsInstance, { role, document }: RoleLeaf): MetadataTree {
  const [primary] = instance.interfaces;
  const leaves: readonly (readonly [string, () => string])[] = [
    ['meta-data/instance-id', () => instance.instanceId],
    ['meta-data/instance-type', () => instance.instanceType],
    ['meta-data/placement/region', () => instance.region],
    ['meta-data/placement/availability-zone', () => instance.availabilityZone],
    ['meta-data/placement/availability-zone-id', () => instance.availabilityZoneId],
    [`meta-data/iam/security-credentials/${role}`, document],
    ['dynamic/instance-identity/document', () => identityDocument(instance)],
    ...(primary === undefined
      ? []
      : ([
          ['meta-data/mac', () => primary.macAddress],
          ['meta-data/local-ipv4', () => primary.localIpv4s[0] ?? ''],
        ] as const)),
    ...instance.interfaces.flatMap((eni) => {
      const { subnetIpv6CidrBlock } = eni;
      const base = `meta-data/network/interfaces/macs/${eni.macAddress}`;
      return [
        [`${base}/device-number`, () => String(eni.deviceNumber)],
        [`${base}/interface-id`, () => eni.networkInterfaceId],
        ...(eni.ipv6s.length === 0 ? [] : [[`${base}/ipv6s`, () => eni.ipv6s.join('\n')] as const]),
        ...eni.ipv4Associations.map(
          ({ publicIp, privateIp }) => [`${base}/ipv4-associations/${publicIp}`, () => privateIp] as const,
        ),
        [`${base}/local-ipv4s`, () => eni.localIpv4s.join('\n')],
        [`${base}/mac`, () => eni.macAddress],
        [`${base}/network-card-index`, () => String(eni.networkCardIndex)],
        [`${base}/subnet-id`, () => eni.subnetId],
        [`${base}/subnet-ipv4-cidr-block`, () => eni.subnetIpv4CidrBlock],
        ...(subnetIpv6CidrBlock === undefined
          ? []
          : [[`${base}/subnet-ipv6-cidr-blocks`, () => subnetIpv6CidrBlock] as const]),
        [`${base}/vpc-id`, () => eni.vpcId],
      ] as const;
    }),
  ];
  return new Map(leaves);
}

/** A leaf's text or a folder's list, sub-folders with a trailing slash; undefined where nothing is. */
export function readMetadata(tree: MetadataTree, path: string): string | undefined {
  const bare = path.replace(/\/+$/, '');
  const leaf = tree.get(bare);
  if (leaf !== undefined) return leaf();
  const children = [...tree.keys()]
    .filter((key) => key.startsWith(`${bare}/`))
    .map((key) => /^[^/]+\/?/.exec(key.slice(bare.length + 1))?.[0] ?? '');
  return children.length === 0 ? undefined : [...new Set(children)].sort().join('\n');
}

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html */
function identityDocument(instance: ImdsInstance): string {
  const document = {
    accountId: instance.accountId,
    availabilityZone: instance.availabilityZone,
    instanceId: instance.instanceId,
    instanceType: instance.instanceType,
    privateIp: instance.interfaces[0]?.localIpv4s[0] ?? null,
    region: instance.region,
    version: '2017-09-30',
  };
  return JSON.stringify(document, null, 2);
}
