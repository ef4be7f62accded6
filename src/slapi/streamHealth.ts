/**
 * When each notification stream last said something, over all attachments. A stream may be silent for days
 * and well: only the heartbeats of the init stream come by themselves. So the levels that are read back
 * count as a word of their stream, and its failures are those of the attachment.
 */
import { Wellness, type Reading } from '../wellness';
import { protos, type Method } from './protos';

export type StreamReadings = {
  /** The init stream, which carries the heartbeats. */
  readonly init: Reading;
  /** Those of both address families, as far as they are in use: one that is lost takes the other with it. */
  readonly bfd: Reading;
  readonly interfaces: Reading;
};

export class StreamHealth {
  readonly #init = new Wellness();
  readonly #bfd = new Wellness();
  readonly #interfaces = new Wellness();

  heard(method: Method): void {
    const { init, bfd } = protos();
    if (method === init) this.#init.ok();
    else if (method === bfd.IPv4.events || method === bfd.IPv6.events) this.#bfd.ok();
    else this.#interfaces.ok();
  }

  /** The levels of sessions and interfaces have been read back. */
  synchronized(): void {
    this.#bfd.ok();
    this.#interfaces.ok();
  }

  lost(): void {
    for (const stream of [this.#init, this.#bfd, this.#interfaces]) stream.failed();
  }

  readings(): StreamReadings {
    return {
      init: this.#init.reading(),
      bfd: this.#bfd.reading(),
      interfaces: this.#interfaces.reading(),
    };
  }
}
