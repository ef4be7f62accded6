// One simulated IOS-XR router as the rest of the lab handles it: it is started, killed and restarted, its
// interfaces fail, and it misbehaves as told. Every control method takes and returns plain JSON-able data, so
// that it can be driven from another process. How two routers hear each other is the fabric's affair.
import { setTimeout as sleep } from 'node:timers/promises';
import { canonical } from './address';
import type { PeerSees } from './bfd';
import type { MultiHop } from './bfdRules';
import type { BfdDiag, BfdSession, BfdStatus } from './bfdSession';
import { Device, type InterfaceDownReport, type RouterListener } from './device';
import type { Credentials, EventFault, SessionOpRefusal, StreamName } from './faults';
import type { InterfaceState } from './interfaces';
import type { ReceivedRpc } from './journal';
import { settings, type SimRouterOptions } from './options';
import { routerState, type RouterState } from './routerState';
import { listen, type ListenAddress, type Listening } from './server';
import type { WrittenEvent } from './streams';
import type { Errno, Generation, WireMessage } from './wire';

export interface SessionSelector {
  /** IPv4 or IPv6. */
  readonly neighbor: string;
  /** Needed where several interfaces have a session to that neighbour. */
  readonly interface?: string;
}

export interface GrpcRestart {
  /** Whether what clients had programmed survives. */
  readonly keepState: boolean;
  /** What the peers of lost sessions see; an AdminDown unless told otherwise. */
  readonly peerSees?: PeerSees;
  readonly downMs?: number;
}

export class SimRouter {
  readonly #options: SimRouterOptions;
  #device: Device;
  #alive = false;
  #listening: Listening | null = null;
  /** Where to listen after a restart: the port that was taken the first time. */
  #address: ListenAddress;

  constructor(options: SimRouterOptions) {
    this.#options = options;
    this.#device = new Device(settings(options));
    this.#address = this.#device.settings.listen;
  }

  get name(): string {
    return this.#device.settings.name;
  }

  get generation(): Generation {
    return this.#device.settings.generation;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Zero where the router listens on a unix socket. */
  get port(): number {
    return this.#listened().port;
  }

  /** The address for a grpc-js client. */
  get target(): string {
    return this.#listened().target;
  }

  // ---- Life ----

  async start(): Promise<void> {
    this.#alive = true;
    await this.startGrpc();
    this.#device.changed();
  }

  /** Power off, seen from outside: BFD goes silent and the API is gone, with all that the client programmed. */
  kill(): void {
    this.#alive = false;
    this.stopGrpc();
    this.#device.stopTimers();
    this.#device.loseState('silence');
    this.#device.changed();
  }

  /** Power on again after `kill`: interfaces up, nothing programmed, the same address. */
  async boot(): Promise<void> {
    this.#device.interfaces.reset();
    await this.start();
  }

  /**
   * Another release of the router's software, in place of the running one or to be booted next: it speaks this
   * interface generation, interfaces are up, nothing is programmed; faults and the journal start anew.
   */
  async upgrade(generation: Generation): Promise<void> {
    const { listeners, writtenListeners } = this.#device;
    this.stopGrpc();
    this.#device.loseState('unconfig');
    this.#device.stopTimers();
    this.#device = new Device(settings({ ...this.#options, generation }));
    for (const listener of listeners) this.#device.listeners.add(listener);
    for (const listener of writtenListeners) this.#device.writtenListeners.add(listener);
    if (this.#alive) await this.start();
  }

  close(): void {
    this.kill();
    this.#device.listeners.clear();
    this.#device.writtenListeners.clear();
  }

  async startGrpc(): Promise<void> {
    if (this.#listening !== null) return;
    const { tls, minPingIntervalMs } = this.#device.settings;
    const listening = await listen(this.#address, tls, this.#device.services(), minPingIntervalMs);
    // Killed while it was starting.
    if (!this.#alive) return listening.stop();
    this.#listening = listening;
    if ('port' in this.#address) this.#address = { port: listening.port };
  }

  /** The API is gone and its connections are cut; BFD goes on. */
  stopGrpc(): void {
    this.#listening?.stop();
    this.#listening = null;
    this.#device.abandonStreams();
  }

  /** The API process restarts on the same address. */
  async restartGrpc({ keepState, peerSees = 'unconfig', downMs = 0 }: GrpcRestart): Promise<void> {
    this.stopGrpc();
    if (!keepState) this.#device.loseState(peerSees);
    if (downMs > 0) await sleep(downMs);
    if (this.#alive) await this.startGrpc();
  }

  // ---- Interfaces and sessions ----

  /** What a shut or detached interface, and its return, look like from this router. */
  setInterface(name: string, to: InterfaceState, report: Partial<InterfaceDownReport> = {}): void {
    this.#device.setInterface(name, to, { first: 'interface', gapMs: 0, ...report });
  }

  /** The interface alone, where its sessions speak for themselves. */
  tellInterface(name: string, to: InterfaceState): void {
    this.#device.tellInterface(name, to);
  }

  /** Puts a session into a state by hand. On a link the fabric then treats it as any other change. */
  forceBfd(selector: SessionSelector, to: BfdStatus, diag: BfdDiag = 'NONE'): void {
    const session = this.sessions().find(
      ({ key }) =>
        key.neighbor === canonical(selector.neighbor) &&
        (selector.interface === undefined || key.interface === selector.interface),
    );
    if (session === undefined) throw new Error(`${this.name} has no session to ${selector.neighbor}`);
    this.setBfd(session, to, diag);
  }

  // ---- Faults ----

  /** Ends the stream: cleanly, or with UNAVAILABLE. */
  cutStream(stream: StreamName, how: 'end' | 'error' = 'error'): void {
    this.#device.cutStream(stream, how);
  }

  /** Another client takes the stream: the present holder gets SL_NOTIF_TERM, and events go elsewhere. */
  hijack(stream: StreamName): void {
    this.#device.takeAwayStream(stream);
  }

  /**
   * Accepts connections and requests and answers nothing, for all or the named RPCs; streams fall silent.
   * Lasts until `unhang`, over restarts too.
   */
  hang(methods: 'all' | readonly string[] = 'all'): void {
    this.#device.faults.hang(methods);
  }

  /** What was held is done now. */
  unhang(): void {
    this.#device.faults.unhang();
  }

  /** Events that come late, more than once, or not at all. Returns what is in force. */
  setEventFault(stream: StreamName, fault: Partial<EventFault>): EventFault {
    return this.#device.faults.setEventFault(stream, fault);
  }

  /** Writes any message of the stream's type, in the JSON of proto-loader (enum names or numbers). */
  inject(stream: StreamName, message: WireMessage): void {
    this.#device.inject(stream, message);
  }

  /** Writes any bytes as a message, also such that do not decode. */
  injectBytes(stream: StreamName, hex: string): void {
    this.inject(stream, Buffer.from(hex, 'hex'));
  }

  /** The next session operations are refused, by default one of them with a result for each session. */
  rejectSessionOps(
    refusal: { errno: Errno; scope?: SessionOpRefusal['scope']; times?: number } | null,
  ): void {
    this.#device.faults.refuseSessionOps(
      refusal === null ? null : { scope: 'sessions', times: 1, ...refusal },
    );
  }

  /** Whether multi-hop sessions are accepted from now on, or the code that refuses them. */
  setMultiHop(multiHop: MultiHop): void {
    this.#device.multiHop = multiHop;
  }

  /** Until null is given: each handshake gets this code, and its stream ends. */
  refuseInit(errno: Errno | null): void {
    this.#device.faults.refuseInit = errno;
  }

  /** Until null is given: a request without these in its metadata is UNAUTHENTICATED. */
  requireCredentials(credentials: Credentials | null): void {
    this.#device.faults.credentials = credentials;
  }

  /** For the init streams opened from now on. */
  setHeartbeatMs(heartbeatMs: number): void {
    this.#device.global.heartbeatMs = heartbeatMs;
  }

  // ---- Observation ----

  state(): RouterState {
    return routerState(this.#device, this.#alive, this.#listening?.target ?? null);
  }

  /** The latest requests in the order they came, of all RPCs or of one. */
  received(method?: string): readonly ReceivedRpc[] {
    return this.#device.journal.received(method);
  }

  clearReceived(): void {
    this.#device.journal.clear();
  }

  /** Told of every message written to a stream. Returns what ends it. */
  onEventWritten(listener: (event: WrittenEvent) => void): () => void {
    this.#device.writtenListeners.add(listener);
    return () => this.#device.writtenListeners.delete(listener);
  }

  // ---- For the fabric ----

  attach(listener: RouterListener): void {
    this.#device.listeners.add(listener);
  }

  sessions(): readonly BfdSession[] {
    return this.#device.sessions();
  }

  interfacePasses(name: string): boolean {
    return this.#alive && this.#device.interfaces.get(name).physical === 'up';
  }

  setBfd(session: BfdSession, to: BfdStatus, diag: BfdDiag): void {
    this.#device.setBfd(session, to, diag);
  }

  #listened(): Listening {
    if (this.#listening === null) throw new Error(`${this.name} is not listening`);
    return this.#listening;
  }
}
