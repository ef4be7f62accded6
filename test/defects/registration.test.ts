/** A router that refuses the registration for BFD: the simulated one never does, so this is a smaller one. */
import type { sendUnaryData, ServerWritableStream } from '@grpc/grpc-js';
import { listen } from '../../lab/slapi-sim/server';
import { services, status } from '../../lab/slapi-sim/wire';
import { cleanUp, cleanUpLater, eventsOf, nth, slapiSettings, start } from '../adapters/slapi/rig';

afterEach(cleanUp);

test('a registration that the router refuses is a loss, told in words, and nothing is programmed without it', async () => {
  const asked: string[] = [];
  const answer = (method: string, reply: object) => (_call: unknown, done: sendUnaryData<object>) => {
    asked.push(method);
    done(null, reply);
  };
  const stayOpen = (): void => {};
  const { global, bfd, interfaces } = services('gen1');
  const { target, stop } = await listen({ port: 0 }, null, [
    {
      definition: global,
      implementation: {
        SLGlobalInitNotif: (call: ServerWritableStream<object, object>) =>
          void call.write({
            EventType: 'SL_GLOBAL_EVENT_TYPE_VERSION',
            ErrStatus: status('SL_INIT_STATE_CLEAR'),
            InitRspMsg: { MinorVer: 6 },
          }),
      },
    },
    {
      definition: interfaces,
      implementation: {
        SLInterfaceGlobalsGet: answer('SLInterfaceGlobalsGet', { MaxInterfacesPerBatch: 128 }),
        SLInterfaceGlobalsRegOp: answer('SLInterfaceGlobalsRegOp', {}),
        SLInterfaceNotifOp: answer('SLInterfaceNotifOp', {}),
        SLInterfaceGetNotifStream: stayOpen,
      },
    },
    {
      definition: bfd,
      implementation: {
        SLBfdv4Get: answer('SLBfdv4Get', { MaxBfdSessionCfgPerSLBfdMsg: 64 }),
        SLBfdv4RegOp: answer('SLBfdv4RegOp', { ErrStatus: { Status: 0x6004 } }),
        SLBfdv4SessionGet: answer('SLBfdv4SessionGet', { Eof: true }),
        SLBfdv4SessionOp: answer('SLBfdv4SessionOp', {}),
        SLBfdv4GetNotifStream: stayOpen,
      },
    },
  ]);
  cleanUpLater(stop);

  const attached = start(slapiSettings(target));
  expect((await nth(attached, 'streamsLost', 1)).cause).toBe(
    'SLBfdv4RegOp was refused: BFD on the router failed inside (SL_RPC_BFD_API_INTERNAL_ERROR)',
  );
  // What is asked of the interfaces goes beside it, in no order that anything depends on.
  expect(asked.filter((method) => method.startsWith('SLBfdv4')).at(-1)).toBe('SLBfdv4RegOp');
  expect(eventsOf(attached, 'streamsSynchronized')).toEqual([]);
});
