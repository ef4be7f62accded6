/**
 * The emulated region over time: the present model, the recent past (for stale reads) and the record of who
 * owned which address when. It outlives the HTTP server, so that an endpoint can go down and come back.
 * Times are monotonic milliseconds of `process.hrtime`, comparable with every other process of this machine.
 */
import {
  assignAddresses,
  attachInterface,
  deleteInterface,
  detachInterface,
  setInstanceState,
  setStatusChecks,
  unassignAddresses,
} from './changes';
import type { Outcome } from './ec2Error';
import { addressesOf, checkModel, subnetOf } from './model';
import type { Attachment, Ec2Model, Instance, InstanceState } from './model';

/** Who made a change: a request of the API (by its number in the log), or somebody else. */
export type ChangeOrigin =
  | { readonly by: 'start' }
  | { readonly by: 'operator' }
  | { readonly by: 'request'; readonly number: number; readonly accessKeyId: string | null };

export interface OwnershipChange {
  readonly atMs: number;
  readonly ip: string;
  /** Network interface ids; null: nobody. */
  readonly from: string | null;
  readonly to: string | null;
  readonly origin: ChangeOrigin;
}

const VERSIONS_KEPT = 1000;
const OWNERSHIP_CHANGES_KEPT = 100_000;

export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

export class Ec2World {
  /** Oldest first; the last one is the present. Never empty. */
  #versions: { readonly sinceMs: number; readonly model: Ec2Model }[];
  #present: Ec2Model;
  readonly #ownership: OwnershipChange[] = [];

  /** @throws Error when the model could not exist in EC2. */
  constructor(model: Ec2Model) {
    checkModel(model);
    const empty: Ec2Model = { ...model, networkInterfaces: [] };
    this.#present = model;
    this.#versions = [{ sinceMs: nowMs(), model }];
    this.#record(empty, model, { by: 'start' });
  }

  get model(): Ec2Model {
    return this.#present;
  }

  /** The model as it was `ageMs` ago; the oldest one kept when that is before its time. */
  modelAgo(ageMs: number): Ec2Model {
    const then = nowMs() - ageMs;
    const version = this.#versions.findLast(({ sinceMs }) => sinceMs <= then) ?? this.#versions[0];
    return version?.model ?? this.#present;
  }

  /** The interface that holds an address now, in any VPC; null when nobody does. */
  ownerOf(ip: string): string | null {
    return (
      this.#present.networkInterfaces.find((eni) => addressesOf(eni).includes(ip))?.networkInterfaceId ?? null
    );
  }

  /** Every change of an address's owner since the start, oldest first; the first owner comes from null. */
  ownershipHistory(ip?: string): readonly OwnershipChange[] {
    return this.#ownership.filter((change) => ip === undefined || change.ip === ip);
  }

  /** Makes an accepted change the present; a refused one changes nothing and is handed back. */
  commit(outcome: Outcome<Ec2Model>, origin: ChangeOrigin): Outcome<Ec2Model> {
    if (!outcome.ok) return outcome;
    const before = this.#present;
    this.#present = outcome.value;
    this.#versions.push({ sinceMs: nowMs(), model: outcome.value });
    this.#versions = this.#versions.slice(-VERSIONS_KEPT);
    this.#record(before, outcome.value, origin);
    return outcome;
  }

  // What an operator or AWS does. A refusal here is a mistake of the test that asked: it throws.

  /** Moves or adds secondary addresses, taking them from whoever holds them. */
  assign(networkInterfaceId: string, addresses: readonly string[]): void {
    this.#edit(assignAddresses(this.#present, { networkInterfaceId, addresses, allowReassignment: true }));
  }

  unassign(networkInterfaceId: string, addresses: readonly string[]): void {
    this.#edit(unassignAddresses(this.#present, networkInterfaceId, addresses));
  }

  detachInterface(networkInterfaceId: string): void {
    this.#edit(detachInterface(this.#present, networkInterfaceId));
  }

  attachInterface(networkInterfaceId: string, attachment: Attachment): void {
    this.#edit(attachInterface(this.#present, networkInterfaceId, attachment));
  }

  deleteInterface(networkInterfaceId: string): void {
    this.#edit(deleteInterface(this.#present, networkInterfaceId));
  }

  setInstanceState(instanceId: string, state: InstanceState): void {
    this.#edit(setInstanceState(this.#present, instanceId, state));
  }

  setStatusChecks(
    instanceId: string,
    checks: Partial<Pick<Instance, 'instanceStatus' | 'systemStatus'>>,
  ): void {
    this.#edit(setStatusChecks(this.#present, instanceId, checks));
  }

  #edit(outcome: Outcome<Ec2Model>): void {
    const done = this.commit(outcome, { by: 'operator' });
    if (!done.ok) throw new Error(`${done.error.code}: ${done.error.message}`);
  }

  #record(before: Ec2Model, after: Ec2Model, origin: ChangeOrigin): void {
    const atMs = nowMs();
    const from = owners(before);
    const to = owners(after);
    for (const [key, { ip }] of new Map([...from, ...to])) {
      const oldOwner = from.get(key)?.owner ?? null;
      const newOwner = to.get(key)?.owner ?? null;
      if (oldOwner === newOwner) continue;
      this.#ownership.push({ atMs, ip, from: oldOwner, to: newOwner, origin });
    }
    this.#ownership.splice(0, this.#ownership.length - OWNERSHIP_CHANGES_KEPT);
  }
}

/** One address can exist in several VPCs, hence the key. */
function owners(model: Ec2Model): Map<string, { readonly ip: string; readonly owner: string }> {
  return new Map(
    model.networkInterfaces.flatMap((eni) =>
      addressesOf(eni).map(
        (ip) => [`${subnetOf(model, eni).vpcId} ${ip}`, { ip, owner: eni.networkInterfaceId }] as const,
      ),
    ),
  );
}
