/**
 * The composition root of `run`: the only file that builds adapters and joins them to the loop. It owns
 * the order of starting and stopping, and decides nothing.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { version } from '../package.json';
import { AWS_ALARMS } from './aws/alarms';
import { connectAws } from './aws/aws';
import type { AnnouncedMaintenance, Cloud } from './cloud';
import { loadConfig } from './config/load';
import type { CloudSettings, Group, Settings } from './config/settings';
import { keepHistory } from './history/keep';
import { OPENSTACK_ALARMS } from './openstack/alarms';
import { connectOpenstack } from './openstack/openstack';
import { operatorRequests, type OperatorRequests } from './control/requests';
import { openControl } from './control/server';
import { alarmTable, type AlarmTable } from './runtime/alarmTable';
import { AlarmRegistry } from './runtime/alarms';
import { AlarmsView } from './runtime/alarmsView';
import { systemClock } from './runtime/clock';
import { Health } from './runtime/health';
import { Journal } from './runtime/journal';
import { logSteps, logTimeline } from './runtime/logRecords';
import { Loop, type EffectRunners } from './runtime/loop';
import { gathered } from './runtime/gathered';
import { drillReports, progressOf } from './runtime/plannedView';
import { ReadinessView } from './runtime/readinessView';
import { sharedReadings } from './runtime/readings';
import { nodeScheduler } from './runtime/scheduler';
import { View } from './runtime/view';
import { Watchdog } from './runtime/watchdog';
import { startSlapi, type Slapi } from './slapi/client';
import { occupyAll } from './store/places';
import { JournalFile } from './store/journalFile';
import { openNotificationsIfAsked, openPeerStatusIfAsked, openStatusIfAsked } from './opened';
import { openMemory, readBootId, type MemoryFile } from './store/memory';
import type { StoreWriter } from './store/entry';
import { openStore } from './store/store';
import type { Status } from './status/endpoint';
import { createLogger, logCrashes } from './telemetry/log';

/** EX_SOFTWARE of sysexits(3): the daemon found itself stuck; the container is to be started again. */
const STUCK_EXIT_CODE = 70;

/**
 * A disk that hangs occupies one of libuv's threads, by default 4, for each file that is being written: log, store,
 * decision memory and journal. Others have to be left for DNS.
 */
const LIBUV_THREADS = '8';

/** Whose stored decisions are another instance's can be told when IMDS has answered; no start waits longer for it. */
const IDENTITY_PATIENCE_MS = 1_500;

/** Runs until it is told to stop or the configuration proves impossible; resolves to the exit code. */
export async function runDaemon(configPath: string): Promise<number> {
  // Read when the first thread is needed.
  process.env['UV_THREADPOOL_SIZE'] ??= LIBUV_THREADS;
  const loaded = loadConfig(configPath);
  if (!loaded.ok) {
    process.stderr.write(`${loaded.report}\n`);
    return 2;
  }
  const { settings } = loaded;
  const table = alarmTable(
    settings.whole.cloud,
    settings.cloud.type === 'aws' ? AWS_ALARMS : OPENSTACK_ALARMS,
  );
  const alarms = new AlarmRegistry({ table, wallNow: Date.now, isNamed: settings.groups.length > 1 });
  const log = createLogger(settings.log, { heard: (record, msg) => alarms.heard(record, msg) });
  logCrashes(log);
  const bootId = readBootId();
  const { pid, version: node } = process;
  log.info({ event: 'starting', version, node, pid, bootId, config: settings.document }, 'starting');
  for (const warning of settings.warnings)
    log.warn({ event: 'config-warning', reason: warning }, 'configuration');
  const places = await occupyAll(settings, log);
  const exitCode = places === null ? 1 : await run(settings, bootId, log, table, alarms);
  await places?.release();
  log.info({ event: 'exiting', exitCode }, 'exiting');
  await new Promise<void>((resolve) => log.flush(() => resolve()));
  return exitCode;
}

async function run(
  settings: Settings,
  bootId: string,
  log: Logger,
  table: AlarmTable,
  alarms: AlarmRegistry,
): Promise<number> {
  const { groups } = settings;
  const names = groups.map(({ name }) => name);
  const isNamed = groups.length > 1;
  const now = systemClock.monotonicMs;
  const router = settings.whole.peerAddresses.join(', ');
  const memory = openMemory(settings.stateDir, names, log, router);
  warnAboutMount(memory, settings.stateDir, log);
  const status = await openStatusIfAsked(settings, {
    groups,
    router: settings.log.router,
    version,
    clock: systemClock,
    wallNow: Date.now,
    readiness: () => readiness.lines,
    alarms: () => alarms.standing(),
    calls: () => cloud.standing().calls,
    alarmTable: table,
    history: () => history.kept().entries,
    notifications: () => notifications?.standing() ?? [],
    log,
  });
  const written = openStore(settings.store, log);
  const store = status === null ? written : alsoShown(written, status);
  store.put('config', settings.document);
  const notifications = await openNotificationsIfAsked(settings, log);
  const { history, close: closeHistory } = keepHistory({
    stateDir: settings.stateDir,
    groups,
    router: settings.log.router,
    version,
    bootId,
    now,
    log,
    tell: (entry, change) => notifications?.tell(entry, change),
  });
  alarms.onChange(() => history.alarms(alarms.standing()));
  const alarmsView = new AlarmsView({ alarms, settings, put: (value) => store.put('ha_alarms', value) });
  const view = new View(groups, (key, value) => store.put(key, value));
  const isAtRest = () =>
    names
      .map((name) => loop.stateOf(name))
      .every(({ ownership, attempt }) => ownership !== null && attempt === null);
  const onSlowness = (slowAfterMs: number): void => loop.enqueue({ type: 'answerTimeLearnt', slowAfterMs });
  const onMaintenance = (learnt: AnnouncedMaintenance): void =>
    loop.enqueue({ type: 'maintenanceLearnt', ...learnt });
  const cloud = connectCloud(settings.cloud, { log, now, isAtRest, onSlowness, onMaintenance });

  const journals = openJournals(groups, settings.stateDir, bootId, log);
  process.on('exit', () => {
    for (const { file } of journals) file.flushSync();
  });

  const requests = operatorRequests({
    groups: names,
    enqueue: (group, event) => loop.enqueueFor(group, event),
    wallNow: Date.now,
    unready: (name) => readiness.unready(name),
    stored: () => memory.stored(),
  });
  const watchdog = new Watchdog({ log, logFile: settings.log.file });
  const health = new Health({
    groups,
    log,
    put: (value) => store.put('ha_health', value),
    sources: {
      ...cloud.health,
      router_init_stream: () => slapi.health().init,
      router_bfd_stream: () => slapi.health().bfd,
      router_interface_stream: () => slapi.health().interfaces,
      decision_memory: memory.health,
      ...Object.fromEntries(journals.map(({ part, file }) => [part, () => file.health()])),
      store: () => store.health(),
      watchdog: () => watchdog.health(),
    },
  });

  const onPersistentMount = memory.onPersistentMount();
  const readiness = new ReadinessView({
    groups,
    log,
    put: (value) => store.put('ha_ready', value),
    told: (isReady, reason) => history.readiness(isReady, reason),
    around: () => ({
      wallNow: Date.now(),
      cloud: cloud.standing(),
      memory: memory.health(),
      onPersistentMount,
      peer: peer?.condition() ?? null,
    }),
  });

  let stop: (exitCode: number) => void;
  const stopped = new Promise<number>((resolve) => (stop = resolve));
  const loop: Loop = new Loop({
    groups,
    clock: systemClock,
    scheduler: nodeScheduler,
    random: Math.random,
    runners: runnersOf({
      settings,
      cloud,
      memory,
      requests,
      log,
      loop: () => loop,
      slapi: () => slapi,
      stop: () => stop(0),
    }),
    record: (batch) => {
      logSteps(log, batch, isNamed);
      view.update(batch);
      alarmsView.update(batch);
      for (const { name, journal } of journals) journal.record(batch.filter(({ group }) => group === name));
      health.update(batch);
      readiness.update(batch);
      history.update(batch);
      status?.snapshot.update(batch);
    },
    beat: () => {
      watchdog.beat();
      status?.snapshot.beat();
    },
    deaf: (reason) => {
      log.fatal({ event: 'loop-stalled', reason }, 'The daemon ends because it is stuck');
      process.exit(STUCK_EXIT_CODE);
    },
  });
  const peer = await openPeerStatusIfAsked(settings.peerStatus, {
    keepaliveMs: Math.min(...groups.map(({ plan }) => plan.timing.keepaliveIntervalMs)),
    log,
    put: (value) => store.put('ha_peer', value),
    now,
    wallNow: Date.now,
    isAtRest,
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => loop.enqueue({ type: 'shutdownRequested', cause: signal }));
  }
  const known = cloud.instanceId.then((id) => memory.own(id));
  if (memory.namesInstance()) await Promise.race([known, delay(IDENTITY_PATIENCE_MS)]);
  for (const name of names) {
    loop.enqueueFor(name, { type: 'started', bootId, memory: memory.load(name), wallNow: Date.now() });
  }
  const slapi = startSlapi({ settings: settings.slapi, emit: (event) => loop.enqueue(event), now, log });
  const statesNow = () => new Map(names.map((name) => [name, loop.stateOf(name)]));
  const control = openControl({
    path: settings.controlSocket,
    log,
    submit: requests.submit,
    progress: () => progressOf(statesNow()),
    drills: () => drillReports(statesNow()),
  });
  void cloud.mistakes.then((mistakes) => {
    if (mistakes.length === 0) return;
    for (const mistake of mistakes)
      log.error({ event: 'config-impossible', reason: mistake }, 'configuration');
    process.stderr.write(
      `The configuration does not fit this instance:\n${mistakes.map((line) => `  ${line}\n`).join('')}`,
    );
    stop(2);
  });

  const exitCode = await stopped;
  loop.stop();
  peer?.close();
  requests.close();
  history.stopped();
  await Promise.all([
    slapi.close(settings.onShutdown),
    control.close(),
    status?.close(),
    memory.close(),
    store.close(),
    closeHistory(),
    notifications?.close(),
    ...journals.map(({ file }) => file.close()),
  ]);
  cloud.stop();
  watchdog.stop();
  return exitCode;
}

function connectCloud(
  cloud: CloudSettings,
  around: Pick<Parameters<typeof connectAws>[0], 'log' | 'now' | 'isAtRest' | 'onSlowness' | 'onMaintenance'>,
): Cloud {
  switch (cloud.type) {
    case 'aws':
      return connectAws({ ...around, settings: cloud.ec2, groups: cloud.groups, plan: cloud.whole });
    case 'openstack':
      return connectOpenstack({
        log: around.log,
        now: around.now,
        settings: cloud.openstack,
        groups: cloud.groups,
        plan: cloud.whole,
      });
  }
}

function alsoShown(store: StoreWriter, { snapshot }: Status): StoreWriter {
  return {
    put: (key, value) => {
      store.put(key, value);
      snapshot.put(key, value);
    },
    health: () => store.health(),
    close: () => store.close(),
  };
}

/** One for each core, since each is replayed by itself. */
function openJournals(groups: readonly Group[], stateDir: string, bootId: string, log: Logger) {
  return groups.map(({ name, plan }) => {
    const [part, fileName] =
      groups.length === 1 ? ['journal', 'journal.jsonl'] : [`journal_${name}`, `journal-${name}.jsonl`];
    const file = new JournalFile({ path: join(stateDir, fileName), log });
    return {
      name,
      part,
      file,
      journal: new Journal({ plan, version, bootId, wallNow: Date.now, sink: file }),
    };
  });
}

function runnersOf({
  settings: { groups },
  cloud,
  memory,
  requests,
  log,
  loop,
  slapi,
  stop,
}: {
  readonly settings: Settings;
  readonly cloud: Cloud;
  readonly memory: MemoryFile;
  readonly requests: OperatorRequests;
  readonly log: Logger;
  readonly loop: () => Loop;
  readonly slapi: () => Slapi;
  readonly stop: () => void;
}): EffectRunners {
  const mover = (group: string) => {
    const found = cloud.mover(group);
    if (found === null) throw new Error('a move was decided before anything was observed');
    return found;
  };
  const readLevels = gathered<null>(
    () =>
      void slapi()
        .readLevels()
        .then((levels) => loop().enqueue({ type: 'levelsRead', ...levels })),
  );
  const observe: Cloud['observe'] = (onLate) => {
    // A stream on which nothing comes looks like one that has nothing to say: only a question tells them apart.
    // It is the question of a takeover too, which so runs warm.
    readLevels(null);
    return cloud.observe(onLate);
  };
  return {
    ...sharedReadings(groups, { observe, askHolders: cloud.askHolders, clock: cloud.clock }, (group, event) =>
      loop().enqueueFor(group, event),
    ),
    sendCall: (request, group) => {
      const { attempt, call, send } = request;
      const news = {
        queued: () => loop().enqueueFor(group, { type: 'callQueued', attempt, call, send }),
        released: () => loop().enqueueFor(group, { type: 'callReleased', attempt, call, send }),
      };
      void mover(group)
        .send(request, news)
        .then((outcome) =>
          loop().enqueueFor(group, { type: 'callAnswered', attempt, call, send, ...outcome }),
        );
    },
    prepareCall: (request, group) => mover(group).prepare(request),
    discardPrepared: ({ attempt }, group) => mover(group).discard(attempt),
    withdrawCalls: ({ attempt, calls }, group) => mover(group).withdraw(attempt, calls),
    askInterfaces: ({ attempt, interfaceNames, timeoutMs }, group) =>
      void slapi()
        .askInterfaces(interfaceNames, timeoutMs)
        .then((interfaces) => loop().enqueueFor(group, { type: 'interfacesAnswered', attempt, interfaces })),
    readLevels: () => readLevels(null),
    remember: (args, group) => memory.save(group, args.memory),
    answerOperator: (answer) => requests.answer(answer),
    reportTimeline: ({ timeline }, group) => logTimeline(log, timeline, groups.length > 1 ? group : null),
    stop: () => stop(),
  };
}

function warnAboutMount(memory: MemoryFile, stateDir: string, log: Logger): void {
  if (memory.onPersistentMount() !== false) return;
  log.warn(
    { event: 'state-dir-volatile', stateDir },
    'state_dir is not on a mount of its own: an upgrade of the container forgets what was decided',
  );
}
