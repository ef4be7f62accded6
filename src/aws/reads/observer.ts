/**
 * Observes for as long as the daemon runs. Each question has its own deadline, which grows while it passes, and its
 * own end: one that is slow does not hold up the others, and its answer comes later, as an observation of its own.
 */
import type { Failure, Holder, Observation, Unread } from '../../core/state/readings';
import type { AwsPlan } from '../description';
import { Deadline } from '../../deadline';
import { Malformed } from './answer';
import { malformed, type Ask, type Ec2 } from '../transport/ec2';
import type { InstanceIdentity } from './instanceIdentity';
import type { InterfacesReading } from './observation';
import type { AddressLimits } from '../kinds/kind';
import type { TableOf } from './routeTables';
import { conflictWords } from './tagConflicts';
import { questionsOf, readAnswers, type Findings, type ObservationResult, type Question } from './observe';

/** Reads with filters have taken tens of seconds, for days. */
export const DEADLINE_MS_MAX = 32_000;

export type Observed = Extract<ObservationResult, { readonly ok: true }>;

type Read = { readonly observation: Observation | null; readonly unread: readonly Unread[] } & Findings;

/** A question that has ended. */
type Part = Question & ({ readonly members: readonly unknown[] } | { readonly failure: Failure });

export class Observer {
  readonly #ec2: Ec2;
  readonly #plan: AwsPlan;
  readonly #timeoutMs: number;
  readonly #tableOf: TableOf;
  readonly #limits: () => AddressLimits | null;
  readonly #now: () => number;
  readonly #deadlines = new Map<string, Deadline>();
  /** Questions without an answer yet, by action. */
  readonly #waiting = new Map<string, Question>();
  #interfaces: InterfacesReading | null = null;

  constructor({
    ec2,
    plan,
    timeoutMs,
    now,
    tableOf,
    limits = () => null,
  }: {
    readonly ec2: Ec2;
    readonly plan: AwsPlan;
    /** How long answers are waited for before those that are there are handed out; the first deadline of each. */
    readonly timeoutMs: number;
    /** Monotonic milliseconds. */
    readonly now: () => number;
    readonly tableOf: TableOf;
    readonly limits?: () => AddressLimits | null;
  }) {
    this.#tableOf = tableOf;
    this.#limits = limits;
    this.#ec2 = ec2;
    this.#plan = plan;
    this.#timeoutMs = timeoutMs;
    this.#now = now;
  }

  /** What comes after the rest has been handed out goes to `onLate`. Never rejects. */
  observe(identity: InstanceIdentity, onLate: (late: Observed) => void): Promise<ObservationResult> {
    const startedAt = this.#now();
    const questions = questionsOf(this.#plan, identity, this.#tableOf).filter(
      ({ action }) => !this.#waiting.has(action),
    );
    const parts: Part[] = [];
    let open = true;
    return new Promise((resolve) => {
      let patient = true;
      const handOut = () => {
        if (!open) return;
        if (parts.length < questions.length && (patient || !this.#isEnough(parts))) return;
        open = false;
        clearTimeout(patience);
        resolve(this.#result(identity, parts, startedAt));
      };
      const patience = setTimeout(() => {
        patient = false;
        handOut();
      }, this.#timeoutMs);
      for (const question of questions) {
        void this.#ask(question).then((part) => {
          if (open) {
            parts.push(part);
            return handOut();
          }
          const { observation, ...late } = this.#read(identity, [part]);
          if (observation !== null) onLate({ ok: true, startedAt, observation, ...late });
        });
      }
      handOut();
    });
  }

  /** Whether these make an observation: something has been answered, and the interfaces are known. */
  #isEnough(parts: readonly Part[]): boolean {
    const answered = parts.filter((part) => 'members' in part);
    const hasInterfaces = answered.some(({ action }) => action === 'DescribeNetworkInterfaces');
    return answered.some(({ targets }) => targets.length > 0) && (hasInterfaces || this.#interfaces !== null);
  }

  #result(identity: InstanceIdentity, parts: readonly Part[], startedAt: number): ObservationResult {
    const { observation, ...read } = this.#read(identity, parts);
    if (observation !== null && hasHolders(observation)) return { ok: true, startedAt, observation, ...read };
    const failed = read.unread.find(({ failure }) => failure !== null);
    return { ok: false, startedAt, failure: failed?.failure ?? noAnswerYet(read.unread) };
  }

  /** The interfaces first: what the others lead to is read by them. */
  #read(identity: InstanceIdentity, parts: readonly Part[]): Read {
    const unread: Unread[] = [];
    const holders: { [id: string]: Holder | null } = {};
    const refusals: { [id: string]: { readonly [networkInterfaceId: string]: string } } = {};
    const tables = new Map<string, string>();
    const mistakes: string[] = [];
    let conflicts: Findings['conflicts'] = null;
    for (const part of [...parts].sort((a, b) => order(a) - order(b))) {
      const read = this.#readPart(identity, part);
      if ('failure' in read) {
        unread.push(read);
        continue;
      }
      Object.assign(holders, read.observation.holders);
      Object.assign(refusals, read.observation.refusals);
      for (const [id, table] of read.tables) tables.set(id, table);
      mistakes.push(...read.mistakes);
      conflicts = read.conflicts ?? conflicts;
      unread.push(...ambiguous(part, read));
    }
    for (const { action, targets } of this.#waiting.values()) unread.push({ action, targets, failure: null });
    const findings = { checked: this.#interfaces?.checked ?? [], tables, mistakes, conflicts };
    if (this.#interfaces === null) return { observation: null, unread, ...findings };
    const { instanceId, interfaces, peers } = this.#interfaces.observation;
    const told = unread.filter(({ targets }) => targets.length > 0);
    const observation = {
      instanceId,
      interfaces,
      holders,
      peers,
      ...(told.length === 0 ? {} : { unread: told }),
      ...(Object.keys(refusals).length === 0 ? {} : { refusals }),
    };
    return { observation, unread, ...findings };
  }

  #readPart(identity: InstanceIdentity, part: Part): ReturnType<typeof readAnswers> | Unread {
    const { action, targets } = part;
    if ('failure' in part) return { action, targets, failure: part.failure };
    try {
      const read = readAnswers(
        this.#plan,
        identity,
        { [action]: part.members },
        { known: this.#interfaces, tableOf: this.#tableOf, limits: this.#limits() },
      );
      this.#interfaces = read.interfaces;
      return read;
    } catch (error) {
      if (error instanceof Malformed) return { action, targets, failure: malformed(error.message) };
      throw error;
    }
  }

  async #ask(question: Question): Promise<Part> {
    const { action } = question;
    this.#waiting.set(action, question);
    const pages = await question.ask(this.#callWithin(this.#deadlineOf(action)));
    this.#waiting.delete(action);
    if (pages.ok) return { ...question, members: pages.members };
    return { ...question, failure: named(action, pages.failure) };
  }

  #callWithin(deadline: Deadline): Ask {
    return (action, command) =>
      deadline.of(this.#now, (timeoutMs) => this.#ec2.call(action, timeoutMs, command));
  }

  #deadlineOf(action: string): Deadline {
    const known =
      this.#deadlines.get(action) ?? new Deadline({ firstMs: this.#timeoutMs, lastMs: DEADLINE_MS_MAX });
    this.#deadlines.set(action, known);
    return known;
  }
}

const order = ({ action }: Question): number => (action === 'DescribeNetworkInterfaces' ? 0 : 1);

/** Targets of which an answer does not say where they are: two tables have the tag. */
function ambiguous(
  { action, targets }: Part,
  { observation, conflicts }: ReturnType<typeof readAnswers>,
): readonly Unread[] {
  const unclear = targets.filter((id) => !(id in observation.holders));
  const message = (conflicts ?? []).map(conflictWords).join('. ');
  return unclear.length === 0
    ? []
    : [{ action, targets: unclear, failure: { kind: 'uncertain', code: 'Ambiguous', message } }];
}

const hasHolders = ({ holders }: Observation): boolean => Object.keys(holders).length > 0;

/** A deadline is that of one action, and the others may be well. */
function named(action: string, failure: Failure): Failure {
  return failure.code === 'Timeout' ? { ...failure, message: `${failure.message} to ${action}` } : failure;
}

function noAnswerYet(unread: readonly Unread[]): Failure {
  const actions = unread.map(({ action }) => action).join(', ');
  return { kind: 'uncertain', code: 'Timeout', message: `no answer yet to ${actions}` };
}
