// SLInterfaceOper of the simulated router, in the generation that it speaks. Calls of the other generation
// find no handler, which gRPC answers with UNIMPLEMENTED, as a router does.
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { bidi, refuseStream, serverStream, unary, type Gate } from './handlers';
import { InterfaceServiceGen1, type InterfaceGetRequest, type NotifOpRequest } from './interfaceGen1';
import { InterfaceServiceGen2, type SubscribeRequest } from './interfaceGen2';
import type { InterfaceTable, SimInterface } from './interfaces';
import type { SimRouterSettings } from './options';
import type { EventStream } from './streams';
import { status, type Errno, type Generation } from './wire';

const NOT_REGISTERED = 'SL_RPC_INTF_API_CLIENT_NOT_REGISTERED';

/** What the router needs of the service, whichever generation. */
export interface InterfaceService {
  readonly implementation: (stream: EventStream) => UntypedServiceImplementation;
  /** The event for an interface whose report has just changed, or null where nobody asked for it. */
  readonly changed: (one: SimInterface) => object | null;
  readonly registered: () => boolean;
  readonly subscribed: (name: string) => boolean;
  /** The older generation forgets that the client registered when its global session ends. */
  readonly clientGone: () => void;
  readonly streamReleased: () => void;
  readonly restart: () => void;
}

export const interfaceStreamMethod = (generation: Generation): string =>
  generation === 'gen1' ? 'SLInterfaceGetNotifStream' : 'SLInterfaceNotifStream';

export const interfaceErrorEvent = (generation: Generation, errno: Errno): object =>
  generation === 'gen1'
    ? { EventType: 'SL_INTERFACE_EVENT_TYPE_ERROR', ErrStatus: status(errno) }
    : { Error: { Details: [{ ErrStatus: status(errno) }] } };

export const interfaceService = (
  gate: Gate,
  table: InterfaceTable,
  settings: SimRouterSettings,
  bfdRegistered: () => boolean,
): InterfaceService =>
  settings.generation === 'gen1'
    ? olderService(gate, table, settings)
    : newerService(gate, table, settings, bfdRegistered);

function olderService(gate: Gate, table: InterfaceTable, settings: SimRouterSettings): InterfaceService {
  const service = new InterfaceServiceGen1(table, settings.maxInterfacesPerBatch);
  const refused = (errno: Errno): object => ({ ErrStatus: status(errno) });
  const method = interfaceStreamMethod('gen1');
  const error = (errno: Errno): object => interfaceErrorEvent('gen1', errno);
  return {
    implementation: (stream) => ({
      SLInterfaceGlobalsRegOp: unary(
        gate,
        'SLInterfaceGlobalsRegOp',
        refused,
        ({ Oper }: { Oper: string | number }) => {
          const tooEarly =
            settings.streamOrder === 'streamFirst' && Oper === 'SL_REGOP_REGISTER' && !stream.held;
          return { ErrStatus: status(tooEarly ? NOT_REGISTERED : service.regOp(Oper)) };
        },
      ),
      SLInterfaceGlobalsGet: unary(gate, 'SLInterfaceGlobalsGet', refused, () => service.globals()),
      SLInterfaceGlobalsGetStats: unary(gate, 'SLInterfaceGlobalsGetStats', refused, () => service.stats()),
      SLInterfaceGet: unary(gate, 'SLInterfaceGet', refused, (request: InterfaceGetRequest) =>
        service.get(request),
      ),
      SLInterfaceNotifOp: unary(
        gate,
        'SLInterfaceNotifOp',
        (errno) => ({ StatusSummary: status(errno) }),
        (request: NotifOpRequest) =>
          service.notifOp(request, (one) => {
            if (settings.sendStateOnEnable) stream.send(service.notification(one));
          }),
      ),
      [method]: serverStream(gate, method, error, (call) => {
        if (settings.streamOrder === 'registerFirst' && !service.registered)
          refuseStream(call, settings.earlyStream, error(NOT_REGISTERED));
        else stream.open(call, error('SL_NOTIF_TERM'));
      }),
    }),
    changed: (one) => {
      service.changed(one);
      return service.registered && service.enabled(one.name) ? service.notification(one) : null;
    },
    registered: () => service.registered,
    subscribed: (name) => service.enabled(name),
    clientGone: () => {
      service.registered = false;
    },
    streamReleased: () => undefined,
    restart: () => service.clear(),
  };
}

function newerService(
  gate: Gate,
  table: InterfaceTable,
  settings: SimRouterSettings,
  bfdRegistered: () => boolean,
): InterfaceService {
  const service = new InterfaceServiceGen2(table);
  const method = interfaceStreamMethod('gen2');
  return {
    implementation: (stream) => ({
      [method]: bidi(gate, method, {
        open: (call) => {
          if (settings.streamOrder === 'registerFirst' && !bfdRegistered())
            refuseStream(call, settings.earlyStream, interfaceErrorEvent('gen2', NOT_REGISTERED));
          else stream.open(call, interfaceErrorEvent('gen2', 'SL_NOTIF_TERM'));
        },
        message: (call, request: SubscribeRequest) => {
          if (!stream.holds(call)) return;
          const error = service.request(request, (one, again) => {
            if (settings.sendStateOnEnable === true || (settings.sendStateOnEnable === 'first' && !again))
              stream.send(service.notification(one));
          });
          if (error !== null) stream.sendAsIs(error);
        },
        end: (call) => stream.close(call),
      }),
    }),
    changed: (one) => (service.wants(one) ? service.notification(one) : null),
    registered: () => true,
    subscribed: (name) => service.subscribed(name),
    clientGone: () => undefined,
    streamReleased: () => service.clear(),
    restart: () => service.clear(),
  };
}
