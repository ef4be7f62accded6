import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LogSettings } from '../../src/config/settings';
import { createLogger } from '../../src/telemetry/log';
import { eventually } from '../support/eventually';

let dir: string;
let fd: number;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xr-aws-ha-log-'));
  fd = openSync(join(dir, 'stdout'), 'a');
});

afterEach(() => {
  closeSync(fd);
  rmSync(dir, { recursive: true, force: true });
});

const settings = (changes: Partial<LogSettings> = {}): LogSettings => ({
  router: 'rtr1',
  level: 'info',
  file: join(dir, 'ha.log'),
  syslog: null,
  ...changes,
});

type LogLine = { readonly [field: string]: unknown };
const linesOf = (name: string) =>
  readFileSync(join(dir, name), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);

function flushed(log: ReturnType<typeof createLogger>): Promise<void> {
  return new Promise((done) => log.flush(() => done()));
}

test('the same JSON lines go to standard output and to the file', async () => {
  const log = createLogger(settings(), { outputFd: fd });
  log.info({ event: 'role', ha: 'STANDBY' }, 'Role changed');
  log.debug('not at this level');
  log.warn('Second');
  await flushed(log);
  expect(linesOf('stdout')).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
      router: 'rtr1',
      event: 'role',
      ha: 'STANDBY',
      msg: 'Role changed',
    },
    expect.objectContaining({ level: 'warn', msg: 'Second' }),
  ]);
  expect(readFileSync(join(dir, 'ha.log'), 'utf8')).toBe(readFileSync(join(dir, 'stdout'), 'utf8'));
});

test('what hears the records hears all from info on, whatever the level of the log is', async () => {
  const heard: unknown[] = [];
  const hear = (record: object, msg: string): void => void heard.push([msg, record]);
  const log = createLogger(settings({ level: 'error' }), { outputFd: fd, heard: hear });
  log.debug({ event: 'a' }, 'not heard');
  log.child({ redis: 'r' }).info({ event: 'store-back' }, 'Back');
  log.warn('no record');
  log.error({ event: 'b' }, 'Worse');
  await flushed(log);
  expect(heard).toEqual([
    ['Back', { event: 'store-back' }],
    ['Worse', { event: 'b' }],
  ]);
  expect(linesOf('stdout').map(({ msg }) => msg)).toEqual(['Worse']);
});

test('credentials do not pass, wherever they are', async () => {
  const log = createLogger(settings(), { outputFd: fd });
  const secrets = {
    password: 'S3CRET',
    secretAccessKey: 'S3CRET',
    SecretAccessKey: 'S3CRET',
    sessionToken: 'S3CRET',
    token: 'S3CRET',
    Token: 'S3CRET',
    authorization: 'S3CRET',
    Authorization: 'S3CRET',
    metadata: { username: 'S3CRET' },
    credentials: ['S3CRET'],
    'x-amz-security-token': 'S3CRET',
    'x-aws-ec2-metadata-token': 'S3CRET',
  };
  log.info(secrets, 'flat');
  log.info({ a: secrets }, 'one deep');
  log.info({ a: { b: secrets } }, 'two deep');
  log.info({ a: { b: { c: secrets } } }, 'three deep');
  log.child(secrets).info('bound');
  log.child({ a: secrets }).info('bound, one deep');
  log.info({ list: [secrets] }, 'in a list');
  const error = Object.assign(new Error('refused'), {
    code: 'AuthFailure',
    $response: { deep: { er: secrets } },
  });
  log.error({ err: error }, 'in an error');
  log.error({ err: new Error('outer', { cause: error }) }, 'in the cause of an error');
  await flushed(log);
  expect(linesOf('stdout')).toHaveLength(9);
  expect(readFileSync(join(dir, 'stdout'), 'utf8')).not.toContain('S3CRET');
  expect(linesOf('stdout')[0]).toMatchObject({ password: '[hidden]' });
});

test('an error is logged with its code and its cause', async () => {
  const log = createLogger(settings(), { outputFd: fd });
  const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  log.error({ err: new TypeError('no answer', { cause }) }, 'Failed');
  log.error({ err: 'just text' }, 'Failed');
  await flushed(log);
  expect(linesOf('stdout')).toMatchObject([
    { err: { type: 'TypeError', message: 'no answer', cause: { code: 'ECONNREFUSED' } } },
    { err: { message: 'just text' } },
  ]);
});

test('a log file that cannot be written costs one warning on standard output', async () => {
  mkdirSync(join(dir, 'ha.log'));
  const log = createLogger(settings(), { outputFd: fd });
  log.info('one');
  await eventually(() =>
    expect(linesOf('stdout').map(({ msg }) => msg)).toContain('The log file cannot be written'),
  );
  log.info('two');
  await flushed(log);
  expect(linesOf('stdout').map(({ event, msg }) => event ?? msg)).toEqual([
    'one',
    'log-file-unwritable',
    'two',
  ]);
});

test('syslog gets every record with its severity', async () => {
  const received: string[] = [];
  const server = createSocket('udp4').on('message', (message) => received.push(message.toString()));
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const syslog = { host: '127.0.0.1', port: server.address().port };
  const log = createLogger(settings({ syslog }), { outputFd: fd });
  log.info('one');
  log.child({ peer: 'p' }).error('two');
  await eventually(() => expect(received).toHaveLength(2));
  server.close();
  expect(received[0]).toMatch(/^<30>1 \S+Z rtr1 xrv9k_aws_ha \d+ - - \{"level":"info".*"msg":"one"\}$/);
  expect(received[1]).toMatch(/^<27>1 .*"peer":"p".*"msg":"two"\}$/);
});

describe('in a process of its own', () => {
  /** Bundled, as the daemon is: a loader for TypeScript would set up standard output in its own way. */
  const program = (body: string) => {
    const source = join(dir, 'program.ts');
    const bundle = join(dir, 'program.cjs');
    const log = JSON.stringify(resolve(__dirname, '../../src/telemetry/log'));
    const options = JSON.stringify(settings());
    writeFileSync(
      source,
      `import { createLogger, logCrashes } from ${log};\nconst log = createLogger(${options});\n${body}`,
    );
    const bundler = resolve(__dirname, '../../node_modules/rolldown/bin/cli.mjs');
    const flags = ['--platform', 'node', '--format', 'cjs', '--file', bundle];
    execFileSync(process.execPath, [bundler, source, ...flags], { stdio: ['ignore', 'ignore', 'inherit'] });
    return bundle;
  };
  /** Through a shell, so that standard output is a pipe as docker makes it, not one of Node's sockets. */
  const start = (body: string, shell: string): ChildProcess =>
    spawn('sh', ['-c', shell, 'sh', process.execPath, program(body)], { stdio: 'ignore' });

  test('the last line is not lost when the process exits at once', async () => {
    const child = start("log.info('one'); log.info('last'); process.exit(3);", `"$@" | cat > ${dir}/piped`);
    await once(child, 'close');
    expect(linesOf('piped').map(({ msg }) => msg)).toEqual(['one', 'last']);
    expect(linesOf('ha.log').map(({ msg }) => msg)).toEqual(['one', 'last']);
  });

  test.each([
    ['thrown', "setImmediate(() => { throw new TypeError('a bug'); });"],
    ['rejected', "setImmediate(() => { void Promise.reject(new TypeError('a bug')); });"],
  ])('a bug that is %s ends the process and is the last line', async (_, bug) => {
    const child = start(`logCrashes(log); log.info('one'); ${bug}`, `"$@" > ${dir}/piped`);
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(1);
    for (const name of ['piped', 'ha.log']) {
      expect(linesOf(name).at(-1)).toMatchObject({
        level: 'fatal',
        event: 'crashed',
        err: { type: 'TypeError' },
      });
    }
  });

  test('a reader that stalls holds up neither the process nor its exit', async () => {
    // Far more than a pipe holds (64 KiB), into a reader that never reads.
    const body =
      "for (let i = 0; i < 3000; i += 1) log.info({ i, pad: 'x'.repeat(100) }, 'line'); process.exit(0);";
    const child = start(body, `mkfifo ${dir}/fifo; sleep 60 < ${dir}/fifo & "$@" > ${dir}/fifo; kill $!`);
    await once(child, 'exit');
    expect(linesOf('ha.log').at(-1)).toMatchObject({ i: 2999 });
  });

  test('a reader that is gone is survived', async () => {
    const body =
      "let i = 0; const t = setInterval(() => { log.info({ i }, 'line'); if ((i += 1) === 50) { clearInterval(t); log.flush(); } }, 1);";
    const child = start(body, `"$@" | true`);
    await once(child, 'close');
    expect(linesOf('ha.log')).toHaveLength(50);
  });
});
