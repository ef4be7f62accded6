/** A simulated router and the adapter attached to it, with everything it says kept for the test. */
import type { BfdSessionSettings, SlapiSettings } from '../../../src/config/settings';
import { startSlapi, type Slapi, type SlapiEvent, type SlapiOptions } from '../../../src/slapi/client';
import type { SimRouterOptions } from '../../../lab/slapi-sim/options';
import { SimRouter } from '../../../lab/slapi-sim/router';
import { eventually } from '../../support/eventually';
import { recordingLogger, type LogRecord } from '../../support/logRecords';

export const generations = ['gen1', 'gen2'] as const;

export const interface1 = 'TenGigE0/0/0/1';
export const interface2 = 'TenGigE0/0/0/2';
export const peer1 = '172.31.101.241';
export const peer2 = '172.31.105.154';

export function session(interfaceName: string, peerAddress: string): BfdSessionSettings {
  return {
    id: `${peerAddress} on ${interfaceName}`,
    interfaceName,
    peerAddress,
    sourceAddress: null,
    vrfName: 'default',
    desiredMinTxIntervalUs: 50_000,
    detectMult: 3,
  };
}

export const session1 = session(interface1, peer1);
export const session2 = session(interface2, peer2);

export function slapiSettings(target: string, changes: Partial<SlapiSettings> = {}): SlapiSettings {
  return {
    target,
    tls: null,
    credentialsFile: null,
    sessions: [session1, session2],
    retryIntervalMs: 300,
    retryCount: 3,
    ...changes,
  };
}

export type Attached = {
  readonly slapi: Slapi;
  readonly events: SlapiEvent[];
  readonly records: LogRecord[];
};

type EventOf<Type extends SlapiEvent['type']> = Extract<SlapiEvent, { type: Type }>;

const allRecords: LogRecord[][] = [];
const cleanups: (() => Promise<void> | void)[] = [];

export function cleanUpLater(cleanup: () => Promise<void> | void): void {
  cleanups.push(cleanup);
}

/** To be called in `afterEach`. Whatever was logged in the test has to say its reason in words. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  const withoutReason = allRecords
    .splice(0)
    .flat()
    .filter(({ reason }) => !reason);
  expect(withoutReason).toEqual([]);
}

export async function startRouter(
  generation: 'gen1' | 'gen2',
  options: Partial<SimRouterOptions> = {},
): Promise<SimRouter> {
  const router = new SimRouter({
    name: 'rtr1',
    generation,
    interfaces: [interface1, interface2],
    ...options,
  });
  await router.start();
  cleanUpLater(() => router.close());
  return router;
}

export function start(settings: SlapiSettings, options: Partial<SlapiOptions> = {}): Attached {
  const events: SlapiEvent[] = [];
  const { log, records } = recordingLogger();
  log.level = 'debug';
  allRecords.push(records);
  const slapi = startSlapi({
    settings,
    log,
    emit: (event) => void events.push(event),
    now: () => performance.now(),
    ...options,
  });
  cleanUpLater(() => slapi.close('keep'));
  return { slapi, events, records };
}

export async function attach(
  router: SimRouter,
  settings: Partial<SlapiSettings> = {},
  options: Partial<SlapiOptions> = {},
): Promise<Attached> {
  const attached = start(slapiSettings(router.target, settings), options);
  await nth(attached, 'streamsSynchronized', 1);
  return attached;
}

export function eventsOf<Type extends SlapiEvent['type']>(
  { events }: Attached,
  type: Type,
): readonly EventOf<Type>[] {
  return events.filter((event): event is EventOf<Type> => event.type === type);
}

/** The n-th event of a type, from 1, when it has come. */
export function nth<Type extends SlapiEvent['type']>(
  attached: Attached,
  type: Type,
  n: number,
): Promise<EventOf<Type>> {
  return eventually(() => {
    const event = eventsOf(attached, type)[n - 1];
    if (event === undefined) throw new Error(`no ${type} number ${n} in ${JSON.stringify(attached)}`);
    return event;
  });
}

/** The first log record with this message, when it has come. */
export function logged({ records }: Attached, message: string): Promise<LogRecord> {
  return eventually(() => {
    const record = records.find(({ msg }) => typeof msg === 'string' && msg.includes(message));
    if (record === undefined) throw new Error(`no "${message}" in ${JSON.stringify(records)}`);
    return record;
  });
}

/** A BFD notification as a router words it. */
export function bfdNotification(
  session: BfdSessionSettings,
  status: string | number,
  seqNum: number,
): object {
  const NbrAddr = session.peerAddress.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const Key = { Type: 'SL_BFD_SINGLE_HOP', NbrAddr, Interface: { Name: session.interfaceName } };
  return {
    EventType: 'SL_BFD_EVENT_TYPE_SESSION_STATE',
    Session: { Key, State: { SeqNum: seqNum, Status: status } },
  };
}
