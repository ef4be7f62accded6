/**
 * Takes secondary private addresses over: AssignPrivateIpAddresses, one call for all addresses of an interface.
 * The call is all-or-nothing and a 200 confirms it. Without `allowReassignment` EC2 refuses it when another
 * interface holds one of them, which is how a free address is claimed. When and how often to try is decided by
 * the rules; this sends what it is told to.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignPrivateIpAddresses.html
 */
import {
  AssignPrivateIpAddressesCommand,
  type AssignPrivateIpAddressesCommandOutput,
} from '@aws-sdk/client-ec2';
import type { Failure, TakeoverRequest } from '../../core/model';
import { malformed, type CallResult, type Ec2, type PreparedCall } from '../ec2';

export type TakeoverOutcome = {
  /** Null for success. */
  readonly failure: Failure | null;
  /** Monotonic ms when the request was handed to the socket; when it was to be, where it was not. */
  readonly sentAt: number;
  readonly awsRequestId: string | null;
};

export type SecondaryIpTakeover = {
  /** Builds and signs; nothing leaves this router. */
  prepare(request: TakeoverRequest): void;
  /**
   * Sends the prepared request where there is one, else a new one; identical ones that are under way use
   * connections of their own. `timeoutMs` runs from here. Never rejects.
   */
  send(
    request: TakeoverRequest & { readonly send: number; readonly timeoutMs: number },
  ): Promise<TakeoverOutcome>;
  /** What was prepared for this attempt will not be sent. */
  discard(attempt: number): void;
  withdraw(attempt: number, calls: readonly number[]): void;
  /**
   * Goes through a takeover up to the socket, keeps the signed requests for the one that may come, and sees to
   * it that each of them, and a read beside them, would find a connection standing. Sends nothing. Fulfilled
   * when all is built; never rejects.
   */
  rehearse(moves: readonly RehearsedMove[]): Promise<void>;
};

type Move = Pick<TakeoverRequest, 'networkInterfaceId' | 'targets' | 'allowReassignment'>;
/** A takeover takes the addresses from whoever holds them. */
type RehearsedMove = Omit<Move, 'allowReassignment'>;

/** A signature is good for 5 minutes. */
const PREPARED_AGE_MS_MAX = 240_000;

type Prepared = {
  readonly move: Move;
  readonly preparedAt: number;
  readonly call: PreparedCall<AssignPrivateIpAddressesCommandOutput>;
};

export function secondaryIpTakeover({
  ec2,
  now,
}: {
  readonly ec2: Ec2;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}): SecondaryIpTakeover {
  /** Signed for a call of an attempt, by `keyOf`. */
  const prepared = new Map<string, Prepared>();
  /** Signed at the last rehearsal, for no attempt yet. */
  let ahead: readonly Prepared[] = [];

  const build = (move: Move) =>
    ec2.prepare('AssignPrivateIpAddresses', (client, options) => {
      const command = new AssignPrivateIpAddressesCommand({
        NetworkInterfaceId: move.networkInterfaceId,
        PrivateIpAddresses: [...move.targets],
        AllowReassignment: move.allowReassignment,
      });
      return client.send(command, options);
    });

  const prepareMove = (move: Move): Prepared => ({ move, preparedAt: now(), call: build(move) });

  const isGood = ({ move, preparedAt, call }: Prepared, wanted: Move): boolean =>
    now() - preparedAt < PREPARED_AGE_MS_MAX && !call.hasFailed() && isSameMove(move, wanted);

  const takeAhead = (move: Move): Prepared | null => {
    const found = ahead.find((candidate) => isGood(candidate, move)) ?? null;
    ahead = ahead.filter((candidate) => candidate !== found);
    return found;
  };

  /** The prepared request, once; null where there is none that is still good. */
  const takePrepared = (request: TakeoverRequest): Prepared['call'] | null => {
    const found = prepared.get(keyOf(request));
    if (found === undefined) return takeAhead(request)?.call ?? null;
    prepared.delete(keyOf(request));
    if (isGood(found, request)) return found.call;
    found.call.discard();
    return null;
  };

  return {
    prepare: (request) => {
      prepared.get(keyOf(request))?.call.discard();
      prepared.set(keyOf(request), takeAhead(request) ?? prepareMove(request));
      ec2.warm(prepared.size);
    },
    send: async (request) => {
      const call = takePrepared(request) ?? build(request);
      return outcomeOf(request, await call.release(request.timeoutMs));
    },
    discard: (attempt) => {
      for (const [key, { call }] of prepared) {
        if (!key.startsWith(`${attempt}/`)) continue;
        prepared.delete(key);
        call.discard();
      }
    },
    withdraw: () => {},
    rehearse: async (moves) => {
      const before = ahead;
      ahead = moves.map((move) => prepareMove({ ...move, allowReassignment: true }));
      for (const { call } of before) call.discard();
      ec2.warm(moves.length + 1);
      await Promise.all(ahead.map(({ call }) => call.built));
    },
  };
}

const keyOf = ({ attempt, call }: TakeoverRequest): string => `${attempt}/${call}`;

function isSameMove(a: Move, b: Move): boolean {
  return (
    a.networkInterfaceId === b.networkInterfaceId &&
    a.allowReassignment === b.allowReassignment &&
    a.targets.join() === b.targets.join()
  );
}

function outcomeOf(
  request: TakeoverRequest,
  result: CallResult<AssignPrivateIpAddressesCommandOutput>,
): TakeoverOutcome {
  const { sentAt, awsRequestId } = result;
  if (!result.ok) return { failure: result.failure, sentAt, awsRequestId };
  // Which addresses the answer lists is not documented; which interface it is about is.
  const { NetworkInterfaceId } = result.output;
  if (NetworkInterfaceId === request.networkInterfaceId) return { failure: null, sentAt, awsRequestId };
  const failure = malformed(`the answer is about ${NetworkInterfaceId ?? 'no interface'}`);
  return { failure, sentAt, awsRequestId };
}
