/** Two groups in a simulated active-active pair: what they share, and that each is told and judged by itself. */
import { changesBound } from '../../sim/checks';
import { scenarioOf, type Fault, type Scenario, type Settings } from '../../sim/scenario';
import { storyOf } from '../../sim/story';

const settings: Settings = {
  ...scenarioOf(1).settings,
  groups: 2,
  targets: 2,
  sessions: 1,
  keepaliveMs: 10_000,
  stranger: null,
  kinds: 'addresses',
  trigger: 'any',
  preferred: [false, false],
  initialOwner: 0,
  ec2LatencyMs: [20, 60],
  stalenessMs: 0,
  takeFromRunningAfterMs: null,
  atShutdown: false,
};
const quiet: Scenario = { seed: 1, settings, faults: [], death: null };

const once = { at: 200_000, forMs: 60_000, uponMoveOf: null, lateMs: 0 } as const;
const command = (how: 'switchover' | 'inhibit', target: number | 'all'): Fault => ({
  ...once,
  kind: 'operator',
  router: 0,
  how,
  target,
});

const lines = (scenario: Scenario, words: RegExp): readonly string[] =>
  storyOf(scenario)
    .split('\n')
    .filter((line) => words.test(line));

const lastOf = (scenario: Scenario): string | undefined => lines(scenario, / EC2: /).at(-1);

test('one run in eight or so has two groups', () => {
  const seeds = Array.from({ length: 800 }, (_, seed) => seed);
  const twice = seeds.filter((seed) => scenarioOf(seed).settings.groups === 2).length;
  expect(twice).toBeGreaterThan(70);
  expect(twice).toBeLessThan(130);
});

test('each router of an active-active pair holds a group', () => {
  expect(lastOf(quiet)).toMatch(/EC2: group 0: eni-00 eni-00, group 1: eni-10 eni-10, running running/);
});

test('the survivor has both groups, and took only the one that was not its own', () => {
  const scenario: Scenario = {
    ...quiet,
    death: { router: 1, at: 200_000, how: 'terminate', uponMoveLateMs: null },
  };
  expect(lastOf(scenario)).toMatch(/group 0: eni-00 eni-00, group 1: eni-00 eni-00, running terminated/);
  expect(lines(scenario, /-> .*sendCall/)).toEqual([expect.stringMatching(/rt0 {3}group 1: -> /)]);
  expect(lines(scenario, /rt0 .* taking over /)).toEqual([expect.stringMatching(/rt0 {3}group 1: /)]);
});

test('with a single group the word does not occur', () => {
  expect(storyOf({ ...quiet, settings: { ...settings, groups: 1 } })).not.toMatch(/group \d/);
});

test('a command is for the group of its target, or for both', () => {
  const commands = (target: number | 'all') =>
    lines({ ...quiet, faults: [command('switchover', target)] }, / command: /).map((line) => line.slice(9));
  expect(commands(0)).toEqual(['rt0 group 0: command: switchover for 60000 ms']);
  expect(commands(1)).toEqual(['rt0 group 1: command: switchover for 60000 ms']);
  expect(commands('all')).toEqual([
    'rt0 group 0: command: switchover for 60000 ms',
    'rt0 group 1: command: switchover for 60000 ms',
  ]);
});

test('a command to one group explains no change of the other', () => {
  const scenario = { ...quiet, faults: [command('switchover', 0)] };
  expect(changesBound(scenario, 0)).toBe(1);
  expect(changesBound(scenario, 1)).toBe(0);
});

test('groups that read EC2 at the same moment share the reading', () => {
  for (const seed of [1, 2, 3]) {
    const [first = '', second = ''] = lines({ ...quiet, seed }, /rt0 .* now (ACTIVE|STANDBY)/);
    expect(first).toMatch(/group 0: /);
    expect(second).toMatch(/group 1: /);
    expect(second.slice(0, 8)).toBe(first.slice(0, 8));
  }
});

test('what the groups remember is one file, and each finds its own in it', () => {
  const inhibit = { ...command('inhibit', 1), forMs: 300_000 };
  const crash: Fault = { ...once, at: 350_000, kind: 'process', router: 0, how: 'crash', memory: 'kept' };
  const started = lines({ ...quiet, faults: [inhibit, crash] }, /rt0 .* started: /).slice(2);
  expect(started).toEqual([
    expect.stringMatching(/group 0: started: starting with the decisions stored \d+ s ago$/),
    expect.stringMatching(/group 1: started: starting with the decisions stored .* Still inhibited/),
  ]);
});

test('the daemon stops when its last group has', () => {
  const faults: Fault[] = [
    { ...once, uponMoveOf: 0, lateMs: 1, kind: 'process', router: 0, how: 'shutdown', memory: 'kept' },
  ];
  const scenario: Scenario = {
    ...quiet,
    settings: { ...quiet.settings, atShutdown: false },
    faults,
    death: { router: 1, at: 250_000, how: 'terminate', uponMoveLateMs: null },
  };
  expect(lines(scenario, /rt0 .*(stopped: |the daemon stops)/i).map((line) => line.slice(9))).toEqual([
    expect.stringMatching(/group 0: .*stopped: nothing is in flight/),
    expect.stringMatching(/group 1: .*Stopped: nothing is in flight/),
    expect.stringMatching(/the daemon stops/),
  ]);
});
