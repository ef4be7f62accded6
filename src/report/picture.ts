/**
 * The picture of one episode as SVG: lanes of both routers over one axis of time, with who held the targets between
 * them. Colours are those of Okabe and Ito, which colour-blind readers tell apart, and none of them means anything
 * by itself: each span has its word, its height or its hatching as well.
 */
import type { Interval } from './lanes';
import type { DrawnSpan, PictureLane, Tone } from './pictureLanes';
import { stretched, type Scale } from './scale';
import type { Episode, Happening, Story } from './story';
import { escaped, secondsWords, timeOfDay } from './words';
import { instantsOf } from './episode';

const WIDTH = 1180;
const LEFT = 210;
const RIGHT = WIDTH - 12;
const TOP = 26;
const LANE = 20;
const GAP = 6;
/** Of one glyph at the size of a label, about. */
const GLYPH = 7;
/** Of one capital. */
const CAPITAL = 8.6;

type Look = {
  readonly fill: string;
  readonly text: string;
  readonly stroke?: string;
  /** A line in the middle of the lane, where all is as it should be. */
  readonly thin?: true;
};

const FIRST: Look = { fill: '#0072b2', text: '#ffffff' };
const SECOND: Look = { fill: '#e69f00', text: '#000000' };
const LOOKS: Record<Exclude<Tone, 'serving'>, Look> = {
  up: { fill: '#009e73', text: '#000000', thin: true },
  down: { fill: 'url(#down)', text: '#000000', stroke: '#a33c00' },
  unknown: { fill: 'url(#unknown)', text: '#444444', stroke: '#8a8f98' },
  standby: { fill: '#ffffff', text: '#000000', stroke: '#555555' },
  first: FIRST,
  second: SECOND,
  mixed: { fill: '#f0e442', text: '#000000', stroke: '#555555' },
  nobody: { fill: 'url(#down)', text: '#000000', stroke: '#a33c00' },
  call: { fill: '#a6d5f2', text: '#000000', stroke: '#1f5f85' },
  failed: { fill: 'url(#down)', text: '#000000', stroke: '#a33c00' },
};

/** The hatchings; once for the whole page. */
export const PATTERNS = [
  '<svg width="0" height="0" aria-hidden="true" focusable="false" style="position:absolute"><defs>',
  '<pattern id="down" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">',
  '<rect width="8" height="8" fill="#fbd9c4"/><rect width="3" height="8" fill="#d55e00"/></pattern>',
  '<pattern id="unknown" width="6" height="6" patternUnits="userSpaceOnUse">',
  '<rect width="6" height="6" fill="#ffffff"/><circle cx="2" cy="2" r="1" fill="#8a8f98"/></pattern>',
  '</defs></svg>',
].join('');

export function pictureOf(episode: Episode, number: number, story: Story): string {
  const scale = stretched(episode, instantsOf(episode));
  const x = (at: number): number => LEFT + scale(at) * (RIGHT - LEFT);
  const rows = withMarks(episode, story);
  const bottom = TOP + rows.length * (LANE + GAP);
  const height = bottom + 40;
  const names = story.routers.map(({ name }) => name);
  const id = `picture-${number}`;
  return [
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="group" aria-labelledby="${id}" class="picture">`,
    `<title id="${id}">Lanes of episode ${number}; the table below it says the same in words</title>`,
    ...unservedBands(story, episode, x, bottom),
    ...axis(episode, scale, x, bottom),
    ...rows.flatMap((row, index) => {
      const y = TOP + index * (LANE + GAP);
      const previous = rows[index - 1];
      return [
        laneLabel(row, y, previous === undefined || previous.router !== row.router),
        ...row.spans.map((span) => spanShape(span, lookOf(span.tone, names.indexOf(row.router ?? '')), x, y)),
        ...marks(row.marks, number, x, y),
      ];
    }),
    '</svg>',
  ].join('\n');
}

export function swatch(tone: Tone, router = 0): string {
  const look = lookOf(tone, router);
  const shape = look.thin
    ? `<rect x="1" y="6" width="26" height="4" fill="${look.fill}"/>`
    : `<rect x="1" y="1" width="26" height="14" fill="${look.fill}"${strokeOf(look)}/>`;
  return `<svg class="swatch" width="28" height="16" aria-hidden="true" focusable="false">${shape}</svg>`;
}

/** A router that is ACTIVE looks like the targets that it holds. */
function lookOf(tone: Tone, router: number): Look {
  if (tone === 'serving') return router === 1 ? SECOND : FIRST;
  return LOOKS[tone];
}

// --- Rows ----------------------------------------------------------------------------------------

type Numbered = Happening & { readonly number: number };
type Row = PictureLane & { readonly marks: readonly Numbered[] };

/** What each router said has a lane of its own beside its role. */
function withMarks(episode: Episode, { routers }: Story): readonly Row[] {
  const numbered = episode.happenings.map((each, index) => ({ ...each, number: index + 1 }));
  const plain = episode.lanes.map((lane): Row => ({ ...lane, marks: [] }));
  const ofPair = plain.findIndex(({ router }) => router === null);
  const [first, second] = routers.map(({ name }): Row => ({
    router: name,
    title: 'what it said',
    spans: [],
    marks: numbered.filter(({ router }) => router === name),
  }));
  const groups = plain.filter(({ router }) => router === null);
  const before = plain.slice(0, ofPair);
  const after = plain.slice(ofPair + groups.length);
  return [
    ...(first === undefined ? [] : [first]),
    ...before,
    ...groups,
    ...after,
    ...(second === undefined ? [] : [second]),
  ];
}

function laneLabel({ router, title }: Row, y: number, isFirst: boolean): string {
  const name = isFirst && router !== null ? `<tspan font-weight="bold">${escaped(router)}</tspan>` : '';
  const at = y + LANE - 6;
  return (
    (name === '' ? '' : `<text x="4" y="${at}">${name}</text>`) +
    `<text x="${LEFT - 8}" y="${at}" text-anchor="end"${router === null ? ' font-weight="bold"' : ''}>${escaped(clippedTo(title, LEFT - 60))}</text>`
  );
}

function spanShape(span: DrawnSpan, look: Look, x: Scale, y: number): string {
  const left = x(span.from);
  const width = Math.max(x(span.to) - left, 1.5);
  const words = escaped(span.text);
  const tooltip = `<title>${words}, ${timeOfDay(span.from)} to ${timeOfDay(span.to)} (${secondsWords(span.to - span.from)})</title>`;
  const body = look.thin
    ? `<rect x="${n(left)}" y="${y + LANE / 2 - 2}" width="${n(width)}" height="4" fill="${look.fill}"/>`
    : `<rect x="${n(left)}" y="${y}" width="${n(width)}" height="${LANE}" fill="${look.fill}"${strokeOf(look)}/>`;
  const fits = span.text.length * CAPITAL + 8 <= width && look.thin !== true;
  return `<g aria-hidden="true">${tooltip}${body}${fits ? label(words, span.text.length, left, y, look) : ''}</g>`;
}

/** On a hatching a word needs a ground of its own. */
function label(words: string, length: number, left: number, y: number, look: Look): string {
  const ground = look.fill.startsWith('url')
    ? `<rect x="${n(left + 3)}" y="${y + 3}" width="${n(length * CAPITAL + 4)}" height="${LANE - 6}" fill="#ffffff"/>`
    : '';
  return `${ground}<text x="${n(left + 5)}" y="${y + LANE - 6}" fill="${look.text}">${words}</text>`;
}

/** Numbers that would stand on each other are left out; the line is there. */
function marks(numbered: readonly Numbered[], episode: number, x: Scale, y: number): readonly string[] {
  let free = -Infinity;
  return numbered.map(({ at, number, alarms, text, what }) => {
    const width = String(number).length * GLYPH + 5;
    const place = x(at);
    // At the right end it stands to the left of its line.
    const left = place + width > RIGHT + 8 ? place - width : place;
    const isShown = left >= free;
    if (isShown) free = left + width + 2;
    const colour = alarms.length > 0 ? '#d55e00' : '#222222';
    const flag = isShown
      ? `<rect x="${n(left)}" y="${y}" width="${n(width)}" height="14" fill="${colour}"/>` +
        `<text x="${n(left + 2.5)}" y="${y + 11}" font-size="11" fill="#ffffff">${number}</text>`
      : '';
    const stem = `<line x1="${n(place)}" x2="${n(place)}" y1="${y}" y2="${y + LANE}" stroke="${colour}" stroke-width="1.5"/>`;
    const shape = `<title>${escaped(`${timeOfDay(at)} ${what}: ${text}`)}</title>${stem}${flag}`;
    if (!isShown) return `<g aria-hidden="true">${shape}</g>`;
    return `<a href="#e${episode}-${number}" aria-label="to ${number} in the table">${shape}</a>`;
  });
}

// --- Around the lanes ----------------------------------------------------------------------------

function unservedBands(story: Story, episode: Interval, x: Scale, bottom: number): readonly string[] {
  const spans = story.groups
    .flatMap(({ unserved }) => unserved)
    .filter(({ from, to }) => from < episode.to && to > episode.from);
  return spans.map(({ from, to }) => {
    const left = x(Math.max(from, episode.from));
    const width = Math.max(x(Math.min(to, episode.to)) - left, 2);
    const words = `without a holder ${secondsWords(to - from)}`;
    const end = left + words.length * GLYPH > RIGHT;
    return (
      `<g aria-hidden="true"><rect x="${n(left)}" y="${TOP - 6}" width="${n(width)}" height="${bottom - TOP + 6}" fill="#d55e00" fill-opacity="0.13"/>` +
      `<text x="${n(end ? left + width : left)}" y="${TOP - 11}"${end ? ' text-anchor="end"' : ''} fill="#a33c00" font-weight="bold">${words}</text></g>`
    );
  });
}

const LABEL_WIDTH = 86;

/** At things that happen, as far as there is room. */
function axis(episode: Episode, scale: Scale, x: Scale, bottom: number): readonly string[] {
  const stops = [episode.from, ...episode.happenings.map(({ at }) => at)].filter((at) => scale(at) < 1);
  let free = -Infinity;
  const ticks = [...new Set(stops)]
    .sort((a, b) => a - b)
    .filter((at) => {
      const left = x(at);
      if (left < free || left > RIGHT - LABEL_WIDTH) return false;
      free = left + LABEL_WIDTH;
      return true;
    });
  let before: number | null = null;
  const drawn = ticks.map((at) => {
    const since = before === null ? '' : `+${((at - before) / 1000).toFixed(3)} s`;
    before = at;
    return (
      `<g aria-hidden="true"><line x1="${n(x(at))}" x2="${n(x(at))}" y1="${TOP - 6}" y2="${bottom + 4}" stroke="#c9ccd1"/>` +
      `<text x="${n(x(at))}" y="${bottom + 17}">${timeOfDay(at)}</text>` +
      `<text x="${n(x(at))}" y="${bottom + 32}" fill="#444444">${since}</text></g>`
    );
  });
  return [
    ...drawn,
    `<line x1="${LEFT}" x2="${RIGHT}" y1="${bottom + 4}" y2="${bottom + 4}" stroke="#222222"/>`,
  ];
}

const strokeOf = ({ stroke }: Look): string => (stroke === undefined ? '' : ` stroke="${stroke}"`);

const clippedTo = (text: string, width: number): string => {
  const length = Math.floor(width / GLYPH);
  return text.length <= length ? text : `…${text.slice(text.length - length + 1)}`;
};

/** Short: a page may have thousands of them. */
const n = (value: number): string => value.toFixed(1);
