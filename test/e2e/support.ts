/**
 * What the end-to-end stories share: a lab per test, two built daemons on it, and what a takeover has to
 * look like from outside. Waiting is for records of the daemons and requests at the emulator, never for time.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mainPath, type DaemonProcess, type DaemonRecord } from '../../lab/daemonProcess';
import { isObserving, isWrite, type LoggedRequest } from '../../lab/ec2-emulator/requestLog';
import { startLab, type AnyLab, type Lab, type LabOptions } from '../../lab/topology/topology';
import { peerOf, type RouterName } from '../../lab/topology/plan';
import { eventually } from '../support/eventually';
import { deniedIn } from '../support/permitted';

export const generations = ['gen1', 'gen2'] as const;

/** Longer than any test. */
const NEVER_MS = 600_000;

const open: AnyLab[] = [];

beforeAll(() => {
  if (!existsSync(mainPath)) throw new Error(`${mainPath} is missing: run npm run build before these tests`);
});

/** Whatever the story: no daemon has asked for what the policy that `iam-policy` prints for it would deny. */
afterEach(async () => {
  const labs = open.splice(0);
  try {
    for (const lab of labs) expect(await deniedIn(lab)).toEqual([]);
  } finally {
    await Promise.all(labs.map((lab) => lab.stop()));
  }
});

/** The lab ends with the test. */
export function endsWithTest<Any extends AnyLab>(lab: Any): Any {
  open.push(lab);
  return lab;
}

/**
 * A lab that ends with the test: EC2 is asked twice a second, BFD is quick. The stories count requests, and a machine
 * that pauses must not add one to them: what is about hedges says so by `hedging`.
 */
export async function openLab({ config, ...options }: LabOptions = {}): Promise<Lab> {
  return endsWithTest(
    await startLab({
      // Three intervals of 50 ms, counted from the last packet: BFD never sees a failure within 100 ms.
      fabric: { bringUpMs: 50, detectTimeMs: 120 },
      config: { keepalive_s: 0.5, hedge_ms: 8000, hedge_least_ms: 8000, ...config },
      ...options,
    }),
  );
}

/** A lab on which rtr1 is ACTIVE and rtr2 watches it. */
export async function openPair(options: LabOptions = {}): Promise<Lab> {
  const lab = await openLab(options);
  await startPair(lab);
  return lab;
}

/** As the daemon has it where nothing is said. */
export const hedging = { hedge_ms: 700, hedge_least_ms: 700 } as const;

export async function startPair(lab: AnyLab): Promise<void> {
  const active = lab.startDaemon('rtr1');
  const standby = lab.startDaemon('rtr2');
  await Promise.all([role(active, 'ACTIVE'), watching(standby)]);
}

export function daemonOf(lab: AnyLab, name: RouterName): DaemonProcess {
  const daemon = lab.daemon(name);
  if (daemon === null) throw new Error(`no daemon runs on ${name}`);
  return daemon;
}

// ---- What a daemon says ----

/** A sentence begins with a capital letter where it follows another one. */
const says = (record: DaemonRecord, words: RegExp): boolean =>
  new RegExp(words, 'i').test(record.reason ?? '');

/** Waits for a record whose reason has these words. */
export function reason(daemon: DaemonProcess, words: RegExp, since = 0): Promise<DaemonRecord> {
  return named(
    `a reason like ${words}`,
    daemon.waitFor((record) => says(record, words), { since }),
  );
}

/** Waits for a record with these words anywhere in it. */
export function record(daemon: DaemonProcess, words: RegExp, since = 0): Promise<DaemonRecord> {
  const has = (each: DaemonRecord) => words.test(JSON.stringify(each));
  return named(`a record like ${words}`, daemon.waitFor(has, { since }));
}

/** Waits until the daemon watches its peer: STANDBY, and a failure would be seen. */
export function watching(daemon: DaemonProcess, since = 0): Promise<DaemonRecord> {
  return reason(daemon, /this router is STANDBY and watches: all sessions are UP/, since);
}

/** The role as of the daemon's latest word about it. */
export function roleOf(daemon: DaemonProcess): string | undefined {
  return daemon.records.findLast(({ ha }) => ha !== undefined)?.ha;
}

export async function role(daemon: DaemonProcess, expected: string): Promise<void> {
  await named(
    `${daemon.name} to be ${expected}`,
    daemon.waitFor(() => roleOf(daemon) === expected),
  );
}

/** The roles that the daemon went through, from `since` on. */
export function rolesSince(daemon: DaemonProcess, since: number): readonly string[] {
  return [...new Set(daemon.recordsSince(since).flatMap(({ ha }) => (ha === undefined ? [] : [ha])))];
}

/** The numbers of the attempts that the daemon began, in order. */
export function attemptsBegun(daemon: DaemonProcess, since = 0): readonly unknown[] {
  const begun = daemon.recordsSince(since).filter((each) => says(each, /(^|\. )taking over \d/));
  return [...new Set(begun.map(({ attempt }) => attempt))];
}

// ---- What EC2 was asked ----

/** The number of the latest request: given to `writes`, only later ones count. */
export function requestMark(lab: AnyLab): number {
  return lab.ec2.requests().at(-1)?.number ?? 0;
}

/** The requests to move addresses, oldest first. */
export function writes(lab: AnyLab, since = 0, name?: RouterName): readonly LoggedRequest[] {
  return lab.ec2
    .requests()
    .filter(({ number, action }) => number > since && action === 'AssignPrivateIpAddresses')
    .filter(({ instanceId }) => name === undefined || instanceId === lab.plan.instanceId[name]);
}

/** The requests of any kind that change something, oldest first: what a DryRun asks changes nothing. */
export function changes(lab: AnyLab, since = 0): readonly LoggedRequest[] {
  return lab.ec2.requests().filter((request) => request.number > since && isWrite(request));
}

/** Calls back with the first write of the router that is meant, before EC2 does anything about it. */
export function onWrite(
  lab: AnyLab,
  name: RouterName,
  isMeant: (request: LoggedRequest) => boolean,
  callback: (request: LoggedRequest) => void,
): void {
  const off = lab.ec2.onRequest((request) => {
    if (request.instanceId !== lab.plan.instanceId[name] || !isWrite(request) || !isMeant(request)) return;
    off();
    callback(request);
  });
}

/**
 * The interface of the router goes down, and with it BFD; the router itself takes it for UP until EC2 is asked for
 * something that is meant.
 */
export function interfaceDownSeenLate(
  lab: Lab,
  name: RouterName,
  interfaceName: string,
  isMeant: (request: LoggedRequest) => boolean = () => true,
): void {
  onWrite(lab, name, isMeant, () => lab.interfaceDown(name, interfaceName));
  lab.interfaceDown(name, interfaceName, { first: 'bfd', gapMs: NEVER_MS });
}

/** Which addresses a request wants on which interface. */
export function moveOf({ params }: LoggedRequest): string {
  const addresses = Object.entries(params).flatMap(([key, value]) =>
    key.startsWith('PrivateIpAddress.') ? [value] : [],
  );
  return `${addresses.join(' ')} -> ${params['NetworkInterfaceId']}`;
}

/**
 * Waits until EC2 has answered this many further observations of the router. It makes one at a time and
 * decides after each, so what it had reason to do before the last of them it has begun.
 */
export async function moreObservations(lab: AnyLab, name: RouterName, count: number): Promise<void> {
  const since = requestMark(lab);
  await eventually(() => {
    const answered = lab.ec2
      .requests()
      .filter((request) => request.number > since && isObserving(request) && request.endedAt !== null)
      .filter(({ instanceId }) => instanceId === lab.plan.instanceId[name]);
    if (answered.length < count)
      throw new Error(`${name} has made ${answered.length} of ${count} observations`);
  });
}

/** Two keepalives later nobody has moved anything and no attempt has begun. */
export async function nothingMoves(
  lab: AnyLab,
  name: RouterName,
  since = { request: 0, record: 0 },
): Promise<void> {
  await moreObservations(lab, name, 2);
  expect(writes(lab, since.request).map(moveOf)).toEqual([]);
  expect(attemptsBegun(daemonOf(lab, name), since.record)).toEqual([]);
}

// ---- The takeover ----

/**
 * Does what makes the router take over, and checks all that can be seen of it: one attempt, one request
 * for each interface, ownership in EC2, the role in the log and in `show`, also of the peer where it lives.
 */
export async function takesOver(lab: Lab, name: RouterName, cause: () => unknown): Promise<void> {
  const daemon = daemonOf(lab, name);
  const since = { request: requestMark(lab), record: daemon.mark() };
  await cause();
  const attempt = await hasTakenOver(lab, name, since.record);
  expect(attemptsBegun(daemon, since.record)).toEqual([attempt]);
  const expected = lab.plan.interfaces.map(
    ({ floatingAddress, networkInterfaceId }) => `${floatingAddress} -> ${networkInterfaceId[name]}`,
  );
  expect(writes(lab, since.request).map(moveOf).sort()).toEqual(expected.sort());
  expect(await shownState(lab, name, 'ACTIVE')).toBe('ACTIVE');
  const peer = lab.daemon(peerOf(name));
  if (peer === null) return;
  await role(peer, 'STANDBY');
  expect(await shownState(lab, peerOf(name), 'STANDBY')).toBe('STANDBY');
}

/** Waits until EC2 has confirmed the router's takeover; returns the number of the attempt. */
export async function hasTakenOver(lab: Lab, name: RouterName, since = 0): Promise<unknown> {
  const daemon = daemonOf(lab, name);
  await reason(daemon, /EC2 confirms attempt \d+: all targets are on this router/, since);
  const timeline = await record(daemon, /takeoverTimeline/, since);
  expect(lab.floatingAddresses.map((address) => lab.ownerOf(address))).toEqual(
    lab.floatingAddresses.map(() => name),
  );
  expect(roleOf(daemon)).toBe('ACTIVE');
  return timeline['attempt'];
}

// ---- The command line ----

export type CommandResult = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** Runs the built program with these arguments until it ends. */
export function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [mainPath, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** A command that asks AWS, as on the router. */
export const runOn = (lab: AnyLab, name: RouterName, ...args: readonly string[]): Promise<CommandResult> =>
  runCommand([...args, '-c', lab.routers[name].configPath], {
    AWS_EC2_METADATA_SERVICE_ENDPOINT: lab.routers[name].imdsUrl,
  });

export const show = (lab: AnyLab, name: RouterName, ...words: readonly string[]): Promise<CommandResult> =>
  runCommand(['show', ...words, '-c', lab.routers[name].configPath]);

/** What `show ha_state` says: the expected soon, since the store follows in the background, or else its latest. */
export async function shownState(lab: AnyLab, name: RouterName, expected: string): Promise<string> {
  return eventually(async () => {
    const { stdout, stderr } = await show(lab, name, 'ha_state');
    const state = stdout.trimEnd().split('\n').at(-1) ?? '';
    if (state !== expected) throw new Error(`show ha_state on ${name}: ${stdout}${stderr}, not ${expected}`);
    return state;
  });
}

async function named<T>(what: string, wait: Promise<T>): Promise<T> {
  try {
    return await wait;
  } catch (error: unknown) {
    throw new Error(`waited for ${what}`, { cause: error });
  }
}
