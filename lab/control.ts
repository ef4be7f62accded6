/**
 * The control API of a running lab: JSON over HTTP on 127.0.0.1, for people with curl and for other
 * processes. `GET /` lists what can be asked,
 * `GET /?path=PATH` what one of them takes. It only hands on: what a fault does is the simulators' affair.
 */
import { z } from 'zod';
import { ec2Routes, imdsRoutes } from './controlAws';
import { ec2EditRoutes } from './controlEc2';
import { routerName, routerRoutes } from './controlRouters';
import { ask, askWith, describeRoutes, findRoute, listRoutes, Refusal, type Route } from './controlRoutes';
import { openListener, type ReceivedRequest } from './httpListener';
import type { AnyLab } from './topology/topology';
import { routerNames } from './topology/plan';
import { targetName } from './topology/targets';

export type ControlOptions = {
  /** Default 0: any free port. */
  readonly port?: number;
  /** Whether a booted router gets a daemon unless the request says otherwise; default false. */
  readonly startDaemons?: boolean;
};

export type Control = {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Closes the port; the lab goes on. */
  readonly stop: () => Promise<void>;
};

/** @throws Error of the operating system when the port is taken. */
export async function startControl(lab: AnyLab, options: ControlOptions = {}): Promise<Control> {
  const routes = controlRoutes(lab, options.startDaemons ?? false);
  const listener = await openListener({
    port: options.port ?? 0,
    onRequest: (request) => void answer(routes, request),
  });
  return { url: listener.url, stop: () => listener.stop() };
}

function controlRoutes(lab: AnyLab, startDaemons: boolean): readonly Route[] {
  const routes: readonly Route[] = [
    ask('GET', '/state', 'everything at a glance', () => labState(lab)),
    ...linkRoutes(lab),
    ...routerRoutes(lab, startDaemons),
    ...imdsRoutes(lab),
    ...ec2Routes(lab),
    ...ec2EditRoutes(lab),
  ];
  const list = ask(
    'GET',
    '/',
    'this list; ?path=PATH for the JSON schema of what a request to it takes',
    ({ query }) => {
      const path = query.get('path');
      return path === null ? listRoutes([list, ...routes]) : describeRoutes([list, ...routes], path);
    },
  );
  return [list, ...routes];
}

function linkRoutes(lab: AnyLab): readonly Route[] {
  const names = [...new Set(lab.plan.links.map(({ over }) => over))];
  const link = z.strictObject({ interface: z.literal(names).exactOptional() });
  return [
    ask('GET', '/links', 'the links between the routers', () => lab.fabric.links()),
    askWith('POST', '/links/cut', 'nothing passes, on one link or on all', link, ({ body }) =>
      lab.cutLink(body.interface),
    ),
    askWith('POST', '/links/heal', 'everything passes again', link, ({ body }) =>
      lab.healLink(body.interface),
    ),
    askWith(
      'POST',
      '/links/lose',
      'what router `from` sends is lost, what it is sent arrives',
      link.extend({ from: z.literal([...routerNames]) }),
      ({ body }) => lab.loseFrom(body.from, body.interface),
    ),
    askWith(
      'POST',
      '/links/timers',
      'how long BFD takes to come up, and to go down (null: as negotiated)',
      z.strictObject({
        bringUpMs: z.number().nonnegative().exactOptional(),
        detectTimeMs: z.number().nonnegative().nullable().exactOptional(),
      }),
      ({ body }) => void Object.assign(lab.fabric, body),
    ),
  ];
}

/** Without the logs of requests, which have routes of their own. */
export function labState(lab: AnyLab): object {
  return {
    directory: lab.directory,
    addresses: lab.plan.targets.flatMap((target) =>
      target.kind === 'secondaryAddress'
        ? [
            {
              address: target.address,
              interface: lab.plan.routerInterfaces[target.deviceIndex],
              router: lab.ownerOf(target.address),
              networkInterfaceId: lab.world.ownerOf(target.address),
            },
          ]
        : [],
    ),
    targets: lab.plan.targets.map((target) => ({
      target: targetName(target),
      kind: target.kind,
      interface: lab.plan.routerInterfaces[target.deviceIndex],
      router: lab.ownerOfTarget(target),
    })),
    routers: Object.fromEntries(routerNames.map((name) => [name, routerState(lab, name)])),
    links: lab.fabric.links(),
    ec2: { url: lab.ec2.url, counters: lab.ec2.counters(), faults: lab.ec2.activeFaults() },
  };
}

function routerState(lab: AnyLab, router: string): object {
  const { name, instanceId, sim, imds, imdsUrl, configPath } = lab.routers[routerName({ router })];
  const { received: _received, ...state } = sim.state();
  const daemon = lab.daemon(name);
  return {
    ...state,
    instanceId,
    instanceState: lab.instanceState(name),
    configPath,
    daemon: daemon === null ? null : { pid: daemon.pid, ha: daemon.records.findLast(({ ha }) => ha)?.ha },
    imds: { url: imdsUrl, counters: imds.counters(), faults: imds.activeFaults() },
  };
}

async function answer(routes: readonly Route[], request: ReceivedRequest): Promise<void> {
  const { status, body } = await serve(routes, request);
  if (request.response.destroyed) return;
  request.response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(`${JSON.stringify(body, null, 2)}\n`);
}

async function serve(
  routes: readonly Route[],
  request: ReceivedRequest,
): Promise<{ readonly status: number; readonly body: unknown }> {
  try {
    const url = new URL(request.url, 'http://lab');
    const { route, places } = findRoute(routes, request.method, url.pathname);
    const body = route.body === null ? undefined : parseBody(request.body.toString());
    const result = await route.run({ places, body, query: url.searchParams });
    return { status: 200, body: result ?? { ok: true } };
  } catch (error: unknown) {
    if (error instanceof Refusal) return { status: error.status, body: { error: error.message } };
    if (error instanceof z.ZodError) return { status: 400, body: { error: z.prettifyError(error) } };
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { status: 500, body: { error: message } };
  }
}

function parseBody(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch (error: unknown) {
    throw new Refusal(400, `the body is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
