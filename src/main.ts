/**
 * argv -> run | check-config | show; exit codes; nothing else. Each command loads only what it needs:
 * operators wait for `show`, and it must work while everything else is broken.
 */
import { parseArgs } from 'node:util';

const DEFAULT_CONFIG_PATH = '/app/onbox/config.json';

const USAGE = `usage: xr-aws-ha COMMAND [-c FILE]

  run           watch the peer router and take over when it is gone; log records on standard output
  check-config  say everything that is wrong with the configuration, or print it with its defaults
  show KEY      what the running daemon has stored; 'show redundancy' lists the keys

  -c FILE       the configuration, by default ${DEFAULT_CONFIG_PATH}

exit codes: 0 done, 1 failed, 2 wrong usage or configuration; show: 3 nothing written yet, 4 store away
`;

async function main(args: readonly string[]): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { config: { type: 'string', short: 'c' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  const [command, ...rest] = positionals;
  const configPath = values.config ?? DEFAULT_CONFIG_PATH;
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (command === undefined) return usage('a command is missing');
  if (command !== 'show' && rest.length > 0) return usage(`${command} takes no '${rest.join(' ')}'`);
  switch (command) {
    case 'run':
      return (await import('./daemon')).runDaemon(configPath);
    case 'check-config':
      return (await import('./cli/checkConfig')).checkConfig(configPath, process.stdout, process.stderr);
    case 'show':
      return show(rest, configPath);
    default:
      return usage(`'${command}' is not a command`);
  }
}

async function show(rest: readonly string[], configPath: string): Promise<number> {
  const [key, ...more] = rest;
  if (more.length > 0) return usage(`show takes one key, not '${rest.join(' ')}'`);
  const { readStoreSettings } = await import('./cli/storeSettings');
  const { show: showKey } = await import('./cli/show');
  return showKey(key, readStoreSettings(configPath), { out: process.stdout, err: process.stderr });
}

function usage(problem: string): number {
  process.stderr.write(`xr-aws-ha: ${problem}\n\n${USAGE}`);
  return 2;
}

main(process.argv.slice(2)).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    process.stderr.write(
      `xr-aws-ha: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 1;
  },
);
