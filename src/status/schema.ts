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
    .record(z.string(), z.strictObject({ ha_state: haState, since: time, reason: z.string() }))
    .describe('By name; a single group without a name is `default`.'),
  ready: z.boolean().describe('A failover would work now.'),
  show: z
    .record(z.string(), z.strictObject({ last_created: time, value: z.unknown() }))
    .describe('Each key of `show` that has been written, with the value that it prints with --json.'),
});

export type StatusDocument = z.output<typeof statusSchema>;
