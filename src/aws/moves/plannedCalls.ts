/**
 * The API calls that moves are made of, found out by making them with a client that sends nothing: it notes what it
 * is given, and answers as EC2 would. So they are the calls that a takeover makes, to the last parameter.
 */
import { EC2Client, type ServiceInputTypes } from '@aws-sdk/client-ec2';
import type { RequestedMove } from '../../core/state/model';
import type { Failure, Observation } from '../../core/state/readings';
import { waitsFor } from '../../core/moves/grouping';
import type { AwsPlan } from '../description';
import { silenceSdk, type Caller } from '../transport/ec2';
import { prepareMove } from './moves';

export type PlannedCall = {
  readonly action: string;
  /** The parameters by the names of the API. */
  readonly input: ServiceInputTypes;
};

/** One move: its calls come one after the other, and then the moves of what rests on it. */
export type PlannedMove = {
  readonly rank: number;
  readonly calls: readonly PlannedCall[];
  readonly next?: readonly PlannedMove[];
};

/** `tableOf`: the route table of a route, by target id. */
export async function plannedMoves(
  plan: AwsPlan,
  observation: Observation,
  moves: readonly RequestedMove[],
  tableOf: (id: string) => string | null,
): Promise<readonly PlannedMove[]> {
  const targets = new Map(plan.targets.map((target) => [target.id, target]));
  const rehearsal = openRehearsal();
  const planned = new Map<RequestedMove, PlannedMove & { readonly next: PlannedMove[] }>();
  for (const move of moves) {
    // EC2 has no route to replace where nobody holds it.
    const isMissing = move.targets.some((id) => (observation.holders[id] ?? null) === null);
    const { ec2, calls } = rehearsal((action) => (action === 'ReplaceRoute' && isMissing ? NO_ROUTE : null));
    const tools = { ec2, tableOf, answered: () => {}, token: () => Promise.resolve() };
    await prepareMove(tools, move, targets).release(REHEARSAL_MS);
    planned.set(move, { rank: move.rank, calls, next: [] });
  }
  const waiting = waitsFor(plan, moves);
  for (const [waiter, mover] of waiting) planned.get(mover)?.next.push(...[planned.get(waiter) ?? []].flat());
  return [...planned].flatMap(([move, made]) => (waiting.has(move) ? [] : [made]));
}

/** Nothing waits for anything. */
const REHEARSAL_MS = 60_000;
const NO_ROUTE: Failure = {
  kind: 'refused',
  code: 'InvalidParameterValue',
  message: 'there is no such route',
};

type Rehearse = (answer: (action: string) => Failure | null) => {
  readonly ec2: Caller;
  readonly calls: readonly PlannedCall[];
};

function openRehearsal(): Rehearse {
  silenceSdk();
  // Never asked for anything: no request gets beyond the first step.
  const client = new EC2Client({
    region: 'none',
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  });
  let given: ServiceInputTypes = {};
  client.middlewareStack.add(
    () =>
      ({ input }) => {
        given = input;
        const about = 'NetworkInterfaceId' in input ? { NetworkInterfaceId: input.NetworkInterfaceId } : {};
        const output = { $metadata: {}, ...about, AssociationId: 'eipassoc-00000000', Return: true };
        return Promise.resolve({ response: null, output });
      },
    { step: 'initialize', priority: 'high', name: 'rehearse' },
  );
  return (answer) => {
    const calls: PlannedCall[] = [];
    const prepare: Caller['prepare'] = (action, command) => ({
      built: Promise.resolve(),
      hasFailed: () => false,
      reserve: () => {},
      discard: () => {},
      release: async () => {
        const output = await command(client, {
          abortSignal: new AbortController().signal,
          action,
          reserved: Promise.resolve(),
          released: Promise.resolve(),
          onSigned: () => {},
          onSent: () => {},
        });
        calls.push({ action, input: given });
        const failure = answer(action);
        const result = { sentAt: 0, apiRequestId: null };
        return failure === null ? { ...result, ok: true, output } : { ...result, ok: false, failure };
      },
    });
    const ec2: Caller = {
      prepare,
      call: (action, timeoutMs, command) => prepare(action, command).release(timeoutMs),
    };
    return { ec2, calls };
  };
}
