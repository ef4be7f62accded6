/** What /status answers: docs/status.schema.json is made from this (`npm run docs`). The daemon does not load it. */
import { z } from 'zod';

const time = z.string().describe('ISO 8601, UTC.');
const haState = z.enum(['ACTIVE', 'STANDBY', 'UNKNOWN']);

export const statusSchema = z.strictObject({
  router: z.string().describe('router_name of the configuration, by default the host name.'),
  version: z.string().describe('Of this daemon.'),
  as_of: time,
  started_at: time,
  live: z.boolean().describe('The loop does what is due.'),
  ha_state: haState.describe('UNKNOWN also where several groups differ.'),
  reason: z.string().describe('The sentence behind it.'),
  groups: z
    .record(
      z.string(),
      z.strictObject({
        ha_state: haState,
        since: time,
        reason: z.string(),
        planned: z
          .array(z.strictObject({ what: z.string(), at: time.nullable(), text: z.string() }))
          .describe('What is ordered or announced for later.'),
      }),
    )
    .describe('By name; a single group without a name is `default`.'),
  ready: z.boolean().describe('A failover would work now.'),
  history: z
    .array(
      z.strictObject({
        id: z.string(),
        key: z.string().describe('What tells those that last from each other.'),
        kind: z.string().describe('`run`, `move`, `role`, `alarm`, `inhibit`, `damping` or `readiness`.'),
        what: z.string().describe('In one word: `takeover`, the code of an alarm.'),
        group: z.string().optional(),
        about: z.array(z.string()).optional(),
        began: time,
        ended: time.nullable(),
        duration_s: z.number().nullable(),
        outcome: z.string().describe('`under way` while it lasts.'),
        cause: z.string(),
        result: z.string().optional(),
        times: z.number().optional().describe('Where it came again soon after it had ended; absent: once.'),
        figures: z.record(z.string(), z.union([z.string(), z.number(), z.null()])).optional(),
      }),
    )
    .describe('The last of what has happened on this router, as in `show ha_history`.'),
  show: z
    .record(z.string(), z.strictObject({ last_created: time, value: z.unknown() }))
    .describe('Each key of `show` that has been written, with the value that it prints with --json.'),
});

export type StatusDocument = z.output<typeof statusSchema>;
