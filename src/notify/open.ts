/** The receiver of an entry of the configuration. Each kind is loaded where there is one of it, and no sooner. */
import type { Logger } from 'pino';
import type { ReceiverSettings } from '../config/settings';
import { causeOf, failed, type Receiver } from './receiver';

export async function openReceiver(settings: ReceiverSettings, log: Logger): Promise<Receiver> {
  switch (settings.type) {
    case 'webhook':
      return (await import('./webhook')).webhook(settings);
    case 'syslog':
      return (await import('./syslog')).syslog(settings);
    case 'sns':
      return (await import('./sns')).sns(settings, log);
    case 'snmp':
      return (await import('./snmp')).snmpInform(settings);
  }
}

/** Loaded at once: not in the middle of a takeover. */
export function opening(settings: ReceiverSettings, log: Logger): Receiver {
  const opened = openReceiver(settings, log);
  return {
    deliver: async (notification, signal) => {
      try {
        return await (await opened).deliver(notification, signal);
      } catch (error: unknown) {
        return failed(causeOf(error));
      }
    },
    close: () => void opened.then((receiver) => receiver.close()),
  };
}

/** Where it is, for people. */
export function placeOf(settings: ReceiverSettings): string {
  switch (settings.type) {
    case 'webhook':
      return `webhook ${settings.url}`;
    case 'syslog':
      return `syslog ${settings.host}:${settings.port} (${settings.transport})`;
    case 'sns':
      return `SNS topic ${settings.topicArn}`;
    case 'snmp':
      return `SNMP ${settings.host}:${settings.port} (${settings.version})`;
  }
}
