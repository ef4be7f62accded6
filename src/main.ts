/**
 * argv -> run | check-config | plan | iam-policy | self-test | notify | show | ha | replay | report | heal; exit codes; nothing else. Each
 * command loads only what it needs: operators wait for `show`, and it must work while everything else is broken.
 */
import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { version } from '../package.json';
import type { HaArguments } from './cli/ha';
import { outliveReaders } from './cli/readers';

const DEFAULT_CONFIG_PATH = '/app/onbox/config.json';

const COMMANDS = [
  'run',
  'check-config',
  'plan',
  'iam-policy',
  'self-test',
  'notify',
  'show',
  'ha',
  'replay',
  'report',
  'heal',
] as const;
type Command = (typeof COMMANDS)[number];

/** The options beside -c, and whose they are. */
const OPTIONS = {
  for: { type: 'string', of: ['ha'] },
  why: { type: 'string', of: ['ha'] },
  at: { type: 'string', of: ['ha'] },
  'dry-run': { type: 'boolean', of: ['ha'] },
  cancel: { type: 'boolean', of: ['ha'] },
  hold: { type: 'string', of: ['ha'] },
  report: { type: 'string', of: ['ha'] },
  group: { type: 'string', of: ['ha'] },
  all: { type: 'boolean', of: ['replay'] },
  json: { type: 'boolean', of: ['show'] },
  last: { type: 'string', of: ['show'] },
  since: { type: 'string', of: ['report'] },
  until: { type: 'string', of: ['report'] },
  html: { type: 'string', of: ['report'] },
  once: { type: 'boolean', of: ['heal'] },
  watch: { type: 'boolean', of: ['heal'] },
  plan: { type: 'boolean', of: ['heal'] },
  online: { type: 'boolean', of: ['check-config'] },
  'prove-writes': { type: 'boolean', of: ['check-config'] },
  region: { type: 'string', of: ['iam-policy'] },
  account: { type: 'string', of: ['iam-policy'] },
  interface: { type: 'string', multiple: true, of: ['iam-policy'] },
  instance: { type: 'string', multiple: true, of: ['iam-policy'] },
} as const satisfies Record<string, { type: string; multiple?: true; of: readonly Command[] }>;

/** Those of every command. */
const COMMON_OPTIONS = {
  config: { type: 'string', short: 'c' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;
const ALL_OPTIONS = [...Object.keys(OPTIONS), ...Object.keys(COMMON_OPTIONS)];

const STREAMS = { out: process.stdout, err: process.stderr };
const TAKING_WORDS: readonly Command[] = ['check-config', 'notify', 'show', 'ha', 'replay', 'report'];

const USAGE = `usage: xr-aws-ha COMMAND [-c FILE]

  run           watch the peer router and take over when it is gone; log records on standard output
  check-config  say everything that is wrong with the configuration, or print it with its defaults
                check-config RTR1.json RTR2.json says too what is wrong with the two as a pair
                --online, on the router, says whether it fits this instance, its VPC and its IAM role;
                --prove-writes there writes addresses again that this router has, where it has all targets
  plan          the EC2 calls that a takeover by this router would make now, and how long they would take
  iam-policy    the IAM policy that this configuration needs
                --region us-west-2, --account 123456789012, --interface eni-... and --instance i-... (of both
                routers, as often as needed) fill in what the configuration does not say
  self-test     what this container stands on, and what would keep the daemon from its work
  notify test   sends a notification to each receiver of the configuration, and says what came back
  show KEY      what the running daemon has stored; 'show redundancy' lists the keys
                --json prints it with its time in UTC and whether it is old
                'show ha_history' says what has happened on this router, --last N of it
  ha inhibit --for 30m --why "AWS maintenance"
                this router begins no takeover for that long, up to 7 days
  ha drill      a switchover to the peer for --hold (60s), and back, each half verified; --report FILE.json keeps it
  ha release    end that before its time
  ha switchover hand the floating addresses to the peer router; that the peer is inhibited cannot be seen from
                here, and then it gets them all the same: see show ha_reason there first; ha give is the same
                it waits until EC2 has shown them there for a keepalive, and says how long each leg took;
                --dry-run says what would be asked of EC2 and what speaks against it; --at 03:00 (UTC), or
                2026-12-01T03:00Z, or 30m: at that time, which --cancel takes back
                where there are several groups, --group NAME is the one that is meant;
                inhibit and release without it are for all
  heal -c heal.json
                give a new instance of an Auto Scaling group what the old one had; this has a file of its own
                --once until all is whole, --watch for ever, --plan says what would be done
  replay FILE   the steps of a journal, and whether this version decides the same
                --all shows the routine ones too
  report RTR1 RTR2
                the journals of both routers (files or folders) as one story: who held what when, and how
                long nobody did; --html FILE draws it as one page
                --since and --until: 2026-11-30T03:10, 03:10 (UTC), or 30m, 2h before the end

  -c FILE       the configuration, by default ${DEFAULT_CONFIG_PATH}
  --version     which version this is

exit codes: 0 done, 1 failed, 2 wrong usage or configuration;
            show: 1 alarms stand (ha_alarms) or not ready (ha_ready),
                  3 nothing written yet, 4 store away, 5 old: the daemon is dead or stuck;
            notify test: 1 a receiver has not taken it;
            ha: 1 declined, 3 undone: something has moved and it is not as ordered, 4 daemon not reachable; plan, check-config --online: 4 EC2 not reachable;
            replay: 1 decides otherwise, 2 no journal, or a damaged one; report: 2 no story to be told;
            heal: 1 not all whole, 4 AWS cannot be read
`;

async function main(args: readonly string[]): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...OPTIONS, ...COMMON_OPTIONS },
    });
  } catch (error) {
    return unreadable(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  const [command, ...rest] = positionals;
  const configPath = values.config ?? DEFAULT_CONFIG_PATH;
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (values.version === true) {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  if (command === undefined) return usage('a command is missing');
  if (!isCommand(command)) return unknownCommand(command);
  for (const [option, { of }] of Object.entries(OPTIONS)) {
    const isGiven = Object.hasOwn(values, option);
    if (isGiven && !of.some((each) => each === command)) return usage(`${command} takes no --${option}`);
  }
  if (!TAKING_WORDS.includes(command) && rest.length > 0)
    return usage(`${command} takes no '${rest.join(' ')}'`);
  switch (command) {
    case 'run':
      return (await import('./daemon')).runDaemon(configPath);
    case 'check-config':
      if (rest.length > 0) return checkPair(rest, values.config ?? null, values.online === true);
      if (values.online === true)
        return (await import('./cli/checkOnline')).checkOnline(
          configPath,
          { prove: values['prove-writes'] ?? false },
          STREAMS,
        );
      if (values['prove-writes'] === true) return usage('--prove-writes goes with --online');
      return (await import('./cli/checkConfig')).checkConfig(configPath, process.stdout, process.stderr);
    case 'plan':
      return (await import('./cli/plan')).printPlan(configPath, STREAMS);
    case 'iam-policy': {
      const { printPolicy } = await import('./cli/iamPolicy');
      const { region, account, interface: interfaces = [], instance: instances = [] } = values;
      return printPolicy(configPath, { region, account, interfaces, instances }, STREAMS);
    }
    case 'self-test':
      return (await import('./cli/selfTest')).selfTest(configPath, process.stdout);
    case 'notify':
      if (rest.length !== 1 || rest[0] !== 'test') return usage("notify takes the word 'test'");
      return (await import('./cli/notifyTest')).notifyTest(configPath, STREAMS);
    case 'show':
      return show(rest, { json: values.json ?? false, last: values.last }, values.config);
    case 'ha':
      return ha(
        {
          words: rest,
          for: values.for,
          why: values.why,
          at: values.at,
          dryRun: values['dry-run'],
          cancel: values.cancel,
          hold: values.hold,
          report: values.report,
          group: values.group,
        },
        values.config,
      );
    case 'replay':
      return replay(rest, values.all ?? false);
    case 'report': {
      if (rest.length === 0) return usage('report needs the journals of both routers: files, or folders');
      const { since, until, html } = values;
      return (await import('./cli/report')).report({ paths: rest, since, until, html }, STREAMS);
    }
    case 'heal': {
      const modes = (['once', 'watch', 'plan'] as const).filter((mode) => values[mode] === true);
      return heal(values.config, modes);
    }
  }
}

async function checkPair(
  paths: readonly string[],
  namedPath: string | null,
  online: boolean,
): Promise<number> {
  const [one, other] = paths;
  if (online) return usage('check-config --online takes one configuration, with -c');
  if (one === undefined || other === undefined || paths.length > 2 || namedPath !== null) {
    const given = [...(namedPath === null ? [] : [namedPath]), ...paths].join(' ');
    return usage(`check-config takes two configurations, those of a pair, or one with -c; not '${given}'`);
  }
  return (await import('./cli/checkPair')).checkPair([one, other], STREAMS);
}

/** `namedPath` is what -c says. A broken file does not stop `show`; one that was named and is not there does. */
async function show(
  rest: readonly string[],
  { json, last }: { readonly json: boolean; readonly last: string | undefined },
  namedPath: string | undefined,
): Promise<number> {
  const [key, ...more] = rest;
  if (more.length > 0) return usage(`show takes one key, not '${rest.join(' ')}'`);
  if (namedPath !== undefined && isMissing(namedPath)) return missing('show', namedPath);
  if (key === 'ha_history') return history(json, last, namedPath ?? DEFAULT_CONFIG_PATH);
  if (last !== undefined) return usage('--last goes with show ha_history');
  const { readStoreSettings } = await import('./cli/storeSettings');
  const { show: showKey } = await import('./cli/show');
  const { readControlSocket } = await import('./cli/controlSocket');
  const store = readStoreSettings(namedPath ?? DEFAULT_CONFIG_PATH);
  const { path: socketPath } = readControlSocket(namedPath ?? DEFAULT_CONFIG_PATH);
  const options = { store, socketPath, json };
  if (namedPath === undefined || store.doubt === null) return showKey(key, options, STREAMS);
  process.stderr.write(`show: ${store.doubt}; the default store is read instead.\n`);
  return showKey(key, { ...options, store: { ...store, doubt: null } }, STREAMS);
}

async function history(json: boolean, last: string | undefined, configPath: string): Promise<number> {
  if (last !== undefined && !/^[1-9]\d{0,4}$/.test(last))
    return usage(`--last is a number of lines, not '${last}'`);
  const { readHistoryPath, showHistory } = await import('./cli/showHistory');
  return showHistory(
    readHistoryPath(configPath),
    { last: last === undefined ? null : Number(last), json },
    STREAMS,
  );
}

/** `namedPath` as for `show`. */
async function ha(args: HaArguments, namedPath: string | undefined): Promise<number> {
  if (namedPath !== undefined && isMissing(namedPath)) return missing('ha', namedPath);
  const { readControlSocket } = await import('./cli/controlSocket');
  const { ha: askDaemon } = await import('./cli/ha');
  const socket = readControlSocket(namedPath ?? DEFAULT_CONFIG_PATH);
  const output = { out: process.stdout, err: process.stderr };
  if (namedPath === undefined || socket.doubt === null) return askDaemon(args, socket, output);
  process.stderr.write(`ha: ${socket.doubt}; the default socket is tried instead.\n`);
  return askDaemon(args, { ...socket, doubt: null }, output);
}

async function replay([path, ...more]: readonly string[], all: boolean): Promise<number> {
  if (path === undefined) return usage('replay needs the file of a journal');
  if (more.length > 0) return usage(`replay takes one file, not '${[path, ...more].join(' ')}'`);
  const { replay: replayFile } = await import('./cli/replay');
  return replayFile(path, { all }, { out: process.stdout, err: process.stderr });
}

/** The healer has a bundle of its own: scripts/bundle.ts makes this import of it a file beside this one. */
async function heal(
  path: string | undefined,
  modes: readonly ('once' | 'watch' | 'plan')[],
): Promise<number> {
  const [mode = 'once', ...more] = modes;
  if (more.length > 0) return usage('heal takes one of --once, --watch and --plan');
  if (path === undefined) return usage('heal needs its file: -c heal.json');
  const { healCommand } = await import('./heal/main');
  return healCommand(path, mode, STREAMS);
}

function missing(command: Command, path: string): number {
  process.stderr.write(
    `${command}: ${path}: there is no such file; name the daemon's configuration with -c\n`,
  );
  return 2;
}

/** A file that is there and may not be read is not missing. */
function isMissing(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

function isCommand(word: string): word is Command {
  return COMMANDS.some((command) => command === word);
}

async function unknownCommand(word: string): Promise<number> {
  return usage(`'${word}' is not a command${await didYouMean(word, COMMANDS)}`);
}

/** Empty where nothing is close to the word. */
async function didYouMean(word: string, known: readonly string[], prefix = ''): Promise<string> {
  const { closest } = await import('./config/closest');
  const suggestion = closest(word, known);
  return suggestion === null ? '' : `; did you mean ${prefix}${suggestion}?`;
}

/** Node goes on to advise how to pass what looks like an option as a word, which no command here takes. */
async function unreadable(message: string): Promise<number> {
  const [problem = message] = message.split(/\.\s/);
  const [, word] = /^Unknown option '--([^']+)'/.exec(problem) ?? [];
  return usage(word === undefined ? problem : `${problem}${await didYouMean(word, ALL_OPTIONS, '--')}`);
}

function usage(problem: string): number {
  process.stderr.write(`xr-aws-ha: ${problem}\n\n${USAGE}`);
  return 2;
}

const atTheEnd = outliveReaders(process.stdout, process.stderr);
main(process.argv.slice(2)).then(
  (exitCode) => {
    process.exitCode = exitCode;
    // Errors of the last words come after them.
    process.on('exit', () => {
      process.exitCode = atTheEnd(exitCode);
    });
  },
  (error: unknown) => {
    process.stderr.write(
      `xr-aws-ha: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 1;
  },
);
