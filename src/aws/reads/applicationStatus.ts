/**
 * What one application status check of EC2 says of instances: each minute EC2 asks what runs on them over HTTP, here the
 * `/livez` of the daemon. The status of the instance as a whole has nothing of a check that is `excluded`, so the details are
 * read. All or nothing, as how the holders are.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeApplicationStatus.html
 */
import { DescribeApplicationStatusCommand, type ApplicationStatusDetail } from '@aws-sdk/client-ec2';
import type { Failure } from '../../core/state/readings';
import { malformed, type Caller } from '../transport/ec2';
import { field, Malformed, text } from './answer';

const STATUSES = ['passed', 'failed', 'initializing', 'insufficient-data', 'not-applicable'] as const;

export type CheckResult = {
  readonly status: (typeof STATUSES)[number];
  /** EC2's last word of it, in ms since 1970. */
  readonly saidAt: number;
  /** A word of EC2, as `ConnectionRefused`; null where it gives none. */
  readonly reason: string | null;
};

export type CheckReading =
  /** By instance; null: EC2 has no such check for it. */
  | { readonly ok: true; readonly results: ReadonlyMap<string, CheckResult | null> }
  | { readonly ok: false; readonly failure: Failure };

/** Without the permission `ec2:DescribeApplicationStatus` it fails as `refused`. Never rejects. */
export async function askApplicationStatus(
  ec2: Caller,
  checkId: string,
  instanceIds: readonly string[],
  timeoutMs: number,
): Promise<CheckReading> {
  const input = { InstanceIds: [...new Set(instanceIds)] };
  const result = await ec2.call('DescribeApplicationStatus', timeoutMs, (client, options) =>
    client.send(new DescribeApplicationStatusCommand(input), options),
  );
  if (!result.ok) return result;
  try {
    const results = new Map<string, CheckResult | null>(input.InstanceIds.map((id) => [id, null]));
    for (const instance of result.output.ApplicationStatuses?.Instances ?? []) {
      const { InstanceId = 'an instance without id', ApplicationStatus } = instance;
      if (results.get(InstanceId) !== null)
        throw new Malformed(`the answer is about ${InstanceId}, which was not asked about, or has it twice`);
      const details = (ApplicationStatus?.Details ?? []).filter(
        ({ ApplicationStatusCheckId }) => ApplicationStatusCheckId === checkId,
      );
      if (details.length > 1) throw new Malformed(`the answer has ${checkId} twice for ${InstanceId}`);
      const [detail] = details;
      if (detail !== undefined) results.set(InstanceId, resultOf(detail, `${checkId} of ${InstanceId}`));
    }
    return { ok: true, results };
  } catch (error: unknown) {
    if (!(error instanceof Malformed)) throw error;
    return { ok: false, failure: malformed(error.message) };
  }
}

function resultOf(detail: ApplicationStatusDetail, name: string): CheckResult {
  const said = text(detail, 'Status', /^[a-z-]{1,40}$/, name);
  const status = STATUSES.find((each) => each === said);
  if (status === undefined) throw new Malformed(`${name} is ${said}, which nobody knows`);
  const { StatusTimeStamp } = detail;
  const saidAt = StatusTimeStamp instanceof Date ? StatusTimeStamp.getTime() : NaN;
  if (Number.isNaN(saidAt)) throw new Malformed(`${name} has no valid StatusTimeStamp`);
  const code = field(detail.Reason, 'Code');
  return { status, saidAt, reason: typeof code === 'string' && /^\w{1,60}$/.test(code) ? code : null };
}
