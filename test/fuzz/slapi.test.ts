/**
 * A hostile router: any bytes in any message of the Service-Layer API. The adapter neither throws nor hangs,
 * what it tells the core is an event of the core's vocabulary, DOWN is told only where the bytes say DOWN, and
 * the core takes over only where a session that was UP was so reported, or did not come back (rule 13).
 */
import fc from '../support/properties';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { z } from 'zod';
import {
  bfdEntry,
  bfdLimits,
  bfdNotice,
  entriesOf,
  hasUnknownStatus,
  keyOf,
} from '../../src/slapi/bfdMessages';
import { startSlapi, type SlapiEvent } from '../../src/slapi/client';
import { outcomeOf } from '../../src/slapi/errors';
import { interfaceNotice } from '../../src/slapi/interfaces';
import { asMessage, messagesIn, protoJson, raw } from '../../src/slapi/message';
import { protos } from '../../src/slapi/protos';
import { session1, session2, slapiSettings } from '../adapters/slapi/rig';
import { Play, started } from '../core/play';
import { planOf } from '../support/coreWorld';
import { eventually } from '../support/eventually';
import { allowTime, ensure, runs } from '../support/fuzz';
import { byteChanges, changeBytes, garbage, type ByteChange } from '../support/hostile';
import { recordingLogger } from '../support/logRecords';
import {
  bfdKey,
  encoded,
  neighbourOf,
  startRawRouter,
  type RawAnswer,
  type StreamName,
} from '../support/rawRouter';
import { notificationSaysDown, tableSaysDown } from '../support/wireReader';

allowTime();

const sessions = [session1, session2];
const generations = ['gen1', 'gen2'] as const;
type Generation = (typeof generations)[number];

// --- What a router may say, before anything is done to it -------------------------------------------

const seqNums = fc.constantFrom<number | string>(0, 1, 2, 3, 1_000_000, '18446744073709551615');
const bfdMessage: fc.Arbitrary<object> = fc.oneof(
  fc
    .record({
      session: fc.constantFrom(...sessions),
      EventType: fc.constantFrom<number>(2, 2, 2, 2, 0, 77),
      Status: fc.constantFrom(0, 1, 1, 2, 3, 99, -1),
      SeqNum: seqNums,
      Diag: fc.constantFrom(0, 1, 5, 99),
    })
    .map(({ session, EventType, ...State }) => ({ EventType, Session: { Key: bfdKey(session), State } })),
  fc
    .constantFrom(0, 1, 2, 0xc, 0x501, 0x6003, 0x7002, 0x123456, -7)
    .map((Status) => ({ EventType: 1, ErrStatus: { Status } })),
);
const interfaceMessage = (generation: Generation): fc.Arbitrary<object> => {
  const info = fc
    .record({
      Name: fc.constantFrom(session1.interfaceName, session2.interfaceName, 'MgmtEth0', ''),
      IfState: fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 99, -1),
      SeqNum: seqNums,
    })
    .map(({ Name, IfState, SeqNum }) => ({ SLIfInfo: { Name }, IfState, SeqNum }));
  const failed = fc
    .tuple(fc.constantFrom(0, 1, 2, 0xc, 0xe006, 0xe007, 0xe008), fc.nat({ max: 4 }))
    .map(([Status, OperationId]) => ({ OperationId, ErrStatus: { Status } }));
  return generation === 'gen1'
    ? fc.oneof(
        info.map((Info) => ({ EventType: 2, Info })),
        failed.map(({ ErrStatus }) => ({ EventType: 1, ErrStatus })),
      )
    : fc.oneof(
        info.map((Info) => ({ Info })),
        fc.array(failed, { maxLength: 3 }).map((Details) => ({ Error: { Details } })),
      );
};
const initMessage: fc.Arbitrary<object> = fc.constantFrom(
  { EventType: 2 },
  { EventType: 3, InitRspMsg: { MajorVer: 0, MinorVer: 4, SubVer: 1 } },
  { EventType: 3, ErrStatus: { Status: 0x503 } },
  { EventType: 1, ErrStatus: { Status: 0xc } },
  { EventType: 1, ErrStatus: { Status: 3 } },
  { EventType: 99 },
);
const tableMessage = fc
  .array(
    fc.record({
      Key: fc.constantFrom(...sessions.map(bfdKey), { Type: 2 }, {}),
      State: fc.record({ SeqNum: seqNums, Status: fc.constantFrom(0, 1, 2, 3, 99) }),
    }),
    { maxLength: 4 },
  )
  .map((Entries) => ({ Entries, Eof: true }));

const isDownFor = (id: string, says: (neighbour: number) => boolean): boolean => {
  const session = sessions.find((each) => each.id === id);
  return session !== undefined && says(neighbourOf(session));
};

// --- One message -----------------------------------------------------------------------------------

const oneMessage = fc.oneof(
  fc.tuple(fc.constant('SLBfdv4GetNotifStream'), bfdMessage),
  fc.tuple(fc.constant('SLBfdv4SessionGet'), tableMessage),
  fc.tuple(fc.constant('SLInterfaceGetNotifStream'), interfaceMessage('gen1')),
  fc.tuple(fc.constant('SLInterfaceNotifStream'), interfaceMessage('gen2')),
  fc.tuple(fc.constant('SLGlobalInitNotif'), initMessage),
);

const methods: { readonly [name: string]: Generation } = { SLInterfaceNotifStream: 'gen2' };

function decode(method: string, bytes: Buffer): object | null {
  const { init, bfd, gen1, gen2 } = protos();
  const all = [
    init,
    ...Object.values(bfd.IPv4),
    ...Object.values(bfd.IPv6),
    ...Object.values(gen1),
    ...Object.values(gen2),
  ];
  try {
    return all.find(({ name }) => name === method)?.decode(bytes) ?? null;
  } catch {
    return null;
  }
}

test('whatever decodes is translated, and read as DOWN only where it says so', () => {
  fc.assert(
    fc.property(oneMessage, byteChanges, ([method, message], changes) => {
      const bytes = changeBytes(encoded(methods[method] ?? 'gen1', method, message), changes);
      const decoded = asMessage(decode(method, bytes));
      if (decoded === null) return;
      ensure(raw(decoded).length < 400, 'it is quoted in short');
      ensure(isJson(protoJson(decoded)), 'it is JSON', decoded);
      ensure(outcomeOf(decoded['ErrStatus']).meaning !== '', 'an error has a meaning');
      bfdLimits(decoded);
      const entries = [
        ...entriesOf(decoded).map((entry) => ({ read: bfdEntry(entry), says: tableSaysDown })),
        { read: bfdNotice(decoded), says: notificationSaysDown },
      ];
      for (const { read, says } of entries) {
        if (read.kind !== 'session' || read.known.level !== 'Down') continue;
        const session = sessions.find((each) => keyOf(each) === read.key);
        if (session === undefined) continue;
        ensure(says(bytes, neighbourOf(session)), 'read as DOWN', decoded, bytes.toString('hex'));
      }
      for (const entry of messagesIn(decoded, 'Entries')) hasUnknownStatus(entry);
      for (const generation of generations) {
        const notice = interfaceNotice(generation, decoded);
        if (notice.kind === 'interface')
          ensure(['Up', 'Down', 'Unknown'].includes(notice.known.level), 'a level', notice.known.level);
      }
    }),
    runs(4_000),
  );
});

// --- A conversation --------------------------------------------------------------------------------

type Spoiled = {
  readonly method: string;
  readonly n: number;
  readonly how: readonly ByteChange[] | Buffer | { readonly status: number } | { readonly count: number };
};
type Written = {
  readonly stream: StreamName;
  readonly message: object;
  readonly changes: readonly ByteChange[];
};
type Case = {
  readonly generation: Generation;
  readonly spoiled: readonly Spoiled[];
  readonly written: readonly Written[];
  readonly gaps: readonly number[];
  readonly leave: 'keep' | 'unregister';
};

const called = {
  gen1: [
    'SLInterfaceGlobalsRegOp',
    'SLInterfaceGlobalsGet',
    'SLInterfaceNotifOp',
    'SLInterfaceGet',
    'SLGlobalInitNotif',
  ],
  gen2: ['SLInterfaceNotifStream', 'SLGlobalInitNotif'],
};
const calledByBoth = [
  'SLBfdv4RegOp',
  'SLBfdv4Get',
  'SLBfdv4SessionOp',
  'SLBfdv4SessionGet',
  'SLBfdv4SessionGet',
];
const streamMethod = {
  init: () => 'SLGlobalInitNotif',
  bfd: () => 'SLBfdv4GetNotifStream',
  interfaces: (generation: Generation) =>
    generation === 'gen1' ? 'SLInterfaceGetNotifStream' : 'SLInterfaceNotifStream',
};

const conversation = (generation: Generation): fc.Arbitrary<Case> =>
  fc.record({
    generation: fc.constant(generation),
    spoiled: fc.array(
      fc.record({
        method: fc.constantFrom(...calledByBoth, ...called[generation]),
        n: fc.nat({ max: 3 }),
        how: fc.oneof(
          { weight: 4, arbitrary: byteChanges },
          { weight: 1, arbitrary: garbage },
          { weight: 1, arbitrary: fc.record({ status: fc.integer({ min: 1, max: 20 }) }) },
          // Many messages without content in one.
          { weight: 2, arbitrary: fc.constantFrom({ count: 5_000 }, { count: 300_000 }) },
        ),
      }),
      { maxLength: 3 },
    ),
    written: fc.array(
      fc
        .oneof(
          fc.tuple(fc.constant('bfd' as const), bfdMessage, byteChanges),
          fc.tuple(fc.constant('interfaces' as const), interfaceMessage(generation), byteChanges),
          fc.tuple(fc.constant('init' as const), initMessage, byteChanges),
        )
        .map(([stream, message, changes]) => ({ stream, message, changes })),
      { maxLength: 8 },
    ),
    gaps: fc.array(fc.constantFrom(1, 50, 6_000, 11_000), { minLength: 12, maxLength: 12 }),
    leave: fc.constantFrom('keep', 'unregister'),
  });

/** Field 3 is the repeated one in the tables, 2 in the answers to operations. */
const manyEmpty = (valid: Buffer, count: number, method: string): Buffer =>
  Buffer.concat([
    valid,
    Buffer.alloc(count * 2, Buffer.from([method.endsWith('Get') ? 0x1a : 0x12, 0])),
    valid,
  ]);

function spoil({ how, method }: Spoiled, valid: Buffer): RawAnswer {
  if (Buffer.isBuffer(how)) return how;
  if ('status' in how) return how;
  return 'count' in how ? manyEmpty(valid, how.count, method) : changeBytes(valid, how);
}

/** Runs the case until everything in it has been said twice and answered. */
async function converse(
  { generation, spoiled, written, leave }: Case,
  onAnswer: (method: string, bytes: Buffer) => void,
): Promise<readonly SlapiEvent[]> {
  const events: SlapiEvent[] = [];
  const { log, records } = recordingLogger();
  const router = await startRawRouter({
    generation,
    sessions,
    say: (method, n, valid) => {
      const first = spoiled.find((each) => each.method === method && each.n === n);
      const answer = first === undefined ? valid : spoil(first, valid);
      // What has no content says nothing.
      const isPadded = first !== undefined && 'count' in first.how;
      if (Buffer.isBuffer(answer)) onAnswer(method, isPadded ? valid : answer);
      return answer;
    },
  });
  const slapi = startSlapi({
    settings: slapiSettings(router.target, { retryIntervalMs: 20 }),
    log,
    emit: (event) => void events.push(event),
    now: () => performance.now(),
    operationTimeoutMs: 300,
    firstReportMs: 5,
    heartbeatPatienceMs: 500,
    retakeDelayMs: { min: 1, max: 2 },
  });
  const count = (...types: readonly SlapiEvent['type'][]) =>
    events.filter(({ type }) => types.includes(type)).length;
  const last = (...types: readonly SlapiEvent['type'][]) =>
    events.findLastIndex(({ type }) => types.includes(type));
  const isAttached = () => last('streamsSynchronized') > last('streamsLost', 'controlLost');
  const until = (what: string, holds: () => boolean) =>
    eventually(() => ensure(holds(), what, events, records));

  try {
    await speak();
    return events;
  } finally {
    await slapi.close(leave);
    router.close();
  }

  async function speak() {
    await until('something is told', () => count('streamsSynchronized', 'streamsLost', 'controlLost') > 0);
    if (count('streamsSynchronized') > 0) {
      for (const { stream, message, changes } of written) {
        const method = streamMethod[stream](generation);
        const bytes = changeBytes(encoded(generation, method, message), changes);
        onAnswer(method, bytes);
        router.write(stream, bytes);
      }
      const readings = await slapi.askInterfaces([session1.interfaceName, session2.interfaceName], 40);
      for (const { level } of readings)
        ensure(['Up', 'Down', 'Unknown'].includes(level), 'a level', readings);
      router.end();
      await until('the loss is told', () => count('streamsLost', 'controlLost') > 0);
    }
    const attachments = router.attachments();
    await until('it attaches again', () => isAttached() || router.attachments() > attachments + 1);
  }
}

const name = z.enum([session1.interfaceName, session2.interfaceName]);
const id = z.enum([session1.id, session2.id]);
const interfaceLevel = z.enum(['Up', 'Down', 'Unknown']);
// It becomes a part of what operators read.
const oneLine = z
  .string()
  .min(1)
  .max(600)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u);
const sessionLevel = z.enum(['Up', 'Down', 'Unknown', 'Unconfigured']);
const json = z.custom<object>((value) => typeof value === 'object' && value !== null && isJson(value));
const slapiEvent = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('streamsSynchronized'),
    generation: z.enum(generations),
    answersAboutInterfaces: z.boolean(),
    sessions: z
      .array(
        z.strictObject({
          session: id,
          level: sessionLevel,
          survived: z.boolean(),
          refused: z.boolean(),
          notification: json.nullable(),
        }),
      )
      .length(2),
    interfaces: z.array(z.strictObject({ interfaceName: name, level: interfaceLevel })).length(2),
  }),
  z.strictObject({ type: z.literal('streamsLost'), cause: oneLine }),
  z.strictObject({ type: z.literal('controlLost'), cause: oneLine }),
  z.strictObject({
    type: z.literal('bfdSessionChanged'),
    session: id,
    level: sessionLevel,
    diag: z.string().max(60),
    receivedAt: z.number().positive(),
    notification: json,
  }),
  z.strictObject({
    type: z.literal('interfaceChanged'),
    interfaceName: name,
    level: interfaceLevel,
    receivedAt: z.number().positive(),
    notification: json,
  }),
]);

function isJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  return typeof value === 'object' && Object.values(value).every(isJson);
}

const plan = planOf({
  sessions: sessions.map(({ id, peerAddress, interfaceName }) => ({
    id,
    peerAddress,
    interfaceName,
    txIntervalMs: 50,
    detectionTimeMs: 150,
  })),
});

/** A STANDBY that hears all this. Fails where it takes over for no reason that the router gave. */
function playToStandby(events: readonly SlapiEvent[], gaps: readonly number[]): void {
  const play = new Play(plan);
  play.at(0, started());
  play.at(10, play.observed('peer'));
  const wasUp = new Set<string>();
  const isFresh = new Set<string>();
  const isDown = new Set<string>();
  const hears = (session: string, level: string) => {
    if (level === 'Up') wasUp.add(session);
    if (level === 'Down') isDown.add(session);
    else isDown.delete(session);
  };
  let judged = 0;
  const check = () => {
    if (play.all('sendCall').length === 0) return;
    const { reasons } = play;
    play.forget();
    const { attempt } = play.state;
    // What has begun is driven to its end, whatever is heard meanwhile.
    if (attempt === null || attempt.number === judged || attempt.purpose !== 'takeover') return;
    judged = attempt.number;
    const causes = attempt.sessions;
    ensure(causes.length > 0, 'a takeover has a cause', reasons);
    for (const cause of causes) {
      ensure(wasUp.has(cause), 'a session that was never UP', cause, reasons, events);
      ensure(isDown.has(cause) || isFresh.has(cause), 'a session that is not DOWN', cause, reasons, events);
    }
  };
  for (const [index, event] of events.entries()) {
    play.until(play.now + (gaps[index % gaps.length] ?? 1));
    check();
    if (event.type === 'bfdSessionChanged') hears(event.session, event.level);
    if (event.type === 'streamsLost' || event.type === 'controlLost') isDown.clear();
    if (event.type === 'streamsSynchronized') {
      for (const { session, level, survived } of event.sessions) {
        hears(session, level);
        if (survived) isFresh.delete(session);
        else isFresh.add(session);
      }
    }
    play.at(play.now, event);
    check();
  }
  play.until(play.now + 60_000);
  check();
}

async function judge(one: Case): Promise<readonly SlapiEvent[]> {
  const saidDown = new Set<string>();
  const events = await converse(one, (method, bytes) => {
    for (const { id } of sessions) {
      const says = method === 'SLBfdv4SessionGet' ? tableSaysDown : notificationSaysDown;
      if (isDownFor(id, (neighbour) => says(bytes, neighbour))) saidDown.add(id);
    }
  });
  for (const event of events) {
    const parsed = slapiEvent.safeParse(event);
    ensure(parsed.success, 'no event of the core', event, parsed.error?.message);
    if (event.type === 'bfdSessionChanged' && event.level === 'Down')
      ensure(saidDown.has(event.session), 'nobody said DOWN', event, events);
    if (event.type !== 'streamsSynchronized') continue;
    for (const { session, level } of event.sessions)
      ensure(level !== 'Down' || saidDown.has(session), 'nobody said DOWN', event, events);
  }
  playToStandby(events, one.gaps);
  return events;
}

test.each(generations)('a router of %s that says anything', async (generation) => {
  let synchronized = 0;
  await fc.assert(
    // Several at a time: most of it is waiting.
    fc.asyncProperty(fc.array(conversation(generation), { minLength: 6, maxLength: 6 }), async (all) => {
      const told = await Promise.all(all.map(judge));
      synchronized += told.flat().filter(({ type }) => type === 'streamsSynchronized').length;
    }),
    // Making a failure smaller would take minutes: what hangs waits for its deadline each time.
    { ...runs(6), endOnFailure: true },
  );
  // Else nothing of what came after would have been tried.
  expect(synchronized).toBeGreaterThan(0);
});

test('a table of BFD sessions that is far longer than was asked for', async () => {
  const padded: Spoiled = { method: 'SLBfdv4SessionGet', n: 0, how: { count: 300_000 } };
  const base = { spoiled: [padded], written: [], gaps: [1], leave: 'keep' } as const;
  const [first] = await converse({ generation: 'gen1', ...base }, () => {});
  expect(first).toMatchObject({
    type: 'streamsSynchronized',
    sessions: sessions.map(({ id }) => ({ session: id, level: 'Up', survived: true })),
  });
});

test('what answers there does not even speak HTTP/2', async () => {
  const sockets = new Set<Socket>();
  let says: Buffer = Buffer.alloc(0);
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.write(says);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  // An empty SETTINGS frame is a good beginning.
  const settingsFrame = Buffer.from('000000040000000000', 'hex');
  const speech = fc.oneof(
    garbage,
    fc
      .tuple(byteChanges, garbage)
      .map(([changes, rest]) => Buffer.concat([changeBytes(settingsFrame, changes), rest])),
    garbage.map((rest) => Buffer.concat([settingsFrame, rest])),
  );
  await fc.assert(
    fc.asyncProperty(speech, async (bytes) => {
      says = bytes;
      const events: SlapiEvent[] = [];
      const { log } = recordingLogger();
      const slapi = startSlapi({
        settings: slapiSettings(`127.0.0.1:${port}`, { retryIntervalMs: 20 }),
        log,
        emit: (event) => void events.push(event),
        now: () => performance.now(),
        operationTimeoutMs: 50,
      });
      await eventually(() => ensure(events.length > 0, 'the loss is told', bytes.toString('hex')));
      expect(events).toEqual([{ type: 'streamsLost', cause: expect.any(String) as unknown }]);
      expect(slapiEvent.safeParse(events[0]).error).toBeUndefined();
      await slapi.close('unregister');
      for (const socket of sockets) socket.destroy();
    }),
    runs(40),
  );
  server.close();
});
