/** What the cloud says, as the core reads it: who holds what, how a holder is, what it thinks of the time, why not. */
import type { JsonObject } from './json';
import type { Slot } from './plan';

export type OwnInterface = Slot & {
  readonly networkInterfaceId: string;
  readonly subnetId: string;
  /** As the cloud returns them; for `show` only. */
  readonly privateIpAddresses: readonly JsonObject[];
};

/** What an interface is attached to. */
export type Attachment =
  | { readonly to: 'instance'; readonly instanceId: string }
  /** A service of the cloud has the interface; it is no instance that could be asked about. */
  | {
      readonly to: 'service';
      /** As the cloud names it; null where it does not. */
      readonly name: string | null;
    }
  | { readonly to: 'nothing' };

/** What holds a target. */
export type Holder =
  | InterfaceHolder
  /** A route leads to a gateway (`igw-...`, `nat-...`), which neither router of the pair can be. */
  | {
      readonly kind: 'gateway';
      readonly gatewayId: string;
      readonly mine: false;
      readonly blackhole?: true;
    }
  /** A route is there and the cloud no longer names what it led to. */
  | { readonly kind: 'nowhere'; readonly mine: false; readonly blackhole: true };

export type InterfaceHolder = {
  readonly kind: 'interface';
  readonly networkInterfaceId: string;
  readonly attachment: Attachment;
  /** It is the place on this router where the target belongs: another interface of ours does not count. */
  readonly mine: boolean;
  /** Of an Elastic IP: the private address that it is associated with. */
  readonly privateAddress?: string;
  /** A route that leads nowhere: what it names has stopped or is gone. */
  readonly blackhole?: true;
};

export type PeerInterface = {
  readonly networkInterfaceId: string;
  readonly instanceId: string | null;
  readonly subnetId: string;
  /** Null while it is not attached. */
  readonly slot: Slot | null;
};

/** One reading of the cloud: who holds what. */
export type Observation = {
  /** This router's. */
  readonly instanceId: string;
  /** This router's own; one that has been detached is missing. */
  readonly interfaces: readonly OwnInterface[];
  /** By target id; null where nobody holds it. Absent: `unread`, what was known of it stays. */
  readonly holders: { readonly [id: string]: Holder | null };
  /** By peer address of the sessions; absent where the cloud knows no interface with that address. */
  readonly peers: { readonly [peerAddress: string]: PeerInterface };
  /** What the cloud has not said this time; absent where it has said it all. */
  readonly unread?: readonly Unread[];
  /**
   * Why the cloud would refuse to put a target on an interface of this router or the peer, as far as the reading shows
   * it, by target id and interface; absent where it would not.
   */
  readonly refusals?: { readonly [id: string]: { readonly [networkInterfaceId: string]: string } };
};

/** Targets that a reading says nothing of, as each kind of them is read by an action of its own. */
export type Unread = {
  /** As the cloud names it. */
  readonly action: string;
  readonly targets: readonly string[];
  /** Null: the answer is still waited for, and comes as an observation of its own. */
  readonly failure: Failure | null;
};

/**
 * What the cloud's own clock said in one of its answers (`Date`: whole seconds, so it was up to a second later), for
 * whoever lays the journals of two routers side by side. Nothing is decided by it.
 */
export type CloudClock = {
  /** Milliseconds since 1970. */
  readonly dateMs: number;
  /** Between these it was so. */
  readonly sentAt: number;
  readonly receivedAt: number;
};

/**
 * Why a call failed, as far as the rules care.
 * `throttled`: the cloud answered and did nothing for want of tokens. `refused`: it did nothing and would not next
 * time either. `unsent`: nothing was done and asking again may help, because the request never left this
 * router or the cloud turned it away over its credentials or a passing state. `uncertain`: no usable answer, so
 * the change may have been made.
 */
export type Failure = {
  readonly kind: 'throttled' | 'refused' | 'unsent' | 'uncertain';
  /** The cloud's error code, or the socket's (`ECONNRESET`), or `Timeout`. */
  readonly code: string;
  /** One line for the log; never holds credentials. */
  readonly message: string;
};

/**
 * What the cloud says of an instance: its state; that it runs and fails its status checks (`impaired`); that it runs, and
 * its daemon does not answer the cloud (`unresponsive`); that there is none such.
 */
export type InstanceCondition =
  | 'pending'
  | 'running'
  | 'unresponsive'
  | 'impaired'
  | 'stopping'
  | 'stopped'
  | 'shutting-down'
  | 'terminated'
  | 'gone';

// --- What is remembered across restarts of the daemon ---------------------------------------------
