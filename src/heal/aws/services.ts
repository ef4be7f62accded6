/**
 * The three services that the healer talks to, over the daemon's transport: explicit settings, a deadline for each call,
 * no retries, and one table of what errors mean. Credentials come from the environment where it has some (Lambda, or a
 * shell after `aws configure export-credentials`), else from the instance's role.
 */
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { SNSClient } from '@aws-sdk/client-sns';
import type { Logger } from 'pino';
import { startCredentials, type Credentials } from '../../aws/transport/credentials';
import { openEc2, type Ec2 } from '../../aws/transport/ec2';
import { openImds } from '../../aws/transport/imds';
import { openService, type ClientSettings, type ServiceCaller } from '../../aws/transport/service';
import type { HealSettings } from '../config/settings';

export type Services = {
  readonly ec2: Pick<Ec2, 'call'>;
  readonly autoscaling: ServiceCaller<AutoScalingClient>;
  readonly sns: ServiceCaller<SNSClient>;
  /** Fulfilled once there are credentials. */
  readonly ready: Promise<void>;
  readonly stop: () => void;
};

type HealerCredentials = Pick<Credentials, 'provider' | 'refreshNow' | 'ready' | 'stop'>;

export function openServices(
  { endpoints, region }: Pick<HealSettings, 'endpoints' | 'region'>,
  log: Logger,
  env: NodeJS.ProcessEnv = process.env,
): Services {
  const now = (): number => performance.now();
  const credentials = credentialsOf(env) ?? startCredentials({ imds: openImds(), log });
  const open = <Client extends { destroy(): void }>(
    service: string,
    endpointUrl: string,
    client: (settings: ClientSettings) => Client,
  ) => openService({ service, endpointUrl, region, credentials, log, now, client });
  const ec2 = openEc2({ endpointUrl: endpoints.ec2, region, credentials, log, now });
  const autoscaling = open(
    'Auto Scaling',
    endpoints.autoscaling,
    (settings) => new AutoScalingClient(settings),
  );
  const sns = open('SNS', endpoints.sns, (settings) => new SNSClient(settings));
  return {
    ec2,
    autoscaling: autoscaling.caller,
    sns: sns.caller,
    ready: credentials.ready,
    stop: () => {
      credentials.stop();
      ec2.stop();
      autoscaling.stop();
      sns.stop();
    },
  };
}

/** Null where the environment has none. Read at each request: Lambda renews them there. */
function credentialsOf(env: NodeJS.ProcessEnv): HealerCredentials | null {
  const identity = () => ({
    accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
    sessionToken: env['AWS_SESSION_TOKEN'] ?? '',
  });
  if (identity().accessKeyId === '' || identity().secretAccessKey === '') return null;
  return {
    provider: Object.assign(() => Promise.resolve(identity()), { memoized: true as const }),
    refreshNow: () => Promise.resolve(),
    ready: Promise.resolve(),
    stop: () => undefined,
  };
}
