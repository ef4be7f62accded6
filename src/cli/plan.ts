/**
 * `plan -c FILE`: the API calls that a takeover by this router would make now, in their order, and how long they would
 * take. EC2 is asked as the daemon asks it, and the calls are made by the daemon's own rules and actions; nothing is
 * sent but those questions.
 */
import pino from 'pino';
import { assumedObservation, assumedTable } from '../aws/checks/assumption';
import { consult } from '../aws/checks/consultation';
import { forecast, type TimedCall } from '../aws/moves/forecast';
import type { InstanceIdentity } from '../aws/reads/instanceIdentity';
import { plannedMoves } from '../aws/moves/plannedCalls';
import { startMistakes } from '../aws/checks/startChecks';
import { loadConfig } from '../config/load';
import type { InAws } from '../config/settings';
import { printOpenstackPlan } from './openstackPlan';
import { printable } from '../config/words';
import type { Observation } from '../core/state/readings';
import { previewTakeover, type Preview } from '../core/moves/preview';
import type { Output } from './replay';

export const planExitCodes = { done: 0, mistaken: 2, unreachable: 4 } as const;

/** What EC2 takes for an answer is not published; this is the figure of the benchmarks. */
const ASSUMED_LATENCY_MS = 150;

/** Returns the exit code; never throws. */
export async function printPlan(
  configPath: string,
  { out, err }: { readonly out: Output; readonly err: Output },
): Promise<number> {
  const loaded = loadConfig(configPath);
  if (!loaded.ok) {
    err.write(`${loaded.report}\n`);
    return planExitCodes.mistaken;
  }
  const { cloud } = loaded.settings;
  return cloud.type === 'aws' ? printAwsPlan(cloud, { out, err }) : printOpenstackPlan(cloud, { out, err });
}

async function printAwsPlan(
  settings: InAws,
  { out, err }: { readonly out: Output; readonly err: Output },
): Promise<number> {
  const seen = await lookUp(settings);
  if (seen.mistakes.length > 0) {
    err.write('The configuration does not fit this instance:\n');
    err.write(seen.mistakes.map((line) => `  ${line}\n`).join(''));
    return planExitCodes.mistaken;
  }
  // When the peer is gone every group takes what it lacks, and they share EC2's limits: so all of them as one.
  const preview = previewTakeover(settings.whole, seen.observation);
  const moves = await plannedMoves(settings.whole, seen.observation, preview.moves, seen.tableOf);
  const calls = forecast(moves, settings.ec2.limits, ASSUMED_LATENCY_MS);
  if (seen.problem !== null) err.write(unknownWords(seen.problem));
  out.write(words(seen, rolesOf(settings, seen), preview, calls).join('\n') + '\n');
  return seen.problem === null ? planExitCodes.done : planExitCodes.unreachable;
}

type Seen = {
  readonly identity: InstanceIdentity | null;
  readonly observation: Observation;
  readonly tableOf: (id: string) => string | null;
  /** Why EC2 has not said it, where the observation is assumed. */
  readonly problem: string | null;
  /** Why it is not known whether the interfaces have room for all addresses; null where it is. */
  readonly roomUnknown: string | null;
  readonly mistakes: readonly string[];
};

async function lookUp({ whole: plan, ec2 }: InAws): Promise<Seen> {
  const assumed = (problem: string, identity: InstanceIdentity | null): Seen => ({
    identity,
    observation: assumedObservation(plan, identity),
    tableOf: (id) => assumedTable(plan, id),
    problem,
    roomUnknown: null,
    mistakes: identity === null ? [] : startMistakes(plan, identity),
  });
  const consulted = await consult(ec2, pino({ level: 'silent' }));
  if (!consulted.ok) return assumed(consulted.problem, consulted.identity);
  const { identity } = consulted;
  const result = await consulted.observe(plan);
  consulted.stop();
  if (!result.ok) return assumed(`EC2: ${result.failure.code}: ${result.failure.message}`, identity);
  return {
    identity,
    observation: result.observation,
    tableOf: (id) => result.tables.get(id) ?? null,
    problem: null,
    roomUnknown: result.roomUnknown,
    mistakes: [...startMistakes(plan, identity), ...result.mistakes],
  };
}

function unknownWords(problem: string): string {
  return (
    `plan: who holds what could not be found out (${printable(problem)}).\n` +
    'The plan assumes that the peer holds all targets and that every route is there; what is in <> is not known.\n'
  );
}

/** `STANDBY`, or where there are several groups `ACTIVE for north, STANDBY for south`. */
function rolesOf({ groups }: Pick<InAws, 'groups'>, { observation }: Seen): string {
  return groups
    .map(({ name, plan }) => {
      const { haState } = previewTakeover(plan, observation);
      return groups.length === 1 ? haState : `${haState} for ${name}`;
    })
    .join(', ');
}

function words(
  { identity, problem, roomUnknown }: Seen,
  roles: string,
  preview: Preview,
  calls: readonly TimedCall[],
): readonly string[] {
  const who = identity === null ? 'this router' : `${identity.instanceId} in ${identity.availabilityZone}`;
  const role = problem === null ? ` is ${roles}` : '';
  const left = [
    ...preview.left.map((line) => `Not taken: ${line}.`),
    ...preview.refused.map((line) => `Refused: ${printable(line)}.`),
    ...(roomUnknown === null
      ? []
      : [`Not known: whether the interfaces have room for all addresses: ${printable(roomUnknown)}.`]),
  ];
  if (calls.length === 0) {
    const why = preview.haState === 'ACTIVE' ? ': it holds all targets' : '';
    return [`${who}${role}: a takeover would make no calls now${why}.`, ...left];
  }
  const count = calls.length === 1 ? '1 call' : `${calls.length} calls`;
  const lastMs = Math.max(...calls.map(({ sentAtMs }) => sentAtMs)) + ASSUMED_LATENCY_MS;
  return [
    `${who}${role}: a takeover would make ${count} now:`,
    '',
    ...calls.map(callWords),
    '',
    ...left,
    `${preview.refused.length === 0 ? 'All' : 'The others'} would have moved ${Math.ceil(lastMs)} ms after the first call was sent.`,
    `Assumed: ${ASSUMED_LATENCY_MS} ms for each answer, and EC2's limits as in api_limits, not used up by anybody else.`,
    'Not in it: the detection time of BFD, and what is tried again where EC2 does not answer or refuses.',
  ];
}

function callWords({ action, input, sentAtMs }: TimedCall): string {
  return `${String(Math.ceil(sentAtMs)).padStart(8)} ms  ${action} ${printable(JSON.stringify(input))}`;
}
