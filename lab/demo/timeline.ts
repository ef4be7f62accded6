/** A failover for the eye: a line for everything that happened, and a bar for where the time went. */
import { isDryRun, isRead, isWrite, type LoggedRequest } from '../ec2-emulator/requestLog';
import { labBfd } from '../topology/config';
import type { LabPlan } from '../topology/plan';
import { legsOf, type Failover, type Legs, type Move } from './failover';
import { WIDTH, wrap, type Paint, type Style } from './screen';
import { hasItWords, writeWords } from './targets';

type Row = {
  /** Since the first DOWN. */
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
  /** A sentence of the daemon, word by word. */
  readonly quote?: string;
  readonly styles?: readonly Style[];
};

const TIME_WIDTH = 8;
const WHO_WIDTH = 5;
const INDENT = TIME_WIDTH + WHO_WIDTH + 5;
const BAR_WIDTH = 72;

export function drawTimeline(plan: LabPlan, failover: Failover, paint: Paint): readonly string[] {
  const rows = rowsOf(plan, failover).sort((a, b) => a.atMs - b.atMs);
  return [
    `  ${paint('ms since BFD DOWN', 'dim')}`,
    ...rows.flatMap((row) => drawRow(row, paint)),
    `  ${paint('* by the daemon, since it heard of DOWN; all else by the clock of the lab', 'dim')}`,
  ];
}

function drawRow({ atMs, who, what, quote, styles = [] }: Row, paint: Paint): readonly string[] {
  const indent = ' '.repeat(INDENT);
  const time = paint(atMs.toFixed(1).padStart(TIME_WIDTH), 'bold');
  const actor = paint(
    who.padEnd(WHO_WIDTH),
    ...(who === 'EC2' ? (['blue', 'bold'] as const) : (['bold'] as const)),
  );
  const [first = '', ...more] = wrap(what, WIDTH - INDENT);
  const words = quote === undefined ? [] : wrap(quote, WIDTH - INDENT - 2);
  return [
    `  ${time}  ${actor} ${paint(first, ...styles)}`,
    ...more.map((text) => `${indent}${paint(text, ...styles)}`),
    ...words.map((text) => `${indent}${paint('│', 'dim')} ${paint(text, 'yellow')}`),
  ];
}

function rowsOf(plan: LabPlan, failover: Failover): Row[] {
  const { victim, survivor, killedAtMs, downAtMs, requests, moves, decision, timeline } = failover;
  const zero = downAtMs[0] ?? NaN;
  const decidedMs = Number(timeline['decidedMs']);
  const confirmedMs = Number(timeline['confirmedMs']);
  const counted = downAtMs.length === 1 ? 'the BFD session is' : `${downAtMs.length} BFD sessions are`;
  return [
    {
      atMs: killedAtMs - zero,
      who: victim,
      what: 'power off: no BFD packets, no gRPC, its daemon is gone',
      styles: ['red'],
    },
    {
      atMs: 0,
      who: survivor,
      what: `${counted} DOWN: nothing heard for ${labBfd.multiplier} x ${labBfd.intervalMs} ms`,
    },
    { atMs: decidedMs, who: survivor, what: 'the daemon decides *', quote: decision.reason ?? '' },
    ...requests.filter(isWrite).map((request) => writeRow(plan, request, zero)),
    ...requests
      .filter((request) => isFailure(request) && !isDryRun(request))
      .map((request) => failureRow(request, zero)),
    ...moves.map((move) => moveRow(move, failover, zero)),
    ...requests.filter(isRead).map((request) => readRow(request, zero)),
    {
      atMs: confirmedMs,
      who: survivor,
      what: 'EC2 has confirmed it: this router is ACTIVE *',
      styles: ['green', 'bold'],
    },
  ];
}

const writeRow = (plan: LabPlan, request: LoggedRequest, zero: number): Row => ({
  atMs: request.receivedAt - zero,
  who: 'EC2',
  what: `← ${writeWords(request, plan)}`,
});

function moveRow({ atMs, target, origin }: Move, { requests, survivor }: Failover, zero: number): Row {
  const request =
    origin.by === 'request' ? requests.find(({ number }) => number === origin.number) : undefined;
  return {
    atMs: atMs - zero,
    who: 'EC2',
    what: `→ ${request?.httpStatus ?? 'no answer'}: ◆ ${hasItWords(target, survivor)}`,
    styles: ['magenta'],
  };
}

const isFailure = ({ outcome }: LoggedRequest): boolean => outcome !== 'ok' && outcome !== 'pending';

/** Only where something is not as it should be: the demo makes no EC2 call fail. */
const failureRow = ({ endedAt, action, errorCode, outcome }: LoggedRequest, zero: number): Row => ({
  atMs: (endedAt ?? NaN) - zero,
  who: 'EC2',
  what: `→ ${action}: ${errorCode ?? outcome}`,
  styles: ['red'],
});

const readRow = ({ receivedAt, action }: LoggedRequest, zero: number): Row => ({
  atMs: receivedAt - zero,
  who: 'EC2',
  what: `← ${action}: who has them?`,
});

type Segment = { readonly label: string; readonly ms: number; readonly glyph: string; readonly style: Style };

function segmentsOf({ detectionMs, reactionMs, ec2Ms }: Legs): readonly Segment[] {
  return [
    { label: 'BFD detection', ms: detectionMs, glyph: '░', style: 'yellow' },
    { label: 'xr-aws-ha', ms: reactionMs, glyph: '█', style: 'green' },
    { label: 'EC2', ms: ec2Ms, glyph: '▒', style: 'blue' },
  ];
}

/** Where the time between the power cut and the last move went, to scale. */
export function drawBar(failover: Failover, paint: Paint): readonly string[] {
  const legs = legsOf(failover);
  const segments = segmentsOf(legs);
  const widths = segments.map(({ ms }) => Math.max(Math.round((ms / legs.outageMs) * BAR_WIDTH) || 0, 1));
  const bar = segments
    .map(({ glyph, style }, place) => paint(glyph.repeat(widths[place] ?? 1), style))
    .join('');
  const legend = segments
    .map(({ label, ms, glyph, style }) => `${paint(glyph, style)} ${label} ${ms.toFixed(1)} ms`)
    .join('   ');
  return [`    ${bar}`, `    ${legend}   ${paint(`= ${legs.outageMs.toFixed(0)} ms`, 'bold')}`];
}
