/** The examples of config/heal as AWS shows them while all is whole, for tests that change one thing of it. */
import { join } from 'node:path';
import { loadHealFile } from '../../src/heal/config/load';
import type { Desired, Identity } from '../../src/heal/core/desired';
import { selectorWords } from '../../src/heal/core/desired';
import { noMemory } from '../../src/heal/core/memory';
import type {
  Answer,
  Group,
  Instance,
  NetworkInterface,
  Observed,
  Volume,
} from '../../src/heal/core/observed';
import { reconcile, type Decision } from '../../src/heal/core/reconcile';
import type { HealRecord } from '../../src/heal/core/record';

/** Wall-clock milliseconds of every look here. */
export const NOW = 1_800_000_000_000;
export const ME = 'healer-1';
const ZONE = 'us-west-2a';

export function desiredOf(example: 'pair' | 'nat' | 'network-function'): Desired {
  const loaded = loadHealFile(join(__dirname, '..', '..', 'config', 'heal', `${example}.json`));
  if (!loaded.ok) throw new Error(loaded.report);
  return loaded.settings.desired;
}

export const record = (part: Partial<HealRecord> = {}): HealRecord => ({
  number: 7,
  owner: ME,
  since: NOW - 200_000,
  until: NOW + 280_000,
  instance: null,
  begunAt: null,
  rebootedAt: null,
  told: [],
  ...part,
});

export const instance = (id: string, part: Partial<Instance> = {}): Instance => ({
  id,
  state: 'running',
  launchedAt: NOW - 400_000,
  zone: ZONE,
  vpcId: 'vpc-0a15e9d47c3f86000',
  group: id.replace(/-.*/, ''),
  ...part,
});

export function networkInterface(
  id: string,
  holder: string | null,
  part: Partial<NetworkInterface> = {},
): NetworkInterface {
  return {
    id,
    zone: ZONE,
    primaryAddress: '10.0.0.4',
    addresses: ['10.0.0.4'],
    sourceDestCheck: false,
    selectors: [],
    attachment: holder === null ? null : attachment(id, holder),
    ...part,
  };
}

export const attachment = (
  id: string,
  holder: string,
  deviceIndex = 1,
): NonNullable<NetworkInterface['attachment']> => ({
  id: `attach-${id}`,
  instanceId: holder,
  slot: { networkCardIndex: 0, deviceIndex },
  status: 'attached',
  attachedAt: NOW - 390_000,
  deleteOnTermination: false,
});

export const volume = (id: string, holder: string | null, part: Partial<Volume> = {}): Volume => ({
  id,
  zone: ZONE,
  state: holder === null ? 'available' : 'in-use',
  attachment:
    holder === null
      ? null
      : { instanceId: holder, device: '/dev/sdf', status: 'attached', deleteOnTermination: false },
  selectors: [id],
  ...part,
});

export const group = (
  name: string,
  instances: readonly (readonly [id: string, lifecycle: string])[],
  part: Partial<Group> = {},
): Group => ({
  name,
  desiredCapacity: 1,
  instances: instances.map(([id, lifecycle]) => ({ id, lifecycle })),
  record: record(),
  ...part,
});

export function observed(part: Partial<Observed>): Observed {
  return {
    startedAt: NOW,
    healer: { owner: ME, keepsLease: false },
    groups: {},
    instances: {},
    interfaces: [],
    volumes: [],
    elasticIps: {},
    tables: [],
    unread: [],
    answers: {},
    memory: noMemory,
    ...part,
  };
}

export const hooksOf = (
  name: string,
  heartbeatTimeoutMs = 3_600_000,
): { readonly [question: string]: Answer } => ({
  [`hooks ${name}`]: {
    kind: 'hooks',
    hooks: {
      'heal-launch': { transition: 'launching', heartbeatTimeoutMs },
      'heal-terminate': { transition: 'terminating', heartbeatTimeoutMs },
    },
  },
});

export const statusOf = (id: string, checks: string): { readonly [question: string]: Answer } => ({
  [`status ${id}`]: { kind: 'status', status: { checks, application: checks } },
});

/** The persistent interfaces of an identity, each where it belongs or with nobody. */
export function ownInterfaces(identity: Identity, holder: string | null): readonly NetworkInterface[] {
  return identity.interfaces.map(({ selector, slot, privateAddresses }) => {
    const id = 'id' in selector ? selector.id : `eni-of-${identity.name}`;
    return networkInterface(id, holder, {
      selectors: [selectorWords(selector)],
      addresses: ['10.0.0.4', ...privateAddresses],
      attachment: holder === null ? null : { ...attachment(id, holder), slot },
    });
  });
}

export function decisionsOf(desired: Desired, seen: Observed, now = NOW): readonly Decision[] {
  return reconcile(desired, seen, now);
}

/** Steps as short texts: what is done to what. */
export function did({ steps }: Decision): readonly string[] {
  return steps.map((step) => {
    const { do: name, ...args } = step;
    const words = Object.entries(args).flatMap(([key, value]) =>
      key === 'record' || key === 'slot' || key === 'group' || key === 'hook'
        ? []
        : key === 'messages'
          ? (value as unknown as readonly { kind: string; code: string | null }[]).map(
              ({ kind, code }) => `${kind}${code === null ? '' : ` ${code}`}`,
            )
          : key === 'destination'
            ? [(value as unknown as { value: string }).value]
            : [String(value)],
    );
    return [name, ...words].join(' ');
  });
}
