/** What moves together: one of the `groups` of config.json. */
import { actionSchema } from './actionSchema';
import { choice, givenName, keys, listOf, mandatory, optional, yesOrNo } from './fields';

/** Whether one session that is DOWN is enough. */
export const trigger = () => choice(['any', 'all']);

export const groupSchema = mandatory(
  keys(
    {
      name: mandatory(givenName('north'), {
        description: 'What logs, `show ha_groups` and `ha --group` call it.',
      }),
      action: optional(actionSchema, {
        description:
          'What is moved to this router when the peer router fails. Mandatory, unless there are `actions`.',
      }),
      actions: optional(listOf(actionSchema, 'list the actions, each as one writes "action"'), {
        description: 'In place of `action`, where things of several kinds move together.',
      }),
      bfd_sessions: optional(
        listOf(
          mandatory(givenName('to-rtr2-a'), { description: 'Name of a session.' }),
          'list names of BFD sessions, or leave the key out for all sessions',
        ),
        { description: 'Names of the BFD sessions that watch the peer router for this group. Absent: all.' },
      ),
      preferred: optional(yesOrNo(), {
        description:
          "As the key of the same name outside, for this group. In an active-active pair each router is preferred for its half. Absent: what is written outside, or that key's default.",
      }),
      trigger: optional(trigger(), {
        description:
          "As the key of the same name outside, for this group. Absent: what is written outside, or that key's default.",
      }),
    },
    'write {"name": NAME, "action": {...}}',
  ),
  { description: 'One group: targets that move together.' },
);
