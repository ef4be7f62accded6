/** What the parts of one attachment to the router share. Holds no logic. */
import type { Logger } from 'pino';
import type { BfdSessionSettings } from '../config/settings';
import type { RouterChannel } from './channel';
import type { Complaints } from './complaints';
import type { Loss, Operations } from './operations';
import type { Method } from './protos';

export type Link = {
  readonly channel: RouterChannel;
  readonly operations: Operations;
  readonly sessions: readonly BfdSessionSettings[];
  readonly complaints: Complaints;
  readonly log: Logger;
  /** A message has come on a notification stream. */
  readonly heard: (method: Method) => void;
  /** Ends the attachment at once; only the first call counts. */
  readonly lose: (loss: Loss) => void;
};
