// SLBfdv4Oper and SLBfdv6Oper of the simulated router: a table behind the gate, its events on one stream.
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { AddressFamily } from './address';
import type { BfdTable, SessionGetRequest, SessionOpRequest } from './bfd';
import { refuseStream, serverStream, unary, type Gate } from './handlers';
import type { SimRouterSettings } from './options';
import type { EventStream } from './streams';
import { status, type Errno } from './wire';

const prefixes: Readonly<Record<AddressFamily, string>> = { IPv4: 'SLBfdv4', IPv6: 'SLBfdv6' };

export const bfdStreamMethod = (family: AddressFamily): string => `${prefixes[family]}GetNotifStream`;

export const bfdErrorEvent = (errno: Errno): object => ({
  EventType: 'SL_BFD_EVENT_TYPE_ERROR',
  ErrStatus: status(errno),
});

const refused = (errno: Errno): object => ({ ErrStatus: status(errno) });
const refusedSummary = (errno: Errno): object => ({ StatusSummary: status(errno) });

export function bfdImplementation(
  family: AddressFamily,
  gate: Gate,
  table: BfdTable,
  stream: EventStream,
  { streamOrder, earlyStream }: Pick<SimRouterSettings, 'streamOrder' | 'earlyStream'>,
): UntypedServiceImplementation {
  const name = (method: string) => `${prefixes[family]}${method}`;
  const sessionOp = (request: SessionOpRequest): object => {
    const refusal = gate.faults.takeSessionOpRefusal();
    if (refusal?.scope === 'request') return refusedSummary(refusal.errno);
    return table.sessionOp(request, refusal?.errno ?? null);
  };
  return {
    [name('RegOp')]: unary(gate, name('RegOp'), refused, ({ Oper }: { Oper: string | number }) => {
      const tooEarly = streamOrder === 'streamFirst' && Oper === 'SL_REGOP_REGISTER' && !stream.held;
      return { ErrStatus: status(tooEarly ? table.notRegistered : table.regOp(Oper)) };
    }),
    [name('Get')]: unary(gate, name('Get'), refused, () => table.limits()),
    [name('GetStats')]: unary(gate, name('GetStats'), refused, () => table.stats()),
    [name('SessionOp')]: unary(gate, name('SessionOp'), refusedSummary, sessionOp),
    [name('SessionGet')]: unary(gate, name('SessionGet'), refused, (request: SessionGetRequest) =>
      table.sessionGet(request),
    ),
    [bfdStreamMethod(family)]: serverStream(gate, bfdStreamMethod(family), bfdErrorEvent, (call) => {
      if (streamOrder === 'registerFirst' && !table.registered)
        refuseStream(call, earlyStream, bfdErrorEvent(table.notRegistered));
      else stream.open(call, bfdErrorEvent('SL_NOTIF_TERM'));
    }),
  };
}
