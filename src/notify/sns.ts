/**
 * A topic of SNS: the sentence with its figures as JSON, by the VPC endpoint, signed with the role of the instance as for
 * EC2. Standard topics have no way to tell doubles, so the id is in the message.
 * https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
 */
import { setTimeout as delay } from 'node:timers/promises';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import type { Logger } from 'pino';
import { startCredentials, type Credentials } from '../aws/transport/credentials';
import { openImds } from '../aws/transport/imds';
import { openService } from '../aws/transport/service';
import type { ReceiverSettings } from '../config/settings';
import type { Notification } from './notification';
import { delivered, failed, type Deliver, type Receiver } from './receiver';
import { cloudEvent } from './webhook';

type SnsSettings = Extract<ReceiverSettings, { type: 'sns' }>;

const TIMEOUT_MS = 5_000;
const CREDENTIALS_MS = 4_000;
/** SNS takes less than 100 characters of ASCII for a subject. */
const SUBJECT_MAX = 99;

export function sns({ topicArn, endpointUrl }: SnsSettings, log: Logger): Receiver {
  const [, , , region = ''] = topicArn.split(':');
  const credentials = startCredentials({ imds: openImds(), log });
  const { caller, stop } = openService({
    service: 'SNS',
    endpointUrl,
    region,
    credentials,
    log,
    now: () => performance.now(),
    client: (settings) => new SNSClient(settings),
  });
  const deliver: Deliver = async (notification, signal) => {
    if (!(await isReady(credentials, signal))) {
      const { problem } = credentials.ageInfo();
      return failed(`there are no credentials of the role yet${problem === null ? '' : `: ${problem}`}`);
    }
    const called = await caller.call('Publish', TIMEOUT_MS, (sender, options) =>
      sender.send(new PublishCommand(publication(topicArn, notification)), options),
    );
    if (called.ok) return delivered(`message ${called.output.MessageId ?? 'without an id'}`);
    const { code, message } = called.failure;
    return failed(`${code}: ${message}`, code === 'InvalidParameter');
  };
  return {
    deliver,
    close: () => {
      credentials.stop();
      stop();
    },
  };
}

/** For so long; without them a request could not be signed. */
async function isReady({ ready }: Credentials, signal: AbortSignal): Promise<boolean> {
  const late = delay(CREDENTIALS_MS, false, { signal, ref: false }).catch(() => false);
  return Promise.race([ready.then(() => true), late]);
}

/** The attributes are what a subscription can filter by. */
function publication(topicArn: string, notification: Notification) {
  const { router, severity, text, type } = notification;
  const attribute = (value: string) => ({ DataType: 'String', StringValue: value });
  return {
    TopicArn: topicArn,
    Subject: `${router}: ${text}`.replace(/[^\x20-\x7e]/g, ' ').slice(0, SUBJECT_MAX),
    Message: JSON.stringify(cloudEvent(notification)),
    MessageAttributes: { type: attribute(type), severity: attribute(severity), router: attribute(router) },
  };
}
