/**
 * What one look at AWS has shown, and what the shell remembers of its own writes. Plain data; times are wall-clock
 * milliseconds, since launches, leases and stamps are written in wall-clock time.
 */
import type { Selector, Slot } from './desired';
import { selectorWords } from './desired';
import type { HealRecord } from './record';

export type Observed = {
  /** When the look was begun. It shows nothing older than that, less what readings may lag. */
  readonly startedAt: number;
  readonly healer: Healer;
  /** By name; null for one that does not exist. */
  readonly groups: { readonly [name: string]: Group | null };
  /** By id, of those that groups, interfaces, volumes, addresses and routes name; one that is long gone is missing. */
  readonly instances: { readonly [id: string]: Instance };
  readonly interfaces: readonly NetworkInterface[];
  readonly volumes: readonly Volume[];
  /** By allocation; one that does not exist is missing. */
  readonly elasticIps: { readonly [allocationId: string]: AssociatedAddress };
  readonly tables: readonly RouteTable[];
  /** What could not be read, a sentence each: nothing is decided while there is any. */
  readonly unread: readonly string[];
  /** Answers to questions that a decision has asked. By `questionKey`. */
  readonly answers: { readonly [question: string]: Answer };
  readonly memory: Memory;
};

export type Healer = {
  /** Whoever writes under this name is one process at a time. */
  readonly owner: string;
  /** It looks for ever, and so keeps the right to write while nothing has to be done. */
  readonly keepsLease: boolean;
};

/** What this process has done. Empty after its start, which costs repeats and nothing else. */
export type Memory = {
  /** By `stepKey`. */
  readonly tries: { readonly [step: string]: Try };
  /** When the last heartbeat of each instance was accepted. */
  readonly heartbeats: { readonly [instanceId: string]: number };
  /** Since when each stopped instance has been seen stopped. */
  readonly stoppedSince: { readonly [instanceId: string]: number };
  /** Since when each group has been seen without an instance. */
  readonly emptySince: { readonly [group: string]: number };
  /** Since when something has not been read. */
  readonly unreadSince: number | null;
  /** By group, what this process has last written, until readings show it. */
  readonly records: { readonly [group: string]: { readonly record: HealRecord; readonly writtenAt: number } };
};

export type Try = {
  /** Failures in a row. */
  readonly failures: number;
  readonly at: number;
  /** Null where it has succeeded. */
  readonly failure: StepFailure | null;
};

/** `refused`: AWS will say the same again until somebody changes something. */
export type StepFailure = {
  readonly kind: 'refused' | 'throttled' | 'unsent' | 'uncertain';
  readonly code: string;
  readonly message: string;
};

export type Group = {
  readonly name: string;
  readonly desiredCapacity: number;
  readonly instances: readonly Member[];
  /** Null where the tag is missing or was written by something else. */
  readonly record: HealRecord | null;
};

export type Member = {
  readonly id: string;
  /** As Auto Scaling writes it: `Pending:Wait`, `InService`, `Terminating:Wait`, ... */
  readonly lifecycle: string;
};

export type Instance = {
  readonly id: string;
  readonly state: 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped';
  readonly launchedAt: number;
  readonly zone: string;
  readonly vpcId: string | null;
  /** Of the tag that only Auto Scaling can set. */
  readonly group: string | null;
};

export type NetworkInterface = {
  readonly id: string;
  readonly zone: string;
  readonly attachment: Attachment | null;
  readonly primaryAddress: string;
  /** IPv4 and IPv6. */
  readonly addresses: readonly string[];
  readonly sourceDestCheck: boolean;
  /** Of those that the desired state names. */
  readonly selectors: readonly string[];
};

export type Attachment = {
  readonly id: string;
  /** Null for one that an AWS service owns. */
  readonly instanceId: string | null;
  readonly slot: Slot;
  readonly status: 'attaching' | 'attached' | 'detaching' | 'detached';
  readonly attachedAt: number;
  readonly deleteOnTermination: boolean;
};

export type Volume = {
  readonly id: string;
  readonly zone: string;
  readonly state: string;
  readonly attachment: {
    readonly instanceId: string;
    readonly device: string;
    readonly status: 'attaching' | 'attached' | 'detaching' | 'detached' | 'busy';
    readonly deleteOnTermination: boolean;
  } | null;
  readonly selectors: readonly string[];
};

/** Everything null where it is associated with nothing. */
export type AssociatedAddress = {
  readonly interfaceId: string | null;
  readonly instanceId: string | null;
  readonly privateAddress: string | null;
};

export type RouteTable = {
  readonly id: string;
  readonly routes: readonly TableEntry[];
  readonly selectors: readonly string[];
};

/** One static route; those that come from elsewhere are left out. */
export type TableEntry = {
  readonly destination: string;
  readonly blackhole: boolean;
  readonly interfaceId: string | null;
  readonly instanceId: string | null;
  /** What it leads to where that is no interface. */
  readonly other: string | null;
};

export type Question =
  | { readonly ask: 'hooks'; readonly group: string }
  | { readonly ask: 'activity'; readonly group: string }
  | { readonly ask: 'status'; readonly instanceId: string }
  | { readonly ask: 'probe'; readonly url: string };

export type Answer =
  | { readonly kind: 'hooks'; readonly hooks: { readonly [name: string]: Hook } }
  /** The newest one; null where there is none. */
  | { readonly kind: 'activity'; readonly activity: Activity | null }
  | { readonly kind: 'status'; readonly status: InstanceStatus }
  | { readonly kind: 'probe'; readonly ok: boolean; readonly says: string }
  | { readonly kind: 'unanswered'; readonly says: string };

export type Hook = { readonly transition: 'launching' | 'terminating'; readonly heartbeatTimeoutMs: number };

export type Activity = { readonly failed: boolean; readonly says: string };

/** `ok`, `impaired`, `initializing`, ... as EC2 writes them; the worst of system, instance and volumes. */
export type InstanceStatus = { readonly checks: string; readonly application: string };

export function questionKey(question: Question): string {
  switch (question.ask) {
    case 'hooks':
    case 'activity':
      return `${question.ask} ${question.group}`;
    case 'status':
      return `status ${question.instanceId}`;
    case 'probe':
      return `probe ${question.url}`;
  }
}

/** What the desired state means by a selector: all that match it. */
export function selected<Thing extends { readonly selectors: readonly string[] }>(
  things: readonly Thing[],
  selector: Selector,
): readonly Thing[] {
  const words = selectorWords(selector);
  return things.filter(({ selectors }) => selectors.includes(words));
}

export function sameSlot(one: Slot, other: Slot): boolean {
  return one.deviceIndex === other.deviceIndex && one.networkCardIndex === other.networkCardIndex;
}

/** The interface in this place of an instance, if any is there or on its way in or out. */
export function interfaceAt(
  { interfaces }: Observed,
  instanceId: string,
  slot: Slot,
): NetworkInterface | null {
  const found = interfaces.find(
    ({ attachment }) =>
      attachment !== null && attachment.instanceId === instanceId && sameSlot(attachment.slot, slot),
  );
  return found ?? null;
}

/** EC2 forgets terminated instances after a while, so what is missing is gone. */
export function isGone({ instances }: Observed, instanceId: string): boolean {
  const instance = instances[instanceId];
  return instance === undefined || instance.state === 'terminated';
}
