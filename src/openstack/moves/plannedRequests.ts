/** The requests that moves are made of, found out by making them with a Neutron that notes what it is sent and does it in memory. */
import type { RequestedMove } from '../../core/state/model';
import type { OpenstackPlan } from '../description';
import { singular } from '../reads/answer';
import { Known } from '../reads/known';
import type { Neutron } from '../transport/neutron';
import type { ServiceRequest } from '../transport/service';
import { openMover } from './mover';
import { Turns } from './turns';

/** Nothing waits for anything. */
const TIMEOUT_MS = 60_000;

export async function plannedRequests(
  plan: OpenstackPlan,
  known: Known,
  moves: readonly RequestedMove[],
): Promise<readonly ServiceRequest[]> {
  const requests: ServiceRequest[] = [];
  const copy = new Known(() => 0);
  for (const port of known.ports.all) copy.takePort(port);
  for (const floatingIp of known.floatingIps.all) copy.takeFloatingIp(floatingIp);
  for (const router of known.routers.all) copy.takeRouter(router);
  const neutron: Neutron = {
    call: (request) => {
      requests.push(request);
      return Promise.resolve({
        ok: true,
        sentAt: 0,
        apiRequestId: null,
        status: 200,
        headers: {},
        body: answerOf(copy, request),
      });
    },
    warm: () => {},
    prove: () => Promise.resolve(null),
  };
  const mover = openMover({ neutron, plan, known: copy, now: () => 0 }, plan, new Turns());
  for (const [call, move] of moves.entries())
    await mover.send({ ...move, attempt: 1, call, send: 1, timeoutMs: TIMEOUT_MS });
  return requests;
}

/** What is known of the one that is asked about, with what is asked of it. */
function answerOf({ ports, floatingIps, routers }: Known, { path, body = {} }: ServiceRequest): object {
  const [, , collection = '', rest = ''] = path.split('/');
  const id = rest.replace(/\?.*$/, '');
  const one =
    collection === 'ports'
      ? ports.get(id)
      : collection === 'routers'
        ? routers.get(id)
        : floatingIps.all.find((each) => each.id === id);
  const [change = {}] = Object.values(body) as object[];
  const name = collection === 'ports' || collection === 'routers' ? singular(collection) : 'floatingip';
  return { [name]: { ...one, ...filled(change, one) } };
}

/** A fixed address is asked for without its subnet, which Neutron adds. */
function filled(change: object, one: object | undefined): object {
  if (!('fixed_ips' in change) || !Array.isArray(change.fixed_ips)) return change;
  const subnet =
    one !== undefined && 'fixed_ips' in one && Array.isArray(one.fixed_ips)
      ? (one.fixed_ips as { readonly subnet_id: string }[])[0]?.subnet_id
      : undefined;
  return {
    ...change,
    fixed_ips: (change.fixed_ips as object[]).map((each) => ({ subnet_id: subnet ?? 'none', ...each })),
  };
}
