// The insides of one simulated router: tables, services and streams, and how a change in the first becomes an
// event on the last. It does not listen and takes no orders from outside: see router.ts.
import { familyOf, type AddressFamily } from './address';
import { BfdTable, type EventCounter, type PeerSees } from './bfd';
import type { MultiHop } from './bfdRules';
import { bfdErrorEvent, bfdImplementation, bfdStreamMethod } from './bfdService';
import { notification, type BfdDiag, type BfdSession, type BfdStatus } from './bfdSession';
import { Faults, type StreamName } from './faults';
import { GlobalService } from './globalService';
import type { Gate } from './handlers';
import {
  interfaceErrorEvent,
  interfaceService,
  interfaceStreamMethod,
  type InterfaceService,
} from './interfaceService';
import { InterfaceTable, type InterfaceState, type SimInterface } from './interfaces';
import { Journal } from './journal';
import type { SimRouterSettings } from './options';
import type { Service } from './server';
import { EventStream, type WrittenEvent } from './streams';
import { Timers } from './timers';
import { services, type WireMessage } from './wire';

/** How the fabric follows a router. */
export interface RouterListener {
  readonly changed: () => void;
  readonly removed: (session: BfdSession, peerSees: PeerSees) => void;
}

export interface InterfaceDownReport {
  /** Which of the router's two reports comes first; `gapMs` later comes the other. */
  readonly first: 'interface' | 'bfd';
  readonly gapMs: number;
}

export class Device {
  readonly settings: SimRouterSettings;
  readonly timers = new Timers();
  readonly faults = new Faults();
  readonly journal = new Journal();
  readonly interfaces: InterfaceTable;
  readonly bfd: BfdTable;
  readonly bfdv6: BfdTable;
  readonly bfdEvents: EventCounter = { seqNum: 0 };
  multiHop: MultiHop;
  readonly global: GlobalService;
  readonly interfaceService: InterfaceService;
  readonly listeners = new Set<RouterListener>();
  readonly writtenListeners = new Set<(event: WrittenEvent) => void>();
  readonly #gate: Gate;
  readonly #bfdStream: EventStream;
  readonly #bfdv6Stream: EventStream;
  readonly #interfaceStream: EventStream;
  readonly #pendingReports = new Map<string, () => void>();

  constructor(settings: SimRouterSettings) {
    this.settings = settings;
    this.interfaces = new InterfaceTable(settings.interfaces);
    this.multiHop = settings.multiHop;
    this.bfd = this.#bfdTable('IPv4');
    this.bfdv6 = this.#bfdTable('IPv6');
    this.#gate = {
      faults: this.faults,
      journal: this.journal,
      sendHeadersAtOnce: settings.sendHeadersAtOnce,
      connected: () => settings.generation === 'gen2' || this.global.clients > 0,
    };
    this.interfaceService = interfaceService(
      this.#gate,
      this.interfaces,
      settings,
      () => this.bfd.registered || this.bfdv6.registered,
    );
    const written = (event: WrittenEvent) => this.writtenListeners.forEach((listener) => listener(event));
    this.global = new GlobalService(settings, this.#gate, this.timers, {
      written,
      released: () => this.#initStreamEnded(),
    });
    const bfdStream = (name: StreamName, family: AddressFamily) =>
      new EventStream(name, bfdStreamMethod(family), this.faults, this.timers, {
        written,
        released: () => undefined,
      });
    this.#bfdStream = bfdStream('bfd', 'IPv4');
    this.#bfdv6Stream = bfdStream('bfdv6', 'IPv6');
    const interfaceMethod = interfaceStreamMethod(settings.generation);
    this.#interfaceStream = new EventStream('interface', interfaceMethod, this.faults, this.timers, {
      written,
      released: () => this.interfaceService.streamReleased(),
    });
  }

  services(): readonly Service[] {
    const definitions = services(this.settings.generation);
    return [
      { definition: definitions.global, implementation: this.global.implementation() },
      {
        definition: definitions.bfd,
        implementation: bfdImplementation('IPv4', this.#gate, this.bfd, this.#bfdStream, this.settings),
      },
      {
        definition: definitions.bfdv6,
        implementation: bfdImplementation('IPv6', this.#gate, this.bfdv6, this.#bfdv6Stream, this.settings),
      },
      {
        definition: definitions.interfaces,
        implementation: this.interfaceService.implementation(this.#interfaceStream),
      },
    ];
  }

  clients() {
    return {
      init: this.global.clients,
      bfd: this.#bfdStream.held,
      bfdv6: this.#bfdv6Stream.held,
      interface: this.#interfaceStream.held,
    };
  }

  changed(): void {
    for (const listener of this.listeners) listener.changed();
  }

  // ---- Interfaces ----

  setInterface(name: string, to: InterfaceState, report: InterfaceDownReport): void {
    const one = this.interfaces.get(name);
    one.physical = to;
    this.#pendingReports.get(name)?.();
    this.#pendingReports.delete(name);
    if (to === 'up') this.#reportInterface(one, 'up');
    else this.#reportDown(one, report);
    this.changed();
  }

  /** What is told of an interface by whoever has a real one: sessions are another matter. */
  tellInterface(name: string, to: InterfaceState): void {
    const one = this.interfaces.get(name);
    one.physical = to;
    this.#reportInterface(one, to);
    this.changed();
  }

  #reportDown(one: SimInterface, { first, gapMs }: InterfaceDownReport): void {
    const reports = [() => this.#reportInterface(one, 'down'), () => this.#reportSessionsDown(one)];
    const [now, then] = first === 'interface' ? reports : reports.reverse();
    now?.();
    if (gapMs > 0)
      this.#pendingReports.set(
        one.name,
        this.timers.after(gapMs, () => then?.()),
      );
    else then?.();
  }

  #reportInterface(one: SimInterface, to: InterfaceState): void {
    if (one.reported === to) return;
    one.reported = to;
    const event = this.interfaceService.changed(one);
    if (event !== null) this.#interfaceStream.send(event);
  }

  #reportSessionsDown(one: SimInterface): void {
    for (const session of this.sessions()) {
      if (session.key.interface === one.name && session.status === 'UP')
        this.setBfd(session, 'DOWN', 'PATH_DOWN');
    }
  }

  // ---- Sessions ----

  /** Of both families, IPv4 first. */
  sessions(): readonly BfdSession[] {
    return [...this.bfd.list(), ...this.bfdv6.list()];
  }

  setBfd(session: BfdSession, to: BfdStatus, diag: BfdDiag): void {
    this.#tableOf(session).setStatus(session, to, diag);
  }

  #tableOf({ key }: BfdSession): BfdTable {
    return familyOf(key.neighbor) === 'IPv6' ? this.bfdv6 : this.bfd;
  }

  #bfdTable(family: AddressFamily): BfdTable {
    const { limits, vrfs } = this.settings;
    const hasInterface = (name: string) => this.interfaces.has(name);
    return new BfdTable(
      family,
      this.bfdEvents,
      this.settings,
      { limits, multiHop: () => this.multiHop, vrfs, hasInterface },
      {
        created: (session) => this.#sessionCreated(session),
        updated: () => this.changed(),
        changed: (session) => {
          this.#sendSession(session);
          this.changed();
        },
        removed: (session, peerSees) => this.listeners.forEach((each) => each.removed(session, peerSees)),
      },
    );
  }

  #sessionCreated(session: BfdSession): void {
    const { seqNum } = session;
    if (session.status === 'DOWN') {
      this.timers.after(this.settings.initialEventMs, () => {
        const unchanged = session.seqNum === seqNum && this.sessions().includes(session);
        if (unchanged) this.#sendSession(session);
      });
    }
    this.changed();
  }

  /** A client that is not registered, or not any more, is told nothing. */
  #sendSession(session: BfdSession): void {
    if (!this.#tableOf(session).registered) return;
    const stream = familyOf(session.key.neighbor) === 'IPv6' ? this.#bfdv6Stream : this.#bfdStream;
    stream.send(notification(session, this.settings.generation));
  }

  // ---- Clients ----

  cutStream(stream: StreamName, how: 'end' | 'error'): void {
    if (stream === 'init') this.global.cut(how);
    else this.#stream(stream).cut(how);
  }

  takeAwayStream(stream: StreamName): void {
    if (stream === 'init') this.global.takeAway();
    else if (stream === 'interface')
      this.#interfaceStream.takeAway(interfaceErrorEvent(this.settings.generation, 'SL_NOTIF_TERM'));
    else this.#stream(stream).takeAway(bfdErrorEvent('SL_NOTIF_TERM'));
  }

  inject(stream: StreamName, message: WireMessage): void {
    if (stream === 'init') this.global.send(message);
    else this.#stream(stream).sendAsIs(message);
  }

  /** All connections are gone. */
  abandonStreams(): void {
    this.faults.forgetHeld();
    this.global.abandon();
    this.#bfdStream.abandon();
    this.#bfdv6Stream.abandon();
    this.#interfaceStream.abandon();
  }

  loseState(peerSees: PeerSees): void {
    this.bfd.restart(peerSees);
    this.bfdv6.restart(peerSees);
    this.interfaceService.restart();
    this.global.initialised = false;
  }

  stopTimers(): void {
    this.timers.clear();
    this.#pendingReports.clear();
  }

  #stream(stream: Exclude<StreamName, 'init'>): EventStream {
    switch (stream) {
      case 'bfd':
        return this.#bfdStream;
      case 'bfdv6':
        return this.#bfdv6Stream;
      case 'interface':
        return this.#interfaceStream;
    }
  }

  #initStreamEnded(): void {
    if (this.global.clients > 0) return;
    if (this.settings.generation === 'gen1') {
      this.bfd.registered = false;
      this.bfdv6.registered = false;
      this.interfaceService.clientGone();
    }
    const fate = this.settings.sessionsDieWithClient;
    if (fate === null) return;
    this.timers.after(fate.graceMs, () => {
      if (this.global.clients > 0) return;
      this.bfd.forgetClient(fate.peerSees);
      this.bfdv6.forgetClient(fate.peerSees);
    });
  }
}
