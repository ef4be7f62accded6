// The command line as an operator meets it: one process per command, its output and its exit code.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { version } from '../../package.json';

const root = resolve(__dirname, '../..');

function main(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/tsx/dist/cli.mjs'), join(root, 'src/main.ts'), ...args],
    { encoding: 'utf8' },
  );
  return { code: status, out: stdout, err: stderr };
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'main-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test.each([
  ['a slip, with a word behind it', ['shwo', 'ha_state'], "'shwo' is not a command; did you mean show?"],
  ['the beginning of a command', ['check'], "'check' is not a command; did you mean check-config?"],
  ['nothing like a command', ['frobnicate'], "'frobnicate' is not a command"],
  ['no command', [], 'a command is missing'],
  ['a word too many', ['run', 'fast'], "run takes no 'fast'"],
  ['an option of another command', ['show', '--online'], 'show takes no --online'],
  ['half of two options', ['check-config', '--prove-writes'], '--prove-writes goes with --online'],
  ['notify without its word', ['notify'], "notify takes the word 'test'"],
  ['--last of another key', ['show', 'ha_state', '--last', '3'], '--last goes with show ha_history'],
  ['no number', ['show', 'ha_history', '--last', 'few'], "--last is a number of lines, not 'few'"],
  ['an unknown option', ['--colour'], "Unknown option '--colour'"],
  [
    'a slip in an option',
    ['ha', 'switchover', '--dryrun'],
    "Unknown option '--dryrun'; did you mean --dry-run?",
  ],
  [
    'a slip in an option of all',
    ['show', '--confg', 'x'],
    "Unknown option '--confg'; did you mean --config?",
  ],
])('%s', (_name, args, problem) => {
  const { code, out, err } = main(...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(/\n\nusage: xr-aws-ha COMMAND/);
  expect(err.split('\n')[0]).toBe(`xr-aws-ha: ${problem}`);
});

test('--version', () => {
  expect(main('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
});

test('show with a configuration that is not there', () => {
  const path = join(folder, 'nope.json');
  expect(main('show', 'ha_state', '-c', path)).toEqual({
    code: 2,
    out: '',
    err: `show: ${path}: there is no such file; name the daemon's configuration with -c\n`,
  });
});

test('show with a broken configuration reads the default store, and says so', () => {
  const path = join(folder, 'broken.json');
  writeFileSync(path, '{');
  const { code, err } = main('show', 'ha_state', '-c', path);
  expect(code).not.toBe(2);
  expect(err.startsWith(`show: ${path} cannot be read (`)).toBe(true);
  expect(err).toContain('); the default store is read instead.\n');
});

test('check-config with the two files of a pair', () => {
  const example = (name: string) => join(root, `config/examples/secondary-ip-${name}.json`);
  expect(main('check-config', example('rtr1'), example('rtr2'))).toEqual({
    code: 0,
    out: 'OK: the two go together\n',
    err: '',
  });
  const twice = main('check-config', example('rtr1'), example('rtr1'));
  expect([twice.code, twice.out]).toEqual([2, '']);
  expect(twice.err).toMatch(/have 2 mistakes as a pair:\n {2}.*both are/);
  const three = main('check-config', 'a', 'b', 'c');
  expect(three.err).toMatch(/^xr-aws-ha: check-config takes two configurations, those of a pair/);
});

/** The reader goes before anything is written. */
function withoutReader(...args: readonly string[]) {
  const command = [join(root, 'node_modules/tsx/dist/cli.mjs'), join(root, 'src/main.ts'), ...args];
  const script = 'trap "" PIPE; { sleep 0.2; "$0" "$@"; echo $? >&3; } 3>&2 2>&3 | true';
  return spawnSync('sh', ['-c', script, process.execPath, ...command], { encoding: 'utf8' }).stderr;
}

test.each([
  ['--version', ['--version'], 0],
  ['--help', ['--help'], 0],
  ['check-config', ['check-config', '-c', join(root, 'config/examples/routes-rtr1.json')], 0],
  ['iam-policy', ['iam-policy', '-c', join(root, 'config/examples/secondary-ip-rtr1.json')], 0],
] as const)('%s whose reader has gone ends without a word of it', (_name, args, code) => {
  const lines = withoutReader(...args)
    .split('\n')
    .filter((line) => line !== '');
  expect(lines.at(-1)).toBe(String(code));
  expect(lines.join('\n')).not.toMatch(/EPIPE|at .*node:/);
});

test('output that cannot be written for another reason is a failure', () => {
  const command = [join(root, 'node_modules/tsx/dist/cli.mjs'), join(root, 'src/main.ts'), '--version'];
  const { status, stderr } = spawnSync('sh', ['-c', '"$0" "$@" > /dev/full', process.execPath, ...command], {
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^xr-aws-ha: the output cannot be written: .*ENOSPC/);
});
