/**
 * Says of each address of the peer that EC2 does not show it: by it the peer's instance is told from a third
 * one, and its interfaces are found when the targets are given to it. The end of a tunnel is such an address.
 */
import type { Logger } from 'pino';
import type { Observation } from '../../core/state/readings';
import type { AwsPlan } from '../description';

export class UnknownPeers {
  readonly #plan: AwsPlan;
  readonly #log: Logger;
  readonly #told = new Set<string>();

  constructor(plan: AwsPlan, log: Logger) {
    this.#plan = plan;
    this.#log = log;
  }

  observed({ peers }: Observation): void {
    for (const address of this.#plan.peerAddresses) {
      if (peers[address] !== undefined) {
        this.#tellKnown(address);
        continue;
      }
      if (this.#told.has(address)) continue;
      this.#told.add(address);
      const isNeighbour = this.#plan.sessions.some(({ peerAddress }) => peerAddress === address);
      const mend = isNeighbour
        ? "where it is not the address of an interface of the peer's instance (a tunnel's end), list addresses of those in peer_private_ips"
        : 'see peer_private_ips';
      const reason = `EC2 shows no interface of another instance with ${address}, so the peer is not recognised by it (foreign_holder, ha switchover): ${mend}`;
      this.#log.warn(
        { event: 'peer-not-in-ec2', reason, address },
        'EC2 does not know an address of the peer',
      );
    }
  }

  #tellKnown(address: string): void {
    if (!this.#told.delete(address)) return;
    const reason = `EC2 shows an interface of another instance with ${address} now`;
    this.#log.info({ event: 'peer-in-ec2', reason, address }, 'EC2 knows an address of the peer');
  }
}
