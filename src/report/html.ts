/**
 * The story as one page that needs nothing but a browser: no network, no script, no font of its own. It is read with the
 * eyes (pictures), by ear and with the keyboard (tables; each mark of a picture leads to its row), and on paper.
 */
import { PATTERNS, pictureOf, swatch } from './picture';
import type { GroupStory } from './serving';
import { unservedMs, type Episode, type Happening, type Story } from './story';
import { bfdWords, counted, dateTime, escaped, rangeWords, secondsWords, timeOfDay } from './words';

export function htmlOf(story: Story, version: string): string {
  const title = `${story.routers.map(({ name }) => name).join(' and ')}, ${rangeWords(story)}`;
  return [
    '<!DOCTYPE html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    // Whatever a journal holds: nothing is fetched and nothing runs.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(title)}: xr-aws-ha report</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    PATTERNS,
    '<a class="skip" href="#what-happened">To what happened</a>',
    '<header>',
    `<h1>What ${escaped(story.routers.map(({ name }) => name).join(' and '))} tell</h1>`,
    `<p>${escaped(rangeWords(story))}</p>`,
    '</header>',
    '<main>',
    ...inShort(story),
    ...clocks(story),
    ...story.groups.flatMap((group, index) => holders(group, index, story.cloud)),
    ...episodes(story),
    '</main>',
    `<footer><p>Made by xr-aws-ha ${escaped(version)} report, from the journals of the daemons.</p></footer>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function inShort(story: Story): readonly string[] {
  const ms = unservedMs(story.groups);
  const [length, note] = ms === 0 ? ['none', ''] : [secondsWords(ms), ` in all; ${bfdWords(story.routers)}`];
  return [
    '<section aria-labelledby="in-short">',
    '<h2 id="in-short">In short</h2>',
    '<ul>',
    ...story.takeovers.map(({ at, words }) => `<li>${time(at)} ${escaped(words)}</li>`),
    ...(story.takeovers.length === 0 ? ['<li>Nothing was moved.</li>'] : []),
    `<li>Time without a holder: <strong>${length}</strong>${escaped(note)}</li>`,
    ...(story.alarms === 0 ? [] : [`<li><strong>${counted(story.alarms, 'alarm')}</strong></li>`]),
    ...(story.leftOut === 0
      ? []
      : [
          `<li>${counted(story.leftOut, 'earlier episode')} left out: a report with <code>--until</code> shows them.</li>`,
        ]),
    '</ul>',
    ...limits(story),
    '</section>',
  ];
}

function limits({ limits: sentences }: Story): readonly string[] {
  if (sentences.length === 0) return [];
  return [
    '<h3>What this report cannot tell</h3>',
    '<ul class="limits">',
    ...sentences.map((sentence) => `<li>${escaped(sentence)}</li>`),
    '</ul>',
  ];
}

function clocks({ axis, clocks: words }: Story): readonly string[] {
  return [
    '<section aria-labelledby="clocks">',
    '<h2 id="clocks">Whose time this is</h2>',
    `<p>${escaped(axis)}</p>`,
    `<ul>${words.map((each) => `<li>${escaped(each)}</li>`).join('')}</ul>`,
    '</section>',
  ];
}

/** More than this, nobody reads; they move together. */
const TARGETS_MAX = 50;
const HOLDERS_MAX = 20;

function holders({ name, targets }: GroupStory, index: number, cloud: string): readonly string[] {
  const id = `holders-${index + 1}`;
  const heading = `Who held what${name === null ? '' : ` in group ${name}`}`;
  const rows = targets.slice(0, TARGETS_MAX).flatMap((target) => {
    const unserved = target.unserved.reduce((sum, { from, to }) => sum + to - from, 0);
    const spans = target.holders.slice(-HOLDERS_MAX);
    const head = `<th scope="rowgroup" rowspan="${Math.max(1, spans.length)}">${escaped(target.id)}</th>`;
    const total = `<td rowspan="${Math.max(1, spans.length)}">${unserved === 0 ? 'never' : secondsWords(unserved)}</td>`;
    if (spans.length === 0)
      return [`<tr>${head}<td colspan="3">${escaped(cloud)} has not said</td>${total}</tr>`];
    return spans.map(
      ({ from, to, value }, row) =>
        `<tr>${row === 0 ? head : ''}<td>${escaped(value)}</td><td>${timeOfDay(from)}</td><td>${timeOfDay(to)}</td>${row === 0 ? total : ''}</tr>`,
    );
  });
  const more = targets.length - TARGETS_MAX;
  return [
    `<section aria-labelledby="${id}">`,
    `<h2 id="${id}">${escaped(heading)}</h2>`,
    '<table>',
    `<caption>As ${escaped(cloud)} told the routers: from when it was seen there until it was seen elsewhere</caption>`,
    '<thead><tr><th scope="col">target</th><th scope="col">holder</th><th scope="col">from</th><th scope="col">to</th><th scope="col">without a holder</th></tr></thead>',
    `<tbody>${rows.join('\n')}</tbody>`,
    '</table>',
    ...(more > 0 ? [`<p>and ${more} more</p>`] : []),
    '</section>',
  ];
}

// --- Episodes ------------------------------------------------------------------------------------

function episodes(story: Story): readonly string[] {
  const headings = story.episodes.map((episode) => escaped(rangeWords(episode)));
  return [
    '<section aria-labelledby="what-happened">',
    '<h2 id="what-happened">What happened</h2>',
    ...(story.episodes.length === 0 ? ['<p>Nothing but what happens all the time.</p>'] : legend(story)),
    ...(headings.length < 2
      ? []
      : [
          `<nav aria-label="Episodes"><ol>${headings.map((heading, index) => `<li><a href="#episode-${index + 1}">${heading}</a></li>`).join('')}</ol></nav>`,
        ]),
    '</section>',
    ...story.episodes.flatMap((episode, index) => episodeSection(episode, index + 1, story)),
  ];
}

function episodeSection(episode: Episode, number: number, story: Story): readonly string[] {
  const id = `episode-${number}`;
  return [
    `<section aria-labelledby="${id}" class="episode">`,
    `<h3 id="${id}">${number}. ${escaped(rangeWords(episode))}</h3>`,
    `<div class="scroll" role="region" tabindex="0" aria-label="Picture of episode ${number}">`,
    pictureOf(episode, number, story),
    '</div>',
    '<table>',
    `<caption>What each router said in episode ${number}</caption>`,
    '<thead><tr><th scope="col">no.</th><th scope="col">time</th><th scope="col">after</th><th scope="col">router</th><th scope="col">about</th><th scope="col">what it said</th></tr></thead>',
    '<tbody>',
    ...episode.happenings.map((each, index) => row(each, episode.happenings[index - 1], number, index + 1)),
    '</tbody>',
    '</table>',
    '</section>',
  ];
}

function row(
  { at, router, group, what, text, alarms }: Happening,
  before: Happening | undefined,
  episode: number,
  number: number,
): string {
  const since = before === undefined ? '' : `+${((at - before.at) / 1000).toFixed(3)} s`;
  const alarm =
    alarms.length === 0 ? '' : `<strong class="alarm">Alarm ${escaped(alarms.join(', '))}</strong> `;
  const named = group === null ? '' : `<em>${escaped(group)}:</em> `;
  return (
    `<tr id="e${episode}-${number}"${alarms.length === 0 ? '' : ' class="alarmed"'}><td>${number}</td><td>${time(at)}</td><td>${since}</td>` +
    `<td>${escaped(router)}</td><td>${escaped(what)}</td><td>${alarm}${named}${escaped(text)}</td></tr>`
  );
}

function legend({ routers, cloud }: Story): readonly string[] {
  const names = routers.map(({ name }) => escaped(name));
  const entries = [
    ...names.map((name, index) => `${swatch('serving', index)} ${name} is ACTIVE, or has the targets`),
    `${swatch('standby')} STANDBY`,
    `${swatch('up')} UP`,
    `${swatch('down')} DOWN, failed, or held by nobody`,
    `${swatch('call')} call to ${escaped(cloud)}`,
    `${swatch('mixed')} targets with several holders`,
    `${swatch('unknown')} unknown, or no line in the journal`,
  ];
  return [
    '<p>The pictures are not to scale: they are wide where much happens. The order is true. Numbers lead to the rows of the table.</p>',
    `<ul class="legend">${entries.map((entry) => `<li>${entry}</li>`).join('')}</ul>`,
  ];
}

const time = (at: number): string =>
  `<time datetime="${dateTime(at).replace(' ', 'T')}Z">${timeOfDay(at)}</time>`;

const STYLE = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem 1.5rem 3rem; max-width: 80rem; background: #fff; color: #111; font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 1.6rem 0 .4rem; border-bottom: 2px solid #111; }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .4rem; }
ul, ol { margin: .3rem 0; padding-left: 1.4rem; }
a { color: #004f7c; }
a:focus-visible, .scroll:focus-visible { outline: 3px solid #0072b2; outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: #fff; padding: .4rem .8rem; }
.limits li { font-weight: 600; }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; }
.swatch { vertical-align: -3px; }
.scroll { overflow-x: auto; }
.picture { display: block; width: 100%; min-width: 56rem; font: 11.5px "DejaVu Sans", system-ui, sans-serif; }
.picture a { cursor: pointer; }
table { border-collapse: collapse; width: 100%; margin: .4rem 0 1rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: #333; padding: .2rem 0; }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid #c9ccd1; }
th { font-weight: 600; }
.episode td:nth-child(-n+5) { white-space: nowrap; }
td:last-child { overflow-wrap: anywhere; }
tr:target { background: #fff3c4; }
.alarm { color: #a33c00; }
.alarmed td:first-child { border-left: 4px solid #d55e00; padding-left: .3rem; }
footer { margin-top: 2rem; color: #333; }
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  body { padding: 0; max-width: none; font-size: 10pt; }
  .skip, nav { display: none; }
  .scroll { overflow: visible; }
  .picture { min-width: 0; break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  tr { break-inside: avoid; }
  thead { display: table-header-group; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
