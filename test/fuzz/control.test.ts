/**
 * Hostile clients of the control socket, and a hostile server for `ha`: any bytes, in any pieces, in crowds, left
 * half-way. Every connection ends, only a whole and valid request becomes a command, and the next operator is
 * served.
 */
import fc from '../support/properties';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ask } from '../../src/control/client';
import type { OperatorCommand } from '../../src/control/commands';
import { readCommand } from '../../src/control/protocol';
import { operatorRequests } from '../../src/control/requests';
import { openControl, type Control } from '../../src/control/server';
import { answerIn, post, RawClient, request } from '../control/client';
import { eventually } from '../support/eventually';
import { allowTime, ensure, runs } from '../support/fuzz';
import {
  byteChanges,
  changeBytes,
  changeJson,
  garbage,
  jsonChanges,
  type ByteChange,
  type Json,
} from '../support/hostile';
import { eventsOf, recordingLogger, type LogRecord } from '../support/logRecords';

allowTime();

const commands: fc.Arbitrary<Json> = fc.oneof(
  fc.record({
    kind: fc.constant('inhibit'),
    forMs: fc.constantFrom<Json>(1_800_000, 1_000, 999, 604_800_000, 604_800_001, 1.5, -1, 1e300),
    why: fc.constantFrom(
      'AWS maintenance',
      '',
      ' ',
      'x'.repeat(200),
      'x'.repeat(201),
      'a\u001b[31m',
      '\u202e',
    ),
  }),
  fc.constantFrom<Json>(
    ...['release', 'switchover', 'cancel', 'preview', 'takeOver'].map((kind) => ({ kind })),
  ),
  fc.record({
    kind: fc.constant('drill'),
    holdMs: fc.constantFrom<Json>(1_000, 999, 3_600_000, 3_600_001, '1'),
  }),
  fc.record({
    kind: fc.constant('schedule'),
    atWallMs: fc.constantFrom<Json>(0, 1.5, -1, 1_767_225_600_000),
  }),
);
const body: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(commands, jsonChanges)
      .map(([command, changes]) => Buffer.from(JSON.stringify(changeJson(command, changes)))),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(commands, byteChanges)
      .map(([command, changes]) => changeBytes(Buffer.from(JSON.stringify(command)), changes)),
  },
  { weight: 1, arbitrary: garbage },
);

/** What the protocol allows, said anew. */
function isCommand(value: unknown): value is OperatorCommand {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { kind, ...more } = value as { [key: string]: unknown };
  const has = (...keys: readonly string[]): boolean =>
    JSON.stringify(Object.keys(more).sort()) === JSON.stringify(keys);
  const isWhole = (number: unknown, from: number, to: number): boolean =>
    Number.isInteger(number) && Number(number) >= from && Number(number) <= to;
  if (typeof kind === 'string' && ['release', 'switchover', 'cancel', 'preview'].includes(kind)) return has();
  if (kind === 'drill') return has('holdMs') && isWhole(more['holdMs'], 1_000, 3_600_000);
  if (kind === 'schedule') return has('atWallMs') && isWhole(more['atWallMs'], 0, 8.64e15);
  const { why } = more;
  return (
    kind === 'inhibit' &&
    has('forMs', 'why') &&
    isWhole(more['forMs'], 1_000, 604_800_000) &&
    typeof why === 'string' &&
    why.trim() !== '' &&
    [...why].length <= 200 &&
    !/[\p{C}\p{Zl}\p{Zp}]/u.test(why)
  );
}

const isOneLine = (text: string): boolean =>
  text !== '' && text.length < 600 && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text);

test('a body is a command exactly where it says one', () => {
  let accepted = 0;
  fc.assert(
    fc.property(body, (bytes) => {
      const read = readCommand(bytes);
      let value: unknown = null;
      try {
        value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
      } catch {
        // No JSON, no command.
      }
      ensure(read.ok === isCommand(value), 'read otherwise', read, bytes.toString('utf8'));
      if (!read.ok) return ensure(isOneLine(read.error), 'an error is a line', read.error);
      accepted += 1;
      expect(read.command).toEqual(value);
    }),
    runs(1_500),
  );
  expect(accepted).toBeGreaterThan(0);
});

describe('the socket', () => {
  const directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-fuzz-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'control.sock');
  let control: Control;
  let records: LogRecord[];
  let submitted: OperatorCommand[];

  beforeEach(async () => {
    submitted = [];
    const logger = recordingLogger();
    records = logger.records;
    const requests = operatorRequests({
      groups: ['default'],
      enqueue: (_, { request: number }) =>
        setImmediate(() => requests.answer({ request: number, accepted: true, sentence: 'done' })),
      stored: () => Promise.resolve(true),
      wallNow: Date.now,
    });
    control = openControl({
      path,
      log: logger.log,
      requestTimeoutMs: 300,
      submit: (command) => {
        submitted.push(command);
        return requests.submit(command);
      },
    });
    await eventually(() => expect(eventsOf(records)).toContain('control-available'));
  });
  afterEach(() => control.close());

  async function servesTheNext(): Promise<void> {
    await eventually(async () =>
      expect(await request(path, '{"kind": "switchover"}')).toEqual({ accepted: true, sentence: 'done' }),
    );
  }

  type Visit = {
    readonly body: Buffer;
    /** What becomes of the request around the body, too. */
    readonly changes: readonly ByteChange[];
    readonly pieces: number;
    readonly after: Buffer;
    readonly leave: 'wait' | 'end' | 'destroy';
  };
  const visit: fc.Arbitrary<Visit> = fc.record({
    body: fc.oneof(
      { weight: 9, arbitrary: body },
      { weight: 1, arbitrary: fc.constant(Buffer.alloc(300_000, 'x')) },
    ),
    changes: fc.oneof(fc.constant([]), byteChanges),
    pieces: fc.constantFrom(1, 1, 2, 7, 50),
    after: fc.oneof(fc.constant(Buffer.alloc(0)), garbage),
    leave: fc.constantFrom('wait', 'wait', 'end', 'destroy'),
  });

  /** Resolves when the connection is closed. */
  async function pay({ body, changes, pieces, after, leave }: Visit): Promise<void> {
    const all = Buffer.concat([changeBytes(post(body), changes), after]);
    const before = submitted.length;
    const client = await RawClient.open(path);
    const size = Math.max(1, Math.ceil(all.length / pieces));
    for (let from = 0; from < all.length; from += size) {
      client.send(all.subarray(from, from + size));
      await nextTurn();
    }
    if (leave === 'end') client.socket.end();
    if (leave === 'destroy') client.socket.destroy();
    const said = await client.rest();
    await client.closed;
    if (leave === 'destroy') return;
    // A client that writes on after the end of its request, which a change may have moved, may lose the answer
    // to the reset that it asks for. One that has written everything at once has nothing more to write.
    const mayWriteOn = all.length > 4_096 || after.length > 0 || (changes.length > 0 && pieces > 1);
    if (said === '') return ensure(mayWriteOn, 'no answer', said, all.toString('latin1'));
    const reply = answerIn(said).body as { [key: string]: unknown };
    const words = reply['error'] ?? reply['sentence'];
    ensure(typeof words === 'string' && isOneLine(words), 'an answer is a line', reply);
    if ('error' in reply) return;
    ensure(submitted.length > before, 'answered what nobody asked', reply);
    if (changes.length === 0) ensure(isCommand(JSON.parse(body.toString('utf8'))), 'no command', body);
  }

  test('ends each connection, whatever it brings', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(visit, { minLength: 1, maxLength: 8 }), async (visits) => {
        submitted.length = 0;
        await Promise.all(visits.map(pay));
        for (const command of submitted) ensure(isCommand(command), 'no command', command);
        ensure(submitted.length <= visits.length, 'one command for each connection', submitted);
        await servesTheNext();
      }),
      runs(8),
    );
    expect(eventsOf(records)).not.toContain('control-failed');
  });

  test('outlasts a crowd that says nothing, or nearly nothing', async () => {
    const crowd = await Promise.all(
      Array.from({ length: 150 }, () => RawClient.open(path).catch(() => null)),
    );
    const clients = crowd.filter((client) => client !== null);
    for (const [index, client] of clients.entries()) if (index % 2 === 0) client.send('{');
    await Promise.all(clients.map(({ closed, ended, socket }) => ended.then(() => (socket.end(), closed))));
    await servesTheNext();
    expect(submitted).toEqual([{ kind: 'switchover' }]);
  });

  test('lets nobody write for ever', async () => {
    const client = await RawClient.open(path);
    const more = Buffer.alloc(64 * 1024, 'x');
    const goOn = (): void => {
      while (!client.socket.destroyed && client.socket.write(more));
    };
    client.socket.on('drain', goOn);
    goOn();
    await client.closed;
    await servesTheNext();
  });
});

describe('ha, asking', () => {
  const directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-fuzz-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'other.sock');
  let server: Server;
  let respond: (socket: Socket) => void = () => {};
  const sockets = new Set<Socket>();
  beforeEach(async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
      socket.on('data', () => respond(socket));
    }).listen(path);
    await once(server, 'listening');
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });

  const answers = fc.constantFrom<Json>({ accepted: true, sentence: 'done' }, { error: 'no' });
  const replyWith = (answer: Json): Buffer => {
    const text = JSON.stringify(answer);
    return Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  };
  const reply = fc.oneof(
    fc
      .tuple(answers, jsonChanges, fc.oneof(fc.constant([]), byteChanges))
      .map(([answer, changes, bytes]) => changeBytes(replyWith(changeJson(answer, changes)), bytes)),
    garbage,
    fc.constant(Buffer.alloc(1_000_000, 'x')),
  );

  test('takes any answer for one of four', async () => {
    await fc.assert(
      fc.asyncProperty(reply, async (bytes) => {
        respond = (socket) => void socket.end(bytes);
        const asked = await ask(path, { kind: 'switchover' }, 5_000);
        switch (asked.outcome) {
          case 'answered':
            return ensure(
              typeof asked.accepted === 'boolean' && typeof asked.sentence === 'string',
              'an answer',
            );
          case 'refused':
            return ensure(typeof asked.error === 'string', 'an error');
          case 'unreachable':
          case 'unanswered':
            return ensure(asked.cause !== '', 'a cause');
        }
      }),
      runs(200),
    );
  });
});
