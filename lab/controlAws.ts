/**
 * The control API's part about the emulated AWS: EC2's model, requests and faults, and each router's IMDS. What
 * an operator changes in EC2 is in controlEc2.ts.
 */
import { z } from 'zod';
import { ask, askWith, Refusal, type Route } from './controlRoutes';
import { routerName } from './controlRouters';
import { addressModes } from './ec2-emulator/addresses';
import { ec2FaultSchema } from './ec2-emulator/faults';
import { UnknownScope, type ActiveFault } from './faultRules';
import { imdsFaultSchema } from './imds-emulator/faults';
import type { AnyLab } from './topology/topology';

export function ec2Routes(lab: AnyLab): readonly Route[] {
  const { ec2, world } = lab;
  return [
    ask(
      'GET',
      '/ec2',
      'subnets, instances, interfaces, route tables and Elastic IPs as EC2 has them',
      () => world.model,
    ),
    ask('GET', '/ec2/ownership', 'every change of an address; ?ip=ADDRESS for those of one', ({ query }) =>
      world.ownershipHistory(query.get('ip') ?? undefined),
    ),
    ask(
      'GET',
      '/ec2/targets',
      'every change of a route or an Elastic IP; ?target=NAME for one',
      ({ query }) => world.targetHistory(query.get('target') ?? undefined),
    ),
    ask('GET', '/ec2/requests', 'what EC2 was asked; ?action=NAME for one action', ({ query }) => {
      const action = query.get('action');
      const requests = ec2.requests().filter((request) => action === null || request.action === action);
      return { counters: ec2.counters(), requests };
    }),
    ask('DELETE', '/ec2/requests', 'forgets them', () => ec2.clearLog()),
    ...faultRoutes('/ec2/faults', ec2FaultSchema, () => ec2),
    ask('POST', '/ec2/close-idle', 'closes idle keep-alive connections, as a server does', () =>
      ec2.closeIdleConnections(),
    ),
    ask('GET', '/ec2/addresses', 'the further addresses of the endpoint', () => ec2.addresses()),
    askWith(
      'POST',
      '/ec2/addresses/:address',
      'a further address of the endpoint (127.0.0.2, ...) on its port: it answers, is silent or refuses',
      z.strictObject({ mode: z.enum(addressModes) }),
      async ({ places, body }) => void (await ec2.setAddress(places['address'] ?? '', body.mode)),
    ),
    ask(
      'POST',
      '/ec2/routers/:router/expire',
      "ends every credential set that was issued to the router's instance",
      ({ places }) => {
        const sets = lab.credentials.issuedTo(lab.plan.instanceId[routerName(places)]);
        for (const { accessKeyId } of sets) lab.credentials.expire(accessKeyId);
        return { expired: sets.map(({ accessKeyId }) => accessKeyId) };
      },
    ),
  ];
}

export function imdsRoutes(lab: AnyLab): readonly Route[] {
  const at = (rest: string) => `/routers/:router/imds${rest}`;
  const imds = (places: Readonly<Record<string, string>>) => lab.routers[routerName(places)].imds;
  return [
    ...faultRoutes(at('/faults'), imdsFaultSchema, imds),
    ask('GET', at('/requests'), 'what the metadata service was asked', ({ places }) => ({
      counters: imds(places).counters(),
      requests: imds(places).requests(),
    })),
    ask('DELETE', at('/requests'), 'forgets them', ({ places }) => imds(places).clearLog()),
    ask('POST', at('/rotate'), 'issues new role credentials; the old ones stay good', ({ places }) => {
      const { accessKeyId, expiresAt } = imds(places).rotateCredentials();
      return { accessKeyId, expiresAt: new Date(expiresAt).toISOString() };
    }),
    ask('POST', at('/forget-tokens'), 'makes every session token invalid', ({ places }) =>
      imds(places).forgetTokens(),
    ),
    ask('POST', at('/stop'), 'refuses connections', ({ places }) => lab.stopImds(routerName(places))),
    ask('POST', at('/start'), 'accepts them again', ({ places }) => {
      const name = routerName(places);
      if (!lab.routers[name].sim.alive) throw new Refusal(409, `${name} is powered off; boot it`);
      return lab.startImds(name);
    }),
  ];
}

/** The part that both emulators have in common. */
type Faulty<Input> = {
  readonly addFault: (rule: Input) => number;
  readonly removeFault: (id: number) => boolean;
  readonly clearFaults: () => void;
  readonly activeFaults: () => readonly ActiveFault<unknown>[];
};

function faultRoutes<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  of: (places: Readonly<Record<string, string>>) => Faulty<z.output<Schema>>,
): readonly Route[] {
  return [
    ask('GET', path, 'the fault rules in force', ({ places }) => of(places).activeFaults()),
    askWith('POST', path, 'adds a fault rule and gives its id', schema, ({ places, body }) => {
      try {
        return { id: of(places).addFault(body) };
      } catch (error: unknown) {
        if (error instanceof UnknownScope) throw new Refusal(400, error.message);
        throw error;
      }
    }),
    ask('DELETE', path, 'removes all rules', ({ places }) => of(places).clearFaults()),
    ask('DELETE', `${path}/:id`, 'removes one', ({ places }) => {
      if (!of(places).removeFault(Number(places['id'])))
        throw new Refusal(404, `no fault rule ${places['id']} (any more)`);
    }),
  ];
}
