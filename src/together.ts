/**
 * Waits for all of them. Where some fail, one error says every failure, in the order in which they were asked for: whoever
 * mends one file does not learn of the next one only then, and the words do not depend on which answer came first.
 */
export async function together<Results extends readonly unknown[]>(asked: {
  readonly [Place in keyof Results]: Results[Place] | Promise<Results[Place]>;
}): Promise<Results> {
  const settled = await Promise.allSettled(asked);
  const failures = settled.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  if (failures.length > 0) {
    throw new Error(failures.map(wordsOf).join('; '), {
      cause: failures.length > 1 ? failures : failures[0],
    });
  }
  return settled.map((result) =>
    result.status === 'fulfilled' ? result.value : undefined,
  ) as unknown as Results;
}

const wordsOf = (failure: unknown): string => (failure instanceof Error ? failure.message : String(failure));
