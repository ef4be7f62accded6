/**
 * The shape of a route of the control API, and how a request finds its route: method, path with `:name`
 * places, a zod schema for the JSON body. What the routes do is in controlRouters.ts, controlEc2.ts, ...
 */
import { z } from 'zod';

export type RouteMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** What a route is given: path places by name, parsed body, query as strings. */
export type Asked<Body> = {
  readonly places: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly query: URLSearchParams;
};

export type Route = {
  readonly method: RouteMethod;
  /** `/routers/:router/kill` */
  readonly path: string;
  /** One line for `GET /`. */
  readonly does: string;
  /** Null: the route takes no body. */
  readonly body: z.ZodType | null;
  /** @throws ZodError or Refusal for a request that makes no sense. Undefined is answered as `{"ok": true}`. */
  readonly run: (asked: Asked<unknown>) => unknown;
};

/** A request that is understood and cannot be done: unknown names, a router in the wrong state. */
export class Refusal extends Error {
  readonly status: 400 | 404 | 405 | 409;

  constructor(status: 400 | 404 | 405 | 409, message: string) {
    super(message);
    this.status = status;
  }
}

export type Ask = (
  method: RouteMethod,
  path: string,
  does: string,
  run: (asked: Asked<undefined>) => unknown,
) => Route;

/** A route without a body. */
export const ask: Ask = (method, path, does, run) => ({
  method,
  path,
  does,
  body: null,
  run: (asked) => run({ ...asked, body: undefined }),
});

/** A route with a body; an empty one is read as `{}`. */
export function askWith<Schema extends z.ZodType>(
  method: RouteMethod,
  path: string,
  does: string,
  body: Schema,
  run: (asked: Asked<z.output<Schema>>) => unknown,
): Route {
  return { method, path, does, body, run: (asked) => run({ ...asked, body: body.parse(asked.body) }) };
}

/** @throws Refusal 404 for a path that nobody has, 405 for one that takes other methods. */
export function findRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): { readonly route: Route; readonly places: Readonly<Record<string, string>> } {
  const fitting = routes.flatMap((route) => {
    const places = matchPath(route.path, path);
    return places === null ? [] : [{ route, places }];
  });
  const found = fitting.find(({ route }) => route.method === method);
  if (found !== undefined) return found;
  if (fitting.length === 0) throw new Refusal(404, `there is no ${path}; GET / lists what can be asked`);
  const methods = fitting.map(({ route }) => route.method).join(', ');
  throw new Refusal(405, `${path} takes ${methods}, not ${method}`);
}

function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const places: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? '';
    if (part.startsWith(':') && value !== '') places[part.slice(1)] = value;
    else if (part !== value) return null;
  }
  return places;
}

/** What `GET /` answers: one line per route. */
export function listRoutes(routes: readonly Route[]): readonly string[] {
  return routes.map(({ method, path, does }) => `${method} ${path}: ${does}`);
}

/**
 * The routes of one path, be it `/routers/:router/kill` or `/routers/rtr1/kill`, each with the JSON schema of
 * its body. @throws Refusal 404 for a path that nobody has.
 */
export function describeRoutes(routes: readonly Route[], wanted: string): object {
  const fitting = routes.filter(({ path }) => matchPath(path, wanted) !== null);
  if (fitting.length === 0) throw new Refusal(404, `there is no ${wanted}; GET / lists what can be asked`);
  return fitting.map(({ method, path, does, body }) => ({
    ask: `${method} ${path}`,
    does,
    ...(body === null ? {} : { body: z.toJSONSchema(body, { io: 'input' }) }),
  }));
}
