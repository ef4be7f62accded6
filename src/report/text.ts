/** The story for a terminal. */
import { instantsOf } from './episode';
import type { PictureLane, Tone } from './pictureLanes';
import { stretched } from './scale';
import { NOBODY, type GroupStory, type TargetStory } from './serving';
import { unservedMs, type Episode, type Happening, type Story } from './story';
import { bfdWords, counted, rangeWords, secondsWords, timeOfDay } from './words';

/** `clean` makes what stands in a journal safe for a terminal. */
export function* textOf(story: Story, version: string, clean: (text: string) => string): Generator<string> {
  const names = story.routers.map(({ name }) => clean(name));
  yield `xr-aws-ha ${version} report: what ${names.join(' and ')} tell${names.length === 1 ? 's' : ''}`;
  yield '';
  yield `  ${rangeWords(story)}`;
  yield `  ${clean(story.axis)}`;
  for (const words of story.clocks) yield `    ${clean(words)}`;
  yield '';
  yield* inShort(story, clean);
  for (const group of story.groups) yield* holders(group, story.cloud, clean);
  if (story.leftOut > 0)
    yield `(${counted(story.leftOut, 'earlier episode')} left out: --until TIME shows them)\n`;
  if (story.episodes.length > 0) yield* legend(names);
  for (const [index, episode] of story.episodes.entries()) yield* episodeText(episode, index, story, clean);
  if (story.limits.length === 0) return;
  yield 'What this report cannot tell';
  for (const limit of story.limits) yield `  - ${clean(limit)}`;
}

function* inShort(story: Story, clean: (text: string) => string): Generator<string> {
  yield 'In short';
  for (const { at, words } of story.takeovers) yield `  ${timeOfDay(at)}  ${clean(words)}`;
  if (story.takeovers.length === 0) yield '  nothing was moved';
  const ms = unservedMs(story.groups);
  yield ms === 0
    ? '  time without a holder: none'
    : `  time without a holder: ${secondsWords(ms)} in all; ${bfdWords(story.routers)}`;
  if (story.alarms > 0) yield `  ${counted(story.alarms, 'alarm')}, marked ALARM below`;
  yield '';
}

/** Of many targets the first are shown; those with the same story share a line. */
const TARGETS_MAX = 20;

function* holders(
  { name, targets }: GroupStory,
  cloud: string,
  clean: (text: string) => string,
): Generator<string> {
  yield `Who held what${name === null ? '' : ` in group ${clean(name)}`}`;
  for (const target of targets.slice(0, TARGETS_MAX)) {
    yield `  ${clean(target.id)}`;
    yield `      ${clean(heldWords(target, cloud))}`;
  }
  if (targets.length > TARGETS_MAX) yield `  and ${targets.length - TARGETS_MAX} more`;
  yield '';
}

/** Of a target that goes to and fro the last holders count. */
const HOLDERS_MAX = 6;

export function heldWords({ holders, unserved }: TargetStory, cloud: string): string {
  if (holders.length === 0) return `${cloud} has not said who has it`;
  const shown = holders.slice(-HOLDERS_MAX);
  const before = holders.length - shown.length;
  const words = shown.map(({ value, to }, index) =>
    index === shown.length - 1 ? value : `${value} until ${timeOfDay(to)}`,
  );
  const ms = unserved.reduce((sum, { from, to }) => sum + to - from, 0);
  return `${before > 0 ? `(${before} earlier) ` : ''}${words.join(', then ')}; without a holder: ${ms === 0 ? 'never' : secondsWords(ms)}`;
}

// --- Lanes ---------------------------------------------------------------------------------------

const COLUMNS = 64;
const TITLE_MAX = 28;
const GLYPHS: Record<Tone, string> = {
  up: '─',
  down: 'x',
  unknown: '·',
  serving: '█',
  standby: '░',
  first: '1',
  second: '2',
  mixed: '+',
  nobody: '!',
  call: '=',
  failed: '#',
};

function* legend(names: readonly string[]): Generator<string> {
  const holders = names.map((name, index) => `${index + 1} ${name}`).join(', ');
  yield 'The lanes are not to scale: they are wide where much happens.';
  yield `  BFD and interfaces  ─ UP  x DOWN      role  █ ACTIVE  ░ STANDBY      · unknown, or no line`;
  yield `  calls  = moved  # failed or no answer  holder  ${holders}, + shared, ! ${NOBODY}`;
  yield '';
}

function* episodeText(
  episode: Episode,
  index: number,
  { routers }: Story,
  clean: (text: string) => string,
): Generator<string> {
  yield `── ${index + 1}. ${rangeWords(episode)} `.padEnd(100, '─');
  yield '';
  const scale = stretched(episode, instantsOf(episode));
  let router: string | null | undefined;
  for (const lane of episode.lanes) {
    const label = lane.router === router ? '' : (lane.router ?? '');
    ({ router } = lane);
    yield `  ${clean(label).padEnd(8)} ${clean(lane.title).slice(0, TITLE_MAX).padEnd(TITLE_MAX)} ${laneText(lane, scale)}`;
  }
  const [start, end] = [timeOfDay(episode.from), timeOfDay(episode.to)];
  yield `${' '.repeat(TITLE_MAX + 12)}${start}${end.padStart(COLUMNS - start.length)}`;
  yield '';
  const width = Math.max(...routers.map(({ name }) => name.length));
  let before: number | null = null;
  for (const happening of episode.happenings) {
    yield* happeningText(happening, before, width, clean);
    before = happening.at;
  }
  yield '';
}

function laneText({ spans }: PictureLane, scale: (at: number) => number): string {
  const cells: string[] = Array.from({ length: COLUMNS }, () => ' ');
  const column = (at: number): number => Math.min(COLUMNS, Math.floor(scale(at) * COLUMNS));
  for (const { from, to, tone } of spans) {
    const first = Math.min(column(from), COLUMNS - 1);
    cells.fill(GLYPHS[tone], first, Math.max(column(to), first + 1));
  }
  return cells.join('');
}

const WIDTH = 100;

function* happeningText(
  { at, router, group, what, text, alarms }: Happening,
  before: number | null,
  width: number,
  clean: (text: string) => string,
): Generator<string> {
  const since = before === null ? '' : `+${((at - before) / 1000).toFixed(3)}`;
  const head = `  ${timeOfDay(at)} ${since.padStart(9)}  ${clean(router).padEnd(width)}  ${what.padEnd(9)}  `;
  const named = group === null ? '' : `[${clean(group)}] `;
  const alarm = alarms.length === 0 ? '' : `ALARM ${alarms.join(', ')}: `;
  const lines = wrapped(`${alarm}${named}${clean(text)}`, Math.max(40, WIDTH - head.length));
  for (const [index, line] of lines.entries()) yield `${index === 0 ? head : ' '.repeat(head.length)}${line}`;
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
