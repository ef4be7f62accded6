/** The packets of the stream: a request has a number, its answer that number and one of the server's own. */

export const UDP_PORT = 4001;
export const TCP_PORT = 4002;
export const PACKET_BYTES = 64;

export function request(sequence: number): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES);
  packet.writeUInt32BE(sequence, 0);
  return packet;
}

/** Made of the request, in place. */
export function answerTo(packet: Buffer, answerNumber: number): Buffer {
  packet.writeUInt32BE(answerNumber, 4);
  return packet;
}

export const sequenceOf = (packet: Buffer): number => packet.readUInt32BE(0);
export const answerNumberOf = (packet: Buffer): number => packet.readUInt32BE(4);
