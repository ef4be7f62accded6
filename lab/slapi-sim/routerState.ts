// The JSON picture of a simulated router that tests, the control API and people look at.
import type { BfdDiag, BfdStatus } from './bfdSession';
import type { EventFault } from './faults';
import type { Device } from './device';
import type { InterfaceState } from './interfaces';
import type { ReceivedRpc } from './journal';
import type { Generation } from './wire';

export interface SessionView {
  readonly hop: 'single' | 'multi';
  readonly vrf: string;
  readonly neighbor: string;
  /** Empty for multi-hop. */
  readonly interface: string;
  /** Null for single-hop. */
  readonly source: string | null;
  readonly desiredTxIntUsec: number;
  readonly detectMultiplier: number;
  readonly status: BfdStatus;
  readonly diag: BfdDiag;
  readonly seqNum: number;
  readonly stale: boolean;
}

export interface InterfaceView {
  readonly name: string;
  readonly physical: InterfaceState;
  readonly reported: InterfaceState;
  readonly subscribed: boolean;
}

export interface RouterState {
  readonly name: string;
  readonly generation: Generation;
  readonly alive: boolean;
  /** Null while the API server is stopped. */
  readonly target: string | null;
  readonly clients: {
    readonly init: number;
    /** IPv4; `bfdv6` is the same for IPv6. */
    readonly bfd: boolean;
    readonly bfdv6: boolean;
    readonly interface: boolean;
  };
  readonly registered: { readonly bfd: boolean; readonly bfdv6: boolean; readonly interface: boolean };
  readonly bfdSeqNum: number;
  readonly sessions: readonly SessionView[];
  readonly interfaces: readonly InterfaceView[];
  readonly faults: {
    readonly hung: 'all' | readonly string[] | null;
    readonly bfdEvents: EventFault;
    readonly bfdv6Events: EventFault;
    readonly interfaceEvents: EventFault;
    readonly credentialsRequired: boolean;
  };
  /** How often each RPC was received. */
  readonly counters: Readonly<Record<string, number>>;
  readonly received: readonly ReceivedRpc[];
}

export function routerState(device: Device, alive: boolean, target: string | null): RouterState {
  const { settings, bfd, bfdv6, interfaceService, faults, journal } = device;
  return {
    name: settings.name,
    generation: settings.generation,
    alive,
    target,
    clients: device.clients(),
    registered: {
      bfd: bfd.registered,
      bfdv6: bfdv6.registered,
      interface: interfaceService.registered(),
    },
    bfdSeqNum: device.bfdEvents.seqNum,
    sessions: device.sessions().map(({ key, ...session }) => ({ ...session, ...key })),
    interfaces: device.interfaces.list().map(({ name, physical, reported }) => ({
      name,
      physical,
      reported,
      subscribed: interfaceService.subscribed(name),
    })),
    faults: {
      hung: faults.hung(),
      bfdEvents: faults.eventFault('bfd'),
      bfdv6Events: faults.eventFault('bfdv6'),
      interfaceEvents: faults.eventFault('interface'),
      credentialsRequired: faults.credentials !== null,
    },
    counters: journal.counters(),
    received: journal.received(),
  };
}
