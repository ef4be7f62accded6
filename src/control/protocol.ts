/**
 * The commands as the daemon reads them: `POST /command` with a body of JSON, answered with a line of JSON.
 *
 *   {"kind": "inhibit", "forMs": 1800000, "why": "maintenance"} | {"kind": "release"} | {"kind": "switchover"}
 *   {"kind": "schedule", "atWallMs": 1767225600000} | {"kind": "cancel"} | {"kind": "preview"}
 *   {"kind": "drill", "holdMs": 60000}
 * Each may name a "group". What an older `ha` asks for as "give" is a switchover.
 *   200 {"accepted": true, "sentence": "...", "lines": [...], "begun": true} (the last two where there are any) | 4xx, 5xx {"error": "..."}: the daemon has not been asked
 * `GET /progress`: how the last switchover and the last drill of each group go: 200 {"progress": [...], "drills": [...]}.
 */
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { clipped, printable } from '../config/words';
import { maxHoldMs, maxInhibitMs, minHoldMs, minInhibitMs, whyFault, type OperatorCommand } from './commands';

export type ReadCommand =
  { readonly ok: true; readonly command: OperatorCommand } | { readonly ok: false; readonly error: string };

const forMsHint = `write a whole number of milliseconds from ${minInhibitMs} to ${maxInhibitMs}`;

const holdHint = `write a whole number of milliseconds from ${minHoldMs} to ${maxHoldMs}`;

const timeHint = 'write the time as milliseconds since 1970';

/** A name that no group has is not wrong here: the answer then says which there are. */
const group = z.string({ error: 'write the name of a group' }).min(1).max(256).optional();

const commandSchema = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('inhibit'),
      group,
      forMs: z.int({ error: forMsHint }).min(minInhibitMs, forMsHint).max(maxInhibitMs, forMsHint),
      why: z.string({ error: 'write a text' }).check((context) => {
        const fault = whyFault(context.value);
        if (fault !== null) context.issues.push({ code: 'custom', input: context.value, message: fault });
      }),
    }),
    z.strictObject({ kind: z.literal('release'), group }),
    z.strictObject({ kind: z.enum(['cancel', 'preview']), group }),
    z.strictObject({
      kind: z.literal('drill'),
      group,
      holdMs: z.int({ error: holdHint }).min(minHoldMs, holdHint).max(maxHoldMs, holdHint),
    }),
    z.strictObject({
      kind: z.literal('schedule'),
      group,
      atWallMs: z.int({ error: timeHint }).min(0, timeHint).max(8_640_000_000_000_000, timeHint),
    }),
    z.strictObject({ kind: z.enum(['switchover', 'give']).transform(() => 'switchover' as const), group }),
  ],
  {
    error:
      'write an object with the kind "inhibit", "release", "switchover", "schedule", "cancel", "preview" or "drill"',
  },
);

export function readCommand(body: Buffer): ReadCommand {
  if (!isUtf8(body)) return { ok: false, error: 'the request is not UTF-8' };
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return { ok: false, error: 'the request is not JSON' };
  }
  const reading = commandSchema.safeParse(value);
  if (reading.success) return { ok: true, command: reading.data };
  const [issue] = reading.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : `, ${issue.path.join('.')}`;
  const words = clipped(printable(issue?.message ?? 'it does not fit'), 300);
  return { ok: false, error: `the request is not right${where}: ${words}` };
}
