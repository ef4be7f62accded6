/**
 * The user, a process of its own: 1,000 numbered packets a second to the server, and a TCP flow beside them. Asked by
 * its parent it begins to count anew, or says what has become of them.
 */
import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { answerNumberOf, PACKET_BYTES, request, sequenceOf, TCP_PORT, UDP_PORT } from './packet';
import { StreamRecord, type StreamReport } from './stream';

export type UserReport = { readonly udp: StreamReport; readonly tcp: TcpReport };
export type TcpReport = {
  /** Messages that were sent and have come back. */
  readonly sent: number;
  readonly echoed: number;
  /** Between two echoes. */
  readonly longestSilenceMs: number;
  /** How often the connection broke. */
  readonly broken: number;
};
export type Order = { readonly id: number; readonly order: 'begin' | 'report' };
export type Reply = { readonly id: number; readonly report: UserReport };

const [server = ''] = process.argv.slice(2);
const PACKETS_PER_S = 1000;
const TICK_MS = 1;
const TCP_EVERY_MS = 10;
const MESSAGE_BYTES = 16;
/** The answers to what was sent last are still on their way. */
const LATE_MS = 60;

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

const stream = new StreamRecord();
let sequence = 0;
const startMs = nowMs();
const udp = createSocket('udp4');
udp.on('message', (packet) => {
  if (packet.length === PACKET_BYTES) stream.answer(sequenceOf(packet), answerNumberOf(packet), nowMs());
});
udp.bind(() => {
  setInterval(() => {
    for (const due = ((nowMs() - startMs) * PACKETS_PER_S) / 1000; sequence < due; sequence += 1) {
      stream.sent();
      udp.send(request(sequence), UDP_PORT, server, () => undefined);
    }
  }, TICK_MS);
});

const tcp = { sent: 0, echoedBytes: 0, longestSilenceMs: 0, broken: 0, lastMs: nowMs() };
let flow: Socket | null = null;

function open(): void {
  const socket = connect({ host: server, port: TCP_PORT, noDelay: true });
  socket.on('connect', () => (flow = socket));
  socket.on('data', (chunk) => {
    tcp.longestSilenceMs = Math.max(tcp.longestSilenceMs, nowMs() - tcp.lastMs);
    tcp.lastMs = nowMs();
    tcp.echoedBytes += chunk.length;
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    if (flow === socket) tcp.broken += 1;
    flow = null;
    setTimeout(open, 100);
  });
}

open();
setInterval(() => {
  if (flow === null) return;
  tcp.sent += 1;
  flow.write(Buffer.alloc(MESSAGE_BYTES));
}, TCP_EVERY_MS);

function begin(): void {
  stream.begin(sequence);
  Object.assign(tcp, { sent: 0, echoedBytes: 0, longestSilenceMs: 0, broken: 0 });
}

const report = (): UserReport => ({
  udp: stream.report(nowMs()),
  tcp: {
    sent: tcp.sent,
    echoed: Math.floor(tcp.echoedBytes / MESSAGE_BYTES),
    longestSilenceMs: Math.max(tcp.longestSilenceMs, nowMs() - tcp.lastMs),
    broken: tcp.broken,
  },
});

process.on('message', ({ id, order }: Order) => {
  if (order === 'begin') begin();
  setTimeout(() => process.send?.({ id, report: report() } satisfies Reply), order === 'begin' ? 0 : LATE_MS);
});
process.on('disconnect', () => process.exit());
