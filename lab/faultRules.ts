/**
 * The table of fault rules that both AWS emulators obey: which requests a rule hits, how many, and for how
 * long. It knows nothing about what a fault does; each emulator gives its own kinds a meaning.
 */
import { z } from 'zod';

/** The part of a rule that every kind shares; emulators spread it into their zod objects. */
export const faultScope = {
  /** What is hit: an action or path, `Describe*` for all that start so, `*` or absent for everything. */
  action: z.string().min(1).optional(),
  /** Who is hit: a router of the lab by name, an instance id, an access key id or a role name. Absent: everybody. */
  source: z.string().min(1).optional(),
  /** How many requests are hit before the rule is spent. Absent: no limit. */
  count: z.int().positive().optional(),
  /** How long the rule lives after it was added. Absent: until it is removed. */
  durationMs: z.number().positive().optional(),
};

type Scope = z.infer<z.ZodObject<typeof faultScope>>;

export interface ActiveFault<Rule> {
  readonly id: number;
  readonly rule: Rule;
  /** Requests hit so far. */
  readonly hits: number;
}

export interface FaultRequest {
  readonly action: string;
  readonly sources: readonly string[];
}

interface Entry<Rule> {
  readonly id: number;
  readonly rule: Rule;
  readonly addedAtMs: number;
  hits: number;
}

export class FaultTable<Rule extends Scope & { readonly kind: string }> {
  #entries: Entry<Rule>[] = [];
  #nextId = 1;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  add(rule: Rule): number {
    const id = this.#nextId++;
    this.#entries.push({ id, rule, addedAtMs: this.#nowMs(), hits: 0 });
    return id;
  }

  /** False when the rule is not there (any more). */
  remove(id: number): boolean {
    const kept = this.#entries.filter((entry) => entry.id !== id);
    const removed = kept.length !== this.#entries.length;
    this.#entries = kept;
    return removed;
  }

  clear(): void {
    this.#entries = [];
  }

  list(): readonly ActiveFault<Rule>[] {
    this.#dropSpent();
    return this.#entries.map(({ id, rule, hits }) => ({ id, rule, hits }));
  }

  /**
   * The rules that hit this request, each counted as used: per `slotOf` (the kind, unless given) the first
   * one that matches, so that two counted rules of a kind queue up instead of being spent together.
   * `applies` may refuse a rule for reasons of its kind; a refused rule is not counted.
   */
  take(
    request: FaultRequest,
    applies: (rule: Rule, id: number) => boolean = () => true,
    slotOf: (rule: Rule) => string = (rule) => rule.kind,
  ): readonly Rule[] {
    this.#dropSpent();
    const taken = new Map<string, Rule>();
    for (const entry of this.#entries) {
      const slot = slotOf(entry.rule);
      if (taken.has(slot) || !inScope(entry.rule, request) || !applies(entry.rule, entry.id)) continue;
      entry.hits += 1;
      taken.set(slot, entry.rule);
    }
    this.#dropSpent();
    return [...taken.values()];
  }

  #dropSpent(): void {
    const now = this.#nowMs();
    this.#entries = this.#entries.filter(
      ({ rule, addedAtMs, hits }) =>
        (rule.count === undefined || hits < rule.count) &&
        (rule.durationMs === undefined || now < addedAtMs + rule.durationMs),
    );
  }
}

function inScope(rule: Scope, request: FaultRequest): boolean {
  return (
    matchesName(rule.action ?? '*', request.action) &&
    (rule.source === undefined || request.sources.includes(rule.source))
  );
}

/** A rule that could never hit anything is a slip of whoever writes it. */
export function demandKnown(what: string, value: string | undefined, known: readonly string[]): void {
  if (value === undefined || known.some((name) => matchesName(value, name))) return;
  throw new UnknownScope(
    `there is no ${what} ${value}; it is one of: ${known.slice(0, MOST_TOLD).join(', ')}`,
  );
}

const MOST_TOLD = 20;

export class UnknownScope extends Error {}

function matchesName(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
