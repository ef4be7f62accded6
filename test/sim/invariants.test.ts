/**
 * The invariants of the simulation can fail: each is shown a router that breaks it. What makes the story wrong stands in
 * the test, so that a check that sleeps is found.
 */
import { Causes } from '../../sim/causes';
import { scenarioOf, type Settings } from '../../sim/scenario';

const settings: Settings = { ...scenarioOf(1).settings, establishMs: [1_000, 3_000], keepaliveMs: 10_000 };

describe('real causes', () => {
  test('a takeover without any fault has no cause', () => {
    expect(new Causes(settings).charge(0, 'a', 0, 1_000)).toBe('no-cause');
  });

  test('what does not touch BFD is no cause', () => {
    const causes = new Causes(settings);
    causes.began('ec2', 0, 10_000);
    expect(causes.charge(0, 'a', 0, 1_000)).toBe('no-cause');
  });

  test('a cause explains that each router takes each target once', () => {
    const causes = new Causes(settings);
    causes.began('path', 0, 10_000);
    expect(causes.charge(0, 'a', 0, 1_000)).toBeNull();
    expect(causes.charge(0, 'a', 1, 1_000)).toBeNull();
    expect(causes.charge(1, 'b', 0, 2_000)).toBeNull();
    expect(causes.charge(0, 'c', 0, 3_000)).toBe('one-takeover-per-cause');
  });

  test('a cause is over when the sessions have had the time to come UP again', () => {
    const causes = new Causes(settings);
    causes.began('path', 0, 10_000);
    expect(causes.charge(0, 'a', 0, 120_000)).toBe('no-cause');
  });

  test('where faults overlap, one takeover more is counted and not a violation', () => {
    const causes = new Causes(settings);
    causes.began('path', 0, 10_000);
    causes.began('ec2', 0, 10_000);
    expect(causes.charge(0, 'a', 0, 1_000)).toBeNull();
    expect(causes.charge(0, 'b', 0, 2_000)).toBeNull();
    expect([...causes.doubleFaults]).toEqual(['b']);
  });
});
