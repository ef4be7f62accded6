/**
 * The Region that the URL of an EC2 endpoint names, for what is said of AWS before IMDS has answered, and the partition
 * of a Region. Which partitions there are, and under which domains, is the SDK's to know.
 */
import { partition } from '@aws-sdk/core/client';

/** `vpce-...ec2.us-west-2.vpce.amazonaws.com` and `ec2.us-west-2.amazonaws.com`, under the domain of the partition. */
const NAME = /(?:^|\.)ec2(?:-fips)?\.([a-z]{2,5}(?:-[a-z]+){1,3}-\d{1,2})\.(?:vpce\.)?(.+)$/;

/** Null where it names none: an address, or a name of the operator's own. */
export function endpointRegion(endpointUrl: string): string | null {
  const [, region = '', domain = ''] = NAME.exec(new URL(endpointUrl).hostname) ?? [];
  if (region === '') return null;
  const { dnsSuffix, dualStackDnsSuffix } = partition(region);
  return domain === dnsSuffix || domain === dualStackDnsSuffix ? region : null;
}

/** `aws`, `aws-cn`, ...: as in an ARN. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
export function partitionOf(region: string): string {
  return partition(region).name;
}
