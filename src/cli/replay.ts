/**
 * `replay FILE`: what the daemon decided, step by step, with its sentences, and whether this version decides the
 * same. By default what happens all the time is counted, not shown: a night at rest is a few thousand steps.
 */
import type { Effect } from '../core/state/model';
import type { JournalEntry, JournalHeader } from '../runtime/journal';
import { replay as replayText, type Difference, type Replayed } from '../runtime/replay';
import { readSmallFile } from '../store/smallFile';
import { version } from '../../package.json';
import { clipped, printable } from '../config/words';

export type Output = { write(text: string): unknown };

export const replayExitCodes = { same: 0, different: 1, noJournal: 2 } as const;

/** Far more than a generation has. */
const MAX_BYTES = 256 * 1024 * 1024;

/** Returns the exit code; never throws. */
export function replay(
  path: string,
  { all }: { readonly all: boolean },
  { out, err }: { readonly out: Output; readonly err: Output },
): number {
  const file = readSmallFile(path, MAX_BYTES);
  switch (file.outcome) {
    case 'missing':
      err.write(`replay: ${path}: there is no such file; ${whereJournalsAre}\n`);
      return replayExitCodes.noJournal;
    case 'unreadable':
      err.write(`replay: ${path} cannot be read: ${printable(file.cause)}\n`);
      return replayExitCodes.noJournal;
    case 'text':
      return print(path, replayText(file.text), all, { out, err });
  }
}

const whereJournalsAre = 'a daemon writes journal.jsonl, and journal.jsonl.1 before it, to its state_dir';

function print(
  path: string,
  replayed: Iterable<Replayed>,
  all: boolean,
  { out, err }: { readonly out: Output; readonly err: Output },
): number {
  const quiet = new QuietSteps(out);
  let origin: Origin | null = null;
  let steps = 0;
  let parts = 0;
  for (const each of replayed) {
    switch (each.kind) {
      case 'header':
        quiet.end();
        parts += 1;
        origin = each.header;
        out.write(headerWords(each.header, each.line));
        break;
      case 'step':
        steps += 1;
        if (!all && isQuiet(each.entry)) quiet.add(each.entry);
        else {
          quiet.end();
          out.write(stepWords(each.entry, origin));
        }
        break;
      case 'cutOff':
        quiet.end();
        out.write(
          `  line ${each.line} is cut off: the daemon ended, or the disk was full, while it was written\n`,
        );
        break;
      case 'difference':
        quiet.end();
        // Its effects and alarms are not what they seem.
        out.write(stepWords({ ...each.entry, effects: [], alarms: [] }, origin));
        err.write(differenceWords(path, each.line, each.header, each.differences));
        return replayExitCodes.different;
      case 'fault':
        quiet.end();
        err.write(faultWords(path, each.line, each.problem, origin));
        return replayExitCodes.noJournal;
    }
  }
  quiet.end();
  out.write(`\n${counted(steps, 'step')} in ${counted(parts, 'part')} replayed: the same bit for bit\n`);
  return replayExitCodes.same;
}

// --- Steps ---------------------------------------------------------------------------------------

/** Effects that only look. */
const LOOKING: readonly Effect['effect'][] = ['observeOwnership', 'readLevels', 'askHolders', 'remember'];

function isQuiet({ weight, effects }: JournalEntry): boolean {
  return weight === 'routine' && effects.every(({ effect }) => LOOKING.includes(effect));
}

class QuietSteps {
  readonly #out: Output;
  #count = 0;
  #firstAt = 0;
  #lastAt = 0;

  constructor(out: Output) {
    this.#out = out;
  }

  add({ now }: JournalEntry): void {
    if (this.#count === 0) this.#firstAt = now;
    this.#count += 1;
    this.#lastAt = now;
  }

  end(): void {
    if (this.#count === 0) return;
    const seconds = ((this.#lastAt - this.#firstAt) / 1000).toFixed(1);
    this.#out.write(`${INDENT}(${counted(this.#count, 'routine step')} in ${seconds} s)\n`);
    this.#count = 0;
  }
}

type Origin = Pick<JournalHeader, 'now' | 'wallNow'>;

const TIME_WIDTH = 12;
const SINCE_WIDTH = 12;
const INDENT = ' '.repeat(2 + TIME_WIDTH + SINCE_WIDTH + 2);

function stepWords({ now, event, reason, effects, alarms }: JournalEntry, origin: Origin | null): string {
  const sinceMs = now - (origin?.now ?? now);
  const time = wallTime((origin?.wallNow ?? 0) + sinceMs).slice(11, 11 + TIME_WIDTH);
  const since = `+${(sinceMs / 1000).toFixed(3)}`.padStart(SINCE_WIDTH);
  const what = event.type === 'inputDrained' ? 'decision' : event.type;
  const lines = [
    `  ${time}${since}  ${what}: ${printable(reason)}`,
    ...alarms.map((alarm) => `${INDENT}ALARM ${alarm}`),
    ...effects.map((effect) => `${INDENT}→ ${printable(effectWords(effect))}`),
  ];
  return `${lines.join('\n')}\n`;
}

function effectWords(effect: Effect): string {
  switch (effect.effect) {
    case 'sendCall':
      return `sendCall ${effect.attempt}.${effect.call}.${effect.send}: ${effect.targets.join(', ')} to ${effect.networkInterfaceId}`;
    case 'prepareCall':
      return `prepareCall ${effect.attempt}.${effect.call}: ${effect.targets.join(', ')} to ${effect.networkInterfaceId}`;
    case 'withdrawCalls':
      return `withdrawCalls ${effect.calls.map((call) => `${effect.attempt}.${call}`).join(', ')}`;
    case 'askInterfaces':
      return `askInterfaces ${effect.interfaceNames.join(', ')}`;
    case 'askHolders':
      return `askHolders ${effect.instanceIds.join(', ')}`;
    case 'answerOperator':
      return `answerOperator: ${effect.accepted ? 'accepted' : 'declined'}`;
    case 'observeOwnership':
    case 'discardPrepared':
    case 'readLevels':
    case 'remember':
    case 'reportTimeline':
    case 'stop':
      return effect.effect;
  }
}

// --- What is no step -----------------------------------------------------------------------------

function headerWords(header: JournalHeader, line: number): string {
  const { plan, wallNow, bootId, lostLines, state } = header;
  const origin =
    state.bootId === '' ? 'the daemon starts' : `goes on, the role is ${printable(state.role.haState)}`;
  const lost = lostLines === 0 ? '' : `; ${counted(lostLines, 'line')} before this could not be written`;
  return [
    '',
    `line ${line}: ${wallTime(wallNow)}, ${origin}${lost}`,
    `  xr-aws-ha ${printable(header.version)}, boot ${printable(bootId)}; ${counted(plan.targets.length, 'target')}, ${counted(plan.sessions.length, 'session')}; times are UTC, and seconds since this line`,
    '',
  ].join('\n');
}

function differenceWords(
  path: string,
  line: number,
  header: JournalHeader,
  differences: readonly Difference[],
): string {
  const hint =
    header.version === version
      ? 'The same version decides otherwise: this is a defect. Report it with this file.'
      : `${printable(header.version)} wrote the journal and this is ${version}, which may decide otherwise on purpose: replay it with ${printable(header.version)} to be sure.`;
  return [
    `replay: ${path}:${line}: from here on this version decides otherwise.`,
    ...differences.flatMap(({ what, written, replayed }) => [
      `  ${printable(what)}`,
      `    as written   ${printable(clipped(written, 1_000))}`,
      `    as replayed  ${printable(clipped(replayed, 1_000))}`,
    ]),
    `${hint}\n`,
  ].join('\n');
}

function faultWords(path: string, line: number, problem: string, origin: Origin | null): string {
  const advice =
    origin === null
      ? `Give it a journal: ${whereJournalsAre}.`
      : 'What is above is replayed. Copy the file from the router again; to go on behind the damage, cut the file to begin at the next line that has "journal":"xr-aws-ha".';
  return `replay: ${path}:${line}: ${printable(problem)}.\n${advice}\n`;
}

function wallTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? '????-??-??T??:??:??.???Z' : date.toISOString();
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
