/**
 * A router that says byte for byte what a test wants: the Service-Layer API over real gRPC, with valid answers
 * of which the test may change any, and streams into which it may write whatever it likes.
 */
import { status, type ServerDuplexStream, type ServiceDefinition, type sendUnaryData } from '@grpc/grpc-js';
import { listen, type Listening, type Service } from '../../lab/slapi-sim/server';
import { services, type Generation } from '../../lab/slapi-sim/wire';
import type { BfdSessionSettings } from '../../src/config/settings';

export type StreamName = 'init' | 'bfd' | 'interfaces';

/** `bytes` of an answer, or a gRPC status to fail with. */
export type RawAnswer = Buffer | { readonly status: number };

export type RawRouterOptions = {
  readonly generation: Generation;
  readonly sessions: readonly BfdSessionSettings[];
  /** What goes out for the n-th time (from 0) that the method is called, or that the stream first writes. */
  readonly say: (method: string, n: number, valid: Buffer) => RawAnswer;
};

export type RawRouter = {
  readonly target: string;
  /** How often a client has opened the init stream. */
  attachments(): number;
  write(stream: StreamName, bytes: Buffer): void;
  /** Ends all open streams in good order. */
  end(): void;
  close(): void;
};

/** Percent-encoded on the wire, so that anything may stand in it. */
const DETAILS = `no\u001b[31m\r\n\u202e\u0000${'o'.repeat(2_000)}`;

type Stream = Pick<ServerDuplexStream<object, object>, 'write' | 'end' | 'emit' | 'on'>;

export const neighbourOf = ({ peerAddress }: BfdSessionSettings): number =>
  peerAddress.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);

export const bfdKey = (session: BfdSessionSettings): object => ({
  Type: 'SL_BFD_SINGLE_HOP',
  VrfName: session.vrfName,
  NbrAddr: neighbourOf(session),
  Interface: { Name: session.interfaceName },
});

/** Encodes with the router's own side of the .proto files. */
export function encoded(generation: Generation, method: string, message: object): Buffer {
  const all = Object.values(services(generation));
  const definition = all.map((service) => service[method]).find((found) => found !== undefined);
  if (definition === undefined) throw new Error(`no ${method}`);
  return definition.responseSerialize(message);
}

export async function startRawRouter(options: RawRouterOptions): Promise<RawRouter> {
  const { generation, sessions, say } = options;
  const open = new Map<StreamName, Set<Stream>>();
  const calls = new Map<string, number>();
  let attachments = 0;

  const next = (method: string, message: object): RawAnswer => {
    const n = calls.get(method) ?? 0;
    calls.set(method, n + 1);
    return say(method, n, encoded(generation, method, message));
  };
  const unary =
    (method: string, message: (request: object) => object) =>
    ({ request }: { readonly request: object }, answer: sendUnaryData<object>) => {
      const said = next(method, message(request));
      if (Buffer.isBuffer(said)) answer(null, said);
      else answer({ code: said.status, details: 'no' });
    };
  const streaming = (name: StreamName, method: string, messages: readonly object[]) => (call: Stream) => {
    if (name === 'init') attachments += 1;
    const streams = open.get(name) ?? new Set();
    open.set(name, streams.add(call));
    call.on('cancelled', () => streams.delete(call));
    call.on('error', () => streams.delete(call));
    // Of the newer generation's requests nothing is wanted, but they have to be read.
    call.on('data', () => {});
    for (const message of messages) {
      const said = next(method, message);
      if (Buffer.isBuffer(said)) call.write(said);
      else call.emit('error', { code: said.status, details: DETAILS });
    }
  };

  const interfaces = [...new Set(sessions.map(({ interfaceName }) => interfaceName))];
  const entries = sessions.map((session, index) => ({
    Key: bfdKey(session),
    Config: { DesiredTxIntUsec: 50_000, DetectMultiplier: 3 },
    State: { SeqNum: index + 1, Status: 'SL_BFD_SESSION_UP' },
  }));
  const info = (Name: string, SeqNum: number) => ({ SLIfInfo: { Name }, IfState: 'SL_IF_STATE_UP', SeqNum });
  const all = services(generation);
  const implementations: readonly Service[] = [
    service(all.global, {
      SLGlobalInitNotif: streaming('init', 'SLGlobalInitNotif', [
        {
          EventType: 'SL_GLOBAL_EVENT_TYPE_VERSION',
          InitRspMsg: { MajorVer: 0, MinorVer: generation === 'gen1' ? 4 : 12, SubVer: 1 },
        },
        { EventType: 'SL_GLOBAL_EVENT_TYPE_HEARTBEAT' },
      ]),
    }),
    service(all.bfd, {
      SLBfdv4RegOp: unary('SLBfdv4RegOp', () => ({})),
      SLBfdv4Get: unary('SLBfdv4Get', () => ({
        MaxBfdSessionCfgPerSLBfdMsg: 10,
        MinBfdTxIntervalSingleHop: 3,
        MinBfdDetectMultiplierSingleHop: 2,
      })),
      SLBfdv4SessionOp: unary('SLBfdv4SessionOp', () => ({
        Results: sessions.map((session) => ({ Key: bfdKey(session) })),
      })),
      SLBfdv4SessionGet: unary('SLBfdv4SessionGet', () => ({ Eof: true, Entries: entries })),
      SLBfdv4GetNotifStream: streaming('bfd', 'SLBfdv4GetNotifStream', []),
    }),
    service(
      all.interfaces,
      generation === 'gen1'
        ? {
            SLInterfaceGlobalsRegOp: unary('SLInterfaceGlobalsRegOp', () => ({})),
            SLInterfaceGlobalsGet: unary('SLInterfaceGlobalsGet', () => ({ MaxInterfacesPerBatch: 10 })),
            SLInterfaceNotifOp: unary('SLInterfaceNotifOp', () => ({
              Results: interfaces.map((Name) => ({ Key: { Name } })),
            })),
            SLInterfaceGet: unary('SLInterfaceGet', (request) => ({
              Eof: true,
              Entries: [info(nameIn(request), 1)],
            })),
            SLInterfaceGetNotifStream: streaming('interfaces', 'SLInterfaceGetNotifStream', []),
          }
        : {
            SLInterfaceNotifStream: streaming(
              'interfaces',
              'SLInterfaceNotifStream',
              interfaces.map((Name) => ({ Info: { SLIfInfo: { Name }, IfState: 'SL_IF_STATE_UP' } })),
            ),
          },
    ),
  ];
  const listening: Listening = await listen({ port: 0 }, null, implementations);
  return {
    target: listening.target,
    attachments: () => attachments,
    write: (name, bytes) => {
      for (const stream of open.get(name) ?? []) stream.write(bytes);
    },
    end: () => {
      for (const streams of open.values()) {
        for (const stream of streams) stream.end();
        streams.clear();
      }
    },
    close: listening.stop,
  };
}

function service(definition: ServiceDefinition, handlers: Record<string, unknown>): Service {
  const absent = (_call: unknown, answer?: sendUnaryData<object>) =>
    answer?.({ code: status.UNIMPLEMENTED, details: 'no' });
  const all = Object.fromEntries(
    Object.keys(definition).map((name) => [name, handlers[name] ?? absent] as const),
  );
  return { definition, implementation: all as Service['implementation'] };
}

function nameIn(request: object): string {
  const key: unknown = 'Key' in request ? request.Key : null;
  return typeof key === 'object' && key !== null && 'Name' in key ? String(key.Name) : '';
}
