// What a simulated router can be told at its making, and what it is when it is told nothing.
import type { BfdLimits, MultiHop } from './bfdRules';
import type { PeerSees } from './bfd';
import type { ListenAddress, ServerTls } from './server';
import type { Generation } from './wire';

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly sub: number;
}

export interface SimRouterSettings {
  readonly name: string;
  readonly generation: Generation;
  /** All start up. */
  readonly interfaces: readonly string[];
  readonly listen: ListenAddress;
  readonly tls: ServerTls | null;
  /** What the handshake answers: 0.6.0 for gen1, 0.11.0 for gen2 unless told otherwise. */
  readonly version: Version;
  readonly heartbeatMs: number;
  readonly limits: BfdLimits;
  readonly multiHop: MultiHop;
  readonly vrfs: readonly string[];
  readonly initialStatus: 'DOWN' | 'UNKNOWN';
  /** How long after its creation a session that starts DOWN is reported, unless it has changed by then. */
  readonly initialEventMs: number;
  readonly results: 'all' | 'failed';
  readonly maxInterfacesPerBatch: number;
  /** `first`: not where it is enabled already. */
  readonly sendStateOnEnable: boolean | 'first';
  /** null: sessions outlive their client. Else they go when no client has come back within the grace. */
  readonly sessionsDieWithClient: { readonly graceMs: number; readonly peerSees: PeerSees } | null;
  /** Whether an opened stream is acknowledged with its headers at once, or with its first message only. */
  readonly sendHeadersAtOnce: boolean;
  /**
   * Whether a notification stream is refused until its client has registered, or a registration until the stream is
   * open. Interfaces of the newer generation have no registration: their stream waits for that of BFD.
   */
  readonly streamOrder: 'any' | 'registerFirst' | 'streamFirst';
  /** How a stream that comes too early is refused: with an error event, or with a gRPC status. */
  readonly earlyStream: 'event' | 'status';
  /**
   * Pings that come sooner after each other are punished, as by gRPC servers: the third one with GOAWAY. null: never.
   */
  readonly minPingIntervalMs: number | null;
}

type Mandatory = 'name' | 'generation' | 'interfaces';
export type SimRouterOptions = Pick<SimRouterSettings, Mandatory> &
  Partial<Omit<SimRouterSettings, Mandatory | 'limits'>> & { readonly limits?: Partial<BfdLimits> };

const defaultLimits: BfdLimits = {
  maxSessionsPerRequest: 64,
  minTxIntervalSingleHop: 30_000,
  minTxIntervalMultiHop: 50_000,
  minDetectMultiplierSingleHop: 2,
  minDetectMultiplierMultiHop: 2,
};

export function settings(options: SimRouterOptions): SimRouterSettings {
  return {
    listen: { port: 0 },
    tls: null,
    version: { major: 0, minor: options.generation === 'gen1' ? 6 : 11, sub: 0 },
    heartbeatMs: 5000,
    multiHop: 'SL_ENOTSUP',
    vrfs: ['default'],
    initialStatus: 'DOWN',
    initialEventMs: 10,
    results: 'all',
    maxInterfacesPerBatch: 128,
    sendStateOnEnable: true,
    sessionsDieWithClient: null,
    sendHeadersAtOnce: false,
    streamOrder: 'any',
    earlyStream: 'event',
    minPingIntervalMs: null,
    ...options,
    limits: { ...defaultLimits, ...options.limits },
  };
}
