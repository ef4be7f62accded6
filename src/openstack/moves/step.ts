/** What the moves of each kind have in common: one deadline for all requests of a move, and what has come of it. */
import type { Outcome } from '../../cloud';
import type { RequestedMove } from '../../core/state/model';
import type { Failure } from '../../core/state/readings';
import type { Kind, OpenstackPlan, TargetOf } from '../description';
import { fieldsOf, Malformed, oneOf, type Collection, type MemberOf, type Port } from '../reads/answer';
import type { Known } from '../reads/known';
import type { Neutron } from '../transport/neutron';
import type { ServiceAnswer, ServiceRequest } from '../transport/service';

/** Targets of one kind that go to one port together. */
export type Move<K extends Kind> = RequestedMove & { readonly of: readonly TargetOf<K>[] };

export type Tools = {
  readonly neutron: Neutron;
  readonly plan: OpenstackPlan;
  readonly known: Known;
  /** Monotonic milliseconds. */
  readonly now: () => number;
};

/** Sends the requests of one move, one after the other, within its deadline. */
export class Steps {
  readonly #tools: Tools;
  readonly #until: number;
  #sentAt: number | null = null;
  #apiRequestId: string | null = null;

  constructor(tools: Tools, timeoutMs: number) {
    this.#tools = tools;
    this.#until = tools.now() + timeoutMs;
  }

  async call(request: ServiceRequest): Promise<ServiceAnswer> {
    const { neutron, now } = this.#tools;
    const answer = await neutron.call(request, Math.max(1, this.#until - now()));
    this.#sentAt ??= answer.sentAt;
    this.#apiRequestId = answer.apiRequestId ?? this.#apiRequestId;
    return answer;
  }

  get isOver(): boolean {
    return this.#tools.now() >= this.#until;
  }

  /** Null for success. */
  outcome(failure: Failure | null): Outcome {
    return { failure, sentAt: this.#sentAt ?? this.#tools.now(), apiRequestId: this.#apiRequestId };
  }
}

/** It was as it was read when this was the revision. It holds only against who has committed before: see docs/openstack.md. */
export const ifRevision = (revision: number) => ({ 'if-match': `revision_number=${revision}` });

/** Somebody has changed it since it was read. */
export const isOutdated = (answer: ServiceAnswer): boolean => answer.status === 412;

export const inUse = (what: string, where: string): Failure => ({
  kind: 'refused',
  code: 'InUse',
  message: `${what} is ${where}`,
});

export const unknown = (what: string): Failure => ({
  kind: 'refused',
  code: 'NotShown',
  message: `Neutron has not shown ${what}`,
});

export const portOf = ({ known }: Tools, id: string): Port | undefined => known.ports.get(id);

/** How long a look beside a move may take: the move itself may be answered first. */
export const LOOK_MS = 5_000;

/** Undefined where it could not be read. */
export async function readOne<C extends Collection>(
  steps: Steps,
  collection: C,
  id: string,
): Promise<MemberOf<C> | undefined> {
  const path = `/v2.0/${collection}/${id}?${fieldsOf(collection)}`;
  const answer = await steps.call({ action: `GET ${collection}`, method: 'GET', path });
  try {
    return answer.ok ? oneOf(collection, answer.body) : undefined;
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}
