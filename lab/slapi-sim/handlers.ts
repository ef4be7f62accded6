// The gate that every request of a client passes: credentials, the journal, a hang that was asked for, and
// the older generation's rule that nothing works without a live SLGlobalInitNotif stream.
import {
  Metadata,
  status as grpcStatus,
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
} from '@grpc/grpc-js';
import type { Faults } from './faults';
import type { Journal } from './journal';
import type { OutgoingCall } from './streams';
import type { Errno } from './wire';

export interface Gate {
  readonly faults: Faults;
  readonly journal: Journal;
  readonly sendHeadersAtOnce: boolean;
  /** False where the request must be answered with SL_NOT_CONNECTED. */
  readonly connected: () => boolean;
}

const unauthenticated = { code: grpcStatus.UNAUTHENTICATED, details: 'username or password wrong' };

export function unary<Request extends object>(
  gate: Gate,
  method: string,
  refuse: (errno: Errno) => object,
  answer: (request: Request) => object,
): handleUnaryCall<Request, object> {
  return (call, callback) => {
    gate.journal.record(method, call.request);
    if (!authenticated(gate, call.metadata)) return callback(unauthenticated);
    gate.faults.whenAnswering(method, () => {
      if (call.cancelled) return;
      callback(null, gate.connected() ? answer(call.request) : refuse('SL_NOT_CONNECTED'));
    });
  };
}

export function serverStream<Request extends object>(
  gate: Gate,
  method: string,
  refuse: (errno: Errno) => object,
  open: (call: OutgoingCall, request: Request) => void,
): handleServerStreamingCall<Request, object> {
  return (call) => {
    gate.journal.record(method, call.request);
    if (!authenticated(gate, call.metadata)) return void call.emit('error', unauthenticated);
    gate.faults.whenAnswering(method, () => {
      if (call.cancelled) return;
      if (gate.connected()) {
        if (gate.sendHeadersAtOnce) call.sendMetadata(new Metadata());
        open(call, call.request);
      } else {
        call.write(refuse('SL_NOT_CONNECTED'));
        call.end();
      }
    });
  };
}

export interface BidiHandlers<Request> {
  readonly open: (call: OutgoingCall) => void;
  readonly message: (call: OutgoingCall, request: Request) => void;
  /** The client has sent its last message. */
  readonly end: (call: OutgoingCall) => void;
}

export function bidi<Request extends object>(
  gate: Gate,
  method: string,
  handlers: BidiHandlers<Request>,
): handleBidiStreamingCall<Request, object> {
  return (call) => {
    gate.journal.record(method, null);
    if (!authenticated(gate, call.metadata)) return void call.emit('error', unauthenticated);
    gate.faults.whenAnswering(method, () => {
      if (call.cancelled) return;
      if (gate.sendHeadersAtOnce) call.sendMetadata(new Metadata());
      handlers.open(call);
    });
    call.on('data', (request: Request) => {
      gate.journal.record(method, request);
      gate.faults.whenAnswering(method, () => handlers.message(call, request));
    });
    call.on('end', () => handlers.end(call));
  };
}

/** A stream that comes before what it needs. */
export function refuseStream(call: OutgoingCall, how: 'event' | 'status', event: object): void {
  if (how === 'status') {
    call.emit('error', { code: grpcStatus.FAILED_PRECONDITION, details: 'the client is not registered' });
    return;
  }
  call.write(event);
  call.end();
}

function authenticated({ faults }: Gate, metadata: Metadata): boolean {
  if (faults.credentials === null) return true;
  const { username, password } = faults.credentials;
  return metadata.get('username')[0] === username && metadata.get('password')[0] === password;
}
