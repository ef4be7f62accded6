/** Application status checks: what EC2 asks on instances over HTTP. What they find, the lab says: nothing is asked here. */
import type { Ec2Model } from './model';

export type CheckStatus = 'passed' | 'failed' | 'initializing' | 'insufficient-data' | 'not-applicable';

export interface CheckResult {
  readonly status: CheckStatus;
  readonly reason?: string;
  /** How old EC2's last word of it is whenever it is asked. Absent: it has just checked. */
  readonly saidAgoMs?: number;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateApplicationStatusCheck.html */
export interface ApplicationCheck {
  readonly applicationStatusCheckId: string;
  readonly aggregation: 'included' | 'excluded';
  readonly protocol: 'http' | 'https';
  readonly port: number;
  readonly path: string;
  readonly deviceIndex: number;
  /** By instance that it is associated with. */
  readonly results: Readonly<Record<string, CheckResult>>;
}

export const checkOf = (model: Ec2Model, id: string): ApplicationCheck | undefined =>
  model.applicationChecks.find(({ applicationStatusCheckId }) => applicationStatusCheckId === id);

/** Adds it, or puts it in place of the one with its id. */
export function withCheck(model: Ec2Model, check: ApplicationCheck): Ec2Model {
  return { ...model, applicationChecks: [...othersThan(model, check.applicationStatusCheckId), check] };
}

export function withoutCheck(model: Ec2Model, id: string): Ec2Model {
  return { ...model, applicationChecks: othersThan(model, id) };
}

const othersThan = (model: Ec2Model, id: string): readonly ApplicationCheck[] =>
  model.applicationChecks.filter(({ applicationStatusCheckId }) => applicationStatusCheckId !== id);
