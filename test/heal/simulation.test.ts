/** Simulated healings: `npm run sim -- --heal` runs many more. */
import { runHealBatch } from '../../sim/heal/batch';
import { HealViolation } from '../../sim/heal/checks';
import { runHealing } from '../../sim/heal/run';
import { healScenarioOf } from '../../sim/heal/scenario';

test('no invariant is broken, identities are healed, and all kinds of calls are made', () => {
  const { broken, healings, counts } = runHealBatch(1, 150);
  expect(broken).toEqual([]);
  expect(healings).toBeGreaterThan(200);
  const calls = Object.keys(counts).filter((name) => name.startsWith('call '));
  expect(calls).toEqual(
    expect.arrayContaining([
      'call AttachNetworkInterface',
      'call AttachVolume',
      'call AssociateAddress',
      'call CreateRoute',
      'call ReplaceRoute',
      'call RebootInstances',
      'call CompleteLifecycleAction',
      'call RecordLifecycleActionHeartbeat',
      'call Publish',
    ]),
  );
});

test('a seed tells the same story always', () => {
  const tell = (): readonly string[] => {
    const lines: string[] = [];
    runHealing(healScenarioOf(7), (line) => lines.push(line));
    return lines;
  };
  expect(tell()).toEqual(tell());
});

test('what goes wrong is seen: a group whose guests never come up does not converge', () => {
  const scenario = healScenarioOf(7);
  const latency = { ...scenario.latency, boot: [1e9, 1e9] as const };
  expect(() => runHealing({ ...scenario, latency })).toThrow(HealViolation);
});
