import type { CloudSettings, InAws } from '../../src/config/settings';

/** The part of a configuration that has its targets in AWS. */
export function inAws({ cloud }: { readonly cloud: CloudSettings }): InAws {
  if (cloud.type !== 'aws') throw new Error(`the targets are in ${cloud.type}`);
  return cloud;
}
