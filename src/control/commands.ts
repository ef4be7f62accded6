/**
 * What an operator can ask of the running daemon, and the limits of it. Both ends of the socket share this
 * file, so it loads nothing: the command line has to be quick.
 */

/** `group`: the one that is meant, where one is named. */
export type OperatorCommand = { readonly group?: string | undefined } & OperatorAction;

type OperatorAction =
  | {
      /** Maintenance: this router begins no takeover for `forMs`, from 1 s to 7 days. */
      readonly kind: 'inhibit';
      readonly forMs: number;
      readonly why: string;
    }
  /** The end of the maintenance, before its time. */
  | { readonly kind: 'release' }
  /** Hand the targets to the peer router. */
  | { readonly kind: 'switchover' }
  /** The same at a time in milliseconds since 1970, from now to 7 days ahead. */
  | { readonly kind: 'schedule'; readonly atWallMs: number }
  /** No switchover at a later time. */
  | { readonly kind: 'cancel' }
  /** A switchover to the peer for `holdMs`, from 1 s to an hour, and back. */
  | { readonly kind: 'drill'; readonly holdMs: number }
  /** What a switchover would ask for now, and what speaks against it. */
  | { readonly kind: 'preview' };

/** The daemon's decision, in one sentence. */
export type OperatorAnswer = {
  readonly accepted: boolean;
  readonly sentence: string;
  /** What belongs to it. */
  readonly lines?: readonly string[] | undefined;
  /** Declined, but something has moved. */
  readonly begun?: true | undefined;
};

export const minInhibitMs = 1_000;
export const maxInhibitMs = 7 * 24 * 60 * 60 * 1_000;
/** A switchover is ordered so long before its time at most. */
export const maxAheadMs = 7 * 24 * 60 * 60 * 1_000;
export const minHoldMs = 1_000;
export const maxHoldMs = 60 * 60 * 1_000;

const maxWhyCharacters = 200;

/**
 * What is wrong with a reason, as the end of a sentence; null where nothing is. It ends up in logs and on
 * terminals, which control characters and marks of direction would steer.
 */
export function whyFault(why: string): string | null {
  if (why.trim() === '') return 'is empty';
  const { length } = [...why];
  if (length > maxWhyCharacters) return `has ${length} characters; it may have ${maxWhyCharacters}`;
  return /[\p{C}\p{Zl}\p{Zp}]/u.test(why) ? 'holds a character that cannot be printed on one line' : null;
}
