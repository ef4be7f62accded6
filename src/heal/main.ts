/**
 * The healer's bundle, dist/heal.js: the handler of a Lambda function, and the command `xr-aws-ha heal`, which the
 * daemon's bundle loads only when it is asked for.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino, type Logger } from 'pino';
import { openServices, type Services } from './aws/services';
import { loadHealFile, parseHealFile, type HealLoaded } from './config/load';
import type { HealSettings } from './config/settings';
import { ownerName } from './core/record';
import { healUntil, isAtRest, openHealer, type HealerShell, type Round } from './healer';
import { planText } from './plan';

type Output = { write(text: string): unknown };
export type HealMode = 'once' | 'watch' | 'plan';

const CREDENTIALS_PATIENCE_MS = 10_000;
/** Beside the longest time that a healing may take. */
const ONCE_MARGIN_MS = 120_000;
/** Before Lambda ends the function: a round has to be over by then. */
const LAMBDA_MARGIN_MS = 30_000;

/** The exit code: 0 all whole, 1 not all, 2 mistakes in the file, 4 AWS cannot be asked. */
export async function healCommand(
  path: string,
  mode: HealMode,
  { out, err }: { readonly out: Output; readonly err: Output },
): Promise<number> {
  const loaded = loadHealFile(path);
  if (!loaded.ok) {
    err.write(`${loaded.report}\n`);
    return 2;
  }
  for (const warning of loaded.warnings) err.write(`warning: ${warning}\n`);
  const { settings } = loaded;
  const log = logOf(out, mode === 'plan' ? 'silent' : 'info');
  const counted = counting(openServices(settings, log));
  try {
    if (!(await hasCredentials(counted.services))) {
      err.write(
        'heal: there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (aws configure export-credentials --format env prints them), or run it on an instance with a role\n',
      );
      return 4;
    }
    const owner = ownerName(`${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`);
    const healer = { owner, keepsLease: mode === 'watch' };
    const shell = openHealer({ settings, services: () => counted.services, healer, log });
    if (mode === 'plan') return await plan(settings, shell, counted.count, { out, err });
    return mode === 'watch' ? await watch(shell) : await once(settings, shell);
  } finally {
    counted.services.stop();
  }
}

async function plan(
  settings: HealSettings,
  shell: HealerShell,
  reads: () => number,
  { out, err }: { readonly out: Output; readonly err: Output },
): Promise<number> {
  const round = await shell.inspect();
  const { unread } = round.observed;
  if (unread.length > 0) {
    err.write(`heal: AWS cannot be read: ${unread.join('; ')}\n`);
    return 4;
  }
  out.write(planText(settings, round, { reads: reads(), now: Date.now() }));
  return 0;
}

async function once({ desired }: HealSettings, shell: HealerShell): Promise<number> {
  const longestMs = Math.max(...desired.identities.map(({ healWithinMs }) => healWithinMs));
  const until = Date.now() + longestMs + ONCE_MARGIN_MS;
  const eventId = randomUUID();
  const last = await healUntil(shell, {
    isOver: (round) => isAtRest(round) || Date.now() > until,
    eventId: () => eventId,
    signal: stopSignal(),
  });
  await shell.giveBack();
  return exitCode(last);
}

async function watch(shell: HealerShell): Promise<number> {
  const last = await healUntil(shell, { isOver: () => false, eventId: randomUUID, signal: stopSignal() });
  await shell.giveBack();
  return exitCode(last);
}

function exitCode(last: Round | null): number {
  if (last === null || last.observed.unread.length > 0) return 4;
  return last.decisions.every(({ condition }) => condition === 'whole' || condition === 'idle') ? 0 : 1;
}

function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  return stopping.signal;
}

async function hasCredentials({ ready }: Services): Promise<boolean> {
  const patience = new AbortController();
  const gaveUp = delay(CREDENTIALS_PATIENCE_MS, false, { signal: patience.signal }).catch(() => false);
  const isReady = await Promise.race([ready.then(() => true), gaveUp]);
  patience.abort();
  return isReady;
}

/** Records in the form of the daemon's. */
function logOf(out: Output, level: 'info' | 'silent'): Logger {
  const form = {
    base: null,
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(form, { write: (line: string) => void out.write(line) });
}

/** Counts the calls, for what a plan says of a look. */
function counting(services: Services): { readonly services: Services; readonly count: () => number } {
  let calls = 0;
  const counted = <Caller extends { call: (...args: never[]) => unknown }>(caller: Caller): Caller => ({
    ...caller,
    call: (...args: never[]) => {
      calls += 1;
      return caller.call(...args);
    },
  });
  return {
    services: {
      ...services,
      ec2: counted(services.ec2),
      autoscaling: counted(services.autoscaling),
      sns: counted(services.sns),
    },
    count: () => calls,
  };
}

/** What Lambda hands over, as far as it is read. */
type LambdaContext = { getRemainingTimeInMillis(): number };
type Warm = {
  readonly shell: HealerShell;
  /** Opens the connections of one invocation; what is returned closes them. */
  readonly connect: () => () => void;
};

/** Of this process, which Lambda uses for one invocation after the other. */
let warm: Warm | null = null;

/**
 * An event only causes a look: what it says is not read, but for its id. Ends when nothing is left to be done or waited
 * for, or when Lambda's time is nearly over; the schedule goes on from there.
 */
export async function handler(
  event: unknown,
  context: LambdaContext,
): Promise<{ readonly [name: string]: string }> {
  const { shell, connect } = (warm ??= open(loadForLambda(process.env)));
  const id = eventIdOf(event);
  const disconnect = connect();
  const last = await healUntil(shell, {
    isOver: (round) => isAtRest(round) || context.getRemainingTimeInMillis() < LAMBDA_MARGIN_MS,
    eventId: () => id,
    signal: new AbortController().signal,
  }).finally(disconnect);
  const unread = last?.observed.unread ?? [];
  // Lambda tries an event again that has failed, and keeps it in the dead-letter queue when it goes on failing.
  if (unread.length > 0) throw new Error(`AWS cannot be read: ${unread.join('; ')}`);
  return Object.fromEntries((last?.decisions ?? []).map(({ identity, reason }) => [identity, reason]));
}

function open(loaded: HealLoaded): Warm {
  if (!loaded.ok) throw new Error(loaded.report);
  const log = logOf(process.stdout, 'info');
  for (const warning of loaded.warnings) log.warn({ event: 'config' }, warning);
  // Lambda freezes the process after each invocation, and AWS closes connections that are idle meanwhile.
  let services: Services | null = null;
  const connect = (): (() => void) => {
    const opened = openServices(loaded.settings, log);
    services = opened;
    return () => {
      opened.stop();
      services = null;
    };
  };
  const connected = (): Services => {
    if (services === null) throw new Error('AWS is asked only within an invocation');
    return services;
  };
  // One name for all processes of the function: its reserved concurrency lets one run at a time.
  const owner = ownerName(`lambda:${process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? 'heal'}`);
  const healer = { owner, keepsLease: true };
  return { shell: openHealer({ settings: loaded.settings, services: connected, healer, log }), connect };
}

/** `HEAL_JSON` has the document itself, `HEAL_CONFIG` the path of its file; else heal.json lies beside this bundle. */
function loadForLambda(env: NodeJS.ProcessEnv): HealLoaded {
  const inline = env['HEAL_JSON'] ?? '';
  if (inline !== '') return parseHealFile(inline, 'HEAL_JSON');
  return loadHealFile(env['HEAL_CONFIG'] ?? join(__dirname, 'heal.json'));
}

function eventIdOf(event: unknown): string {
  const id: unknown = typeof event === 'object' && event !== null && 'id' in event ? event.id : null;
  return typeof id === 'string' && /^[\w-]{1,64}$/.test(id) ? id : randomUUID();
}
