/**
 * The story of `npm run demo -- openstack`: the targets are in OpenStack, with the lab's Keystone and Neutron. One router claims
 * what nobody has, dies, and the other takes it over.
 */
import type { DaemonProcess } from '../daemonProcess';
import type { EmulatedPair } from '../openstack/emulated';
import type { OpenstackLab } from '../openstack/lab';
import { PAIR } from '../openstack/pair';
import type { RouterName } from '../topology/plan';
import type { Checks } from './checks';
import type { Screen } from './screen';

export const NEUTRON_LATENCY_MS = 150;
const DEADLINE_MS = 60_000;

export type OpenstackStage = {
  readonly lab: OpenstackLab;
  readonly pair: EmulatedPair;
  readonly screen: Screen;
  readonly checks: Checks;
};

/** @throws Error when something that has to happen does not; what happens otherwise than it should is in `checks`. */
export async function tellOpenstack({ lab, pair, screen, checks }: OpenstackStage): Promise<void> {
  screen.chapter('Two servers of one OpenStack project, a daemon on each');
  screen.line(`  What floats: the floating IP ${PAIR.floatingIp}, an extra route to ${PAIR.destination}`);
  screen.line(`  and the fixed address ${PAIR.fixedAddress}. Nobody has any of it. Neutron takes`);
  screen.line(`  ${NEUTRON_LATENCY_MS} ms for an answer here; the real one takes a second for a move.`);
  screen.line();
  const rtr1 = lab.startDaemon('rtr1');
  await screen.during('rtr1 sees twice that nobody has it, and claims it', becomes(rtr1, 'ACTIVE'));
  holdsAll(pair, 'rtr1', checks);
  const rtr2 = lab.startDaemon('rtr2');
  await screen.during(
    'rtr2 stands by, and BFD comes up',
    rtr2.waitFor(({ event, reason }) => event === 'readiness' && /^ready/.test(reason ?? ''), {
      deadlineMs: DEADLINE_MS,
    }),
  );
  drawHolders(pair, screen);

  screen.chapter('rtr1 loses power');
  const since = rtr2.mark();
  const before = pair.neutron.requests().length;
  await lab.killRouter('rtr1');
  await screen.during('rtr1 is off', becomes(rtr2, 'ACTIVE', since));
  const timeline = await rtr2.waitFor(({ event }) => event === 'takeoverTimeline', {
    since,
    deadlineMs: DEADLINE_MS,
  });
  holdsAll(pair, 'rtr2', checks);
  const writes = pair.neutron
    .requests()
    .slice(before)
    .filter(({ action }) => action.startsWith('PUT'));
  checks.expect(
    writes.length === 4,
    `four requests move it: one for the floating IP, one for the route, two for the address; not ${writes.map(({ action }) => action).join(', ')}`,
  );
  for (const { action } of writes) screen.line(`  ${action.padEnd(18)} ${screen.paint('200', 'green')}`);
  screen.line();
  screen.line(`  rtr2: ${timeline.reason ?? ''};`);
  screen.line(`  the first request was sent ${String(timeline['firstSentMs'])} ms after BFD DOWN`);
  screen.line();
  drawHolders(pair, screen);
  const exit = await rtr2.stop();
  checks.expect(exit.code === 0, 'the daemon of rtr2 ends with exit 0 on SIGTERM');
}

const becomes = (daemon: DaemonProcess, role: string, since = 0) =>
  daemon.waitFor(({ ha, msg }) => ha === role && msg === 'decision', { since, deadlineMs: DEADLINE_MS });

/** What Neutron shows, each as a line. */
function holdersOf({ neutron }: EmulatedPair): readonly (readonly [string, string | null | undefined])[] {
  const { floatingips, routers, ports } = neutron.model;
  const addressOf = (portId: string | null | undefined) =>
    ports.find(({ id }) => id === portId)?.fixed_ips[0]?.ip_address;
  const withAddress = ports.find(({ fixed_ips: fixed }) =>
    fixed.some(({ ip_address: address }) => address === PAIR.fixedAddress),
  );
  return [
    [PAIR.floatingIp, addressOf(floatingips[0]?.port_id)],
    [PAIR.destination, routers[0]?.routes.map(({ nexthop }) => nexthop).join(' and ')],
    [PAIR.fixedAddress, addressOf(withAddress?.id)],
  ];
}

function holdsAll(pair: EmulatedPair, name: RouterName, checks: Checks): void {
  for (const [what, address] of holdersOf(pair))
    checks.expect(
      address === PAIR.address[name],
      `${name} has ${what} in Neutron, not ${address ?? 'nobody'}`,
    );
}

function drawHolders(pair: EmulatedPair, screen: Screen): void {
  for (const [what, address] of holdersOf(pair)) {
    const name = address === PAIR.address.rtr1 ? 'rtr1' : address === PAIR.address.rtr2 ? 'rtr2' : 'nobody';
    screen.line(`  ${screen.paint('◆', 'magenta')} ${what.padEnd(16)} ${name} (${address ?? ''})`);
  }
}
