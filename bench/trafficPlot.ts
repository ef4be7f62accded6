/** What the user saw, as an SVG: each outage as a bar of its parts, and the limit that no product can go below. */
import type { TrafficRow } from './traffic';
import { quantile } from './statistics';

const parts = [
  ['detection', '#8a8f98', 'detectionMs'],
  ['daemon', '#c0392b', 'daemonMs'],
  ['EC2', '#1f6fb4', 'ec2Ms'],
  ['propagation', '#c2a83e', 'propagationMs'],
  ['rest', '#6b3fa0', 'restMs'],
] as const;

const left = 250;
const right = 640;
const rowHeight = 22;
const top = 58;

export function trafficPlot(rows: readonly TrafficRow[]): string {
  const outages = rows.flatMap((row) => row.outages.map(({ outageMs }) => outageMs));
  const longestMs = Math.ceil(quantile(outages, 1) / 200) * 200;
  const x = (valueMs: number): number => left + (valueMs / longestMs) * (right - left);
  const bottom = top + rows.length * rowHeight;
  const ticks = Array.from({ length: longestMs / 200 + 1 }, (_, index) => index * 200);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 ${bottom + 44}" font-family="sans-serif" font-size="11">`,
    `<rect width="660" height="${bottom + 44}" fill="#ffffff"/>`,
    `<text x="10" y="18" font-size="13" fill="#222222">Outage that a user sees: the median failover of each kind in its parts</text>`,
    ...parts.map(
      ([name, colour], index) =>
        `<rect x="${10 + index * 96}" y="28" width="12" height="12" fill="${colour}"/><text x="${26 + index * 96}" y="38" fill="#222222">${name}</text>`,
    ),
    `<line x1="500" y1="28" x2="500" y2="40" stroke="#222222" stroke-width="2"/><text x="506" y="38" fill="#222222">limit: detection + EC2 + propagation</text>`,
    ...ticks.map(
      (tick) =>
        `<line x1="${x(tick).toFixed(1)}" y1="${top}" x2="${x(tick).toFixed(1)}" y2="${bottom}" stroke="#e3e5e8"/><text x="${x(tick).toFixed(1)}" y="${bottom + 16}" text-anchor="middle" fill="#222222">${tick}</text>`,
    ),
    ...rows.flatMap((row, index) => bar(row, top + index * rowHeight, x)),
    `<text x="${right}" y="${bottom + 34}" text-anchor="end" fill="#222222">ms</text>`,
    '</svg>',
    '',
  ].join('\n');
}

/** The failover whose outage is the median one, so that its parts belong together. */
function bar(row: TrafficRow, y: number, x: (valueMs: number) => number): readonly string[] {
  const medianMs = quantile(
    row.outages.map(({ outageMs }) => outageMs),
    0.5,
  );
  const outage = row.outages.find(({ outageMs }) => outageMs === medianMs);
  if (outage === undefined) return [];
  let fromMs = 0;
  const bars = parts.map(([, colour, key]) => {
    const ms = Math.max(0, outage[key]);
    const rect = `<rect x="${x(fromMs).toFixed(1)}" y="${y + 4}" width="${(x(ms) - x(0)).toFixed(1)}" height="14" fill="${colour}"/>`;
    fromMs += ms;
    return rect;
  });
  const limit = x(outage.detectionMs + outage.ec2Ms + outage.propagationMs).toFixed(1);
  const name = `${row.bfd.intervalMs} ms x ${row.bfd.multiplier}, EC2 ${row.ec2}, ${row.fault}`;
  return [
    `<text x="${left - 8}" y="${y + 15}" text-anchor="end" fill="#222222">${name}</text>`,
    ...bars,
    `<line x1="${limit}" y1="${y + 2}" x2="${limit}" y2="${y + 20}" stroke="#222222" stroke-width="2"/>`,
  ];
}
