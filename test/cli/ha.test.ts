// `ha` against a control socket whose daemon is made up, and as a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readControlSocket } from '../../src/cli/controlSocket';
import { parseDuration } from '../../src/cli/duration';
import { parseMoment } from '../../src/cli/moment';
import { ha, readHa, type HaArguments } from '../../src/cli/ha';
import type { OperatorAnswer, OperatorCommand } from '../../src/control/commands';
import { openControl, type Control } from '../../src/control/server';
import { boundOf } from '../../src/report/range';
import { eventually } from '../support/eventually';
import { eventsOf, recordingLogger } from '../support/logRecords';

const root = resolve(__dirname, '../..');
const release: HaArguments = { words: ['release'] };

let folder: string;
let socketPath: string;
let control: Control | null;
let server: Server | null;
let sockets: Socket[];
let commands: OperatorCommand[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ha-'));
  socketPath = join(folder, 'ha.sock');
  control = null;
  server = null;
  sockets = [];
  commands = [];
});

afterEach(async () => {
  await control?.close();
  for (const socket of sockets) socket.destroy();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function daemonThat(
  answers: OperatorAnswer | (() => Promise<OperatorAnswer>),
  progress: () => readonly object[] = () => [],
  drills: () => readonly object[] = () => [],
): Promise<void> {
  const { log, records } = recordingLogger();
  control = openControl({
    path: socketPath,
    log,
    submit: (command) => {
      commands.push(command);
      return typeof answers === 'function' ? answers() : Promise.resolve(answers);
    },
    progress,
    drills,
  });
  await eventually(() => expect(eventsOf(records)).toEqual(['control-available']));
}

/** A server that is no daemon of ours. */
async function strangerThat(answers: (socket: Socket) => void): Promise<void> {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    answers(socket);
  });
  server.listen(socketPath);
  await once(server, 'listening');
}

/** One line of a stranger, as HTTP has it. */
const http = (line: string, length = Buffer.byteLength(line)): string =>
  `HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n${line}`;

async function run(args: HaArguments, { doubt = null as string | null, timeoutMs = 20_000 } = {}) {
  let out = '';
  let err = '';
  const code = await ha(
    args,
    { path: socketPath, configPath: '/app/onbox/config.json', doubt },
    {
      out: { write: (text: string) => (out += text) },
      err: { write: (text: string) => (err += text) },
    },
    timeoutMs,
  );
  return { code, out, err };
}

/** `ha` as an operator calls it. */
async function main(...args: readonly string[]) {
  const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
  const child = spawn(process.execPath, [tsx, join(root, 'src/main.ts'), 'ha', ...args]);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  await once(child, 'close');
  return { code: child.exitCode, out, err };
}

function configFile(text: string): string {
  const path = join(folder, 'config.json');
  writeFileSync(path, text);
  return path;
}

describe('durations', () => {
  test.each([
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['2h', 7_200_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    ['1d2h3m4s', 93_784_000],
    [' 1H ', 3_600_000],
    ['0s', 0],
    ['999999999d', 86_399_999_913_600_000],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    '',
    ' ',
    '30',
    'm',
    '30 m',
    '1.5h',
    '-5m',
    '30m1h',
    '1h1h',
    '30min',
    '5ms',
    '1234567890s',
    '1e3s',
  ])('%j is none', (text) => {
    expect(parseDuration(text)).toBeNull();
  });
});

const NOON = Date.parse('2026-11-30T12:00Z');

describe('times to come', () => {
  test.each([
    ['2026-12-01T03:00Z', '2026-12-01T03:00Z'],
    ['2026-12-01 03:00:30', '2026-12-01T03:00:30Z'],
    ['03:00', '2026-12-01T03:00Z'],
    ['12:00Z', '2026-12-01T12:00Z'],
    ['12:00:01', '2026-11-30T12:00:01Z'],
    ['30m', '2026-11-30T12:30Z'],
    ['1h30m', '2026-11-30T13:30Z'],
  ])('%s', (text, time) => {
    expect(parseMoment(text, NOON)).toBe(Date.parse(time));
  });

  test.each(['', 'soon', '3', '25:00', '03:60', '2026-12-01', '2026-13-01T03:00Z', '2026-12-01T03:00+01:00'])(
    '%j is none',
    (text) => {
      expect(parseMoment(text, NOON)).toBeNull();
    },
  );
});

describe('arguments', () => {
  test.each<readonly [HaArguments, OperatorCommand]>([
    [
      { words: ['inhibit'], for: '30m', why: ' AWS maintenance ' },
      { kind: 'inhibit', forMs: 1_800_000, why: 'AWS maintenance' },
    ],
    [{ words: ['release'] }, { kind: 'release' }],
    [{ words: ['switchover'] }, { kind: 'switchover' }],
    [{ words: ['give'] }, { kind: 'switchover' }],
    [
      { words: ['switchover'], group: 'north' },
      { kind: 'switchover', group: 'north' },
    ],
    [{ words: ['drill'] }, { kind: 'drill', holdMs: 60_000 }],
    [
      { words: ['drill'], hold: '5m', group: 'north' },
      { kind: 'drill', group: 'north', holdMs: 300_000 },
    ],
    [{ words: ['switchover'], dryRun: true }, { kind: 'preview' }],
    [{ words: ['give'], cancel: true }, { kind: 'cancel' }],
    [
      { words: ['switchover'], at: '2026-12-01T03:00Z', group: 'north' },
      { kind: 'schedule', group: 'north', atWallMs: Date.parse('2026-12-01T03:00Z') },
    ],
    [
      { words: ['inhibit'], for: '30m', why: 'work', group: 'north' },
      { kind: 'inhibit', group: 'north', forMs: 1_800_000, why: 'work' },
    ],
  ])('%j', (args, command) => {
    expect(readHa(args, NOON)).toEqual({ ok: true, command });
  });

  const why = 'AWS maintenance';
  test.each<readonly [HaArguments, string]>([
    [{ words: [] }, 'what to do is missing: inhibit, release, switchover or drill'],
    [{ words: ['release'], group: '' }, '--group: it is empty; write the name of a group'],
    [{ words: ['inhibt'], for: '1h', why }, "there is no 'inhibt'; did you mean inhibit?"],
    [{ words: ['frobnicate'] }, "there is no 'frobnicate'"],
    [
      { words: ['inhibit', 'maintenance'], for: '1h', why: 'AWS' },
      'inhibit takes no \'maintenance\'; put the whole reason in quotes: --why "AWS maintenance"',
    ],
    [{ words: ['release', 'now'] }, "release takes no 'now'"],
    [{ words: ['release'], for: '1h' }, 'release takes no --for'],
    [{ words: ['switchover'], why }, 'switchover takes no --why'],
    [{ words: ['release'], at: '03:00' }, 'release takes no --at'],
    [{ words: ['switchover'], hold: '60s' }, 'switchover takes no --hold'],
    [{ words: ['drill'], at: '03:00' }, 'drill takes no --at'],
    [
      { words: ['drill'], hold: 'long' },
      "--hold: 'long' is not a duration; write it like 90s, 30m, 2h or 1h30m",
    ],
    [{ words: ['drill'], hold: '2h' }, "--hold: '2h' is out of range; from 1s to 1h are possible"],
    [{ words: ['switchover'], at: '03:00', cancel: true }, 'switchover takes one of --at and --cancel'],
    [
      { words: ['switchover'], at: 'soon' },
      "--at: 'soon' is not a time; write it like 2026-12-01T03:00Z, 03:00 (UTC) or 30m",
    ],
    [
      { words: ['switchover'], at: '2020-12-01T03:00Z' },
      "--at: '2020-12-01T03:00Z' is out of range; from now to 7 days ahead are possible",
    ],
    [
      { words: ['switchover'], at: '8d' },
      "--at: '8d' is out of range; from now to 7 days ahead are possible",
    ],
    [{ words: ['inhibit'], why }, 'inhibit needs --for: how long, like --for 30m'],
    [
      { words: ['inhibit'], for: '30', why },
      "--for: '30' is not a duration; write it like 90s, 30m, 2h or 1h30m",
    ],
    [{ words: ['inhibit'], for: '0s', why }, "--for: '0s' is out of range; from 1s to 7d are possible"],
    [{ words: ['inhibit'], for: '8d', why }, "--for: '8d' is out of range; from 1s to 7d are possible"],
    [
      { words: ['inhibit'], for: '1h' },
      'inhibit needs --why: the reason, for the log and for whoever comes after you',
    ],
    [
      { words: ['inhibit'], for: '1h', why: ' ' },
      'inhibit needs --why: the reason, for the log and for whoever comes after you',
    ],
    [
      { words: ['inhibit'], for: '1h', why: 'x'.repeat(201) },
      '--why: it has 201 characters; it may have 200',
    ],
    [
      { words: ['inhibit'], for: '1h', why: 'a\nb' },
      '--why: it holds a character that cannot be printed on one line',
    ],
  ])('%j', async (args, problem) => {
    await daemonThat({ accepted: true, sentence: 'as you say' });
    const { code, out, err } = await run(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.split('\n').slice(0, 3)).toEqual([
      `ha: ${problem}`,
      '',
      'usage: xr-aws-ha ha inhibit --for 30m --why "AWS maintenance" [--group NAME] [-c FILE]',
    ]);
    expect(commands).toEqual([]);
  });
});

describe('the daemon', () => {
  test('accepts', async () => {
    await daemonThat({ accepted: true, sentence: 'no takeover begins for 30 min: AWS maintenance' });
    expect(await run({ words: ['inhibit'], for: '30m', why: 'AWS maintenance' })).toEqual({
      code: 0,
      out: 'no takeover begins for 30 min: AWS maintenance\n',
      err: '',
    });
    expect(commands).toEqual([{ kind: 'inhibit', forMs: 1_800_000, why: 'AWS maintenance' }]);
  });

  test('declines', async () => {
    await daemonThat({ accepted: false, sentence: 'this router is not ACTIVE' });
    expect(await run({ words: ['switchover'] })).toEqual({
      code: 1,
      out: '',
      err: 'this router is not ACTIVE\n',
    });
  });

  test('has a list to its answer, and has begun what it could not end', async () => {
    await daemonThat({ accepted: false, sentence: 'not all of them', lines: ['one', 'two'], begun: true });
    expect(await run({ words: ['switchover'], dryRun: true })).toEqual({
      code: 3,
      out: '',
      err: 'not all of them\n  one\n  two\n',
    });
  });

  describe('a switchover', () => {
    const ours = {
      group: null,
      number: 8,
      cause: 'operator',
      lines: ['switching over', 'EC2 has moved all of them'],
      requests: 2,
      legs: [{ what: 'all moved', atMs: 153 }],
      outcome: null as string | null,
    };
    const earlier = { ...ours, number: 7, lines: ['the one before'], outcome: 'done' };

    /** Shows the one before until it is asked, then ours, which goes on until its answer has been seen twice. */
    async function switchover(
      ending: object,
      answer: OperatorAnswer,
    ): Promise<Awaited<ReturnType<typeof run>>> {
      let asked = false;
      let looks = 0;
      await daemonThat(
        () => {
          asked = true;
          return Promise.resolve(answer);
        },
        () => {
          if (!asked) return [earlier];
          looks += 1;
          return [looks < 3 ? ours : { ...ours, ...ending }];
        },
      );
      return run({ words: ['switchover'] });
    }
    const accepted = { accepted: true, sentence: 'switched over; it knows with its next keepalive' };

    test.each([
      ['done', 0, 'the peer has kept them'],
      ['undone', 3, 'they came back'],
    ])('is told as it goes, and ends with a timeline: %s', async (outcome, code, last) => {
      const ended = await switchover({ lines: [...ours.lines, last], outcome }, accepted);
      expect(ended).toMatchObject({ code, err: '' });
      expect(ended.out.split('\n').sort()).toEqual(
        [
          ...ours.lines,
          accepted.sentence,
          last,
          'since the decision (2 requests to EC2):',
          '      153 ms  all moved',
          '',
        ].sort(),
      );
      expect(
        ended.out.endsWith(`${last}\nsince the decision (2 requests to EC2):\n      153 ms  all moved\n`),
      ).toBe(true);
    });

    test('that is declined in the middle is undone', async () => {
      const ended = await switchover(
        { outcome: 'undone' },
        { accepted: false, sentence: 'gave up', begun: true },
      );
      expect(ended).toMatchObject({ code: 3, err: 'gave up\n' });
    });

    test.each([
      ['done', 0],
      ['undone', 3],
    ])('that takes longer than an answer is waited for is followed to its end: %s', async (outcome, code) => {
      let looks = 0;
      let asked = false;
      await daemonThat(
        () => {
          asked = true;
          return new Promise(() => undefined);
        },
        () => {
          if (!asked) return [earlier];
          looks += 1;
          return [looks < 4 ? ours : { ...ours, outcome }];
        },
      );
      const ended = await run({ words: ['switchover'] }, { timeoutMs: 300 });
      expect(ended).toMatchObject({ code, err: '' });
      expect(ended.out.split('\n').slice(0, 2)).toEqual(ours.lines);
    });

    test('that has neither an answer nor a beginning', async () => {
      await daemonThat(
        () => new Promise(() => undefined),
        () => [earlier],
      );
      const { code, err } = await run({ words: ['switchover'] }, { timeoutMs: 300 });
      expect(code).toBe(4);
      expect(err).toContain('the daemon was asked and has not answered: no answer within 0.3 s');
    });

    test('whose daemon does not answer any more', async () => {
      await daemonThat(
        () => {
          setTimeout(() => void control?.close(), 100);
          return Promise.resolve(accepted);
        },
        () => [earlier],
      );
      const { code, err } = await run({ words: ['switchover'] });
      expect(code).toBe(4);
      expect(err).toBe('ha: the daemon does not answer any more: see show ha_targets and its log.\n');
    });

    test('of a daemon that tells of no progress ends with its answer', async () => {
      await strangerThat((socket) => socket.end(http('{"accepted":true,"sentence":"done"}\n')));
      expect(await run({ words: ['switchover'] })).toMatchObject({ code: 0, out: 'done\n' });
    });
  });

  const drill = {
    kind: 'drill',
    group: null,
    number: 1,
    cause: 'drill',
    lines: ['switched over to the peer: seen', 'the drill is done'],
    requests: 4,
    legs: [{ what: 'taken back', atMs: 70_000 }],
    outcome: 'done',
  } as const;

  test('a drill is told as it goes, and its report is kept', async () => {
    let asked = false;
    const report = { outcome: 'done', legs: [{ leg: 'over', evidence: 'seen' }] };
    await daemonThat(
      () => {
        asked = true;
        return Promise.resolve({ accepted: true, sentence: 'a drill begins' });
      },
      // The switchover within it is told of by the drill.
      () => (asked ? [{ ...drill, kind: 'switchover', lines: ['not this one'] }, drill] : []),
      () => [report],
    );
    const path = join(folder, 'drill.json');
    const before = Date.now();
    const { code, out, err } = await run({ words: ['drill'], hold: '60s', report: path });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).not.toContain('not this one');
    const [legs, leg, picture] = out.trimEnd().split('\n').slice(-3);
    expect([legs, leg]).toEqual(['since the decision (4 requests to EC2):', '    70000 ms  taken back']);
    // What the last line says is what `report` understands, and has the drill within.
    const [, since = '', until = ''] =
      / report rtr1\/ rtr2\/ --since (\S+) --until (\S+) --html /.exec(picture ?? '') ?? [];
    const [from = NaN, to = NaN] = [since, until].map((text) => boundOf(text)?.({ from: 0, to: 0 }));
    expect([from <= before, to >= Date.now()]).toEqual([true, true]);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual([report]);
  });

  test.each([
    ['done', 1],
    ['undone', 3],
  ] as const)(
    'a drill that is %s, whose report cannot be written, ends with %i',
    async (outcome, expected) => {
      let asked = false;
      await daemonThat(
        () => {
          asked = true;
          return Promise.resolve({ accepted: true, sentence: 'a drill begins' });
        },
        () => (asked ? [{ ...drill, outcome }] : []),
      );
      const report = join(folder, 'no-such-folder', 'drill.json');
      const { code, err } = await run({ words: ['drill'], report });
      expect(code).toBe(expected);
      expect(err).toMatch(/^ha: the report cannot be written: .*ENOENT/);
    },
  );

  test('cannot steer the terminal', async () => {
    await daemonThat({ accepted: true, sentence: 'EC2 said \u001b[2J\r\n' });
    expect((await run(release)).out).toBe('EC2 said \\u001b[2J\\u000d\\u000a\n');
  });

  test('does not take the command', async () => {
    await strangerThat((socket) => socket.end(http('{"error":"come again\\u0007"}\n')));
    expect(await run(release)).toEqual({
      code: 1,
      out: '',
      err: 'ha: the daemon has not taken the command: come again\\u0007\n',
    });
  });

  test('is not there', async () => {
    const { code, out, err } = await run(release);
    expect({ code, out }).toEqual({ code: 4, out: '' });
    expect(err).toBe(
      `ha: no daemon can be asked: there is no ${socketPath}.\n` +
        'Is the daemon running, in this container, with control_socket as in /app/onbox/config.json? ' +
        'Its log says control-unavailable where it cannot have the socket.\n',
    );
  });

  test('is dead', async () => {
    writeFileSync(socketPath, '');
    const { code, err } = await run(release);
    expect(code).toBe(4);
    expect(err).toContain(`ha: no daemon can be asked: nobody listens on ${socketPath}.\n`);
  });

  test('cannot be asked for another reason, and the configuration could not be read', async () => {
    writeFileSync(join(folder, 'file'), '');
    socketPath = join(folder, 'file', 'ha.sock');
    const { code, err } = await run(release, { doubt: 'it cannot be read' });
    expect(code).toBe(4);
    expect(err).toMatch(/^ha: the daemon cannot be asked: connect ENOTDIR .*\.\n/);
    expect(err).toContain('\nThe default socket was tried because it cannot be read.\n');
  });

  const doubtful = (cause: string) => ({
    code: 4,
    out: '',
    err:
      `ha: the daemon was asked and has not answered: ${cause}.\n` +
      'It may do it all the same: see show ha_reason and its log before you ask again.\n',
  });

  test.each<readonly [string, (socket: Socket) => void, string]>([
    ['leaves', (socket) => socket.destroy(), 'the connection was closed without an answer'],
    [
      'leaves in the middle',
      (socket) => socket.end(http('{"accepted":true', 60)),
      'the connection was closed without an answer',
    ],
    ['answers with no HTTP', (socket) => socket.end('yes\n'), 'what came back is no answer of this version'],
    [
      'answers with no JSON',
      (socket) => socket.end(http('yes\n')),
      'what came back is no answer of this version',
    ],
    [
      'answers with less',
      (socket) => socket.end(http('{"accepted":true}\n')),
      'what came back is no answer of this version',
    ],
    [
      'answers without end',
      (socket) => socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1_000_000)}`),
      'the answer is too long to be one',
    ],
  ])('%s', async (_name, answers, cause) => {
    await strangerThat(answers);
    expect(await run(release)).toEqual(doubtful(cause));
  });

  test('does not answer', async () => {
    await strangerThat(() => {});
    expect(await run(release, { timeoutMs: 200 })).toEqual(doubtful('no answer within 0.2 s'));
  });
});

describe('the socket', () => {
  test('is that of the configuration, however broken the rest of it is', () => {
    const found = (config: unknown) => readControlSocket(configFile(JSON.stringify({ config })));
    expect(found({ control_socket: '/run/other.sock', bfd_sessions: 7 })).toMatchObject({
      path: '/run/other.sock',
      doubt: null,
    });
    expect(found({})).toMatchObject({ path: '/run/xr-aws-ha/control.sock', doubt: null });
    for (const wrong of [7, '', 'ha.sock', '/run/', '/a\0b', `/${'x'.repeat(107)}`]) {
      expect(found({ control_socket: wrong })).toMatchObject({
        path: '/run/xr-aws-ha/control.sock',
        doubt: `control_socket in ${folder}/config.json is not the path of a socket`,
      });
    }
  });

  test('is the default one where there is no configuration to read', () => {
    expect(readControlSocket(configFile('{'))).toMatchObject({
      path: '/run/xr-aws-ha/control.sock',
      doubt: expect.stringMatching(/config\.json cannot be read \(/) as unknown,
    });
  });
});

describe('the command', () => {
  const config = () => configFile(JSON.stringify({ config: { control_socket: socketPath } }));

  test('goes to the daemon and comes back with its answer', async () => {
    await daemonThat({ accepted: true, sentence: 'no takeover begins for 30 min: AWS maintenance' });
    expect(await main('inhibit', '--for', '30m', '--why', 'AWS maintenance', '-c', config())).toEqual({
      code: 0,
      out: 'no takeover begins for 30 min: AWS maintenance\n',
      err: '',
    });
    expect(commands).toEqual([{ kind: 'inhibit', forMs: 1_800_000, why: 'AWS maintenance' }]);
  });

  test('leaves nothing behind where there is no daemon', async () => {
    expect(await main('release', '-c', config())).toMatchObject({ code: 4, out: '' });
    expect(readdirSync(folder)).toEqual(['config.json']);
  });

  test('with a configuration that is not there', async () => {
    const path = join(folder, 'nope.json');
    expect(await main('switchover', '-c', path)).toEqual({
      code: 2,
      out: '',
      err: `ha: ${path}: there is no such file; name the daemon's configuration with -c\n`,
    });
  });

  test('with wrong words', async () => {
    const { code, out, err } = await main('inhibit', '--for', 'ever', '--why', 'x', '-c', config());
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(
      /^ha: --for: 'ever' is not a duration; write it like 90s, 30m, 2h or 1h30m\n\nusage: /,
    );
  });

  test('alone takes its options', async () => {
    const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
    const child = spawn(process.execPath, [
      tsx,
      join(root, 'src/main.ts'),
      'show',
      'ha_state',
      '--for',
      '1h',
    ]);
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    await once(child, 'close');
    expect(child.exitCode).toBe(2);
    expect(err.split('\n')[0]).toBe('xr-aws-ha: show takes no --for');
  });
});
