/**
 * What the actions have in common: one file for each kind of target, which builds and signs the first call of a
 * move ahead, and makes it on release. When and how often to try is decided by the rules; what a limit of EC2's
 * allows, by the pacer.
 */
import type { ServiceOutputTypes } from '@aws-sdk/client-ec2';
import type { Outcome } from '../../cloud';
import type { MovingAction } from '../../config/settings';
import type { Failure } from '../../core/state/readings';
import type { Kind, TargetOf } from '../description';
import { malformed, type CallResult, type Caller, type Command, type PreparedCall } from '../transport/ec2';

/** Targets of one kind that go to one interface together. */
export type Move<K extends Kind = Kind> = {
  readonly targets: readonly TargetOf<K>[];
  readonly networkInterfaceId: string;
  /** Whether they may be taken from somebody else. */
  readonly allowReassignment: boolean;
  /** Of an Elastic IP; null: the primary address. */
  readonly privateAddress: string | null;
  /** What has to be taken off other interfaces before. */
  readonly releases: readonly {
    readonly networkInterfaceId: string;
    readonly targets: readonly TargetOf<K>[];
  }[];
};

export type PreparedMove = {
  /** The bucket that the first call draws on. */
  readonly action: MovingAction;
  /** Fulfilled when the first call is built and signed, or has failed to be. */
  readonly built: Promise<void>;
  /** It has failed before it was released. */
  hasFailed(): boolean;
  /** The first call is likely to be released soon: it takes a connection for itself. */
  reserve(): void;
  /** A token for the first call has been taken. The deadline runs from here. Never rejects. To be called once. */
  release(timeoutMs: number): Promise<Outcome>;
  /** It will not be sent. */
  discard(): void;
};

export type Tools = {
  readonly ec2: Caller;
  /** Takes a token for a further call of a move, when there is one. */
  readonly token: (action: MovingAction) => Promise<void>;
  /** What EC2 has said to a call; null: done. */
  readonly answered: (action: MovingAction, failure: Failure | null) => void;
  /** The route table of a route, by target id; null where EC2 has not shown it. */
  readonly tableOf: (id: string) => string | null;
};

/** Makes one call of a move, of which the first is signed ahead; null: it is done. */
export type Calls = <Output extends ServiceOutputTypes>(
  action: MovingAction,
  command: Command<Output>,
  /** What is wrong with a good answer; null for nothing. */
  problemOf: (output: Output) => string | null,
) => Promise<Failure | null>;

/** A move as a few calls, one after the other, within one deadline. */
export function movesBy<Output extends ServiceOutputTypes>(
  { ec2, token, answered }: Tools,
  first: {
    readonly action: MovingAction;
    readonly command: Command<Output>;
    readonly problemOf: (output: Output) => string | null;
  },
  /** What comes after the answer to the first call. */
  then: (failure: Failure | null, call: Calls) => Promise<Failure | null> = (failure) =>
    Promise.resolve(failure),
): PreparedMove {
  const failureOf = <Answer>(
    action: MovingAction,
    result: CallResult<Answer>,
    problemOf: (output: Answer) => string | null,
  ): Failure | null => {
    answered(action, result.ok ? null : result.failure);
    if (!result.ok) return result.failure;
    const problem = problemOf(result.output);
    return problem === null ? null : malformed(problem);
  };
  const prepared: PreparedCall<Output> = ec2.prepare(first.action, first.command);
  return {
    action: first.action,
    built: prepared.built,
    hasFailed: () => prepared.hasFailed(),
    reserve: () => prepared.reserve(),
    discard: () => prepared.discard(),
    release: async (timeoutMs) => {
      let until = performance.now() + timeoutMs;
      const result = await prepared.release(timeoutMs);
      let { apiRequestId } = result;
      const call: Calls = async (action, command, problemOf) => {
        const asked = performance.now();
        await token(action);
        // The deadline is EC2's, not that of its limits.
        until += performance.now() - asked;
        const next = await ec2.call(action, Math.max(1, until - performance.now()), command);
        ({ apiRequestId } = next);
        return failureOf(action, next, problemOf);
      };
      const failure = await then(failureOf(first.action, result, first.problemOf), call);
      return { failure, sentAt: result.sentAt, apiRequestId };
    },
  };
}

/** For answers that say which interface they are about. */
export function aboutInterface(wanted: string) {
  return ({ NetworkInterfaceId: answered }: { readonly NetworkInterfaceId?: string | undefined }) =>
    answered === wanted ? null : `the answer is about ${answered ?? 'no interface'}`;
}
