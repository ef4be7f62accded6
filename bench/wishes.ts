/** What a part of the bench that is run alone can be told: how many samples, and where its section goes. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';

export type Wishes = { readonly samples: number; readonly out: string };

/** A string says what is wrong. */
export function readWishes(args: readonly string[]): Wishes | string {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        samples: { type: 'string', default: '40' },
        out: { type: 'string', default: join(__dirname, '..', 'docs') },
      },
    }));
  } catch (error: unknown) {
    return error instanceof Error ? error.message : String(error);
  }
  const samples = Number(values.samples);
  if (!Number.isInteger(samples) || samples < 3) return '--samples is a whole number, 3 or more';
  return { samples, out: values.out };
}
