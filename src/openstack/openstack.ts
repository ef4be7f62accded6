/**
 * This router's access to OpenStack as one thing: who it is, its token, the observation, and what moves targets. Ready when
 * Keystone and Neutron have answered, however long that takes; until then observations say why not.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Cloud, HoldersResult, Mover, ObservationResult, Observed } from '../cloud';
import type { Group, OpenstackSettings } from '../config/settings';
import type { Failure } from '../core/state/readings';
import { openAccess, type Access } from './access';
import { conditionsOf } from './checks/conditions';
import { startMistakes } from './checks/startChecks';
import type { OpenstackPlan, OpenstackTarget } from './description';
import { openMover } from './moves/mover';
import { Turns } from './moves/turns';
import { Known } from './reads/known';
import { readIdentity, type Identity } from './reads/identity';
import { NOTHING_SHOWN, Observer } from './reads/observer';
import { askServers } from './reads/servers';
import { learnIdentity } from '../transport/identity';

/** What there is once it is known which ports are this router's. */
type Session = {
  readonly observer: Observer;
  /** By group. */
  readonly movers: ReadonlyMap<string, Mover>;
  identity: Identity;
};

const START_PATIENCE_MS = 5_000;
/** How often to look what Keystone's problem is, while there is no token. */
const TELLING_MS = 250;

export function connectOpenstack({
  settings,
  groups,
  plan,
  log,
  now,
}: {
  readonly settings: OpenstackSettings;
  readonly groups: readonly Group<OpenstackTarget>[];
  /** Of all groups together. */
  readonly plan: OpenstackPlan;
  readonly log: Logger;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}): Cloud {
  const stopping = new AbortController();
  const known = new Known(now);
  const access = openAccess({ settings, log, now });
  let session: Session | null = null;
  let waitingFor = 'Keystone has not answered yet';

  const identified = identify(access, settings, log, stopping.signal, (problem) => (waitingFor = problem));
  const mistakes = identified.then((identity) => startMistakes(plan, identity));
  const ready = identified.then((identity) => {
    const tools = { neutron: access.neutron, plan, known, now };
    const turns = new Turns();
    const movers = new Map(groups.map(({ name, plan: own }) => [name, openMover(tools, own, turns)]));
    const { apiTimeoutMs: timeoutMs } = settings;
    session = { observer: new Observer({ ...tools, timeoutMs }), movers, identity };
  });

  const notReady = (): Failure => ({ kind: 'unsent', code: 'NotReady', message: waitingFor });

  /** The takeover that may come finds its connections. */
  const rehearse = ({ movers }: Session): void => {
    for (const { name, plan: own } of groups)
      void movers.get(name)?.rehearse(own.targets.map(({ id }) => ({ ...NO_MOVE, targets: [id] })));
  };

  const observe = async (onLate: (late: Observed) => void): Promise<ObservationResult> => {
    const startedAt = now();
    if (session === null) await Promise.race([ready, delay(START_PATIENCE_MS, undefined, { ref: false })]);
    if (session === null) return { ok: false, startedAt, failure: notReady() };
    const current = session;
    const result = await current.observer.observe(current.identity, onLate);
    if (!isWhole(current, result)) void identifyAgain(access, settings, current);
    rehearse(current);
    return result;
  };

  return {
    mistakes,
    instanceId: identified.then(({ serverId }) => serverId),
    observe,
    askHolders: (ids) => (settings.askNova ? askServers(access.askServer, ids) : Promise.resolve(NOT_ASKED)),
    mover: (group) => session?.movers.get(group) ?? null,
    clock: () => access.clock(),
    health: {
      keystone_token: () => access.tokens.health(),
      neutron_endpoint_name: () => access.nameHealth(),
    },
    standing: () => ({
      roomUnknown: null,
      withoutRoom: [],
      latestReading: access.statistics()?.latest('GET ports') ?? null,
      calls: access.statistics()?.series() ?? [],
      conditions: conditionsOf(access.tokens, now()),
    }),
    stop: () => {
      stopping.abort();
      access.stop();
    },
  };
}

/** All ports of this router are shown where its addresses were asked about; where nothing was answered, nothing is missing. */
function isWhole({ identity }: Session, result: ObservationResult): boolean {
  if (!result.ok) return result.failure.code !== NOTHING_SHOWN;
  return result.observation.interfaces.length === identity.ports.length;
}

const NO_MOVE = { networkInterfaceId: '', allowReassignment: true, rank: 0 };

/** Whether a server runs, only Nova could say. */
const NOT_ASKED: HoldersResult = {
  ok: false,
  failure: {
    kind: 'refused',
    code: 'NotAsked',
    message: 'how the server is that holds the targets is not asked of Nova: cloud.ask_nova is not true',
  },
};

async function identify(
  { neutron, metadata, tokens }: Access,
  { ports }: OpenstackSettings,
  log: Logger,
  signal: AbortSignal,
  onProblem: (problem: string) => void,
): Promise<Identity> {
  const noToken = () => onProblem(tokens.problem() ?? 'Keystone has not answered yet');
  const telling = setInterval(noToken, TELLING_MS);
  telling.unref();
  await tokens.ready;
  clearInterval(telling);
  const identity = await learnIdentity({
    read: () => readIdentity(neutron, metadata, ports),
    onProblem,
    unread: 'it is not known which ports are those of this router',
    log,
    signal,
  });
  const shown = identity.ports.map(({ id }) => id);
  log.info({ event: 'identified', instanceId: identity.serverId, ports: shown }, 'identified by Neutron');
  return identity;
}

/** A port has another address, or is gone: who this router is may have changed. What cannot be read stays as it was. */
async function identifyAgain(
  { neutron, metadata }: Access,
  { ports }: OpenstackSettings,
  session: Session,
): Promise<void> {
  const reading = await readIdentity(neutron, metadata, ports);
  if (reading.ok && reading.identity.serverId === session.identity.serverId)
    session.identity = reading.identity;
}
