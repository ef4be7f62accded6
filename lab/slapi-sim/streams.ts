// One event stream of the simulated router towards its client: one holder at a time, the last opener wins.
// Event faults are applied here, on the last step before the wire.
import { status as grpcStatus } from '@grpc/grpc-js';
import type { Faults, StreamName } from './faults';
import { monotonicMs } from './journal';
import type { Timers } from './timers';
import type { WireMessage } from './wire';

/** The part that server-streaming and bidirectional calls have in common. */
export interface OutgoingCall {
  readonly cancelled: boolean;
  write(message: WireMessage): boolean;
  end(): void;
  emit(event: 'error', failure: { readonly code: number; readonly details: string }): boolean;
  on(event: 'cancelled' | 'error', listener: () => void): unknown;
}

export interface WrittenEvent {
  readonly stream: StreamName;
  /** Taken right before the write, on the clock of `monotonicMs`. */
  readonly atMs: number;
  readonly message: WireMessage;
}

export interface StreamHooks {
  readonly written: (event: WrittenEvent) => void;
  /** The stream has no holder any more. */
  readonly released: () => void;
}

export class EventStream {
  readonly #name: StreamName;
  readonly #method: string;
  readonly #faults: Faults;
  readonly #timers: Timers;
  readonly #hooks: StreamHooks;
  #holder: OutgoingCall | null = null;

  constructor(name: StreamName, method: string, faults: Faults, timers: Timers, hooks: StreamHooks) {
    this.#name = name;
    this.#method = method;
    this.#faults = faults;
    this.#timers = timers;
    this.#hooks = hooks;
  }

  get held(): boolean {
    return this.#holder !== null;
  }

  /** `farewell` is what the present holder, if there is one, gets to see before its stream ends. */
  open(call: OutgoingCall, farewell: WireMessage): void {
    this.takeAway(farewell);
    this.#holder = call;
    // Writing to a client that has just gone is an error event, which nobody else would catch.
    call.on('error', () => undefined);
    call.on('cancelled', () => this.#release(call));
  }

  takeAway(farewell: WireMessage): void {
    const holder = this.#holder;
    if (holder === null) return;
    this.#write(holder, farewell);
    holder.end();
    this.#release(holder);
  }

  /** Ends the stream: cleanly, or with UNAVAILABLE. */
  cut(how: 'end' | 'error'): void {
    const holder = this.#holder;
    if (holder === null) return;
    if (how === 'end') holder.end();
    else holder.emit('error', { code: grpcStatus.UNAVAILABLE, details: 'stream cut by the simulator' });
    this.#release(holder);
  }

  /** Sends an event as the faults will have it. Without a holder it is lost, as on a router. */
  send(message: WireMessage): void {
    const { delayMs, copies, dropNext } = this.#faults.eventFault(this.#name);
    if (dropNext > 0) {
      this.#faults.setEventFault(this.#name, { dropNext: dropNext - 1 });
      return;
    }
    const write = () => {
      for (let copy = 0; copy < copies; copy += 1) this.sendAsIs(message);
    };
    if (delayMs > 0) this.#timers.after(delayMs, write);
    else write();
  }

  /** Sends regardless of event faults. */
  sendAsIs(message: WireMessage): void {
    this.#faults.whenAnswering(this.#method, () => {
      if (this.#holder !== null) this.#write(this.#holder, message);
    });
  }

  /** The connection is gone already. */
  abandon(): void {
    if (this.#holder !== null) this.#release(this.#holder);
  }

  holds(call: OutgoingCall): boolean {
    return this.#holder === call;
  }

  close(call: OutgoingCall): void {
    call.end();
    this.#release(call);
  }

  #write(call: OutgoingCall, message: WireMessage): void {
    if (call.cancelled) return;
    const atMs = monotonicMs();
    call.write(message);
    this.#hooks.written({ stream: this.#name, atMs, message });
  }

  #release(call: OutgoingCall): void {
    if (this.#holder !== call) return;
    this.#holder = null;
    this.#hooks.released();
  }
}
