/**
 * Moves extra routes: one PUT of the router's whole list, with the revision that it was read at. Neutron carries such a PUT
 * out as a difference against what it read itself, so two at the same moment can leave both next hops behind. So each is
 * read back: of several next hops the lowest address stays, by which both routers know whose it is without a word; the
 * other takes its own away and yields.
 * https://docs.openstack.org/api-ref/network/v2/#update-router
 */
import type { Outcome } from '../../cloud';
import { ipv4Number } from '../../config/ipv4';
import type { Failure } from '../../core/state/readings';
import type { TargetOf } from '../description';
import type { Router } from '../reads/answer';
import { nextHopOn } from '../reads/observation';
import { malformed } from '../transport/failure';
import {
  ifRevision,
  inUse,
  isOutdated,
  LOOK_MS,
  portOf,
  readOne,
  Steps,
  unknown,
  type Move,
  type Tools,
} from './step';

const TRIES = 3;

type Route = Router['routes'][number];
type Hop = {
  readonly steps: Steps;
  readonly routerId: string;
  readonly destination: string;
  readonly nexthop: string;
};

export async function moveExtraRoute(
  tools: Tools,
  { of: [target], networkInterfaceId: portId, allowReassignment }: Move<'extraRoute'>,
  timeoutMs: number,
): Promise<Outcome> {
  const steps = new Steps(tools, timeoutMs);
  if (target === undefined) throw new Error('a call moves one route');
  const { routerId, destination } = target;
  const nexthop = hopTo(tools, target, portId);
  if (nexthop === null)
    return steps.outcome(unknown(`an address of port ${portId} that ${target.id} could lead to`));
  const hop = { steps, routerId, destination, nexthop };
  const failure = await putRoute(tools, hop, allowReassignment);
  return steps.outcome(failure ?? (await readBack(tools, hop)));
}

function hopTo(tools: Tools, target: TargetOf<'extraRoute'>, portId: string): string | null {
  const port = portOf(tools, portId);
  return port === undefined ? null : nextHopOn(tools.plan, target, port);
}

async function putRoute(
  tools: Tools,
  { steps, routerId, destination, nexthop }: Hop,
  allowReassignment: boolean,
): Promise<Failure | null> {
  let router = tools.known.routers.get(routerId);
  let failure: Failure = unknown(`router ${routerId}`);
  for (let tries = 1; tries <= TRIES && router !== undefined; tries += 1) {
    const others = router.routes.filter((route) => route.destination !== destination);
    const held = router.routes.find(
      (route) => route.destination === destination && route.nexthop !== nexthop,
    );
    if (!allowReassignment && held !== undefined)
      return inUse(`the route to ${destination}`, `with ${held.nexthop} already`);
    const answer = await steps.call({
      action: 'PUT routers',
      method: 'PUT',
      path: `/v2.0/routers/${routerId}`,
      headers: ifRevision(router.revision_number),
      body: { router: { routes: [...others, { destination, nexthop }] } },
    });
    if (answer.ok) return null;
    ({ failure } = answer);
    if (!isOutdated(answer) || steps.isOver) return failure;
    router = await readOne(steps, 'routers', routerId);
  }
  return failure;
}

/** Null: it leads here, or whoever asked after this router has it: the next observation says who. */
async function readBack(tools: Tools, hop: Hop): Promise<Failure | null> {
  const { steps, routerId, destination, nexthop } = hop;
  const router = await readOne(steps, 'routers', routerId);
  if (router === undefined) return malformed(`router ${routerId} could not be read back`);
  tools.known.takeRouter(router);
  const hops = router.routes.filter((route) => route.destination === destination);
  if (hops.length < 2) return null;
  const [lowest] = hops
    .map((route) => route.nexthop)
    .sort((a, b) => (ipv4Number(a) ?? 0) - (ipv4Number(b) ?? 0));
  const isOurs = lowest === nexthop;
  const failure = await removeRoutes(
    steps,
    routerId,
    hops.filter((route) => (route.nexthop === nexthop) !== isOurs),
  );
  if (failure !== null) return failure;
  return isOurs
    ? null
    : inUse(`the route to ${destination}`, `with ${lowest}, whose request came at the same moment`);
}

async function removeRoutes(
  steps: Steps,
  routerId: string,
  routes: readonly Route[],
): Promise<Failure | null> {
  const answer = await steps.call({
    action: 'PUT remove_extraroutes',
    method: 'PUT',
    path: `/v2.0/routers/${routerId}/remove_extraroutes`,
    body: { router: { routes } },
  });
  return answer.ok ? null : answer.failure;
}

export async function isRouteTo(
  tools: Tools,
  target: TargetOf<'extraRoute'>,
  portId: string,
): Promise<boolean> {
  const router = await readOne(new Steps(tools, LOOK_MS), 'routers', target.routerId);
  const hops = router?.routes.filter(({ destination }) => destination === target.destination) ?? [];
  return hops.length === 1 && hops[0]?.nexthop === hopTo(tools, target, portId);
}
