/** The distribution of one latency as an SVG: the share of takeovers whose first write has arrived, over time. */
import type { FloorSample } from './floor';
import { ms, quantile } from './statistics';
import type { LatencyRow } from './takeovers';

type Curve = { readonly name: string; readonly colour: string; readonly samples: readonly number[] };

const frame = { left: 52, right: 640, top: 34, bottom: 290, width: 660, height: 340 };
/** Logarithmic: the floor and the slowest takeover are on one picture. */
const ticksMs = [0.5, 1, 2, 5, 10, 20, 50, 100];

export function plot(latency: readonly LatencyRow[], interfaces: number): string {
  const rows = latency.filter((row) => row.interfaces === interfaces);
  const [gen1, gen2] = (['gen1', 'gen2'] as const).map((each) =>
    rows.find(({ generation }) => generation === each),
  );
  const firsts = (samples: readonly FloorSample[] | null | undefined) =>
    (samples ?? []).map(({ firstWriteMs }) => firstWriteMs);
  const curves: readonly Curve[] = [
    { name: 'floor', colour: '#8a8f98', samples: rows.flatMap(({ floor }) => firsts(floor)) },
    { name: 'floor with a question', colour: '#c2a83e', samples: firsts(gen1?.floorAsking) },
    { name: 'gen1', colour: '#1f6fb4', samples: firsts(gen1?.takeovers) },
    { name: 'gen2', colour: '#c0392b', samples: firsts(gen2?.takeovers) },
  ].filter(({ samples }) => samples.length > 0);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${frame.width} ${frame.height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${frame.width}" height="${frame.height}" fill="#ffffff"/>`,
    `<text x="${frame.left}" y="18" font-size="13" fill="#222222">BFD DOWN written to first EC2 write received, ${interfaces} interfaces: share of takeovers</text>`,
    ...ticksMs.map(xTick),
    ...[0, 0.25, 0.5, 0.75, 1].map(yTick),
    `<text x="${frame.right}" y="${frame.bottom + 36}" text-anchor="end" fill="#222222">ms (logarithmic)</text>`,
    ...curves.map(path),
    ...curves.map(legend),
    '</svg>',
    '',
  ].join('\n');
}

const round = (value: number): string => value.toFixed(1);

function x(valueMs: number): number {
  const [first = 1, last = 1] = [ticksMs[0], ticksMs.at(-1)];
  const share = Math.log(valueMs / first) / Math.log(last / first);
  return frame.left + Math.min(Math.max(share, 0), 1) * (frame.right - frame.left);
}

const y = (share: number): number => frame.bottom - share * (frame.bottom - frame.top);

function xTick(valueMs: number): string {
  const at = round(x(valueMs));
  return (
    `<line x1="${at}" y1="${frame.top}" x2="${at}" y2="${frame.bottom}" stroke="#e3e5e8"/>` +
    `<text x="${at}" y="${frame.bottom + 18}" text-anchor="middle" fill="#222222">${valueMs}</text>`
  );
}

function yTick(share: number): string {
  const at = round(y(share));
  return (
    `<line x1="${frame.left}" y1="${at}" x2="${frame.right}" y2="${at}" stroke="#e3e5e8"/>` +
    `<text x="${frame.left - 8}" y="${round(y(share) + 4)}" text-anchor="end" fill="#222222">${share * 100} %</text>`
  );
}

function path({ colour, samples }: Curve): string {
  const sorted = [...samples].sort((a, b) => a - b);
  const steps = sorted.map((value, index) => `H${round(x(value))}V${round(y((index + 1) / sorted.length))}`);
  return `<path d="M${frame.left},${frame.bottom}${steps.join('')}" fill="none" stroke="${colour}" stroke-width="2"/>`;
}

function legend({ name, colour, samples }: Curve, index: number): string {
  const at = frame.bottom - 12 - index * 18;
  return (
    `<line x1="${frame.right - 210}" y1="${at - 4}" x2="${frame.right - 190}" y2="${at - 4}" stroke="${colour}" stroke-width="2"/>` +
    `<text x="${frame.right - 184}" y="${at}" fill="#222222">${name}, p50 ${ms(quantile(samples, 0.5))} ms</text>`
  );
}
