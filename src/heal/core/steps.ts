/** What the core can ask for: one table of steps, the API action of each, and how a sentence calls it. */
import type { Destination, Slot } from './desired';
import type { HealRecord } from './record';
import type { Memory } from './observed';

export type StepArgs = {
  attachInterface: { readonly interfaceId: string; readonly instanceId: string; readonly slot: Slot };
  /** Never with Force. */
  detachInterface: {
    readonly interfaceId: string;
    readonly attachmentId: string;
    readonly instanceId: string;
  };
  attachVolume: { readonly volumeId: string; readonly instanceId: string; readonly device: string };
  /** Never with Force. */
  detachVolume: { readonly volumeId: string; readonly instanceId: string; readonly device: string };
  /** Never with reassignment. */
  assignAddresses: { readonly interfaceId: string; readonly addresses: readonly string[] };
  disableSourceDestCheck: { readonly interfaceId: string };
  /** It is not to be deleted with the instance. */
  keepInterface: { readonly interfaceId: string; readonly attachmentId: string };
  keepVolume: { readonly volumeId: string; readonly instanceId: string; readonly device: string };
  /** `record` is written when AWS has taken it: who dies in between reboots again, which costs time and nothing else. */
  reboot: { readonly instanceId: string; readonly group: string; readonly record: HealRecord };
  /** `reassociate`: it may be taken from an older instance of the same group. */
  associateAddress: {
    readonly allocationId: string;
    readonly interfaceId: string;
    readonly privateAddress: string;
    readonly reassociate: boolean;
  };
  replaceRoute: { readonly tableId: string; readonly destination: Destination; readonly interfaceId: string };
  createRoute: { readonly tableId: string; readonly destination: Destination; readonly interfaceId: string };
  heartbeat: { readonly group: string; readonly hook: string; readonly instanceId: string };
  complete: {
    readonly group: string;
    readonly hook: string;
    readonly instanceId: string;
    readonly result: 'CONTINUE' | 'ABANDON';
  };
  writeRecord: { readonly group: string; readonly record: HealRecord };
  /** `record` is written when all messages are out: who dies in between tells them again, with the same ids. */
  tell: { readonly group: string; readonly messages: readonly Message[]; readonly record: HealRecord };
};

export type StepName = keyof StepArgs;

export type Step = {
  [Name in StepName]: { readonly do: Name } & StepArgs[Name];
}[StepName];

export type Message = {
  /** The same for what is told twice. */
  readonly id: string;
  readonly identity: string;
  readonly kind: 'healing-began' | 'healing-ended' | 'alarm-raised' | 'alarm-ended';
  /** The alarm's; null for a healing. */
  readonly code: string | null;
  readonly instanceId: string | null;
  readonly text: string;
};

/** What AWS is asked for; a step with a record, or with messages, makes a call for each. */
export const ACTIONS: { readonly [Name in StepName]: string } = {
  attachInterface: 'AttachNetworkInterface',
  detachInterface: 'DetachNetworkInterface',
  attachVolume: 'AttachVolume',
  detachVolume: 'DetachVolume',
  assignAddresses: 'AssignPrivateIpAddresses',
  disableSourceDestCheck: 'ModifyNetworkInterfaceAttribute',
  keepInterface: 'ModifyNetworkInterfaceAttribute',
  keepVolume: 'ModifyInstanceAttribute',
  reboot: 'RebootInstances',
  associateAddress: 'AssociateAddress',
  replaceRoute: 'ReplaceRoute',
  createRoute: 'CreateRoute',
  heartbeat: 'RecordLifecycleActionHeartbeat',
  complete: 'CompleteLifecycleAction',
  writeRecord: 'CreateOrUpdateTags',
  tell: 'Publish',
};

/** Two steps with the same key are the same request. */
export function stepKey(step: Step): string {
  switch (step.do) {
    case 'attachInterface':
      return `${step.do} ${step.interfaceId} ${step.instanceId}`;
    case 'detachInterface':
      return `${step.do} ${step.attachmentId}`;
    case 'attachVolume':
    case 'detachVolume':
    case 'keepVolume':
      return `${step.do} ${step.volumeId} ${step.instanceId}`;
    case 'assignAddresses':
      return `${step.do} ${step.interfaceId} ${step.addresses.join(' ')}`;
    case 'disableSourceDestCheck':
    case 'keepInterface':
      return `${step.do} ${step.interfaceId}`;
    case 'reboot':
      return `${step.do} ${step.instanceId}`;
    case 'associateAddress':
      return `${step.do} ${step.allocationId} ${step.interfaceId} ${step.privateAddress}`;
    case 'replaceRoute':
    case 'createRoute':
      return `route ${step.tableId} ${step.destination.value} ${step.interfaceId}`;
    case 'heartbeat':
      return `${step.do} ${step.instanceId}`;
    case 'complete':
      return `${step.do} ${step.hook} ${step.instanceId}`;
    case 'writeRecord':
    case 'tell':
      return `${step.do} ${step.group}`;
  }
}

/** Subject and object of a sentence that says what is done. */
export function stepWords(step: Step): string {
  switch (step.do) {
    case 'attachInterface':
      return `attaching ${step.interfaceId} to ${step.instanceId} at device index ${step.slot.deviceIndex}`;
    case 'detachInterface':
      return `detaching ${step.interfaceId} from ${step.instanceId}, which has stopped`;
    case 'attachVolume':
      return `attaching ${step.volumeId} to ${step.instanceId} as ${step.device}`;
    case 'detachVolume':
      return `detaching ${step.volumeId} from ${step.instanceId}, which has stopped`;
    case 'assignAddresses':
      return `assigning ${step.addresses.join(', ')} to ${step.interfaceId}`;
    case 'disableSourceDestCheck':
      return `switching off the source/destination check of ${step.interfaceId}`;
    case 'keepInterface':
      return `keeping ${step.interfaceId} from being deleted with its instance`;
    case 'keepVolume':
      return `keeping ${step.volumeId} from being deleted with ${step.instanceId}`;
    case 'reboot':
      return `rebooting ${step.instanceId}, so that it sees what was attached`;
    case 'associateAddress':
      return `associating ${step.allocationId} with ${step.privateAddress} on ${step.interfaceId}`;
    case 'replaceRoute':
      return `leading ${step.destination.value} in ${step.tableId} to ${step.interfaceId}`;
    case 'createRoute':
      return `creating ${step.destination.value} in ${step.tableId} to ${step.interfaceId}`;
    case 'heartbeat':
      return `asking ${step.group} to wait longer for ${step.instanceId}`;
    case 'complete':
      return `telling ${step.group} to ${step.result} with ${step.instanceId}`;
    case 'writeRecord':
      return `writing down in a tag of ${step.group} who may write until when`;
    case 'tell':
      return `telling: ${step.messages.map(({ text }) => text).join('; ')}`;
  }
}

const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 30_000;
const REFUSED_FACTOR = 4;

/**
 * When this step may be sent (again): after a failure with growing pauses, longer ones where AWS has refused; after a
 * success when readings have had the time to show it.
 */
export function mayBeSentAt(step: Step, { tries }: Memory, stalenessMs: number): number {
  const last = tries[stepKey(step)];
  if (last === undefined) return 0;
  if (last.failure === null) return last.at + stalenessMs;
  const factor = last.failure.kind === 'refused' ? REFUSED_FACTOR : 1;
  return last.at + Math.min(FIRST_PAUSE_MS * factor * 2 ** (last.failures - 1), LAST_PAUSE_MS);
}
