// SLGlobal of the simulated router: the version handshake, the heartbeats, and who is connected.
// In the older generation there is one global session and a second client takes it over; in the newer one
// the stream is a heartbeat that any number of clients may have.
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { maxInterfaceNameLength, maxVrfNameLength } from './bfdRules';
import { serverStream, unary, type Gate } from './handlers';
import type { SimRouterSettings } from './options';
import { EventStream, type OutgoingCall, type StreamHooks } from './streams';
import type { Timers } from './timers';
import { status, type Errno, type WireMessage } from './wire';

const initMethod = 'SLGlobalInitNotif';

const errorEvent = (errno: Errno): object => ({
  EventType: 'SL_GLOBAL_EVENT_TYPE_ERROR',
  ErrStatus: status(errno),
});

export class GlobalService {
  /** Whether a client has been here since the router last lost its state. */
  initialised = false;
  heartbeatMs: number;
  readonly #settings: SimRouterSettings;
  readonly #gate: Gate;
  readonly #timers: Timers;
  readonly #hooks: StreamHooks;
  readonly #streams = new Set<EventStream>();

  constructor(settings: SimRouterSettings, gate: Gate, timers: Timers, hooks: StreamHooks) {
    this.#settings = settings;
    this.heartbeatMs = settings.heartbeatMs;
    this.#gate = gate;
    this.#timers = timers;
    this.#hooks = hooks;
  }

  get clients(): number {
    return this.#streams.size;
  }

  implementation(): UntypedServiceImplementation {
    const ungated: Gate = { ...this.#gate, connected: () => true };
    return {
      [initMethod]: serverStream(ungated, initMethod, errorEvent, (call) => this.#open(call)),
      SLGlobalsGet: unary(
        this.#gate,
        'SLGlobalsGet',
        (errno) => ({ ErrStatus: status(errno) }),
        () => ({
          ErrStatus: {},
          MaxVrfNameLength: maxVrfNameLength,
          MaxInterfaceNameLength: maxInterfaceNameLength,
        }),
      ),
    };
  }

  send(message: WireMessage): void {
    for (const stream of this.#streams) stream.sendAsIs(message);
  }

  cut(how: 'end' | 'error'): void {
    for (const stream of this.#streams) stream.cut(how);
  }

  takeAway(): void {
    for (const stream of this.#streams) stream.takeAway(errorEvent('SL_NOTIF_TERM'));
  }

  abandon(): void {
    for (const stream of this.#streams) stream.abandon();
  }

  #open(call: OutgoingCall): void {
    const { refuseInit } = this.#gate.faults;
    if (refuseInit !== null) {
      call.write(this.#versionEvent(refuseInit));
      call.end();
      return;
    }
    if (this.#settings.generation === 'gen1') this.takeAway();
    this.#accept(call);
  }

  #accept(call: OutgoingCall): void {
    let stopHeartbeats = () => undefined as void;
    const stream: EventStream = new EventStream('init', initMethod, this.#gate.faults, this.#timers, {
      written: this.#hooks.written,
      released: () => {
        stopHeartbeats();
        this.#streams.delete(stream);
        this.#hooks.released();
      },
    });
    this.#streams.add(stream);
    stream.open(call, {});
    stream.send(this.#versionEvent(this.initialised ? 'SL_INIT_STATE_READY' : 'SL_INIT_STATE_CLEAR'));
    this.initialised = true;
    stopHeartbeats = this.#timers.every(this.heartbeatMs, () =>
      stream.send({ EventType: 'SL_GLOBAL_EVENT_TYPE_HEARTBEAT', ErrStatus: {} }),
    );
  }

  #versionEvent(errno: Errno): object {
    const { major, minor, sub } = this.#settings.version;
    return {
      EventType: 'SL_GLOBAL_EVENT_TYPE_VERSION',
      ErrStatus: status(errno),
      InitRspMsg: { MajorVer: major, MinorVer: minor, SubVer: sub },
    };
  }
}
