/** The cloud is behind its port: no other room has a word of AWS, and a second cloud needs no change of any. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AWS_ALARMS } from '../src/aws/alarms';
import { EC2 } from '../src/aws/description';
import type { JsonObject } from '../src/core/state/json';
import { AlarmRegistry } from '../src/runtime/alarms';
import { alarmTable, allAlarms } from '../src/runtime/alarmTable';
import { systemClock } from '../src/runtime/clock';
import { Health } from '../src/runtime/health';
import { Loop, type EffectRunners, type Recorded } from '../src/runtime/loop';
import { sharedReadings } from '../src/runtime/readings';
import { readinessOf } from '../src/runtime/readiness';
import { replay } from '../src/runtime/replay';
import { nodeScheduler } from '../src/runtime/scheduler';
import { View } from '../src/runtime/view';
import { sessionEvent, synchronizedEvent } from './support/coreWorld';
import { eventually } from './support/eventually';
import { journalTo, MemorySink } from './support/journals';
import { enqueueTo } from './support/loopEvents';
import { recordingLogger } from './support/logRecords';
import { NIMBUS, NIMBUS_ALARMS, NIMBUS_PLAN, openNimbus } from './support/nimbus';
import { AROUND } from './support/readyWorld';

const src = resolve(__dirname, '../src');
/** Rooms that know the cloud by its port alone. */
const ROOMS = /^(core|runtime|store|control|status|history|peer|report)\/|^cloud\.ts$|^cli\/show\w*\.ts$/;

/** The program is called xr-aws-ha. */
const wordsOfAws = (text: string): readonly string[] =>
  text.replace(/xr[-_]aws[-_]ha/g, '').match(/ec2|\baws\b|amazon|\bimds\b|Describe[A-Z]\w+/gi) ?? [];

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
  (name) => ROOMS.test(name) && name.endsWith('.ts'),
);

test.each(files)('%s has no word of AWS', (name) => {
  expect(wordsOfAws(readFileSync(join(src, name), 'utf8'))).toEqual([]);
});

test.each([
  '// EC2 says so',
  "import '../aws/kinds';",
  '`an AWS service`',
  'ec2_reads',
  'DescribeRouteTables',
])('a word of AWS is found in %j', (text) => expect(wordsOfAws(text)).toHaveLength(1));

test('both tables of alarms have a sentence in each place, and neither has the name of the other cloud', () => {
  const [aws, nimbus] = [alarmTable(EC2, AWS_ALARMS), alarmTable(NIMBUS, NIMBUS_ALARMS)].map((table) =>
    JSON.stringify(allAlarms(table)),
  );
  expect(aws).toContain('EC2 refuses to move a target');
  expect(nimbus).toContain('Nimbus refuses to move a target');
  expect(nimbus).toContain('or a Nimbus service, holds a target');
  expect(nimbus).not.toMatch(/EC2|AWS/);
  expect(aws).not.toContain('Nimbus');
});

/** As daemon.ts joins them, without a router: the test has its part. */
function daemonOn(cloud: ReturnType<typeof openNimbus>) {
  const groups = [{ name: 'default', plan: NIMBUS_PLAN }];
  const shown = new Map<string, JsonObject | string>();
  const sink = new MemorySink();
  const journal = journalTo(sink, NIMBUS_PLAN);
  const { log } = recordingLogger();
  const view = new View(groups, (key, value) => shown.set(key, value));
  const health = new Health({
    groups,
    sources: cloud.health,
    log,
    put: (value) => shown.set('ha_health', value),
  });
  const sentences: string[] = [];
  const nothing = () => {};
  const runners: EffectRunners = {
    ...sharedReadings(groups, cloud, (group, event) => loop.enqueueFor(group, event)),
    sendCall: (request, group) =>
      void cloud
        .mover(group)
        ?.send(request)
        .then((outcome) => {
          const { attempt, call, send } = request;
          loop.enqueueFor(group, { type: 'callAnswered', attempt, call, send, ...outcome });
        }),
    prepareCall: (request, group) => cloud.mover(group)?.prepare(request),
    discardPrepared: nothing,
    withdrawCalls: nothing,
    askInterfaces: nothing,
    readLevels: nothing,
    remember: nothing,
    answerOperator: ({ sentence }) => void sentences.push(sentence),
    reportTimeline: nothing,
    stop: nothing,
  };
  const record = (batch: readonly Recorded[]): void => {
    view.update(batch);
    health.update(batch);
    journal.record(batch);
    sentences.push(...batch.map(({ step }) => step.reason));
  };
  const loop: Loop = new Loop({
    groups,
    clock: systemClock,
    scheduler: nodeScheduler,
    random: () => 0.5,
    runners,
    record,
    beat: nothing,
    deaf: nothing,
  });
  return { loop, shown, sink, sentences };
}

describe('a second cloud', () => {
  test('is observed, taken over in, shown, told of and replayed by its own name and kinds', async () => {
    const cloud = openNimbus(systemClock.monotonicMs);
    const { loop, shown, sink, sentences } = daemonOn(cloud);
    const role = () => loop.stateOf('default').role.haState;
    loop.enqueueFor('default', { type: 'started', bootId: 'boot', memory: null, wallNow: 0 });
    enqueueTo(loop, 'default', synchronizedEvent('gen2', 'Up'));
    await eventually(() => expect(role()).toBe('STANDBY'));
    for (const session of ['a', 'b']) enqueueTo(loop, 'default', sessionEvent(session, 'Down'));
    await eventually(() => expect(role()).toBe('ACTIVE'));
    await eventually(() => expect(loop.stateOf('default').unconfirmed).toBeNull());
    await eventually(() =>
      expect(shown.get('ha_targets')).toMatchObject({ north: { kind: 'beacon', mine: true } }),
    );
    loop.stop();

    // Beacons go together, tethers one by one, and a tether is taken off its holder first.
    expect(
      [...cloud.asked].sort((one, other) => one.targets.join().localeCompare(other.targets.join())),
    ).toEqual([
      { to: 'eni-own1', targets: ['long'], releases: 1 },
      { to: 'eni-own1', targets: ['north', 'south'], releases: 0 },
      { to: 'eni-own2', targets: ['short'], releases: 1 },
    ]);
    expect(shown.get('ha_targets')).toMatchObject({ long: { kind: 'tether', mine: true } });
    expect(shown.get('ha_health')).toMatchObject({ nimbus_rope: { state: 'ok' } });
    expect(sentences.join('\n')).toContain('Nimbus has moved');
    const told = [...shown.values(), ...sentences, sink.text].map((each) => JSON.stringify(each)).join('\n');
    expect(told).not.toMatch(/EC2|AWS/);

    const replayed = [...replay(sink.text)];
    expect(replayed.map(({ kind }) => kind)).toEqual(['header', ...replayed.slice(1).map(() => 'step')]);
  });

  test('has its own conditions and alarms', () => {
    const { conditions, ...standing } = openNimbus(() => 0).standing();
    const { loop } = daemonOn(openNimbus(() => 0));
    const group = { plan: NIMBUS_PLAN, state: loop.stateOf('default') };
    const lines = readinessOf(
      new Map([['default', group]]),
      { ...AROUND, cloud: { ...standing, conditions } },
      0,
    );
    expect(lines.find(({ condition }) => condition === 'api_reads')?.text).toContain(
      'Nimbus has not said yet',
    );
    expect(lines.find(({ condition }) => condition === 'nimbus_wind')).toMatchObject({ state: 'ok' });
    expect(JSON.stringify(lines)).not.toMatch(/EC2|AWS/);

    const alarms = new AlarmRegistry({
      table: alarmTable(NIMBUS, NIMBUS_ALARMS),
      wallNow: () => 0,
      isNamed: false,
    });
    alarms.heard({ event: 'rope-frayed', rope: 'long' }, 'A rope is frayed');
    expect(alarms.standing()).toMatchObject([{ code: 'rope-frayed', about: ['long'], severity: 'minor' }]);
    alarms.heard({ event: 'rope-mended', rope: 'long' }, 'The rope is mended');
    expect(alarms.standing()).toEqual([]);
  });
});
