/** The Region that the URL of an EC2 endpoint names, for what is said of AWS before IMDS has answered. */

/** `vpce-...ec2.us-west-2.vpce.amazonaws.com` and `ec2.us-west-2.amazonaws.com`, with `.cn` in China. */
const NAME = /(?:^|\.)ec2\.([a-z]{2,5}(?:-[a-z]+){1,3}-\d{1,2})\.(?:vpce\.)?amazonaws\.com(?:\.cn)?$/;

/** Null where it names none: an address, or a name of the operator's own. */
export function endpointRegion(endpointUrl: string): string | null {
  return NAME.exec(new URL(endpointUrl).hostname)?.[1] ?? null;
}
