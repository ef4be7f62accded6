// SLBfdv4Oper of the simulated router: its table behind the gate, its events on one stream.
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { BfdTable, SessionGetRequest, SessionOpRequest } from './bfd';
import { serverStream, unary, type Gate } from './handlers';
import type { EventStream } from './streams';
import { status, type Errno } from './wire';

export const bfdStreamMethod = 'SLBfdv4GetNotifStream';

export const bfdErrorEvent = (errno: Errno): object => ({
  EventType: 'SL_BFD_EVENT_TYPE_ERROR',
  ErrStatus: status(errno),
});

const refused = (errno: Errno): object => ({ ErrStatus: status(errno) });
const refusedSummary = (errno: Errno): object => ({ StatusSummary: status(errno) });

export function bfdImplementation(
  gate: Gate,
  table: BfdTable,
  stream: EventStream,
): UntypedServiceImplementation {
  const sessionOp = (request: SessionOpRequest): object => {
    const refusal = gate.faults.takeSessionOpRefusal();
    if (refusal?.scope === 'request') return refusedSummary(refusal.errno);
    return table.sessionOp(request, refusal?.errno ?? null);
  };
  return {
    SLBfdv4RegOp: unary(gate, 'SLBfdv4RegOp', refused, ({ Oper }: { Oper: string | number }) => ({
      ErrStatus: status(table.regOp(Oper)),
    })),
    SLBfdv4Get: unary(gate, 'SLBfdv4Get', refused, () => table.limits()),
    SLBfdv4GetStats: unary(gate, 'SLBfdv4GetStats', refused, () => table.stats()),
    SLBfdv4SessionOp: unary(gate, 'SLBfdv4SessionOp', refusedSummary, sessionOp),
    SLBfdv4SessionGet: unary(gate, 'SLBfdv4SessionGet', refused, (request: SessionGetRequest) =>
      table.sessionGet(request),
    ),
    [bfdStreamMethod]: serverStream(gate, bfdStreamMethod, bfdErrorEvent, (call) =>
      stream.open(call, bfdErrorEvent('SL_NOTIF_TERM')),
    ),
  };
}
