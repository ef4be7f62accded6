/**
 * What is measured of two builds against each other: the troubles in which a takeover takes longer than a call of EC2
 * does, the crowd, the start and the rest. A trouble begins with the event and ends by itself.
 */
import { EndpointName } from '../lab/endpointName';
import { startCrossAzLab, startLab, type AnyLab } from '../lab/topology/topology';
import type { Generation } from '../lab/slapi-sim/wire';

/** Of one takeover; milliseconds since the event. */
export type Takeover = {
  readonly firstWriteMs: number;
  readonly allMovedMs: number;
  readonly writes: number;
  /** Of the process. */
  readonly startMs: number;
  readonly startCpuMs: number;
};

export type Figure = {
  readonly what: string;
  readonly unit: 'ms' | 'MiB' | '%' | '';
  readonly of: (takeover: Takeover) => number;
  /** Default 0.5. `mean`: of what is counted, where most takeovers have the same. */
  readonly quantile?: number | 'mean';
  /** The ratio that is to hold; null where there is none. */
  readonly hold: number | null;
};

export type Trouble = {
  /** For the environment of the daemon, before it starts. */
  readonly prepare?: (lab: AnyLab) => Promise<Readonly<Record<string, string>>>;
  /** Right before the event; what it gives back ends it where it does not end by itself. */
  readonly begin?: (lab: AnyLab) => (() => void) | void;
};

export type Row = Trouble & {
  readonly name: string;
  /** Takeovers of each build, unless the command says otherwise. */
  readonly pairs: number;
  /** Of a new process each; or all of two processes that go on, with a keepalive of half a second. */
  readonly process: 'new' | 'same';
  readonly open: () => Promise<AnyLab>;
  readonly figures: readonly Figure[];
  /** The first write is enough: what follows takes long and says nothing. */
  readonly untilFirstWrite?: boolean;
  /** Where no write has come by then, that counts as the time that all took; default: it is an error. */
  readonly endlessFromMs?: number;
};

/** So that the role is known again soon after each takeover. */
export const SHORT_KEEPALIVE_MS = 500;

/** The fabric must not interfere: the peer's sessions do not exist. */
const fabric = { bringUpMs: 2 ** 31 - 1, detectTimeMs: 2 ** 31 - 1 };

const addresses =
  (interfaces: number, generation: Generation = 'gen1') =>
  () =>
    startLab({ interfaces, generation, fabric });
const standing = (interfaces: number, generation: Generation) => () =>
  startLab({
    interfaces,
    generation,
    fabric,
    config: { keepalive_s: SHORT_KEEPALIVE_MS / 1000, staleness_s: 0.2, damping_half_life_s: 1 },
  });
const routes =
  (count: number, refusedTakes = false) =>
  () =>
    startCrossAzLab({
      routes: count,
      elasticIps: 0,
      fabric,
      tokenBuckets: { ReplaceRoute: { burst: 50, refillPerS: REFILL_PER_S, refusedTakes } },
    });

const moved = (what: string, hold: number | null, sinceMs = 0): Figure => ({
  what,
  unit: 'ms',
  of: ({ allMovedMs }) => allMovedMs - sinceMs,
  hold,
});
const firstWrite = (what: string, hold: number | null): Figure => ({
  what,
  unit: 'ms',
  of: ({ firstWriteMs }) => firstWriteMs,
  hold,
});
const writes = (what: string, hold: number | null = null): Figure => ({
  what,
  unit: '',
  of: (each) => each.writes,
  quantile: 'mean',
  hold,
});

/** EC2's documented one. */
const REFILL_PER_S = 5;
const THROTTLED_MS = 3_000;
const SILENT_MS = 5_000;
const CALL_MS = 150;
const FIRST = '127.0.0.2';
const SECOND = '127.0.0.3';

/** Everybody in the account draws on one bucket; it is empty at the event, and somebody goes on asking. */
function contend(share: number): (lab: AnyLab) => () => void {
  return ({ ec2 }) => {
    ec2.addFault({ kind: 'latency', ms: CALL_MS });
    ec2.spendTokens('ReplaceRoute', 50);
    let timer: NodeJS.Timeout;
    const ask = () => {
      ec2.spendTokens('ReplaceRoute', 1);
      again();
    };
    const again = () => {
      // As requests of many come: at random, and evenly in the long run.
      const waitMs = (-Math.log(1 - Math.random()) * 1000) / (share * REFILL_PER_S);
      timer = setTimeout(ask, waitMs);
    };
    again();
    return () => clearTimeout(timer);
  };
}

const contended = (count: number, refusedTakes: boolean): Row => ({
  name: `contended-${count}${refusedTakes ? '-takes' : ''}`,
  pairs: count === 2 ? 10 : 4,
  process: 'new',
  open: routes(count, refusedTakes),
  begin: contend(0.9),
  figures: [
    moved(
      `bucket with another consumer at nine tenths of the refill${refusedTakes ? ', a refused request takes a token' : ''}: ${count} routes all moved`,
      refusedTakes ? null : 0.5,
    ),
    writes('the same: writes, mean'),
  ],
});

export const rows: readonly Row[] = [
  {
    name: 'throttled',
    pairs: 10,
    process: 'new',
    open: addresses(2),
    begin: ({ ec2 }) => void ec2.addFault({ kind: 'throttle', action: 'Assign*', durationMs: THROTTLED_MS }),
    figures: [
      moved(`throttled for 3 s from the event: all moved after its end`, 0.1, THROTTLED_MS),
      writes('the same: writes, mean'),
    ],
  },
  {
    name: 'silent',
    pairs: 10,
    process: 'new',
    open: addresses(2),
    begin: ({ ec2 }) => void ec2.addFault({ kind: 'blackHole', durationMs: SILENT_MS }),
    figures: [
      moved('silent for 5 s from the event: all moved after its end', 0.25, SILENT_MS),
      writes('the same: writes, mean'),
    ],
  },
  {
    name: 'tail',
    pairs: 60,
    process: 'same',
    open: async () => {
      const lab = await standing(2, 'gen1')();
      lab.ec2.addFault({ kind: 'latency', ms: CALL_MS, p99Ms: 2_000 });
      return lab;
    },
    figures: [
      { ...moved('EC2 with a heavy tail: all moved, p99', 0.5), quantile: 0.99 },
      { ...moved('the same, p90', null), quantile: 0.9 },
      moved('the same, p50', 1.02),
      writes('the same: writes, mean', 1.3),
    ],
  },
  contended(2, false),
  contended(20, false),
  contended(2, true),
  contended(20, true),
  {
    name: 'silent-address',
    // The first of these builds never comes to the other address.
    endlessFromMs: 20_000,
    pairs: 8,
    process: 'new',
    open: addresses(2),
    prepare: async (lab) => {
      const endpoint = new EndpointName(lab.directory, [FIRST, SECOND]);
      await lab.ec2.setAddress(FIRST, 'answers');
      await lab.ec2.setAddress(SECOND, 'answers');
      const { port } = new URL(lab.ec2.url);
      lab.writeConfig('rtr2', { ec2_private_endpoint_url: `http://${endpoint.name}:${port}` });
      return endpoint.env;
    },
    begin: ({ ec2 }) => {
      void ec2.setAddress(FIRST, 'silent');
    },
    figures: [moved('endpoint with two addresses, one silent from the event on: all moved', 0.3)],
  },
  {
    name: 'crowd',
    pairs: 6,
    process: 'new',
    open: routes(500),
    untilFirstWrite: true,
    figures: [firstWrite('500 routes: first write', 0.25)],
  },
  {
    name: 'gen1',
    pairs: 30,
    process: 'same',
    open: standing(2, 'gen1'),
    figures: [firstWrite('gen1, 2 interfaces: event to first write', 0.75)],
  },
  {
    name: 'gen2-single',
    pairs: 20,
    process: 'same',
    open: standing(1, 'gen2'),
    figures: [firstWrite('gen2, 1 session, a router that answers ENABLE: event to first write', 0.3)],
  },
  {
    name: 'first',
    pairs: 10,
    process: 'new',
    open: addresses(2),
    figures: [
      firstWrite('gen1, 2 interfaces, first takeover of a process', 0.6),
      {
        what: 'process start to sessions programmed and role known',
        unit: 'ms',
        of: ({ startMs }) => startMs,
        hold: 0.6,
      },
      {
        what: 'the same: processor time',
        unit: 'ms',
        of: ({ startCpuMs }) => startCpuMs,
        hold: null,
      },
    ],
  },
];
