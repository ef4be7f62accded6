/** What `show` says of one group, to the byte as ever, and of several. */
import type { Event, HaState } from '../../src/core/state/model';
import type { JsonObject } from '../../src/core/state/json';
import type { Observation } from '../../src/core/state/readings';
import { initialState, type State } from '../../src/core/state/state';
import { step } from '../../src/core/step';
import { Health } from '../../src/runtime/health';
import type { Recorded } from '../../src/runtime/loop';
import { logSteps, logTimeline } from '../../src/runtime/logRecords';
import { View } from '../../src/runtime/view';
import { observationOf, planOf, TARGETS } from '../support/coreWorld';
import { recordingLogger } from '../support/logRecords';

const whole = planOf();
const group = (name: string, index: number) => ({
  name,
  plan: planOf({ targets: whole.targets.slice(index, index + 1) }),
});
const several = [group('north', 0), group('south', 1)];
const single = [{ name: 'default', plan: whole }];

const observed = (observation: Observation): Event => ({
  type: 'ownershipObserved',
  number: 1,
  startedAt: 0,
  observation,
});

function recorded(name: string, event: Event, change: Partial<State>): Recorded {
  const before = initialState(whole);
  const after = step(whole, before, event, 0);
  return { now: 0, group: name, event, before, step: { ...after, state: { ...after.state, ...change } } };
}

const role = (haState: HaState): Pick<State, 'role'> => ({ role: { haState, why: null } });
const nothing: Event = { type: 'inputDrained', jitter: 0 };

function shownBy(groups: typeof single) {
  const shown: [key: string, value: unknown][] = [];
  return { view: new View(groups, (key, value) => shown.push([key, value])), shown };
}

test('one group is shown as itself, and nothing speaks of groups', () => {
  const { view, shown } = shownBy(single);
  view.update([recorded('default', nothing, { ...role('ACTIVE'), verdict: 'all is well' })]);
  expect(shown).toEqual([
    ['ha_state', 'ACTIVE'],
    ['ha_reason', 'all is well'],
    ['ha_planned', { planned: [], last_switchover: [], last_drill: [] }],
  ]);
});

test.each<[HaState, HaState, HaState]>([
  ['ACTIVE', 'ACTIVE', 'ACTIVE'],
  ['STANDBY', 'STANDBY', 'STANDBY'],
  ['ACTIVE', 'STANDBY', 'UNKNOWN'],
  ['UNKNOWN', 'ACTIVE', 'UNKNOWN'],
])('%s and %s together are %s', (north, south, together) => {
  const { view, shown } = shownBy(several);
  view.update([
    recorded('north', nothing, { ...role(north), verdict: 'first' }),
    recorded('south', observed(observationOf('mine')), { ...role(south), verdict: 'second' }),
  ]);
  expect(shown).toContainEqual(['ha_state', together]);
  expect(shown).toContainEqual(['ha_reason', `north is ${north}: first. south is ${south}: second`]);
});

test('each of several is shown by itself with every keepalive, with who holds its targets', () => {
  const { view, shown } = shownBy(several);
  const observation = observationOf('mine', 'none');
  const ownership = {
    observation,
    holders: observation.holders,
    confirmedAt: 0,
    startedAt: 0,
    lagging: {},
    writes: {},
  };
  const batch = [
    recorded('north', observed(observation), { ...role('ACTIVE'), verdict: 'first', ownership }),
    recorded('south', observed(observation), { ...role('STANDBY'), verdict: 'second', ownership }),
  ];
  view.update(batch);
  view.update(batch);
  const groupsShown = shown.filter(([key]) => key === 'ha_groups').map(([, value]) => value);
  expect(groupsShown).toHaveLength(2);
  // One list of all targets, although each group hears of its own only.
  const targets = shown.findLast(([key]) => key === 'ha_targets')?.[1];
  expect(Object.keys(targets as object)).toEqual([...TARGETS]);
  expect(groupsShown[1]).toEqual({
    north: {
      state: 'ACTIVE',
      reason: 'first',
      targets: { [TARGETS[0]]: { kind: 'private_ip', mine: true, holder: 'eni-own1', instance: 'i-own' } },
    },
    south: {
      state: 'STANDBY',
      reason: 'second',
      targets: { [TARGETS[1]]: { kind: 'private_ip', mine: false, holder: null, instance: null } },
    },
  });
});

test('records of several groups say which one they are about; those of one do not', () => {
  const { log, records } = recordingLogger();
  log.level = 'debug';
  const batch = [recorded('north', { type: 'releaseRequested', request: 1 }, {})];
  logSteps(log, batch, true);
  logSteps(log, batch, false);
  expect(records.map((record) => ('group' in record ? record['group'] : null))).toEqual(['north', null]);
  const timeline = {
    attempt: 1,
    purpose: 'takeover',
    triggeredAt: 0,
    lastUp: null,
    decidedAt: 1,
    firstSentAt: 2,
    lastAnsweredAt: 3,
    confirmedAt: 4,
    resumed: false,
  } as const;
  logTimeline(log, timeline, 'north');
  logTimeline(log, timeline, null);
  expect(records.slice(2).map((record) => 'group' in record)).toEqual([true, false]);
});

test('ha_health has the role of each of several groups, and counts a failed reading of all of them once', () => {
  const { log } = recordingLogger();
  const written: JsonObject[] = [];
  const health = new Health({ groups: several, sources: {}, log, put: (value) => written.push(value) });
  const failed: Event = {
    type: 'observationFailed',
    number: 1,
    failure: { kind: 'uncertain', code: 'Timeout', message: 'no answer' },
  };
  health.update([recorded('north', failed, role('ACTIVE')), recorded('south', failed, role('STANDBY'))]);
  expect(written.at(-1)).toMatchObject({
    groups: { north: 'ACTIVE', south: 'STANDBY' },
    api_observation: { state: 'failing', failures: 1 },
  });
});
