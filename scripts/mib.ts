/** The MIB of the notifications, from src/notify/snmpObjects.ts. */
import { NOTIFICATION_NUMBERS, OBJECTS } from '../src/notify/snmpObjects';

const objectName = (name: string): string => `xrAwsHa${name}`;
const notificationName = (type: string): string =>
  `xrAwsHa${type
    .split('.')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')}Notification`;

export function mibText(): string {
  const notifications = Object.entries(NOTIFICATION_NUMBERS);
  const listOf = (names: readonly string[]) => names.map((name) => `        ${name}`).join(',\n');
  return `-- Made by npm run docs from src/notify/snmpObjects.ts; edits here are lost.

XR-AWS-HA-MIB DEFINITIONS ::= BEGIN

IMPORTS
    MODULE-IDENTITY, OBJECT-TYPE, NOTIFICATION-TYPE, enterprises
        FROM SNMPv2-SMI
    OBJECT-GROUP, NOTIFICATION-GROUP, MODULE-COMPLIANCE
        FROM SNMPv2-CONF
    TEXTUAL-CONVENTION
        FROM SNMPv2-TC;

xrAwsHa MODULE-IDENTITY
    LAST-UPDATED "202611300000Z"
    ORGANIZATION "xr-aws-ha"
    CONTACT-INFO "The administrator of the routers."
    DESCRIPTION
        "What the failover daemon of two IOS-XR routers tells: see docs/notifications.md.
         32473 is the number that RFC 5612 sets apart for documentation."
    REVISION "202611300000Z"
    DESCRIPTION "The first one."
    ::= { enterprises 32473 1 }

XrAwsHaUtf8String ::= TEXTUAL-CONVENTION
    DISPLAY-HINT "1000t"
    STATUS current
    DESCRIPTION "A text in UTF-8."
    SYNTAX OCTET STRING (SIZE (0..1000))

xrAwsHaNotifications OBJECT IDENTIFIER ::= { xrAwsHa 0 }
xrAwsHaObjects OBJECT IDENTIFIER ::= { xrAwsHa 1 }
xrAwsHaConformance OBJECT IDENTIFIER ::= { xrAwsHa 2 }

${OBJECTS.map(
  ({ name, says }, i) => `${objectName(name)} OBJECT-TYPE
    SYNTAX XrAwsHaUtf8String
    MAX-ACCESS accessible-for-notify
    STATUS current
    DESCRIPTION "${says}"
    ::= { xrAwsHaObjects ${i + 1} }
`,
).join('\n')}
${notifications
  .map(
    ([type, number]) => `${notificationName(type)} NOTIFICATION-TYPE
    OBJECTS {
${listOf(OBJECTS.map(({ name }) => objectName(name)))}
    }
    STATUS current
    DESCRIPTION "${type}, see docs/notifications.md."
    ::= { xrAwsHaNotifications ${number} }
`,
  )
  .join('\n')}
xrAwsHaObjectGroup OBJECT-GROUP
    OBJECTS {
${listOf(OBJECTS.map(({ name }) => objectName(name)))}
    }
    STATUS current
    DESCRIPTION "What each notification has."
    ::= { xrAwsHaConformance 1 }

xrAwsHaNotificationGroup NOTIFICATION-GROUP
    NOTIFICATIONS {
${listOf(notifications.map(([type]) => notificationName(type)))}
    }
    STATUS current
    DESCRIPTION "All notifications."
    ::= { xrAwsHaConformance 2 }

xrAwsHaCompliance MODULE-COMPLIANCE
    STATUS current
    DESCRIPTION "Of the daemon."
    MODULE
    MANDATORY-GROUPS { xrAwsHaObjectGroup, xrAwsHaNotificationGroup }
    ::= { xrAwsHaConformance 3 }

END
`;
}
