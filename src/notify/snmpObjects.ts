/**
 * The numbers of the MIB, which must not change once they have been given: what is new gets the next. `npm run docs` makes
 * deploy/monitoring/XR-AWS-HA-MIB.txt from them. They are below the number that RFC 5612 sets apart for documentation, as
 * the project has none of its own.
 */

export const ENTERPRISE = '1.3.6.1.4.1.32473';

/** Below it: 1 is this product's; there, 0 the notifications (RFC 2578 section 8.5) and 1 the objects. */
const BASE = `${ENTERPRISE}.1`;

export const NOTIFICATION_NUMBERS = {
  test: 1,
  'notifications.dropped': 2,
  'run.began': 3,
  'run.ended': 4,
  'move.began': 5,
  'move.ended': 6,
  'role.changed': 7,
  'alarm.raised': 8,
  'alarm.cleared': 9,
  'inhibit.began': 10,
  'inhibit.ended': 11,
  'damping.began': 12,
  'damping.ended': 13,
  'readiness.lost': 14,
  'readiness.regained': 15,
} as const;

/** Texts, in the order in which they are sent; the first has the number 1. */
export const OBJECTS = [
  { name: 'Id', says: 'The same however often it is sent, to tell doubles by.' },
  { name: 'Type', says: 'What has happened: alarm.raised, move.ended.' },
  { name: 'Router', says: 'The router that says so: router_name of its configuration.' },
  { name: 'Severity', says: 'critical, major, minor, warning or info.' },
  { name: 'Text', says: 'One sentence, in UTF-8.' },
  { name: 'Time', says: 'When it happened: ISO 8601, UTC.' },
  { name: 'Folded', says: 'How many of the same kind before it were left out.' },
  {
    name: 'What',
    says: 'In one word: takeover, the code of an alarm; empty for what is about the notifications.',
  },
  { name: 'Group', says: 'The group of targets; empty where there is one.' },
  { name: 'Outcome', says: 'How it has ended, or that it is under way.' },
] as const;

export const notificationOid = (number: number): string => `${BASE}.0.${number}`;

export function objectOid(name: (typeof OBJECTS)[number]['name']): string {
  return `${BASE}.1.${OBJECTS.findIndex((object) => object.name === name) + 1}.0`;
}
