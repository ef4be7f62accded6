/**
 * What Neutron has last shown, for what is asked next: the ids and revisions that a move needs. A revision only rises, so
 * an answer with a lower one is older than what is known, whatever its time.
 */
import type { FloatingIp, Port, Router } from './answer';

export class Known {
  /** By id. */
  readonly ports = new Map<string, Port>();
  /** By address. */
  readonly floatingIps = new Map<string, FloatingIp>();
  /** By id. */
  readonly routers = new Map<string, Router>();

  takePort(port: Port): boolean {
    return take(this.ports, port.id, port);
  }

  takeFloatingIp(floatingIp: FloatingIp): boolean {
    return take(this.floatingIps, floatingIp.floating_ip_address, floatingIp);
  }

  takeRouter(router: Router): boolean {
    return take(this.routers, router.id, router);
  }
}

/** Returns whether it is not older than what is known. One that was made anew under the same address is another one. */
function take<Shown extends { readonly id: string; readonly revision_number: number }>(
  all: Map<string, Shown>,
  key: string,
  shown: Shown,
): boolean {
  const before = all.get(key);
  if (before?.id === shown.id && before.revision_number > shown.revision_number) return false;
  all.set(key, shown);
  return true;
}
