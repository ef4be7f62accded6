/** Journals of both routers of a pair, made by the core without daemons: rtr1 has the targets and dies, rtr2 takes over. */
import { version } from '../../package.json';
import type { Event } from '../../src/core/state/model';
import type { CloudClock } from '../../src/core/state/readings';
import type { Plan } from '../../src/core/state/plan';
import { Journal } from '../../src/runtime/journal';
import { answer, interfacesAnswered, started, synchronizedWith } from '../core/play';
import { observationOf, planOf, sessionEvent, type Owner } from '../support/coreWorld';
import { MemorySink, recordedOf, type Moment } from '../support/journals';

/** EC2's time at which the story begins. */
export const BEGIN_MS = Date.parse('2027-01-15T08:00:00.400Z');

export type Clocking = {
  /** How far the wall clock of this router is ahead of EC2's, in ms. */
  readonly wallAheadMs?: number;
  /** What the monotonic clock of this router shows when the story begins. */
  readonly monotonicMs?: number;
  /** Whether the journal has what EC2's clock says. */
  readonly ec2?: boolean;
  readonly bootId?: string;
};

const EC2_LATENCY_MS = 40;

/** The events of one router, with times in ms since the story begins. */
type Story = readonly (readonly [atMs: number, event: Event | 'decide' | { readonly owner: Owner }])[];

/** The journal of one router that lived through the story. */
export function journalOfRouter(
  router: 'rtr1' | 'rtr2',
  story: Story,
  { wallAheadMs = 0, monotonicMs = 5_000, ec2 = true, bootId = `boot-${router}` }: Clocking = {},
  plan: Plan = planOf(),
): string {
  let number = 0;
  const moments = story.map(([atMs, what]): Moment => {
    const now = monotonicMs + atMs;
    if (what === 'decide') return [now, { type: 'inputDrained', jitter: 0.5 }];
    if ('type' in what) return [now, shifted(what, monotonicMs)];
    number += 1;
    const startedAt = now - EC2_LATENCY_MS;
    const clock: CloudClock = {
      dateMs: Math.floor((BEGIN_MS + atMs - EC2_LATENCY_MS / 2) / 1000) * 1000,
      sentAt: startedAt,
      receivedAt: now,
    };
    const observation = seenBy(router, observationOf(what.owner));
    return [now, { type: 'ownershipObserved', number, startedAt, observation, ...(ec2 ? { clock } : {}) }];
  });
  const sink = new MemorySink();
  const wallNow = () => BEGIN_MS + (story[0]?.[0] ?? 0) + wallAheadMs;
  new Journal({ plan, version, bootId, wallNow, sink }).record(recordedOf(plan, moments));
  return sink.text;
}

function shifted(event: Event, byMs: number): Event {
  if ('receivedAt' in event) return { ...event, receivedAt: event.receivedAt + byMs };
  if ('sentAt' in event) return { ...event, sentAt: event.sentAt + byMs };
  return event;
}

/** The world of the tests is that of rtr2: rtr1 sees it from the other side. */
function seenBy<Any>(router: 'rtr1' | 'rtr2', value: Any): Any {
  if (router === 'rtr2') return value;
  const swapped = JSON.stringify(value).replace(
    /"(i|eni)-(own|peer)/g,
    (_, kind: string, side: string) => `"${kind}-${side === 'own' ? 'peer' : 'own'}`,
  );
  return JSON.parse(swapped) as Any;
}

/** Keepalives of a router at rest: an observation every 10 s and a little, so that EC2's seconds are met at many places. */
const atRest = (from: number, to: number, owner: Owner): Story =>
  Array.from({ length: Math.floor((to - from) / 10_037) }, (_, index) => from + (index + 1) * 10_037).flatMap(
    (at): Story => [
      [at - EC2_LATENCY_MS, 'decide'],
      [at, { owner }],
      [at, 'decide'],
    ],
  );

const beginning = (owner: Owner): Story => [
  [0, started()],
  [0, 'decide'],
  [100, synchronizedWith({})],
  [200, { owner }],
  [200, 'decide'],
];

/** When rtr2 hears that the peer is DOWN. */
export const DOWN_MS = 1_000_000;
/** When EC2 has moved the first and the second target. */
export const MOVED_MS = [DOWN_MS + 150, DOWN_MS + 160] as const;

/** ACTIVE until it dies, shortly before `DOWN_MS`. */
export const rtr1Dies: Story = [...beginning('mine'), ...atRest(200, DOWN_MS - 5_000, 'mine')];

export const rtr2TakesOver: Story = [
  ...beginning('peer'),
  ...atRest(200, DOWN_MS - 5_000, 'peer'),
  [DOWN_MS, sessionEvent('a', 'Down', DOWN_MS)],
  [DOWN_MS, sessionEvent('b', 'Down', DOWN_MS)],
  [DOWN_MS, 'decide'],
  [DOWN_MS + 2, interfacesAnswered(1, { Te1: 'Up', Te2: 'Up' })],
  [DOWN_MS + 2, 'decide'],
  [MOVED_MS[0], { ...answer('1.1.1'), sentAt: DOWN_MS + 3 } as Event],
  [MOVED_MS[1], { ...answer('1.2.1'), sentAt: DOWN_MS + 3 } as Event],
  [MOVED_MS[1], 'decide'],
  [DOWN_MS + 300, { owner: 'mine' }],
  [DOWN_MS + 300, 'decide'],
];

/** The path between the two breaks, and both live. */
export const rtr1LosesBfd: Story = [
  ...rtr1Dies,
  [DOWN_MS + 20, sessionEvent('a', 'Down', DOWN_MS + 20)],
  [DOWN_MS + 20, sessionEvent('b', 'Down', DOWN_MS + 20)],
  [DOWN_MS + 20, 'decide'],
  [DOWN_MS + 900, { owner: 'peer' }],
  [DOWN_MS + 900, 'decide'],
];
