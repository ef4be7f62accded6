import fc from '../support/properties';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { OperatorAnswer, OperatorCommand } from '../../src/control/commands';
import { openControl, type Control, type ControlTiming } from '../../src/control/server';
import { eventually } from '../support/eventually';
import { eventsOf, recordingLogger, type LogRecord } from '../support/logRecords';
import { answerIn, post, RawClient, request } from './client';

jest.setTimeout(120_000);

const inhibit = { kind: 'inhibit', forMs: 1_800_000, why: 'AWS maintenance' } as const;
const yes: OperatorAnswer = { accepted: true, sentence: 'as you say' };

let folder: string;
let path: string;
let controls: Control[];
let clients: RawClient[];
let commands: OperatorCommand[];
let children: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'control-'));
  path = join(folder, 'ha', 'control.sock');
  controls = [];
  clients = [];
  commands = [];
  children = [];
});

afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  await Promise.all(controls.map((control) => control.close()));
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

type Opened = { readonly control: Control; readonly records: LogRecord[] };

function begin({
  at = path,
  submit = () => Promise.resolve(yes),
  ...timing
}: {
  readonly at?: string;
  readonly submit?: (command: OperatorCommand) => Promise<OperatorAnswer>;
} & Partial<ControlTiming> = {}): Opened {
  const { log, records } = recordingLogger();
  const control = openControl({
    path: at,
    log,
    submit: (command) => {
      commands.push(command);
      return submit(command);
    },
    ...timing,
  });
  controls.push(control);
  return { control, records };
}

async function opened(options: Parameters<typeof begin>[0] = {}): Promise<Opened> {
  const { control, records } = begin(options);
  await eventually(() => expect(eventsOf(records)).toEqual(['control-available']));
  return { control, records };
}

async function client(): Promise<RawClient> {
  const opened = await RawClient.open(path);
  clients.push(opened);
  return opened;
}

const text = (value: unknown) => JSON.stringify(value);
const saidBy = async (raw: RawClient) => answerIn(await raw.rest()).body;
const permissions = (name: string) => statSync(name).mode & 0o7777;

describe('a request', () => {
  test.each<OperatorCommand>([inhibit, { kind: 'release' }, { kind: 'switchover' }])(
    '$kind is submitted and answered',
    async (command) => {
      await opened();
      expect(await request(path, text(command))).toEqual(yes);
      expect(commands).toEqual([command]);
    },
  );

  test('for a switchover may call it give, as an older ha does', async () => {
    await opened();
    expect(await request(path, text({ kind: 'give', group: 'north' }))).toEqual(yes);
    expect(commands).toEqual([{ kind: 'switchover', group: 'north' }]);
  });

  test('may be declined', async () => {
    const no = { accepted: false, sentence: 'the peer is not UP' };
    await opened({ submit: () => Promise.resolve(no) });
    expect(await request(path, text({ kind: 'switchover' }))).toEqual(no);
  });

  test('may come in pieces, cut within a character', async () => {
    await opened();
    const bytes = post(text({ ...inhibit, why: 'naïve' }));
    const cut = bytes.indexOf(0xaf);
    const raw = await client();
    raw.send(bytes.subarray(0, cut));
    // The server is in this process: once through the event loop, and it has read what was sent.
    for (let turn = 0; turn < 3; turn += 1) await setImmediate();
    raw.send(bytes.subarray(cut));
    expect(await saidBy(raw)).toEqual(yes);
    expect(commands).toEqual([{ ...inhibit, why: 'naïve' }]);
  });

  test('of a client that sends nothing more is answered', async () => {
    let settle: (answer: OperatorAnswer) => void = () => {};
    await opened({ submit: () => new Promise((resolve) => (settle = resolve)) });
    const raw = await client();
    raw.socket.end(post(text(inhibit)));
    await eventually(() => expect(commands).toHaveLength(1));
    settle(yes);
    expect(await saidBy(raw)).toEqual(yes);
  });

  test('of a client that does not wait for the answer is carried out and troubles nobody', async () => {
    let settle: (answer: OperatorAnswer) => void = () => {};
    await opened({ submit: () => new Promise((resolve) => (settle = resolve)) });
    const raw = await client();
    raw.send(post(text(inhibit)));
    await eventually(() => expect(commands).toHaveLength(1));
    raw.socket.destroy();
    await raw.closed;
    settle(yes);
    const next = request(path, text({ kind: 'release' }));
    await eventually(() => expect(commands).toHaveLength(2));
    settle(yes);
    expect(await next).toEqual(yes);
  });

  test('is one to a connection: what follows it is not read', async () => {
    await opened();
    const raw = await client();
    raw.send(Buffer.concat([post(text({ kind: 'release' })), post(text({ kind: 'switchover' }))]));
    expect(await saidBy(raw)).toEqual(yes);
    expect(commands).toEqual([{ kind: 'release' }]);
  });

  test('over which `submit` fails is answered, and logged', async () => {
    const { records } = await opened({ submit: () => Promise.reject(new Error('a bug')) });
    expect(await request(path, text({ kind: 'switchover' }))).toEqual({
      error: 'the daemon failed over this request; its log says how',
    });
    expect(records.at(-1)).toMatchObject({ event: 'control-failed', kind: 'switchover' });
  });
});

describe('a bad request gets one clear line and is not submitted', () => {
  const forMs =
    'the request is not right, forMs: write a whole number of milliseconds from 1000 to 604800000';
  const kind =
    'the request is not right, kind: write an object with the kind "inhibit", "release", "switchover", "schedule", "cancel", "preview" or "drill"';
  const unprintable = 'the request is not right, why: holds a character that cannot be printed on one line';
  test.each<readonly [string, string | Buffer, string]>([
    ['nothing', '', 'the request is not JSON'],
    ['garbage', '{"kind": "switchover"', 'the request is not JSON'],
    ['bytes that are no text', Buffer.from([0x22, 0xff, 0x22]), 'the request is not UTF-8'],
    [
      'a list',
      text([]),
      'the request is not right: write an object with the kind "inhibit", "release", "switchover", "schedule", "cancel", "preview" or "drill"',
    ],
    ['no kind', text({}), kind],
    ['another kind', text({ kind: 'reboot' }), kind],
    [
      'a key too many',
      text({ kind: 'switchover', now: 1 }),
      'the request is not right: Unrecognized key: "now"',
    ],
    ['no duration', text({ kind: 'inhibit', why: 'x' }), forMs],
    ['a short one', text({ ...inhibit, forMs: 999 }), forMs],
    ['a long one', text({ ...inhibit, forMs: 604_800_001 }), forMs],
    ['a fraction', text({ ...inhibit, forMs: 1000.5 }), forMs],
    ['no reason', text({ kind: 'inhibit', forMs: 1000 }), 'the request is not right, why: write a text'],
    ['a blank reason', text({ ...inhibit, why: ' ' }), 'the request is not right, why: is empty'],
    [
      'a long reason',
      text({ ...inhibit, why: 'x'.repeat(201) }),
      'the request is not right, why: has 201 characters; it may have 200',
    ],
    ['a line break in the reason', text({ ...inhibit, why: 'a\nb' }), unprintable],
    ['a terminal sequence in the reason', text({ ...inhibit, why: '\u001b[2J' }), unprintable],
    ['a turn of direction in the reason', text({ ...inhibit, why: 'a\u202eb' }), unprintable],
    ['half a character in the reason', '{"kind":"inhibit","forMs":1000,"why":"\\ud800"}\n', unprintable],
  ])('%s', async (_name, bytes, error) => {
    await opened();
    expect(await request(path, bytes)).toEqual({ error });
    expect(commands).toEqual([]);
  });

  test('the longest reason and durations are taken', async () => {
    await opened();
    for (const command of [
      { ...inhibit, why: '\u{1f310}'.repeat(200), forMs: 1000 },
      { ...inhibit, forMs: 604_800_000 },
    ]) {
      expect(await request(path, text(command))).toEqual(yes);
    }
  });

  test('longer than 4096 bytes, and much longer', async () => {
    await opened();
    const error = 'the request is longer than 4096 bytes';
    expect(await request(path, 'x'.repeat(4097))).toEqual({ error });
    expect(await request(path, 'x'.repeat(4096))).toEqual({ error: 'the request is not JSON' });
    const endless = await client();
    endless.send(post(Buffer.alloc(4 * 1024 * 1024, 'x')));
    expect(await saidBy(endless)).toEqual({ error });
    await endless.closed;
  });

  test.each<readonly [string, string | Buffer, number, string]>([
    ['in the headers', 'POST /command HT', 400, 'the request is cut off'],
    ['in the body', post('{"kind":"switchover"}').subarray(0, -1), 400, 'the request is cut off'],
    [
      'before it begins, by a client of the old protocol',
      '{"kind":"switchover"}\n',
      400,
      'the request is not HTTP',
    ],
    ['by a null byte', '\0', 400, 'the request is not HTTP'],
    [
      'by headers without end',
      `POST /command HTTP/1.1\r\n${'a: b\r\n'.repeat(10_000)}`,
      431,
      'the headers of the request are longer than 8192 bytes',
    ],
    [
      'by a path that is none',
      'GET / HTTP/1.1\r\nhost: x\r\n\r\n',
      404,
      'there is no such request here; there is POST /command, GET /progress',
    ],
    [
      'by another method',
      'DELETE /command HTTP/1.1\r\nhost: x\r\n\r\n',
      404,
      'there is no such request here; there is POST /command, GET /progress',
    ],
  ])('spoilt %s', async (_name, bytes, status, error) => {
    await opened();
    const raw = await client();
    raw.socket.end(bytes);
    expect(answerIn(await raw.rest())).toEqual({ status, body: { error } });
    await raw.closed;
    expect(commands).toEqual([]);
  });

  test('too slow: the time is for the whole request, not for each byte', async () => {
    await opened({ requestTimeoutMs: 300 });
    const raw = await client();
    raw.send('POST /command HTTP/1.1\r\nhost: x\r\ncontent-length: 4096\r\n\r\n');
    const drip = setInterval(() => raw.send(' '), 20);
    try {
      expect(await saidBy(raw)).toEqual({ error: 'the request has not come within 0.3 s' });
    } finally {
      clearInterval(drip);
    }
    await raw.closed;
  });

  test('any bytes at all', async () => {
    await opened();
    const anyLine = fc.oneof(
      fc.uint8Array({ maxLength: 5000 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc.string({ unit: 'binary' }).map((why) => Buffer.from(JSON.stringify({ ...inhibit, why }))),
    );
    await fc.assert(
      fc.asyncProperty(anyLine, async (bytes) => {
        const before = commands.length;
        const answer = await request(path, Buffer.concat([bytes, Buffer.from('\n')]));
        if (commands.length > before) {
          expect(answer).toEqual(yes);
          expect(commands.at(-1)).toMatchObject({
            kind: 'inhibit',
            why: expect.stringMatching(/^\P{C}+$/u) as unknown,
          });
        } else {
          expect(answer).toEqual({ error: expect.stringMatching(/^the request \P{C}+$/u) as unknown });
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('many connections', () => {
  /** Nobody is sent away for being slow. */
  const patient = { requestTimeoutMs: 3_600_000 };

  test('the seventeenth is told to come again; one that ends makes room', async () => {
    await opened(patient);
    const idle = await Promise.all(Array.from({ length: 16 }, () => client()));
    // They are accepted in the order in which they were made.
    expect(await request(path, text(inhibit))).toEqual({
      error: 'the daemon has 16 requests open already; try again in a moment',
    });
    expect(commands).toEqual([]);
    idle[0]?.socket.destroy();
    await eventually(async () => expect(await request(path, text(inhibit))).toEqual(yes));
  });

  test('of a crowd that never leaves no more than sixteen are heard, the others let go', async () => {
    await opened(patient);
    const crowd = await Promise.all(Array.from({ length: 80 }, () => client()));
    let over = 0;
    for (const { ended } of crowd) void ended.then(() => (over += 1));
    await eventually(() => expect(over).toBe(64));
    const said = crowd.map(({ text }) => text);
    expect(said.slice(0, 16)).toEqual(Array(16).fill(''));
    expect(said.filter((text) => text.includes('try again')).length).toBeGreaterThanOrEqual(16);
    for (const { socket } of crowd) socket.destroy();
    await eventually(async () => expect(await request(path, text(inhibit))).toEqual(yes));
  });
});

describe('the socket', () => {
  test('and a directory made for it are for the user alone; nothing else lies there', async () => {
    path = join(folder, 'a', 'b', 'control.sock');
    await opened();
    expect(permissions(path)).toBe(0o600);
    expect([permissions(join(folder, 'a')), permissions(join(folder, 'a', 'b'))]).toEqual([0o700, 0o700]);
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['control.sock']);
  });

  test('a directory that is there stays as it is; one like /tmp will do', async () => {
    mkdirSync(join(folder, 'ha'));
    chmodSync(join(folder, 'ha'), 0o1777);
    await opened();
    expect(permissions(join(folder, 'ha'))).toBe(0o1777);
    expect(permissions(path)).toBe(0o600);
  });

  test('is made within its directory', async () => {
    mkdirSync(join(folder, 'ha'));
    const touched: (string | null)[] = [];
    const watcher = watch(folder, (_kind, name) => touched.push(name));
    try {
      await opened();
      writeFileSync(join(folder, 'afterwards'), '');
      await eventually(() => expect(touched).toContain('afterwards'));
    } finally {
      watcher.close();
    }
    expect([...new Set(touched)].sort()).toEqual(['afterwards']);
  });

  test('may have the longest path that there is', async () => {
    path = join(folder, 'd'.repeat(107 - 13 - 1 - Buffer.byteLength(folder)), 'control.sock');
    expect(Buffer.byteLength(path)).toBe(107);
    await opened();
    expect(await request(path, text(inhibit))).toEqual(yes);
    expect(lstatSync(path).isSocket()).toBe(true);
  });

  test('that a dead daemon left is replaced', async () => {
    mkdirSync(join(folder, 'ha'));
    await leaveSocket(path);
    const { records } = await opened();
    expect(await request(path, text(inhibit))).toEqual(yes);
    expect(eventsOf(records)).toEqual(['control-available']);
    expect(permissions(path)).toBe(0o600);
  });

  test('of a living daemon is not taken away; it goes over when that one ends', async () => {
    const first = await opened({ submit: () => Promise.resolve({ accepted: true, sentence: 'first' }) });
    const second = begin({ submit: () => Promise.resolve({ accepted: true, sentence: 'second' }) });
    await eventually(() => expect(second.records).toHaveLength(1));
    expect(second.records).toMatchObject([
      {
        level: 50,
        event: 'control-unavailable',
        path,
        code: 'EADDRINUSE',
        cause: `another process listens on ${path}`,
        reason: 'stop the other daemon, or give each its own control_socket',
      },
    ]);
    expect(await request(path, text(inhibit))).toMatchObject({ sentence: 'first' });
    expect(first.records).toHaveLength(1);
    await first.control.close();
    await eventually(() =>
      expect(eventsOf(second.records)).toEqual(['control-unavailable', 'control-available']),
    );
    expect(await request(path, text(inhibit))).toMatchObject({ sentence: 'second' });
  });

  test('that goes to another daemon all the same is left to it at the end', async () => {
    const first = await opened({ checkIntervalMs: 3_600_000 });
    rmSync(path);
    await opened({ submit: () => Promise.resolve({ accepted: true, sentence: 'second' }) });
    await first.control.close();
    expect(await request(path, text(inhibit))).toMatchObject({ sentence: 'second' });
  });

  test('that somebody removes is made anew', async () => {
    const { records } = await opened({ checkIntervalMs: 20 });
    rmSync(path);
    await eventually(() =>
      expect(eventsOf(records)).toEqual(['control-available', 'control-unavailable', 'control-available']),
    );
    expect(records[1]).toMatchObject({ code: 'ENOENT', cause: `${path} has been removed or replaced` });
    expect(await request(path, text(inhibit))).toEqual(yes);
  });

  test('in the place of which there is a file is refused, and the file kept', async () => {
    mkdirSync(join(folder, 'ha'));
    writeFileSync(path, 'mine');
    const { records } = begin();
    await eventually(() => expect(records).toHaveLength(1));
    expect(records[0]).toMatchObject({
      code: 'EEXIST',
      cause: `${path} is there and is no socket`,
      reason: 'remove it, or set control_socket to another path',
    });
    expect(readdirSync(join(folder, 'ha'))).toEqual(['control.sock']);
    renameSync(path, `${path}.mine`);
    await eventually(() => expect(eventsOf(records)).toEqual(['control-unavailable', 'control-available']));
  });

  test('is not made through a link that somebody left', async () => {
    mkdirSync(join(folder, 'ha'));
    symlinkSync(join(folder, 'elsewhere'), path);
    const { records } = begin();
    await eventually(() => expect(records).toMatchObject([{ code: 'EEXIST' }]));
    expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
  });

  test.each([0o777, 0o775])('is not made where others may put theirs: mode %o', async (mode) => {
    mkdirSync(join(folder, 'ha'));
    chmodSync(join(folder, 'ha'), mode);
    const { records } = begin();
    await eventually(() => expect(records).toHaveLength(1));
    expect(records[0]).toMatchObject({
      code: 'EPERM',
      cause: `others may write to ${folder}/ha`,
      reason: `chmod go-w ${folder}/ha, or set control_socket to a path in a directory of its own`,
    });
    expect(existsSync(path)).toBe(false);
    chmodSync(join(folder, 'ha'), 0o755);
    await eventually(() => expect(eventsOf(records)).toEqual(['control-unavailable', 'control-available']));
  });

  test('that cannot be had is one record for all tries, and had when it can be', async () => {
    writeFileSync(join(folder, 'ha'), 'in the way');
    const { records } = begin();
    await eventually(() => expect(records).toHaveLength(1));
    expect(records[0]).toMatchObject({
      level: 50,
      event: 'control-unavailable',
      code: 'ENOTDIR',
      cause: expect.stringContaining('not a directory') as unknown,
      reason: `make ${folder}/ha a directory that the daemon can write to, or set control_socket to a path in one`,
    });
    rmSync(join(folder, 'ha'));
    await eventually(() =>
      expect(records).toMatchObject([{}, { level: 30, event: 'control-available', path }]),
    );
    expect(await request(path, text(inhibit))).toEqual(yes);
  });

  test.each([
    ['where no directory can be made', '/proc/xr-aws-ha/control.sock', 'ENOENT'],
    ['on a path that is too long', `/tmp/${'d'.repeat(110)}`, 'ENAMETOOLONG'],
  ])('%s is refused without end or harm', async (_name, at, code) => {
    const { records } = begin({ at });
    await eventually(() => expect(records).toMatchObject([{ event: 'control-unavailable', code, path: at }]));
  });
});

describe('at the end', () => {
  test('the socket is gone, and so is what was begun with it', async () => {
    const { control } = await opened();
    await control.close();
    expect(readdirSync(join(folder, 'ha'))).toEqual([]);
    await expect(RawClient.open(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('who has not asked yet is told so, and an answer under way gets out', async () => {
    let settle: (answer: OperatorAnswer) => void = () => {};
    const { control } = await opened({ submit: () => new Promise((resolve) => (settle = resolve)) });
    const [silent, waiting] = [await client(), await client()];
    waiting.send(post(text(inhibit)));
    await eventually(() => expect(commands).toHaveLength(1));
    const closed = control.close();
    settle(yes);
    expect(await saidBy(waiting)).toEqual(yes);
    expect(await saidBy(silent)).toEqual({ error: 'the daemon is stopping' });
    await closed;
  });

  test('a command without an answer and a client that never leaves do not hold it up', async () => {
    const { control } = await opened({ submit: () => new Promise(() => {}) });
    const raw = await client();
    raw.send(post(text(inhibit)));
    await eventually(() => expect(commands).toHaveLength(1));
    await control.close();
    await raw.ended;
    expect(raw.text).toBe('');
  });

  test('closing at once leaves nothing behind', async () => {
    const { control } = begin();
    await control.close();
    expect(existsSync(path)).toBe(false);
  });
});

/** A socket whose process was killed. */
async function leaveSocket(at: string): Promise<void> {
  const script = `require('node:net').createServer().listen(${JSON.stringify(at)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(lstatSync(at).isSocket()).toBe(true);
}
