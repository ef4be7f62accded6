/**
 * The configuration after validation, split by who reads it: each adapter gets its own part and the
 * core its plan. Shapes only; schema.ts holds keys, defaults, ranges and words, load.ts makes these.
 */
import type { AwsPlan, AwsTarget } from '../aws/description';
import type { JsonObject } from '../core/state/json';
import type { Plan, Target } from '../core/state/plan';
import type { OpenstackPlan, OpenstackTarget } from '../openstack/description';
import type { ListenPlace } from './listenPlace';

export type BfdSessionSettings = {
  /** The id of the same session in the plan. */
  readonly id: string;
  /** Multi-hop: not told to the router; while it is DOWN the session says nothing about the peer all the same. */
  readonly interfaceName: string;
  /** IPv4, or IPv6 in its canonical form. */
  readonly peerAddress: string;
  /** Multi-hop (RFC 5883): where its packets come from, of the same family. Null for single-hop (RFC 5881). */
  readonly sourceAddress: string | null;
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

/** The calls that a move is made of. */
export type MovingAction =
  | 'AssignPrivateIpAddresses'
  | 'AssignIpv6Addresses'
  | 'UnassignIpv6Addresses'
  | 'ReplaceRoute'
  | 'CreateRoute'
  | 'AssociateAddress';

/** A token bucket of EC2's: so many requests at once, and so many a second from then on. */
export type ApiLimit = { readonly burst: number; readonly refillPerS: number };

export type Ec2Settings = {
  readonly endpointUrl: string;
  readonly apiTimeoutMs: number;
  /** What to do where the source/destination check of an interface that forwards is on. */
  readonly sourceDestCheck: 'report' | 'disable';
  /** Id of the application status check that asks the daemons; null: none is asked about. */
  readonly applicationStatusCheck: string | null;
  readonly limits: { readonly [Action in MovingAction]: ApiLimit };
};

export type OpenstackSettings = {
  /** Of Keystone, with its version: `https://cloud.example:5000/v3`. */
  readonly authUrl: string;
  /** An application credential, as JSON with `id` and `secret`. */
  readonly credentialsFile: string;
  /** PEM, of the authorities to trust for Keystone and Neutron; null: those of Node.js. */
  readonly caFile: string | null;
  /** Of Neutron, without a version; null: as the catalogue of Keystone says. */
  readonly networkUrl: string | null;
  /** Null: the catalogue has one. */
  readonly region: string | null;
  /** Which of the catalogue's endpoints. */
  readonly visibility: 'public' | 'internal' | 'admin';
  readonly metadataUrl: string;
  /** Ids of this router's ports by number; null: as the metadata service lists them. */
  readonly ports: readonly string[] | null;
  /** How the servers are that hold the targets. */
  readonly askNova: boolean;
  readonly apiTimeoutMs: number;
};

export type StoreSettings =
  | { readonly type: 'redis'; readonly host: string; readonly port: number }
  | { readonly type: 'file'; readonly path: string };

export type LogSettings = {
  /** In every record. */
  readonly router: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly file: string;
  readonly syslog: { readonly host: string; readonly port: number } | null;
};

export type StatusSettings = {
  readonly place: ListenPlace;
  /** Null: none is asked for. */
  readonly tokenFile: string | null;
  /** Null: plain HTTP. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
};

export type PeerStatusSettings = {
  readonly url: string;
  /** Null: none is sent. */
  readonly tokenFile: string | null;
  /** Null: what Node.js trusts. */
  readonly caFile: string | null;
};

/** Who is told of what happens; `name` is unique. Files are read when they are used. */
export type ReceiverSettings = { readonly name: string } & (
  | {
      readonly type: 'webhook';
      readonly url: string;
      /** Null: not signed. */
      readonly keyFile: string | null;
      /** Null: what Node.js trusts. */
      readonly caFile: string | null;
    }
  | {
      readonly type: 'syslog';
      readonly host: string;
      readonly port: number;
      readonly transport: 'udp' | 'tcp' | 'tls';
      readonly caFile: string | null;
    }
  | { readonly type: 'sns'; readonly topicArn: string; readonly endpointUrl: string }
  | ({ readonly type: 'snmp'; readonly host: string; readonly port: number } & (
      | { readonly version: 'v2c'; readonly communityFile: string }
      | { readonly version: 'v3'; readonly userFile: string; readonly authProtocol: 'SHA' | 'SHA-256' }
    ))
);

/** Targets that move together, decided about by a core of their own. */
export type Group<T extends Target = Target> = { readonly name: string; readonly plan: Plan<T> };

export type InAws = {
  readonly type: 'aws';
  readonly groups: readonly Group<AwsTarget>[];
  readonly whole: AwsPlan;
  readonly ec2: Ec2Settings;
};

export type InOpenstack = {
  readonly type: 'openstack';
  readonly groups: readonly Group<OpenstackTarget>[];
  readonly whole: OpenstackPlan;
  readonly openstack: OpenstackSettings;
};

/** The cloud that has the targets, and the groups as its adapter knows them. */
export type CloudSettings = InAws | InOpenstack;

export type Settings = {
  /** At least one; BFD sessions may be in several. */
  readonly groups: readonly Group[];
  /** What they have together: for those that ask the cloud and the router once for all. */
  readonly whole: Plan;
  readonly cloud: CloudSettings;
  readonly slapi: SlapiSettings;
  readonly store: StoreSettings;
  readonly log: LogSettings;
  /** Directory of the decision memory; should survive an upgrade of the container. */
  readonly stateDir: string;
  /** Path of the Unix socket that takes the commands of `ha`. */
  readonly controlSocket: string;
  /** Null: there is no status endpoint. */
  readonly status: StatusSettings | null;
  /** Null: the peer is not asked. */
  readonly peerStatus: PeerStatusSettings | null;
  readonly notifications: readonly ReceiverSettings[];
  readonly onShutdown: 'keep' | 'unregister';
  /** The document as the operator wrote it, for `show config`. */
  readonly document: JsonObject;
  /** Values that are allowed but beyond what is sensible, one sentence each. */
  readonly warnings: readonly string[];
};
