/**
 * Observes for as long as the daemon runs. Each list has its own deadline, which grows while it passes, and its own end:
 * one that is slow does not hold up the others, and its answer comes later, as an observation of its own.
 */
import type { ObservationResult, Observed } from '../../cloud';
import type { Failure, Holder, Observation, Unread } from '../../core/state/readings';
import { Deadline } from '../../deadline';
import type { OpenstackPlan, OpenstackTarget } from '../description';
import { malformed } from '../transport/failure';
import type { Neutron } from '../transport/neutron';
import { Malformed, membersOf } from './answer';
import type { Identity } from './identity';
import type { Known } from './known';
import {
  addressHolder,
  floatingIpHolder,
  interfacesOf,
  peersOf,
  questionsOf,
  routeHolder,
  type Question,
  type Surroundings,
} from './observation';

const DEADLINE_MS_MAX = 32_000;

/** Code of a failure: the addresses of this router's ports are not where they were. */
export const NOTHING_SHOWN = 'NothingShown';

type Answered = { readonly question: Question; readonly failure: Failure | null };

export class Observer {
  readonly #neutron: Neutron;
  readonly #plan: OpenstackPlan;
  readonly #known: Known;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  readonly #deadlines = new Map<string, Deadline>();
  /** Without an answer yet, by collection. */
  readonly #waiting = new Map<string, Question>();
  #hasPorts = false;

  constructor({
    neutron,
    plan,
    known,
    timeoutMs,
    now,
  }: {
    readonly neutron: Neutron;
    readonly plan: OpenstackPlan;
    readonly known: Known;
    /** How long answers are waited for before those that are there are handed out; the first deadline of each. */
    readonly timeoutMs: number;
    /** Monotonic milliseconds. */
    readonly now: () => number;
  }) {
    this.#neutron = neutron;
    this.#plan = plan;
    this.#known = known;
    this.#timeoutMs = timeoutMs;
    this.#now = now;
  }

  /** What comes after the rest has been handed out goes to `onLate`. Never rejects. */
  async observe(identity: Identity, onLate: (late: Observed) => void): Promise<ObservationResult> {
    const startedAt = this.#now();
    const questions = questionsOf(this.#plan, identity).filter(
      ({ collection }) => !this.#waiting.has(collection),
    );
    const answers: Answered[] = [];
    let isOpen = true;
    const asked = questions.map(async (question) => {
      const failure = await this.#ask(question);
      if (isOpen) return answers.push({ question, failure });
      const late = this.#result(identity, [{ question, failure }], startedAt);
      return late.ok ? onLate(late) : undefined;
    });
    await Promise.race([Promise.all(asked), this.#patience()]);
    isOpen = false;
    return this.#result(identity, answers, startedAt);
  }

  #patience(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#timeoutMs).unref());
  }

  async #ask(question: Question): Promise<Failure | null> {
    const { collection, path } = question;
    this.#waiting.set(collection, question);
    const action = `GET ${collection}`;
    const answer = await this.#deadlineOf(collection).of(this.#now, (timeoutMs) =>
      this.#neutron.call({ action, method: 'GET', path }, timeoutMs),
    );
    this.#waiting.delete(collection);
    if (!answer.ok) return named(action, answer.failure);
    try {
      return this.#take(question, answer.body);
    } catch (error) {
      if (error instanceof Malformed) return malformed(error.message);
      throw error;
    }
  }

  /** What is not shown any more is gone, or has lost what it was asked about for. @throws Malformed */
  #take({ collection }: Question, body: unknown): Failure | null {
    const { ports, floatingIps, routers } = this.#known;
    const isFresh = (taken: readonly boolean[]) => (taken.every((each) => each) ? null : OUTDATED);
    switch (collection) {
      case 'ports': {
        const shown = membersOf(collection, body);
        ports.keep(shown.map(({ id }) => id));
        this.#hasPorts = true;
        return isFresh(shown.map((each) => this.#known.takePort(each)));
      }
      case 'floatingips': {
        const shown = membersOf(collection, body);
        floatingIps.keep(shown.map(({ floating_ip_address: address }) => address));
        return isFresh(shown.map((each) => this.#known.takeFloatingIp(each)));
      }
      case 'routers': {
        const shown = membersOf(collection, body);
        routers.keep(shown.map(({ id }) => id));
        return isFresh(shown.map((each) => this.#known.takeRouter(each)));
      }
    }
  }

  #result(identity: Identity, answers: readonly Answered[], startedAt: number): ObservationResult {
    const around = { plan: this.#plan, identity, ports: this.#known.ports.all };
    const unread: Unread[] = [];
    const holders: { [id: string]: Holder | null } = {};
    const tell = (action: string, targets: readonly OpenstackTarget[], failure: Failure | null) => {
      if (targets.length > 0) unread.push({ action, targets: targets.map(({ id }) => id), failure });
    };
    const interfaces = this.#hasPorts ? interfacesOf(around) : [];
    for (const { question, failure } of answers) {
      const { targets, collection } = question;
      if (failure !== null) tell(`GET ${collection}`, targets, failure);
      else if (interfaces.length > 0)
        for (const target of targets) {
          const holder = this.#holderOf(around, target);
          if (holder === null || !('code' in holder)) holders[target.id] = holder;
          else tell(`GET ${collection}`, [target], holder);
        }
    }
    for (const { collection, targets } of this.#waiting.values()) tell(`GET ${collection}`, targets, null);
    if (Object.keys(holders).length === 0)
      return { ok: false, startedAt, failure: this.#whyNone(answers, unread) };
    const told = unread.length === 0 ? {} : { unread };
    const observation: Observation = {
      instanceId: identity.serverId,
      interfaces,
      holders,
      peers: peersOf(around),
      ...told,
    };
    return { ok: true, startedAt, observation };
  }

  #whyNone(answers: readonly Answered[], unread: readonly Unread[]): Failure {
    const failed = [...answers, ...unread].find(({ failure }) => failure !== null)?.failure ?? null;
    if (failed !== null) return failed;
    if (this.#waiting.size > 0) {
      const actions = [...this.#waiting.keys()].map((collection) => `GET ${collection}`).join(', ');
      return { kind: 'uncertain', code: 'Timeout', message: `no answer yet to ${actions}` };
    }
    return { kind: 'uncertain', code: NOTHING_SHOWN, message: 'Neutron shows no port of this router' };
  }

  /** A failure says why Neutron's answer names nobody. */
  #holderOf(around: Surroundings, target: OpenstackTarget): Holder | null | Failure {
    const { floatingIps, routers } = this.#known;
    switch (target.kind) {
      case 'fixedAddress':
        return addressHolder(around, target);
      case 'floatingIp': {
        const shown = floatingIps.get(target.floatingIp);
        return shown === undefined
          ? notShown('floating IP', target.floatingIp)
          : floatingIpHolder(around, target, shown);
      }
      case 'extraRoute': {
        const router = routers.get(target.routerId);
        if (router === undefined) return notShown('router', target.routerId);
        const holder = routeHolder(around, target, router);
        return typeof holder === 'string'
          ? { kind: 'uncertain', code: 'Ambiguous', message: holder }
          : holder;
      }
    }
  }

  #deadlineOf(collection: string): Deadline {
    const known =
      this.#deadlines.get(collection) ?? new Deadline({ firstMs: this.#timeoutMs, lastMs: DEADLINE_MS_MAX });
    this.#deadlines.set(collection, known);
    return known;
  }
}

const OUTDATED: Failure = {
  kind: 'uncertain',
  code: 'Outdated',
  message: 'the answer has a lower revision_number than one before it, so it is older',
};

/** To a credential without the role reader Neutron answers 200 with an empty list. */
const notShown = (what: string, which: string): Failure => ({
  kind: 'refused',
  code: 'NotShown',
  message: `Neutron shows no ${what} ${which}: it is of another project, is deleted, or the application credential lacks the role reader`,
});

/** A deadline is that of one list, and the others may be well. */
function named(action: string, failure: Failure): Failure {
  return failure.code === 'Timeout' ? { ...failure, message: `${failure.message} to ${action}` } : failure;
}
