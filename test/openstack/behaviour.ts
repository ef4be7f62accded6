/**
 * What the product relies on of Keystone and Neutron, and how its adapter gets on with them: the same checks for the lab's
 * emulator and for the real services, so that neither is a story of ours alone.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { z } from 'zod';
import { PAIR, type ByRouter, type OpenstackPair } from '../../lab/openstack/pair';
import { peerOf, routerNames, type RouterName } from '../../lab/topology/plan';
import type { Cloud, Outcome } from '../../src/cloud';
import type { RequestedMove } from '../../src/core/state/model';
import type { Holder, Observation } from '../../src/core/state/readings';
import { takeoverRequests } from '../../src/core/moves/grouping';
import { OPENSTACK, type OpenstackPlan, type OpenstackTarget } from '../../src/openstack/description';
import { connectOpenstack } from '../../src/openstack/openstack';
import { planOf } from '../support/coreWorld';

const now = (): number => Number(process.hrtime.bigint()) / 1e6;
/** One process of the real Neutron on a busy machine takes seconds for what takes another one. */
const PATIENCE_MS = 60_000;

export type Tenant = {
  readonly pair: OpenstackPair;
  readonly clouds: ByRouter<Cloud>;
  readonly plan: ByRouter<OpenstackPlan>;
  /** Neutron itself, with a token of the pair's credential. */
  readonly call: (method: string, path: string, body?: object, ifMatch?: string) => Promise<Answer>;
  readonly stop: () => void;
};

type Answer = { readonly status: number; readonly body: unknown };

export async function openTenant(pair: OpenstackPair): Promise<Tenant> {
  const directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-tenant-'));
  const credentialsFile = join(directory, 'credential.json');
  writeFileSync(credentialsFile, JSON.stringify(pair.credential));
  const { token, networkUrl } = await tokenOf(pair);
  const plan = { rtr1: planFor(pair, 'rtr1'), rtr2: planFor(pair, 'rtr2') };
  const connect = (name: RouterName): Cloud => connectTo(pair, name, { credentialsFile });
  const clouds = { rtr1: connect('rtr1'), rtr2: connect('rtr2') };
  return {
    pair,
    plan,
    clouds,
    call: async (method, path, body, ifMatch) => {
      const response = await fetch(`${networkUrl}/v2.0${path}`, {
        method,
        headers: {
          'x-auth-token': token,
          'content-type': 'application/json',
          ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json() };
    },
    stop: () => {
      for (const name of routerNames) clouds[name].stop();
      rmSync(directory, { recursive: true });
    },
  };
}

/** The adapter of one router. `networkUrl`: null for what the catalogue says. */
export function connectTo(
  pair: OpenstackPair,
  name: RouterName,
  {
    credentialsFile,
    networkUrl = null,
  }: { readonly credentialsFile: string; readonly networkUrl?: string | null },
): Cloud {
  const plan = planFor(pair, name);
  return connectOpenstack({
    settings: {
      authUrl: pair.authUrl,
      credentialsFile,
      caFile: null,
      askNova: false,
      networkUrl,
      region: null,
      visibility: 'public',
      metadataUrl: 'http://127.0.0.1:9',
      ports: [pair.portId[name]],
      apiTimeoutMs: 10_000,
    },
    groups: [{ name: 'default', plan }],
    plan,
    log: pino({ level: 'silent' }),
    now,
  });
}

async function tokenOf({ authUrl, credential }: OpenstackPair) {
  const identity = { methods: ['application_credential'], application_credential: credential };
  const response = await fetch(`${authUrl}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth: { identity } }),
  });
  expect(response.status).toBe(201);
  const { token } = z
    .object({
      token: z.object({
        catalog: z.array(z.object({ type: z.string(), endpoints: z.array(z.object({ url: z.string() })) })),
      }),
    })
    .parse(await response.json());
  const networkUrl = token.catalog.find(({ type }) => type === 'network')?.endpoints[0]?.url;
  return { token: response.headers.get('x-subject-token') ?? '', networkUrl: networkUrl ?? '' };
}

export const FLOATING_IP = 'the floating IP';
const ROUTE = 'the route';
const ADDRESS = 'the address';

function planFor({ routerId }: OpenstackPair, name: RouterName): OpenstackPlan {
  const place = { deviceIndex: 0, networkCardIndex: 0, rank: 0 };
  const targets: readonly OpenstackTarget[] = [
    { ...place, id: ADDRESS, kind: 'fixedAddress', address: PAIR.fixedAddress },
    { ...place, id: FLOATING_IP, kind: 'floatingIp', floatingIp: PAIR.floatingIp, privateAddress: null },
    { ...place, id: ROUTE, kind: 'extraRoute', routerId, destination: PAIR.destination, nextHop: null },
  ];
  return { ...planOf({ peerAddresses: [PAIR.address[peerOf(name)]] }), targets, cloud: OPENSTACK };
}

async function observed({ clouds }: Tenant, name: RouterName): Promise<Observation> {
  for (const until = now() + PATIENCE_MS; ;) {
    const result = await clouds[name].observe(() => undefined);
    if (result.ok && result.observation.unread === undefined) return result.observation;
    if (now() > until) throw new Error(JSON.stringify(result));
  }
}

/** Whose it is; null: nobody's. */
function ownerOf(
  tenant: Tenant,
  holder: Holder | null | undefined,
): RouterName | null | 'nobody of the pair' {
  if (holder === null || holder === undefined) return null;
  const id = holder.kind === 'interface' ? holder.networkInterfaceId : '';
  return routerNames.find((name) => tenant.pair.portId[name] === id) ?? 'nobody of the pair';
}

async function owners(tenant: Tenant, by: RouterName) {
  const { holders } = await observed(tenant, by);
  return [FLOATING_IP, ROUTE, ADDRESS].map((id) => ownerOf(tenant, holders[id]));
}

let attempt = 0;
async function send(tenant: Tenant, by: RouterName, move: RequestedMove): Promise<Outcome> {
  attempt += 1;
  const mover = tenant.clouds[by].mover('default');
  if (mover === null) throw new Error('not ready');
  return mover.send({ ...move, attempt, call: 1, send: 1, timeoutMs: PATIENCE_MS });
}

/** As the core would: all that is not here, from whoever has it. */
async function takeOver(tenant: Tenant, by: RouterName): Promise<readonly Outcome[]> {
  const moves = takeoverRequests(tenant.plan[by], await observed(tenant, by));
  return Promise.all(moves.map((move) => send(tenant, by, move)));
}

async function claim(tenant: Tenant, by: RouterName, target: string): Promise<Outcome> {
  return send(tenant, by, {
    networkInterfaceId: tenant.pair.portId[by],
    targets: [target],
    allowReassignment: false,
    rank: 0,
  });
}

/** Nobody has anything. */
async function release({ call, pair }: Tenant): Promise<void> {
  await call('PUT', `/floatingips/${pair.floatingIpId}`, { floatingip: { port_id: null } });
  await call('PUT', `/routers/${pair.routerId}`, { router: { routes: [] } });
  for (const name of routerNames)
    await call('PUT', `/ports/${pair.portId[name]}`, {
      port: { fixed_ips: [{ ip_address: PAIR.address[name] }] },
    });
}

const done = { failure: null };

/** `tenant`: open while the tests run. */
export function behavesAsNeutron(tenant: () => Tenant): void {
  beforeEach(() => release(tenant()), PATIENCE_MS);

  const revisionOf = (body: unknown): number =>
    z.object({ floatingip: z.object({ revision_number: z.int() }) }).parse(body).floatingip.revision_number;

  test(
    'a floating IP moves by one request, each one raises its revision, and a stale one is refused',
    async () => {
      const { call, pair } = tenant();
      const to = (name: RouterName) => ({ floatingip: { port_id: pair.portId[name] } });
      const path = `/floatingips/${pair.floatingIpId}`;
      const first = await call('PUT', path, to('rtr1'));
      const moved = await call('PUT', path, to('rtr2'));
      const again = await call('PUT', path, to('rtr2'));
      expect([first.status, moved.status, again.status]).toEqual([200, 200, 200]);
      expect(revisionOf(moved.body)).toBe(revisionOf(first.body) + 1);
      expect(revisionOf(again.body)).toBe(revisionOf(moved.body) + 1);
      expect(moved.body).toMatchObject({
        floatingip: { port_id: pair.portId.rtr2, fixed_ip_address: PAIR.address.rtr2, status: 'DOWN' },
      });
      const stale = await call('PUT', path, to('rtr1'), `revision_number=${revisionOf(first.body)}`);
      expect(stale).toMatchObject({
        status: 412,
        body: { NeutronError: { type: 'RevisionNumberConstraintFailed' } },
      });
    },
    PATIENCE_MS,
  );

  test(
    'what cannot be is refused in words: a foreign fixed address, an unknown port, a next hop that is nowhere',
    async () => {
      const { call, pair } = tenant();
      const path = `/floatingips/${pair.floatingIpId}`;
      const elsewhere = { port_id: pair.portId.rtr1, fixed_ip_address: PAIR.address.rtr2 };
      const nowhere = { port_id: '00000000-0000-4000-8000-000000000000' };
      const routes = [{ destination: PAIR.destination, nexthop: '192.0.2.1' }];
      const refusals = [
        await call('PUT', path, { floatingip: elsewhere }),
        await call('PUT', path, { floatingip: nowhere }),
        await call('PUT', `/routers/${pair.routerId}`, { router: { routes } }),
        await call('PUT', `/ports/${pair.portId.rtr1}`, {
          port: { fixed_ips: [{ ip_address: PAIR.address.rtr2 }] },
        }),
      ];
      expect(
        refusals.map(({ status, body }) => [
          status,
          z.object({ NeutronError: z.object({ type: z.string() }) }).parse(body).NeutronError.type,
        ]),
      ).toEqual([
        [400, 'BadRequest'],
        [404, 'PortNotFound'],
        [400, 'InvalidRoutes'],
        [409, 'IpAddressAlreadyAllocated'],
      ]);
    },
    PATIENCE_MS,
  );

  test(
    'each kind is claimed from nobody, and from nobody only',
    async () => {
      expect(await owners(tenant(), 'rtr1')).toEqual([null, null, null]);
      for (const id of [FLOATING_IP, ROUTE, ADDRESS])
        expect(await claim(tenant(), 'rtr1', id)).toMatchObject(done);
      expect(await owners(tenant(), 'rtr2')).toEqual(['rtr1', 'rtr1', 'rtr1']);
      for (const id of [FLOATING_IP, ROUTE, ADDRESS])
        expect(await claim(tenant(), 'rtr2', id)).toMatchObject({ failure: { kind: 'refused' } });
      expect(await owners(tenant(), 'rtr1')).toEqual(['rtr1', 'rtr1', 'rtr1']);
    },
    PATIENCE_MS,
  );

  test(
    'a takeover takes all of them from the peer, and both routers see whose they are',
    async () => {
      expect(await takeOver(tenant(), 'rtr1')).toMatchObject([done, done, done]);
      const before = await observed(tenant(), 'rtr2');
      expect(before.peers[PAIR.address.rtr1]).toMatchObject({
        networkInterfaceId: tenant().pair.portId.rtr1,
        instanceId: PAIR.serverId.rtr1,
        slot: { deviceIndex: 0 },
      });
      expect(await takeOver(tenant(), 'rtr2')).toMatchObject([done, done, done]);
      const after = await observed(tenant(), 'rtr2');
      expect(Object.values(after.holders).map((holder) => holder?.mine)).toEqual([true, true, true]);
      expect(await owners(tenant(), 'rtr1')).toEqual(['rtr2', 'rtr2', 'rtr2']);
    },
    PATIENCE_MS,
  );

  test(
    'what is claimed after somebody else has it, on old knowledge, is lost and stays where it is',
    async () => {
      await observed(tenant(), 'rtr1');
      await observed(tenant(), 'rtr2');
      for (const id of [FLOATING_IP, ROUTE, ADDRESS]) {
        expect(await claim(tenant(), 'rtr1', id)).toMatchObject(done);
        expect(await claim(tenant(), 'rtr2', id)).toMatchObject({ failure: { kind: 'refused' } });
      }
      expect(await owners(tenant(), 'rtr2')).toEqual(['rtr1', 'rtr1', 'rtr1']);
    },
    PATIENCE_MS,
  );

  test(
    'two that claim the same at the same moment: one has it in the end, and both see who',
    async () => {
      for (const id of [FLOATING_IP, ROUTE, ADDRESS]) {
        await Promise.all(routerNames.map((name) => observed(tenant(), name)));
        await Promise.all(routerNames.map((name) => claim(tenant(), name, id)));
        const [one, other] = await Promise.all(routerNames.map((name) => observed(tenant(), name)));
        const owner = ownerOf(tenant(), one?.holders[id]);
        expect(routerNames).toContain(owner);
        expect(ownerOf(tenant(), other?.holders[id])).toBe(owner);
      }
    },
    2 * PATIENCE_MS,
  );

  test(
    'other routes and other addresses stay as they are',
    async () => {
      const { call, pair } = tenant();
      const other = { destination: '10.77.0.0/16', nexthop: PAIR.address.rtr1 };
      await call('PUT', `/routers/${pair.routerId}`, { router: { routes: [other] } });
      expect(await takeOver(tenant(), 'rtr1')).toMatchObject([done, done, done]);
      expect(await takeOver(tenant(), 'rtr2')).toMatchObject([done, done, done]);
      const router = await call('GET', `/routers/${pair.routerId}?fields=routes`);
      expect(router.body).toEqual({
        router: {
          routes: expect.arrayContaining([
            other,
            { destination: PAIR.destination, nexthop: PAIR.address.rtr2 },
          ]) as unknown,
        },
      });
      const port = await call('GET', `/ports/${pair.portId.rtr1}?fields=fixed_ips`);
      expect(port.body).toMatchObject({ port: { fixed_ips: [{ ip_address: PAIR.address.rtr1 }] } });
    },
    PATIENCE_MS,
  );
}

/** What came of routers that asked for the same at the same moment. */
export type Race = {
  readonly owner: RouterName;
  /** Who was told by the answer that it is theirs. */
  readonly told: readonly RouterName[];
};

/** Both ask at once, and then read: both have to see the same one. `how`: from nobody, or from whoever has it. */
export async function race(tenant: Tenant, how: 'claim' | 'takeover', target: RacedTarget): Promise<Race> {
  await release(tenant);
  await Promise.all(routerNames.map((name) => observed(tenant, name)));
  const outcomes = await Promise.all(
    routerNames.map((name) =>
      send(tenant, name, {
        networkInterfaceId: tenant.pair.portId[name],
        targets: [TARGETS[target]],
        allowReassignment: how === 'takeover',
        rank: 0,
      }),
    ),
  );
  const seen = await Promise.all(
    routerNames.map(async (name) => ownerOf(tenant, (await observed(tenant, name)).holders[TARGETS[target]])),
  );
  const owner = routerNames.find((name) => name === seen[0]);
  if (owner === undefined || seen[1] !== owner)
    throw new Error(`after a ${how} of ${target}: ${JSON.stringify({ seen, outcomes })}`);
  return { owner, told: routerNames.filter((_, index) => outcomes[index]?.failure === null) };
}

const TARGETS = { floatingIp: FLOATING_IP, extraRoute: ROUTE, fixedAddress: ADDRESS } as const;
export type RacedTarget = keyof typeof TARGETS;
