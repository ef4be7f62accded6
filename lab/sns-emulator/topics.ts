/** The topics of the lab, which keep what is published. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
import { randomUUID } from 'node:crypto';
import type { Answer } from '../ec2-emulator/actionRequest';
import { accepted, refused } from '../ec2-emulator/ec2Error';
import { element } from '../ec2-emulator/queryProtocol';
import type { QueryParams } from '../ec2-emulator/queryProtocol';
import { queryService } from '../ec2-emulator/services';
import type { AwsService } from '../ec2-emulator/services';

export interface Published {
  readonly messageId: string;
  readonly topicArn: string;
  readonly subject: string | null;
  readonly message: string;
}

const MOST_BYTES = 262_144;

export class Topics {
  readonly #arns: ReadonlySet<string>;
  readonly #published: Published[] = [];

  constructor(arns: readonly string[]) {
    this.#arns = new Set(arns);
  }

  /** Oldest first. */
  get published(): readonly Published[] {
    return [...this.#published];
  }

  /** To be given to the emulator beside EC2. */
  service(): AwsService {
    return queryService({
      signingName: 'sns',
      apiVersion: '2010-03-31',
      statuses: { NotFound: 404, AuthorizationError: 403, InternalError: 500 },
      actions: {
        Publish: {
          parameters: [
            'TopicArn',
            'TargetArn',
            'Message',
            'Subject',
            'MessageStructure',
            'MessageAttributes',
          ],
          run: ({ params }) => this.#publish(params),
        },
      },
    });
  }

  #publish(params: QueryParams): Answer {
    const topicArn = params.get('TopicArn') ?? params.get('TargetArn');
    const message = params.get('Message') ?? '';
    const subject = params.get('Subject') ?? null;
    if (topicArn === undefined)
      return refused(
        'InvalidParameter',
        'Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter',
      );
    if (message === '') return refused('InvalidParameter', 'Invalid parameter: Empty message');
    if (Buffer.byteLength(message) > MOST_BYTES)
      return refused('InvalidParameter', 'Invalid parameter: Message too long');
    // As documented: ASCII that begins with a letter, number or punctuation mark, in one line, less than 100 characters.
    if (subject !== null && !/^[\x21-\x7e][\x20-\x7e]{0,98}$/.test(subject))
      return refused('InvalidParameter', 'Invalid parameter: Subject');
    if (!this.#arns.has(topicArn)) return refused('NotFound', 'Topic does not exist');
    const messageId = randomUUID();
    this.#published.push({ messageId, topicArn, subject, message });
    return accepted([element('MessageId', messageId)]);
  }
}
