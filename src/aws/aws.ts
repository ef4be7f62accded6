/**
 * This router's access to AWS as one thing: who it is, its credentials, a client, the observation, the question
 * how the holders are, and what moves targets. Ready when IMDS has answered, however long that takes; until then
 * observations say why not.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Ec2Settings, Group } from '../config/settings';
import type { AnnouncedMaintenance, Cloud, HoldersResult, Mover } from '../cloud';
import type { Failure, Observation } from '../core/state/readings';
import type { AwsPlan, AwsTarget } from './description';
import { takeoverRequests } from '../core/moves/grouping';
import { Deadline } from '../deadline';
import { startCredentials } from './transport/credentials';
import { AnswerTimes } from '../transport/answerTimes';
import { learnIdentity } from '../transport/identity';
import { openEc2, type Caller, type Ec2 } from './transport/ec2';
import { askHolders } from './reads/instanceStatus';
import { openImds, type Imds } from './transport/imds';
import { readIdentity, type InstanceIdentity } from './reads/instanceIdentity';
import type { ObservationResult } from './reads/observe';
import type { AddressLimits } from './kinds/kind';
import { scheduledOf } from './reads/maintenance';
import { MaintenanceWatch } from './reads/maintenanceWatch';
import { DEADLINE_MS_MAX, Observer, type Observed } from './reads/observer';
import { Pacer } from './moves/pacer';
import { PermissionProof } from './checks/permissionProof';
import { ChangedIdentity } from './reads/changedIdentity';
import { ConfirmedMistakes } from './checks/confirmedMistakes';
import { TagConflicts } from './reads/tagConflicts';
import { SourceDestCheck } from './checks/sourceDestCheck';
import { regionMistakes, startMistakes } from './checks/startChecks';
import { AHEAD_MAX, openMover } from './moves/moves';
import { ForeseenRefusals } from './checks/foreseen';
import { askRoom } from './checks/room';
import { targetsWithoutRoom, type AwsStanding } from './standing';
import { ClockAlarm } from './clockAlarm';
import { conditionsNow } from './conditions';
import { ApplicationCheck } from './checks/applicationCheck';
import { UnknownPeers } from './checks/unknownPeers';

type Session = {
  readonly ec2: Ec2;
  readonly observer: Observer;
  /** By group. */
  readonly movers: ReadonlyMap<string, Mover>;
  identity: InstanceIdentity;
};

const START_PATIENCE_MS = 5_000;

export function connectAws({
  settings,
  groups,
  plan,
  log,
  now,
  isAtRest,
  onSlowness = () => {},
  onMaintenance = () => {},
}: {
  readonly settings: Ec2Settings;
  readonly groups: readonly Group<AwsTarget>[];
  /** Of all groups together. */
  readonly plan: AwsPlan;
  readonly log: Logger;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Whether every group knows its role, and moves nothing. */
  readonly isAtRest: () => boolean;
  /** After how long without an answer a takeover call is slow, in ms, whenever that has changed by much. */
  readonly onSlowness?: (slowAfterMs: number) => void;
  /** What is announced for this router or its peer, whenever that has changed. */
  readonly onMaintenance?: (learnt: AnnouncedMaintenance) => void;
}): Cloud {
  const answerTimes = new AnswerTimes(onSlowness);
  const stopping = new AbortController();
  const unknownPeers = new UnknownPeers(plan, log);
  const foreseenRefusals = new ForeseenRefusals(plan, log);
  const sourceDestCheck = new SourceDestCheck(plan, settings, log);
  const pacer = new Pacer(settings.limits, now);
  /** As last seen; a table that EC2 does not show any more keeps its id, and its routes are not there. */
  const tables = new Map<string, string>();
  const tableOf = (id: string) => tables.get(id) ?? null;
  const mistakes = new ConfirmedMistakes();
  const tagConflicts = new TagConflicts(log);
  const clockAlarm = new ClockAlarm({ log, now, wallNow: Date.now });
  /** The latest word about each target. */
  let known: Observation | null = null;
  const imds = openImds();
  let limits: AddressLimits | null = null;
  let roomUnknown: string | null = 'EC2 has not been asked yet';
  const learnRoom = async (ec2: Caller): Promise<void> => {
    const room = await askRoom({ imds, ec2, timeoutMs: DEADLINE_MS_MAX }, plan);
    limits = room.limits;
    roomUnknown = room.unknown;
    if (room.unknown === null) return;
    const reason = `it is not known whether the interfaces have room for all addresses: ${room.unknown}`;
    log.info({ event: 'room-unknown', reason }, 'Room for addresses is not known');
  };
  const asking = { plan, settings, pacer, tableOf, isAtRest, log };
  const proof = new PermissionProof({ ...asking, afterwards: learnRoom });
  const credentials = startCredentials({ imds, log });
  let session: Session | null = null;
  const changedIdentity = new ChangedIdentity({ imds, plan, log, now });
  let waitingFor = 'IMDS has not answered yet';

  const identified = identify(imds, log, stopping.signal, (problem) => (waitingFor = problem));
  const ready = identified.then(async (identity) => {
    waitingFor = 'IMDS has not given out credentials yet';
    await credentials.ready;
    const ec2 = openEc2({
      endpointUrl: settings.endpointUrl,
      region: identity.region,
      credentials,
      log,
      now,
      onAnswer: (action, afterMs) =>
        answerTimes.answered(action.startsWith('Describe') ? 'read' : 'write', afterMs),
    });
    if (stopping.signal.aborted) ec2.stop();
    const movers = new Map(
      groups.map(({ name: group, plan: own }) => [
        group,
        openMover({ ec2, plan: own, pacer, now, tableOf, group }),
      ]),
    );
    const { apiTimeoutMs: timeoutMs } = settings;
    const observer = new Observer({ ec2, plan, timeoutMs, now, tableOf, limits: () => limits });
    session = { ec2, observer, movers, identity };
  });

  const holdersDeadline = new Deadline({ firstMs: settings.apiTimeoutMs, lastMs: DEADLINE_MS_MAX });
  const { applicationStatusCheck: checkId } = settings;
  const applicationCheck = checkId === null ? null : new ApplicationCheck({ checkId, now, log });
  const holdersAsked = (ec2: Ec2, instanceIds: readonly string[]): Promise<HoldersResult> =>
    holdersDeadline.of(now, (timeoutMs) =>
      askHolders(ec2, instanceIds, timeoutMs, (instanceId, events) =>
        maintenance.learntOf(instanceId, scheduledOf(events, clocks())),
      ),
    );
  const askHowHoldersAre = async (instanceIds: readonly string[]): Promise<HoldersResult> => {
    if (session === null) return { ok: false, failure: notReady() };
    const { ec2, identity } = session;
    const asked = await holdersAsked(ec2, instanceIds);
    if (!asked.ok || applicationCheck === null) return asked;
    return {
      ok: true,
      conditions: await applicationCheck.refined(ec2, identity.instanceId, asked.conditions),
    };
  };
  const clocks = () => ({ now: now(), wallNow: Date.now() });
  const knownPeers = (): readonly string[] => [
    ...new Set(Object.values(known?.peers ?? {}).flatMap(({ instanceId }) => instanceId ?? [])),
  ];
  const askPeers = async (): Promise<void> => {
    const peers = knownPeers();
    if (session === null || peers.length === 0) return;
    const asked = await holdersAsked(session.ec2, peers);
    if (!asked.ok) for (const instanceId of peers) maintenance.learntOf(instanceId, null);
  };
  const switchesOver = groups.some(({ plan: { handsOver } }) => handsOver.beforeMaintenanceMs !== null);
  const maintenance = new MaintenanceWatch({
    imds,
    log,
    clocks,
    switchesOver,
    askPeers,
    tell: onMaintenance,
  });
  void ready.then(() => maintenance.run());

  const notReady = (): Failure => ({ kind: 'unsent', code: 'NotReady', message: waitingFor });

  const take = (current: Session, result: Observed): void => {
    const { observation, checked } = result;
    for (const [id, routeTableId] of result.tables) tables.set(id, routeTableId);
    tagConflicts.observed(result.conflicts);
    unknownPeers.observed(observation);
    foreseenRefusals.observed(observation);
    sourceDestCheck.observed(current.ec2, observation, checked);
    known = { ...observation, holders: { ...known?.holders, ...observation.holders } };
    proof.observed(current.ec2, known);
    clockAlarm.observed(current.ec2.clock());
    if (isAtRest()) applicationCheck?.atRest(current.ec2, current.identity.instanceId, knownPeers());
    void rehearse(current, groups, known);
  };

  const observe = async (onLate: (late: Observed) => void): Promise<ObservationResult> => {
    const startedAt = now();
    const patience = new AbortController();
    const gaveUp = delay(START_PATIENCE_MS, undefined, { signal: patience.signal, ref: false }).catch(
      () => undefined,
    );
    await Promise.race([ready, gaveUp]);
    patience.abort();
    if (session === null) return { ok: false, startedAt, failure: notReady() };
    const current = session;
    const late = (result: Observed) => {
      take(current, result);
      onLate(result);
    };
    const result = await current.observer.observe(current.identity, late);
    if (result.ok) {
      take(current, result);
      mistakes.observed(result);
    }
    const identity = await changedIdentity.after(current.identity, result);
    if (identity === null) return result;
    // EC2 was asked about interfaces that this router has no more.
    current.identity = identity;
    const again = await current.observer.observe(current.identity, late);
    if (again.ok) take(current, again);
    return again;
  };

  return {
    mistakes: identified.then((identity) => {
      const unfit = [
        ...regionMistakes(settings.endpointUrl, identity),
        ...startMistakes(plan, identity, groups.length > 1 ? groups : []),
      ];
      return unfit.length > 0 ? unfit : mistakes.confirmed;
    }),
    instanceId: identified.then(({ instanceId }) => instanceId),
    observe,
    askHolders: askHowHoldersAre,
    mover: (group) => session?.movers.get(group) ?? null,
    clock: () => session?.ec2.clock() ?? null,
    health: {
      ec2_credentials: () => credentials.health(),
      ec2_endpoint_name: () => session?.ec2.nameHealth() ?? null,
    },
    standing: () => {
      const standing: AwsStanding = {
        credentials: { reading: credentials.health(), ...credentials.ageInfo() },
        permissions: proof.permissions,
        roomUnknown,
        withoutRoom: targetsWithoutRoom(plan, known),
        sourceDestCheckOn: sourceDestCheck.wrong,
        slowed: pacer.slowed(),
        clock: session?.ec2.clock() ?? null,
        endpointAddresses: session?.ec2.addresses() ?? [],
        applicationCheck: applicationCheck?.standing ?? null,
        latestReading: session?.ec2.statistics.latest('DescribeNetworkInterfaces') ?? null,
        calls: session?.ec2.statistics.series() ?? [],
      };
      return { ...standing, conditions: conditionsNow(standing, { wallNow: Date.now(), now: now() }) };
    },
    stop: () => {
      stopping.abort();
      maintenance.stop();
      credentials.stop();
      pacer.stop();
      proof.stop();
      session?.ec2.stop();
    },
  };
}

/** The takeovers that would be sent now, built and signed: the real ones then run warm. */
async function rehearse(
  { ec2, movers }: Session,
  groups: readonly Group<AwsTarget>[],
  observation: Observation,
): Promise<void> {
  const rehearsals = groups.map(({ name, plan }) => ({
    mover: movers.get(name),
    moves: takeoverRequests(shownOf(plan, observation), observation),
  }));
  await Promise.all(rehearsals.flatMap(({ mover, moves }) => mover?.rehearse(moves) ?? []));
  // A peer that fails is taken over from in every group at once.
  const atOnce = rehearsals.reduce((sum, { moves }) => sum + Math.min(moves.length, AHEAD_MAX), 1);
  if (groups.length > 1) ec2.warm(Math.min(atOnce, AHEAD_MAX + 1));
}

/** What EC2 has not shown yet, nobody would ask for. */
function shownOf(plan: AwsPlan, { holders }: Observation): AwsPlan {
  return { ...plan, targets: plan.targets.filter(({ id }) => id in holders) };
}

async function identify(
  imds: Imds,
  log: Logger,
  signal: AbortSignal,
  onProblem: (problem: string) => void,
): Promise<InstanceIdentity> {
  const identity = await learnIdentity({
    read: () => readIdentity(imds),
    onProblem,
    unread: 'IMDS does not say who this router is',
    log,
    signal,
  });
  const { instanceId, region, availabilityZone } = identity;
  log.info({ event: 'identified', instanceId, region, availabilityZone }, 'identified by IMDS');
  return identity;
}
