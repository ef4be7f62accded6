/** The far end of the user's streams, a process of its own: it answers each packet, and echoes what comes by TCP. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { answerTo, PACKET_BYTES, TCP_PORT, UDP_PORT } from './packet';

let answers = 0;
const udp = createSocket('udp4');
udp.on('message', (packet, { port, address }) => {
  if (packet.length !== PACKET_BYTES) return;
  answers += 1;
  // A packet that finds no way is lost: the user's stream shows it.
  udp.send(answerTo(packet, answers), port, address, () => undefined);
});
const tcp = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
});
udp.bind(UDP_PORT, () => tcp.listen(TCP_PORT, () => process.send?.({ ready: true })));
process.on('disconnect', () => process.exit());
