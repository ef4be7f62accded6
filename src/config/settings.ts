/**
 * The configuration after validation, split by who reads it: each adapter gets its own part and the
 * core its plan. Shapes only; schema.ts holds keys, defaults, ranges and words, load.ts makes these.
 */
import type { JsonObject } from '../core/model';
import type { Plan } from '../core/plan';

export type BfdSessionSettings = {
  /** The id of the same session in the plan. */
  readonly id: string;
  readonly interfaceName: string;
  readonly peerAddress: string;
  readonly vrfName: string;
  readonly desiredMinTxIntervalUs: number;
  readonly detectMult: number;
};

export type SlapiSettings = {
  /** grpc-js target: `127.0.0.1:57777` or `unix:/path/to/socket`. */
  readonly target: string;
  /** Null for plain text (`no-tls` on the router). */
  readonly tls: { readonly caFile: string; readonly serverName: string } | null;
  /** A file with two lines, user name and password, sent as gRPC metadata; null for none. */
  readonly credentialsFile: string | null;
  readonly sessions: readonly BfdSessionSettings[];
  /** Cap of the reconnect backoff. */
  readonly retryIntervalMs: number;
  /** After how many failed connects in a row the alarm is raised; connecting goes on for ever. */
  readonly retryCount: number;
};

export type Ec2Settings = {
  readonly endpointUrl: string;
  readonly apiTimeoutMs: number;
};

export type StoreSettings =
  | { readonly type: 'redis'; readonly host: string; readonly port: number }
  | { readonly type: 'file'; readonly path: string };

export type LogSettings = {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly file: string;
  readonly syslog: { readonly host: string; readonly port: number } | null;
};

/** Targets that move together, decided about by a core of their own. */
export type Group = { readonly name: string; readonly plan: Plan };

/** What all groups have together, in the order of the configuration. */
export type Whole = Pick<Plan, 'targets' | 'sessions'>;

export type Settings = {
  /** At least one; BFD sessions may be in several. */
  readonly groups: readonly Group[];
  readonly whole: Whole;
  /** Where each target stands in the configuration, by its address. */
  readonly targetPlaces: ReadonlyMap<string, string>;
  readonly slapi: SlapiSettings;
  readonly ec2: Ec2Settings;
  readonly store: StoreSettings;
  readonly log: LogSettings;
  /** Directory of the decision memory; should survive an upgrade of the container. */
  readonly stateDir: string;
  /** Path of the Unix socket that takes the commands of `ha`. */
  readonly controlSocket: string;
  readonly onShutdown: 'keep' | 'unregister';
  /** The document as the operator wrote it, for `show config`. */
  readonly document: JsonObject;
  /** Values that are allowed but beyond what is sensible, one sentence each. */
  readonly warnings: readonly string[];
};
