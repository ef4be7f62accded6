import { AWS_CONDITIONS, clockOffsetMs } from '../../src/aws/conditions';
import { EC2 } from '../../src/aws/description';
import type { AwsStanding } from '../../src/aws/standing';
import type { Failure } from '../../src/core/state/readings';
import type { State } from '../../src/core/state/state';
import {
  conditionsOf,
  isReady,
  readinessOf,
  type Around,
  type Line,
  type OfGroup,
} from '../../src/runtime/readiness';
import { ReadinessView } from '../../src/runtime/readinessView';
import { step } from '../../src/core/step';
import { observationOf, TARGETS } from '../support/coreWorld';
import { recordingLogger } from '../support/logRecords';
import { AROUND, cloudWith, groupWith, NOW, STANDING, WALL } from '../support/readyWorld';

const CONDITIONS = conditionsOf(EC2, AWS_CONDITIONS);
const STANDBY = groupWith('peer');
const ACTIVE = groupWith('mine');
const timeout: Failure = { kind: 'uncertain', code: 'Timeout', message: 'no answer' };

const linesOf = (group: OfGroup, around: Around = AROUND, now = NOW): readonly Line[] =>
  readinessOf(new Map([['default', group]]), around, now);

const statesIn = (lines: readonly Line[]) =>
  Object.fromEntries(lines.map(({ condition, state }) => [condition, state]));

type Fault = {
  readonly condition: string;
  readonly to: 'failing' | 'unknown';
  readonly group?: (group: OfGroup) => OfGroup;
  readonly around?: (around: Around) => Around;
  readonly says: string;
};

const inState =
  (change: (state: State) => Partial<State>) =>
  ({ plan, state }: OfGroup): OfGroup => ({ plan, state: { ...state, ...change(state) } });
const inAws =
  (change: Partial<AwsStanding>) =>
  (around: Around): Around => ({ ...around, cloud: cloudWith(change) });
const credentials = (change: Partial<AwsStanding['credentials']>) =>
  inAws({ credentials: { ...STANDING.credentials, ...change } });
const phase = (to: State['streams']['phase']) =>
  inState(({ streams }) => ({ streams: { ...streams, phase: to } }));
const eachSession = (change: Partial<State['sessions'][string]>) =>
  inState(({ sessions }) => ({
    sessions: Object.fromEntries(
      Object.entries(sessions).map(([id, session]) => [id, { ...session, ...change }]),
    ),
  }));
const interfaceAt = (level: 'Down' | 'Unknown') =>
  inState(({ interfaces }) => ({ interfaces: { ...interfaces, Te1: { ...interfaces['Te1']!, level } } }));
const alarm = (code: 'takeover-refused' | 'takeover-stuck', text: string) =>
  inState(() => ({ alarms: { [code]: { code, about: [], text, since: 0, lastAt: 0 } } }));
const permission = (verdict: 'denied' | 'unknown') =>
  inAws({ permissions: [{ action: 'ReplaceRoute', on: 'rtb-1', verdict, code: null, detail: '' }] });
const observed = (change: object, owner: 'peer' | 'third' = 'peer') =>
  inState(({ ownership }) => {
    const observation = { ...observationOf(owner), ...change };
    return { ownership: { ...ownership!, observation, holders: observation.holders } };
  });

const endpointAt = (...answers: readonly boolean[]) =>
  inAws({ endpointAddresses: answers.map((each, i) => ({ address: `10.0.${i}.5`, answers: each })) });

const FAULTS: readonly Fault[] = [
  {
    condition: 'endpoint_addresses',
    to: 'unknown',
    around: endpointAt(true, false),
    says: '10.0.1.5 of the endpoint left a request without an answer; others are asked first',
  },
  {
    condition: 'endpoint_addresses',
    to: 'failing',
    around: endpointAt(false, false),
    says: '10.0.0.5 and 10.0.1.5 of the endpoint left a request without an answer',
  },
  {
    condition: 'endpoint_addresses',
    to: 'unknown',
    around: endpointAt(),
    says: 'no address of the endpoint is known yet',
  },
  {
    condition: 'planned',
    to: 'unknown',
    group: inState(() => ({ scheduled: { at: 2_000, atWall: WALL + 3_600_000 } })),
    says: 'a switchover is ordered for 20',
  },
  { condition: 'router_streams', to: 'failing', group: phase('lost'), says: 'streams are lost' },
  { condition: 'router_streams', to: 'failing', group: phase('connecting'), says: 'has not answered yet' },
  { condition: 'router_streams', to: 'failing', group: phase('notInControl'), says: 'another client' },
  {
    condition: 'bfd_sessions',
    to: 'failing',
    group: eachSession({ level: 'Down' }),
    says: 'no session can trigger: a is DOWN and b is DOWN',
  },
  {
    condition: 'bfd_sessions',
    to: 'failing',
    group: eachSession({ armed: false }),
    says: 'a is UP and not armed yet',
  },
  {
    condition: 'own_interfaces',
    to: 'failing',
    group: interfaceAt('Down'),
    says: 'Te1 of this router is DOWN',
  },
  { condition: 'own_interfaces', to: 'unknown', group: interfaceAt('Unknown'), says: 'whether Te1 is UP' },
  {
    condition: 'api_reads',
    to: 'failing',
    group: inState(({ observing }) => ({
      observing: { ...observing, failures: 1, unread: [{ action: 'x', targets: [], failure: timeout }] },
    })),
    says: 'EC2 does not say who holds the targets (Timeout: no answer)',
  },
  {
    condition: 'api_writes',
    to: 'failing',
    group: alarm('takeover-refused', 'EC2 refuses to move 10.0.0.1'),
    says: 'EC2 refuses to move 10.0.0.1',
  },
  {
    condition: 'api_writes',
    to: 'failing',
    group: alarm('takeover-stuck', 'nothing moves'),
    says: 'nothing moves',
  },
  {
    condition: 'targets',
    to: 'failing',
    group: observed({ refusals: { [TARGETS[0]]: { 'eni-own1': 'it is managed' } } }),
    says: `EC2 would refuse to move ${TARGETS[0]} here: it is managed`,
  },
  { condition: 'targets', to: 'failing', group: observed({}, 'third'), says: 'neither router of this pair' },
  {
    condition: 'targets',
    to: 'unknown',
    group: observed({ holders: { [TARGETS[0]]: observationOf('peer').holders[TARGETS[0]] ?? null } }),
    says: 'EC2 has shown 1 of 2 targets',
  },
  {
    condition: 'room',
    to: 'failing',
    group: observed({ refusals: { [TARGETS[0]]: { 'eni-own1': 'too many' } } }),
    around: inAws({ withoutRoom: [TARGETS[0]] }),
    says: TARGETS[0],
  },
  {
    condition: 'room',
    to: 'unknown',
    around: inAws({ roomUnknown: 'IMDS is silent' }),
    says: 'IMDS is silent',
  },
  {
    condition: 'inhibit',
    to: 'failing',
    group: inState(() => ({
      inhibit: { until: NOW + 1, untilWall: WALL, forMs: 1, why: 'AWS maintenance' },
    })),
    says: 'inhibited by an operator until 2026-11-30T12:00:00Z (AWS maintenance)',
  },
  {
    condition: 'damping',
    to: 'failing',
    group: inState(() => ({ damping: { penalty: 4, at: NOW, suppressedUntil: NOW + 29_500 } })),
    says: 'for another 30 s',
  },
  {
    condition: 'process',
    to: 'failing',
    group: inState(() => ({ shutdown: { requestedAt: NOW, stopped: false } })),
    says: 'shutting down',
  },
  {
    condition: 'process',
    to: 'failing',
    group: inState(() => ({ reorientation: { since: NOW, levelsKnown: false, ownershipKnown: false } })),
    says: 'has just stalled',
  },
  {
    condition: 'ec2_credentials',
    to: 'failing',
    around: credentials({ expiresAt: null, problem: 'the instance has no IAM role' }),
    says: 'there are no credentials: the instance has no IAM role',
  },
  {
    condition: 'ec2_credentials',
    to: 'failing',
    around: credentials({ expiresAt: new Date(WALL).toISOString() }),
    says: 'expired',
  },
  {
    condition: 'ec2_credentials',
    to: 'failing',
    around: credentials({ expiresAt: new Date(WALL + 299_000).toISOString() }),
    says: 'not renewed: they last until 2026-11-30T12:04:59.000Z',
  },
  {
    condition: 'ec2_credentials',
    to: 'unknown',
    around: credentials({ problem: 'IMDS does not answer' }),
    says: 'not renewed (IMDS does not answer)',
  },
  {
    condition: 'permissions',
    to: 'failing',
    around: permission('denied'),
    says: 'would deny ReplaceRoute on rtb-1',
  },
  { condition: 'permissions', to: 'unknown', around: permission('unknown'), says: 'ReplaceRoute on rtb-1' },
  {
    condition: 'permissions',
    to: 'unknown',
    around: inAws({ permissions: null }),
    says: 'not been asked yet',
  },
  { condition: 'permissions', to: 'unknown', around: inAws({ permissions: [] }), says: 'tells of none' },
  {
    condition: 'source_dest_check',
    to: 'failing',
    around: inAws({ sourceDestCheckOn: ['eni-own1'] }),
    says: 'check is on: eni-own1',
  },
  {
    condition: 'api_tokens',
    to: 'failing',
    around: inAws({ slowed: ['ReplaceRoute'] }),
    says: 'EC2 has throttled ReplaceRoute lately',
  },
  {
    condition: 'clock',
    to: 'failing',
    around: inAws({ clock: { dateMs: WALL + 240_000, sentAt: NOW, receivedAt: NOW } }),
    says: "this router's clock is 241 s behind that of EC2",
  },
  {
    condition: 'application_status_check',
    to: 'failing',
    around: inAws({
      applicationCheck: { state: 'failing', text: 'asc-1 is not associated with i-2', ageMs: 0 },
    }),
    says: 'not associated with i-2',
  },
  { condition: 'clock', to: 'unknown', around: inAws({ clock: null }), says: 'not said what time it is' },
  {
    condition: 'state_directory',
    to: 'failing',
    around: (around) => ({ ...around, memory: { state: 'failing', lastOkS: null, failures: 3 } }),
    says: 'cannot be written',
  },
  {
    condition: 'state_directory',
    to: 'unknown',
    around: (around) => ({ ...around, onPersistentMount: false }),
    says: 'an upgrade forgets',
  },
];

describe('a STANDBY router on which all is well', () => {
  test('is ready, and each line says so without anything to do', () => {
    const lines = linesOf(STANDBY);
    expect(lines.filter(({ state, whatToDo }) => state !== 'ok' || whatToDo !== '')).toEqual([]);
    expect(isReady(lines)).toBe(true);
    const asked = Object.entries(CONDITIONS).flatMap(([name, { only }]) => (only === 'ACTIVE' ? [] : [name]));
    expect(lines.map(({ condition }) => condition)).toEqual(asked);
  });

  test.each(FAULTS.map((fault) => [fault.condition, fault.says, fault] as const))(
    'a fault turns exactly the line %s: %s',
    (_condition, _says, { condition, to, group, around, says }) => {
      const lines = linesOf(group?.(STANDBY) ?? STANDBY, around?.(AROUND) ?? AROUND);
      expect(statesIn(lines)).toEqual({ ...statesIn(linesOf(STANDBY)), [condition]: to });
      const turned = lines.find((line) => line.condition === condition);
      expect(turned?.text).toContain(says);
      expect(turned?.whatToDo).not.toBe('');
      expect(isReady(lines)).toBe(to === 'unknown');
    },
  );

  test('each line can be turned', () => {
    const turned = new Set(FAULTS.filter(({ to }) => to === 'failing').map(({ condition }) => condition));
    // What is to come makes no router unready, nor a peer that can be taken over from.
    expect([...turned, 'switchover', 'planned', 'peer'].sort()).toEqual(Object.keys(CONDITIONS).sort());
  });

  test('a reading that is too old is one that fails, and each age is that of its last word', () => {
    const lines = linesOf(STANDBY, AROUND, NOW + 30_001);
    expect(statesIn(lines)).toEqual({ ...statesIn(linesOf(STANDBY)), api_reads: 'failing' });
    expect(lines.find(({ condition }) => condition === 'api_reads')?.ageMs).toBe(30_001);
    expect(lines.find(({ condition }) => condition === 'ec2_credentials')?.ageMs).toBe(60_000);
  });

  test('one session that watches is enough, and the other is named', () => {
    const group = inState(({ sessions }) => ({
      sessions: { ...sessions, b: { ...sessions['b']!, level: 'Down' } },
    }))(STANDBY);
    const line = linesOf(group).find(({ condition }) => condition === 'bfd_sessions');
    expect(line).toMatchObject({ state: 'ok', text: '1 of 2 sessions watch the peer; b is DOWN' });
  });
});

describe('an ACTIVE router', () => {
  test('says whether the peer could be given to, and nothing of what a takeover by itself would need', () => {
    const lines = linesOf(ACTIVE);
    expect(lines.find(({ condition }) => condition === 'switchover')).toMatchObject({ state: 'ok' });
    expect(lines.map(({ condition }) => condition)).not.toContain('targets');
    expect(isReady(lines)).toBe(true);
  });

  test('is not ready where the peer could not', () => {
    const group = observed({ peers: {}, holders: observationOf('mine').holders })(ACTIVE);
    const lines = linesOf(group);
    expect(statesIn(lines)).toEqual({ ...statesIn(linesOf(ACTIVE)), switchover: 'failing' });
    expect(lines.find(({ condition }) => condition === 'switchover')?.text).toContain(
      'EC2 shows no interface of the peer',
    );
  });
});

test('lines of several groups are named, and one that is not ready makes the router unready', () => {
  const lines = readinessOf(
    new Map([
      ['web', STANDBY],
      ['db', phase('lost')(STANDBY)],
    ]),
    AROUND,
    NOW,
  );
  expect(lines.filter(({ state }) => state === 'failing')).toMatchObject([
    { condition: 'router_streams', group: 'db' },
  ]);
  expect(lines.filter(({ condition }) => condition === 'clock')).toMatchObject([{ group: null }]);
});

test('the offset of the clock is taken between question and answer, whole seconds being half a second late', () => {
  const clock = { dateMs: WALL, sentAt: 1_000, receivedAt: 1_400 };
  expect(clockOffsetMs(clock, { wallNow: WALL + 10_000, now: 6_200 })).toBe(4_500);
});

describe('what is told', () => {
  const decided = { type: 'inputDrained', jitter: 0 } as const;

  function world() {
    const { log, records } = recordingLogger();
    const written: { readonly [key: string]: unknown }[] = [];
    const told: boolean[] = [];
    let around = AROUND;
    const groups = [{ name: 'default', plan: STANDBY.plan }];
    const view = new ReadinessView({
      groups,
      log,
      around: () => around,
      put: (value) => written.push(value),
      told: (isReady) => told.push(isReady),
    });
    const batch = (now: number, { plan, state }: OfGroup = STANDBY) =>
      view.update([
        {
          now,
          group: 'default',
          event: decided,
          before: state,
          step: { ...step(plan, state, decided, now), state },
        },
      ]);
    return { batch, records, written, told, change: (to: Around) => (around = to) };
  }

  test('a record and a write at each change, a write with each keepalive', () => {
    const { batch, records, written, told, change } = world();
    batch(NOW);
    batch(NOW + 1);
    expect(written).toHaveLength(1);
    batch(NOW + 10_000);
    expect(written).toHaveLength(2);
    change(inAws({ sourceDestCheckOn: ['eni-own1'] })(AROUND));
    batch(NOW + 10_001);
    batch(NOW + 10_002);
    change(AROUND);
    batch(NOW + 10_003);
    expect(written.map(({ ready }) => ready)).toEqual([true, true, false, true]);
    expect(told).toEqual([true, false, true]);
    expect(records.map(({ level, ready, failing, reason }) => ({ level, ready, failing, reason }))).toEqual([
      { level: 30, ready: true, failing: [], reason: 'ready: a failover would work now' },
      {
        level: 40,
        ready: false,
        failing: ['source_dest_check'],
        reason: 'not ready: the source/destination check is on: eni-own1',
      },
      { level: 30, ready: true, failing: [], reason: 'ready: a failover would work now' },
    ]);
  });

  test('what lacks at the start wakes nobody', () => {
    const { batch, records, told } = world();
    batch(NOW, phase('connecting')(STANDBY));
    batch(NOW + 1);
    expect(records.map(({ level }) => level)).toEqual([30, 30]);
    expect(told).toEqual([true]);
  });
});
