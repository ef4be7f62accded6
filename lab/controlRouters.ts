/** The control API's part about the simulated routers and their daemons: power, gRPC, streams, events. */
import { z } from 'zod';
import { ask, askWith, Refusal, type Asked, type Route } from './controlRoutes';
import type { DaemonProcess, DaemonRecord } from './daemonProcess';
import { killedInstances, type AnyLab } from './topology/topology';
import { routerNames, type RouterName } from './topology/plan';
import { streamNames } from './slapi-sim/faults';
import type { LabRouter } from './topology/router';

const stream = z.enum(streamNames);
const peerSees = z.enum(['unconfig', 'silence']);
/** An error code of the Service-Layer API by name or number. */
const errno = z.union([
  z.literal([
    'SL_NOT_CONNECTED',
    'SL_ENOTSUP',
    'SL_SOME_ERR',
    'SL_INIT_UNSUPPORTED_VER',
    'SL_RPC_BFD_TOO_MANY_BFD_SESSIONS',
    'SL_BFD_INTF_NOT_FOUND',
    'SL_BFD_VRF_NOT_FOUND',
    'SL_BFD_BAD_PARAMETER',
    'SL_BFD_INVALID_SESSION_TYPE',
  ]),
  z.int(),
]);
const milliseconds = z.number().nonnegative().max(3_600_000);
const hex = z.string().regex(/^([0-9a-fA-F]{2})*$/, 'an even number of hexadecimal digits');

export function routerRoutes(lab: AnyLab, startDaemons: boolean): readonly Route[] {
  const of = ({ places }: Asked<unknown>): LabRouter => lab.routers[routerName(places)];
  const sim = (asked: Asked<unknown>) => of(asked).sim;
  const at = (rest: string) => `/routers/:router${rest}`;
  return [
    ask('GET', at(''), 'a router in full', (asked) => sim(asked).state()),
    askWith(
      'POST',
      at('/kill'),
      'power off: BFD silent, gRPC, metadata service and daemon gone; EC2 says what `instance` says',
      z.strictObject({ instance: z.literal([...killedInstances]).default('running') }),
      (asked) => {
        if (!sim(asked).alive) throw new Refusal(409, `${of(asked).name} is powered off already`);
        return lab.killRouter(of(asked).name, asked.body);
      },
    ),
    askWith(
      'POST',
      at('/boot'),
      'power on with nothing programmed, and a daemon if `daemon` says so',
      z.strictObject({ daemon: z.boolean().default(startDaemons) }),
      async (asked) => {
        const { name } = of(asked);
        if (sim(asked).alive) throw new Refusal(409, `${name} is powered on already`);
        if (lab.instanceState(name) === 'terminated')
          throw new Refusal(409, `the instance of ${name} was terminated, which is for good`);
        await lab.bootRouter(name);
        if (asked.body.daemon) lab.startDaemon(name);
      },
    ),
    askWith(
      'POST',
      at('/upgrade'),
      'other software: nothing programmed, the interface API of `generation`; a router that is off stays off',
      z.strictObject({ generation: z.enum(['gen1', 'gen2']) }),
      (asked) => lab.upgradeRouter(of(asked).name, asked.body.generation),
    ),
    ...daemonRoutes(lab),
    askWith(
      'POST',
      at('/interfaces'),
      'an interface goes up or down; `first` of the two reports comes `gapMs` before the other',
      z.strictObject({
        interface: z.string(),
        state: z.enum(['up', 'down']),
        first: z.enum(['interface', 'bfd']).default('interface'),
        gapMs: milliseconds.default(0),
      }),
      (asked) => {
        const { interface: name, state, ...report } = asked.body;
        const known = sim(asked)
          .state()
          .interfaces.map((each) => each.name);
        if (!known.includes(name)) throw new Refusal(404, `no interface ${name}, only ${known.join(', ')}`);
        sim(asked).setInterface(name, state, report);
      },
    ),
    askWith(
      'POST',
      at('/bfd'),
      'puts a session into a state by hand',
      z.strictObject({
        neighbor: z.union([z.ipv4(), z.ipv6()]),
        interface: z.string().exactOptional(),
        status: z.enum(['UNKNOWN', 'UP', 'DOWN', 'NEIGHBOR_UNCONFIG']),
        diag: z.enum(['NONE', 'DETECT_EXPIRED', 'NBR_DOWN', 'PATH_DOWN', 'ADMIN_DOWN']).default('NONE'),
      }),
      (asked) => {
        const { status, diag, ...selector } = asked.body;
        try {
          sim(asked).forceBfd(selector, status, diag);
        } catch (error: unknown) {
          throw new Refusal(404, error instanceof Error ? error.message : String(error));
        }
      },
    ),
    ask('POST', at('/grpc/stop'), 'the API is gone, BFD goes on', (asked) => sim(asked).stopGrpc()),
    ask('POST', at('/grpc/start'), 'the API is back', (asked) => {
      if (!sim(asked).alive) throw new Refusal(409, `${of(asked).name} is powered off; boot it`);
      return sim(asked).startGrpc();
    }),
    askWith(
      'POST',
      at('/grpc/restart'),
      'the API restarts, with or without what was programmed',
      z.strictObject({
        keepState: z.boolean(),
        peerSees: peerSees.default('unconfig'),
        downMs: milliseconds.default(0),
      }),
      (asked) => sim(asked).restartGrpc(asked.body),
    ),
    askWith(
      'POST',
      at('/streams/cut'),
      'ends a stream: cleanly, or with UNAVAILABLE',
      z.strictObject({ stream, how: z.enum(['end', 'error']).default('error') }),
      (asked) => sim(asked).cutStream(asked.body.stream, asked.body.how),
    ),
    askWith(
      'POST',
      at('/streams/hijack'),
      'another client takes a stream: the present one gets SL_NOTIF_TERM',
      z.strictObject({ stream }),
      (asked) => sim(asked).hijack(asked.body.stream),
    ),
    askWith(
      'POST',
      at('/streams/inject'),
      'writes a message (JSON of its type) or bytes (hexadecimal) to a stream',
      z.union([
        z.strictObject({ stream, message: z.record(z.string(), z.unknown()) }),
        z.strictObject({ stream, hex }),
      ]),
      (asked) =>
        'hex' in asked.body
          ? sim(asked).injectBytes(asked.body.stream, asked.body.hex)
          : sim(asked).inject(asked.body.stream, asked.body.message),
    ),
    askWith(
      'POST',
      at('/events'),
      'events of a stream come late, more than once (`copies`), or are lost (`dropNext`)',
      z.strictObject({
        stream,
        delayMs: milliseconds.exactOptional(),
        copies: z.int().min(1).max(100).exactOptional(),
        dropNext: z.int().nonnegative().exactOptional(),
      }),
      (asked) => {
        const { stream: name, ...fault } = asked.body;
        return sim(asked).setEventFault(name, fault);
      },
    ),
    askWith(
      'POST',
      at('/hang'),
      'accepts all requests, or those to the named RPCs, and answers nothing',
      z.strictObject({ methods: z.array(z.string()).min(1).optional() }),
      (asked) => sim(asked).hang(asked.body.methods ?? 'all'),
    ),
    ask('DELETE', at('/hang'), 'what was held is done now', (asked) => sim(asked).unhang()),
    askWith(
      'POST',
      at('/refuse-sessions'),
      'refuses the next requests to program sessions',
      z.strictObject({
        errno,
        scope: z.enum(['request', 'sessions']).default('sessions'),
        times: z.int().positive().default(1),
      }),
      (asked) => sim(asked).rejectSessionOps(asked.body),
    ),
    ask('DELETE', at('/refuse-sessions'), 'programs sessions again', (asked) =>
      sim(asked).rejectSessionOps(null),
    ),
    askWith(
      'POST',
      at('/multi-hop'),
      'whether sessions over several hops are accepted from now on, or the code that refuses them',
      z.strictObject({ multiHop: z.union([z.literal('works'), errno]) }),
      (asked) => sim(asked).setMultiHop(asked.body.multiHop),
    ),
    askWith('POST', at('/refuse-init'), 'refuses the handshake', z.strictObject({ errno }), (asked) =>
      sim(asked).refuseInit(asked.body.errno),
    ),
    ask('DELETE', at('/refuse-init'), 'accepts it again', (asked) => sim(asked).refuseInit(null)),
    askWith(
      'POST',
      at('/credentials'),
      'requests without these in their metadata are UNAUTHENTICATED',
      z.strictObject({ username: z.string().min(1), password: z.string().min(1) }),
      (asked) => sim(asked).requireCredentials(asked.body),
    ),
    ask('DELETE', at('/credentials'), 'asks for none', (asked) => sim(asked).requireCredentials(null)),
    askWith(
      'POST',
      at('/heartbeat'),
      'interval of heartbeats on init streams opened from now on',
      z.strictObject({ ms: z.number().positive().max(3_600_000) }),
      (asked) => sim(asked).setHeartbeatMs(asked.body.ms),
    ),
    ask('GET', at('/received'), 'the latest RPCs; ?method=NAME for those of one', (asked) =>
      sim(asked).received(asked.query.get('method') ?? undefined),
    ),
    ask('DELETE', at('/received'), 'forgets them', (asked) => sim(asked).clearReceived()),
  ];
}

function daemonRoutes(lab: AnyLab): readonly Route[] {
  const at = (rest: string) => `/routers/:router/daemon${rest}`;
  const running = ({ places }: Asked<unknown>): DaemonProcess => {
    const name = routerName(places);
    const daemon = lab.daemon(name);
    if (daemon === null) throw new Refusal(409, `no daemon of this lab runs on ${name}`);
    return daemon;
  };
  return [
    ask('POST', at('/start'), 'starts dist/main.js on the router', ({ places }) => {
      const name = routerName(places);
      if (!lab.routers[name].sim.alive) throw new Refusal(409, `${name} is powered off; boot it`);
      if (lab.daemon(name) !== null) throw new Refusal(409, `${name} runs a daemon already`);
      return { pid: lab.startDaemon(name).pid };
    }),
    askWith(
      'POST',
      at('/stop'),
      'ends the daemon with a signal and says how it ended',
      z.strictObject({ signal: z.enum(['SIGTERM', 'SIGINT', 'SIGKILL']).default('SIGTERM') }),
      (asked) => running(asked).stop(asked.body.signal),
    ),
    ask('GET', at('/log'), 'its log records; ?event=NAME for those of one event, in full', (asked) => {
      const { records } = running(asked);
      const event = asked.query.get('event');
      return event === null ? records.map(withoutConfig) : records.filter((record) => record.event === event);
    }),
  ];
}

/** The first record holds the whole configuration, which would hide the others. */
export function withoutConfig({ config: _config, ...record }: DaemonRecord): DaemonRecord {
  return record;
}

/** @throws Refusal 404 */
export function routerName(places: Readonly<Record<string, string>>): RouterName {
  const name = routerNames.find((each) => each === places['router']);
  if (name === undefined)
    throw new Refusal(404, `no router ${places['router']}, only ${routerNames.join(', ')}`);
  return name;
}
