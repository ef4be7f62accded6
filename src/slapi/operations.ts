/**
 * Requests to the router: one register or session operation in flight at a time, each with a deadline, and
 * the replies' outcomes checked. Must not know what is being registered.
 */
import { failureInWords, wantsCalm, type RouterChannel } from './channel';
import {
  inWords,
  isNotRegistered,
  needsStartingOver,
  outcomeOf,
  succeeded,
  type ErrorMeaning,
} from './errors';
import { asMessage, messageIn, messagesIn, type Message } from './message';
import { serviceOf, type Method, type Service } from './protos';

/** Why an attachment to the router ended. */
/** That a loss may come from the order of the two. `isSure`: the router says that this client is not registered. */
export type OrderDoubt = { readonly service: Service; readonly isSure: boolean };

export type Loss = {
  /** `taken`: another client has our streams; `refused`: the router will not have this client. */
  readonly kind: 'lost' | 'taken' | 'refused';
  readonly cause: string;
  /** The router ended the connection because it was asked too much. */
  readonly calm?: true;
  /** Where a stream or a registration may have failed because the other one was to come first. */
  readonly doubt?: OrderDoubt;
};

/** A step that failed in a way that only starting over can mend; caught where an attachment is run. */
export class StepFailure extends Error {
  readonly loss: Loss;

  constructor(loss: Loss) {
    super(loss.cause);
    this.loss = loss;
  }
}

/**
 * The router wants all register and session operations from a single execution context (comment in its
 * published interface), so they queue here; reads that must not wait go to the channel directly.
 */
export class Operations {
  readonly #channel: RouterChannel;
  readonly #timeoutMs: number;
  #last: Promise<unknown> = Promise.resolve();
  #withdrawing = false;

  constructor(channel: RouterChannel, timeoutMs: number) {
    this.#channel = channel;
    this.#timeoutMs = timeoutMs;
  }

  /** Throws `StepFailure` where there is no reply. */
  run(method: Method, request: object): Promise<Message> {
    return this.#queue(() => {
      if (this.#withdrawing) throw new StepFailure({ kind: 'lost', cause: 'this client is withdrawing' });
      return this.#ask(method, request);
    });
  }

  /** A register operation, or a read: `ErrStatus` has to be success. */
  async runChecked(method: Method, request: object): Promise<Message> {
    const reply = await this.run(method, request);
    return checked(method, reply);
  }

  /**
   * A register operation that takes back. From this call on nothing else is sent, or what was just taken
   * back could be programmed again by the steps that were under way.
   */
  async withdraw(method: Method, request: object): Promise<void> {
    this.#withdrawing = true;
    checked(method, await this.#queue(() => this.#ask(method, request)));
  }

  #queue(ask: () => Promise<Message>): Promise<Message> {
    const result = this.#last.then(ask);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #ask(method: Method, request: object): Promise<Message> {
    const reply = await this.#channel.unary(method, request, this.#timeoutMs);
    if (reply.ok) return asMessage(reply.message) ?? {};
    const cause = `${method.name} got no answer: ${failureInWords(reply.failure)}`;
    throw new StepFailure({
      kind: 'lost',
      cause,
      ...(wantsCalm(reply.failure) ? { calm: true as const } : {}),
    });
  }
}

function checked(method: Method, reply: Message): Message {
  const outcome = outcomeOf(reply['ErrStatus']);
  if (succeeded(outcome)) return reply;
  throw new StepFailure(refusalOf(method, outcome));
}

export type Refused<Item> = { readonly item: Item; readonly error: ErrorMeaning };

type Batch<Item> = {
  readonly method: Method;
  readonly items: readonly Item[];
  /** How many items the router takes in one request; 0 where it has not said. */
  readonly size: number;
  readonly request: (items: readonly Item[]) => object;
  /** Whether a result's `Key` is the item's. */
  readonly matches: (key: Message | null, item: Item) => boolean;
};

/**
 * Sends the items in as many requests as it takes and returns those that were refused. A request that is
 * refused as a whole is repeated item by item, so that one bad item does not keep the others out.
 */
export async function runBatch<Item>(
  operations: Operations,
  batch: Batch<Item>,
): Promise<readonly Refused<Item>[]> {
  const size = Math.max(1, batch.size);
  const refused: Refused<Item>[] = [];
  for (let from = 0; from < batch.items.length; from += size) {
    const items = batch.items.slice(from, from + size);
    refused.push(...(await runOne(operations, { ...batch, items })));
  }
  return refused;
}

async function runOne<Item>(operations: Operations, batch: Batch<Item>): Promise<readonly Refused<Item>[]> {
  const reply = await operations.run(batch.method, batch.request(batch.items));
  const summary = outcomeOf(reply['StatusSummary']);
  if (needsStartingOver(summary)) throw new StepFailure(refusalOf(batch.method, summary));
  const named = namedIn(reply, batch);
  const unknown = named.find(({ error }) => needsStartingOver(error));
  if (unknown !== undefined) throw new StepFailure(refusalOf(batch.method, unknown.error));
  if (succeeded(summary) || named.length > 0) return named;
  const [only] = batch.items;
  // A refusal that names nobody: of a single item it is that item's, of several it has to be found out.
  if (batch.items.length === 1 && only !== undefined)
    return [{ item: only, error: firstError(reply, summary) }];
  return runBatch(operations, { ...batch, size: 1 });
}

/** `Results` may hold every item of the request or only the refused ones. */
function namedIn<Item>(reply: Message, { items, matches }: Batch<Item>): readonly Refused<Item>[] {
  const failures = messagesIn(reply, 'Results')
    .map((result) => ({ key: messageIn(result, 'Key'), error: outcomeOf(result['ErrStatus']) }))
    .filter(({ error }) => !succeeded(error));
  return items.flatMap((item) => {
    const failure = failures.find(({ key }) => matches(key, item));
    return failure === undefined ? [] : [{ item, error: failure.error }];
  });
}

function firstError(reply: Message, summary: ErrorMeaning): ErrorMeaning {
  const errors = messagesIn(reply, 'Results').map((result) => outcomeOf(result['ErrStatus']));
  return errors.find((error) => !succeeded(error)) ?? summary;
}

export function refusalOf(method: Method, error: ErrorMeaning): Loss {
  const cause = `${method.name} was refused: ${inWords(error)}`;
  return error.name === 'SL_NOTIF_TERM'
    ? { kind: 'taken', cause }
    : { kind: 'lost', cause, ...refusalDoubt(method, error) };
}

/** Registrations, and the limits, which are asked for before them. What comes later was registered for. */
function refusalDoubt(method: Method, error: ErrorMeaning): { readonly doubt?: OrderDoubt } {
  return /(RegOp|^SLBfdv[46]Get)$/.test(method.name) ? doubtOf(method, isNotRegistered(error)) : {};
}

export function doubtOf(method: Method, isSure: boolean): { readonly doubt?: OrderDoubt } {
  const service = serviceOf(method);
  return service === null ? {} : { doubt: { service, isSure } };
}
