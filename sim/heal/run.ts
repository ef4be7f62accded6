/** One run: faults, then time to get well, with the invariants checked all the while. */
import type { Decision } from '../../src/heal/core/reconcile';
import { Random } from '../random';
import { Api } from './api';
import { Aws } from './aws';
import { actionOf, Checks, HealViolation } from './checks';
import { Clock } from './clock';
import { strike } from './faults';
import { SimHealer } from './healer';
import { FAULT_MS_MAX, FAULTS_UNTIL_MS, type HealScenario } from './scenario';

export type HealOutcome = {
  readonly steps: { readonly [action: string]: number };
  readonly alarms: { readonly [code: string]: number };
  readonly healings: number;
};

const QUIET_FROM_MS = FAULTS_UNTIL_MS + FAULT_MS_MAX;
/** From then on, until all is well: launches that fail, a healing that is abandoned, and one that is not. */
const WELL_WITHIN_MS = 4_500_000;
const STEP_MS = 60_000;

/** @throws HealViolation */
export function runHealing(
  scenario: HealScenario,
  tell: ((line: string) => void) | null = null,
): HealOutcome {
  const clock = new Clock();
  const random = new Random(scenario.seed, 12);
  const aws = new Aws(scenario, clock, random);
  const api = new Api(aws, clock, random, scenario);
  const checks = new Checks(scenario, aws);
  const steps: { [action: string]: number } = {};
  const alarms: { [code: string]: number } = {};
  const told = new Map<string, string>();
  let healings = 0;
  const say = (line: string): void => tell?.(`${(clock.now / 1000).toFixed(3).padStart(9)} ${line}`);
  api.onMessage = (id) => {
    if (id.includes('healing-ended')) healings += 1;
    say(`SNS ${id}`);
  };
  aws.onTerminated = ({ id }) => say(`EC2 terminates ${id}`);
  aws.onHookOver = (group, { id, lifecycle }) => say(`the hook of ${group} is over for ${id} (${lifecycle})`);
  const watch = {
    sends: (healer: SimHealer, step: Parameters<Checks['sends']>[1]): void => {
      steps[actionOf(step)] = (steps[actionOf(step)] ?? 0) + 1;
      if (step.do !== 'heartbeat') say(`${healer.owner} -> ${JSON.stringify(step)}`);
      checks.sends(healer, step);
    },
    decides: (healer: SimHealer, decisions: readonly Decision[]): void => {
      checks.decides(decisions);
      for (const { identity, condition, reason, alarms: raised } of decisions) {
        for (const { code } of raised) alarms[code] = (alarms[code] ?? 0) + 1;
        const line = `${healer.owner} ${identity} ${condition}: ${reason}`;
        if (tell !== null && told.get(healer.owner + identity) !== line) say(line);
        told.set(healer.owner + identity, line);
      }
    },
  };
  const lives = scenario.healers.map(() => 0);
  const born = (index: number): SimHealer => {
    const plan = scenario.healers[index];
    const life = lives[index] ?? 0;
    lives[index] = life + 1;
    // A Lambda function has one name; a process has one of its own.
    const owner = index === 0 ? 'lambda' : `process-${index}-${life}`;
    return new SimHealer({
      owner,
      standing: plan?.standing ?? true,
      clock,
      random,
      scenario,
      aws,
      api,
      watch,
    });
  };
  const healers = scenario.healers.map((_plan, index) => born(index));
  for (const [index, plan] of scenario.healers.entries())
    clock.after(plan.startsAt, () => healers[index]?.start());
  const restart = (index: number): void => {
    say(`healer ${index} is killed`);
    healers[index]?.kill();
    const next = born(index);
    healers[index] = next;
    clock.after(random.int(500, 60_000), () => next.start());
  };
  const stage = { scenario, clock, random, aws, api, healers, restart };
  for (const fault of scenario.faults)
    clock.after(fault.at, () => {
      say(`*** ${fault.kind} (${fault.of}) for ${Math.round(fault.forMs / 1000)} s`);
      strike(stage, fault);
    });
  const tick = (): void => {
    const isQuiet = Object.values(api.until).every((until) => clock.now > until + 60_000);
    checks.tick(isQuiet && healers.every(({ pausedUntil }) => clock.now > pausedUntil + 60_000));
    clock.after(5_000, tick);
  };
  tick();
  clock.runUntil(QUIET_FROM_MS);
  for (let illness = checks.illness(); illness !== null; illness = checks.illness()) {
    if (clock.now > QUIET_FROM_MS + WELL_WITHIN_MS) throw new HealViolation(illness.invariant, illness.text);
    clock.runUntil(clock.now + STEP_MS);
  }
  return { steps, alarms, healings };
}
