/**
 * Tells an operator how a switchover or a drill goes until it is over: one line for each thing that happens, then how long each
 * leg took. Asks the daemon only; one that does not answer any more is said to be so.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { member } from '../config/document';
import { printable } from '../config/words';
import { askProgress } from '../control/client';
import type { Progress } from '../runtime/plannedView';

export type Ending = 'done' | 'declined' | 'undone' | 'lost' | 'none';

const pauseMs = 250;
const answerMs = 2_000;
/** So many questions in a row without an answer: the daemon is gone. */
const silencesMax = 8;

export class Following {
  readonly #path: string;
  readonly #kind: Progress['kind'];
  readonly #tell: (line: string) => void;
  /** By group, the last one before ours. */
  #before = new Map<string | null, number>();
  readonly #told = new Map<string, number>();
  #stopped = false;
  /** The daemon tells of it at all. */
  #isTold = false;
  #silences = 0;
  #latest: readonly Progress[] = [];
  #drills: readonly unknown[] = [];

  constructor(path: string, kind: Progress['kind'], tell: (line: string) => void) {
    this.#path = path;
    this.#kind = kind;
    this.#tell = tell;
  }

  /** To be called before the command is sent: what goes on already is not what is waited for. */
  async begin(): Promise<void> {
    const known = await this.#ask();
    this.#isTold = this.#silences === 0;
    this.#before = new Map(known.map(({ group, number }) => [group, number]));
  }

  /** Tells what happens until `stop` is called, or all of it is over. */
  async run(): Promise<Ending> {
    while (!this.#stopped && this.#isTold) {
      this.#latest = this.#ours(await this.#ask());
      this.#tellNews();
      const [first] = this.#latest;
      if (first !== undefined && this.#latest.every(({ outcome }) => outcome !== null)) break;
      if (this.#silences >= silencesMax) return 'lost';
      await delay(pauseMs);
    }
    return this.#ending();
  }

  /** Nothing more is to be told after what is so now. */
  stop(): void {
    this.#stopped = true;
  }

  /** Whether the daemon tells of what was ordered. */
  async hasBegun(): Promise<boolean> {
    return this.#isTold && this.#ours(await this.#ask()).length > 0;
  }

  /** Of the drills, as the daemon last told. */
  get drills(): readonly unknown[] {
    return this.#drills;
  }

  get legs(): readonly string[] {
    return this.#latest.flatMap(({ group, requests, legs }) => {
      const of = group === null ? '' : `${group}: `;
      const rows = legs.map(({ what, atMs }) => `  ${`${atMs} ms`.padStart(10)}  ${what}`);
      return [
        `${of}since the decision (${requests} ${requests === 1 ? 'request' : 'requests'} to EC2):`,
        ...rows,
      ];
    });
  }

  #ours(told: readonly Progress[]): readonly Progress[] {
    return told.filter(({ group, number }) => number > (this.#before.get(group) ?? 0));
  }

  #ending(): Ending {
    const outcomes = this.#latest.map(({ outcome }) => outcome);
    if (outcomes.length === 0) return 'none';
    return (['undone', 'declined', 'done'] as const).find((each) => outcomes.includes(each)) ?? 'none';
  }

  #tellNews(): void {
    for (const { group, number, lines } of this.#latest) {
      const key = `${group ?? ''} ${number}`;
      const told = this.#told.get(key) ?? 0;
      const of = group === null ? '' : `${printable(group)}: `;
      for (const line of lines.slice(told)) this.#tell(`${of}${printable(line)}`);
      this.#told.set(key, lines.length);
    }
  }

  async #ask(): Promise<readonly Progress[]> {
    const answer = await askProgress(this.#path, answerMs);
    this.#silences = answer === null ? this.#silences + 1 : 0;
    if (answer === null) return this.#latest;
    this.#drills = answer.drills;
    return answer.progress.flatMap(progressIn).filter(({ kind }) => kind === this.#kind);
  }
}

const outcomes = ['done', 'declined', 'undone'] as const;

/** What is not as this version writes it is left out. */
function progressIn(value: unknown): readonly Progress[] {
  const [kind, group, number, cause, lines, requests, legs, outcome] = [
    member(value, 'kind'),
    member(value, 'group'),
    member(value, 'number'),
    member(value, 'cause'),
    member(value, 'lines'),
    member(value, 'requests'),
    member(value, 'legs'),
    member(value, 'outcome'),
  ];
  if (typeof number !== 'number' || typeof cause !== 'string' || typeof requests !== 'number') return [];
  if (!Array.isArray(lines) || !Array.isArray(legs)) return [];
  return [
    {
      kind: kind === 'drill' ? 'drill' : 'switchover',
      group: typeof group === 'string' ? group : null,
      number,
      cause,
      lines: lines.filter((each) => typeof each === 'string'),
      requests,
      legs: legs.flatMap((leg) => {
        const [what, atMs] = [member(leg, 'what'), member(leg, 'atMs')];
        return typeof what === 'string' && typeof atMs === 'number' ? [{ what: printable(what), atMs }] : [];
      }),
      outcome: outcomes.find((each) => each === outcome) ?? null,
    },
  ];
}
