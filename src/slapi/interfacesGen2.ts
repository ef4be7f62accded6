/**
 * Interfaces on routers from XR 24.4.1 on: one stream in both directions, no registration and no getter. A
 * level is known when the stream has said it. Whether a router reports the present state of an interface
 * when it is subscribed, and again when it is subscribed once more, is not documented. The first is waited for, but
 * not long; the second is tried at each attachment, and a router that has been seen to do it can be asked.
 */
import type { InterfaceLevel } from '../core/state/model';
import { needsStartingOver, outcomeOf } from './errors';
import { interfaceNotice, type InterfaceFeed, type InterfaceNews, type InterfaceReading } from './interfaces';
import type { Known } from './levels';
import type { Link } from './link';
import { messageIn, messagesIn, textIn, type Message } from './message';
import { protos } from './protos';
import { openDuplex, streamErrorLoss } from './streams';

const states = ['SL_IF_STATE_DOWN', 'SL_IF_STATE_UP', 'SL_IF_STATE_DELETED'];
/** For a router that does not know the filter's less common states (SL_INTF_INTERFACE_STATE_NOT_SUPPORTED). */
const basicStates = ['SL_IF_STATE_DOWN', 'SL_IF_STATE_UP'];

export class Gen2Interfaces implements InterfaceFeed {
  readonly generation = 'gen2';
  readonly #link: Link;
  readonly #names: readonly string[];
  readonly #news: (news: InterfaceNews) => void;
  readonly #firstReportMs: number;
  readonly #known = new Map<string, Known<InterfaceLevel>>();
  readonly #refused = new Set<string>();
  readonly #basic = new Set<string>();
  #send: (request: object) => void = () => undefined;
  #settled: () => void = () => undefined;
  /** Null until it has been tried. */
  #answers: boolean | null = null;
  readonly #questions = new Set<(interfaceName: string, level: InterfaceLevel) => void>();

  constructor(
    link: Link,
    names: readonly string[],
    on: { news: (news: InterfaceNews) => void; firstReportMs: number },
  ) {
    this.#link = link;
    this.#names = names;
    this.#news = on.news;
    this.#firstReportMs = on.firstReportMs;
  }

  async open(): Promise<void> {
    this.#send = openDuplex(this.#link, protos().gen2.events, (message) => this.#received(message));
    this.#subscribe(this.#names, states);
  }

  async settle(): Promise<void> {
    await this.#firstReports();
    this.#answers ??= await this.#tryAsking();
  }

  #firstReports(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#firstReportMs);
      this.#settled = () => {
        if (!this.#names.every((name) => this.#known.has(name) || this.#refused.has(name))) return;
        clearTimeout(timer);
        resolve();
      };
      this.#settled();
    });
  }

  level(interfaceName: string): InterfaceLevel {
    return this.#known.get(interfaceName)?.level ?? 'Unknown';
  }

  hasRefused(): boolean {
    return this.#refused.size > 0;
  }

  async retryRefused(): Promise<void> {
    // Refused until the router says something else about it: there is no reply to wait for.
    this.#subscribe([...this.#refused], states);
  }

  answers(): boolean {
    return this.#answers === true;
  }

  /** Subscribes once more, and takes what the stream says of these interfaces from then on for the answer. */
  ask(interfaceNames: readonly string[], timeoutMs: number): Promise<readonly InterfaceReading[]> {
    const readings = new Map<string, InterfaceReading>();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#questions.delete(hear);
        resolve([...readings.values()]);
      };
      const hear = (interfaceName: string, level: InterfaceLevel): void => {
        if (!interfaceNames.includes(interfaceName)) return;
        readings.set(interfaceName, { interfaceName, level });
        if (readings.size === interfaceNames.length) end();
      };
      const timer = setTimeout(end, timeoutMs);
      this.#questions.add(hear);
      for (const basic of [true, false]) {
        const names = interfaceNames.filter((name) => this.#basic.has(name) === basic);
        if (names.length > 0) this.#subscribe(names, basic ? basicStates : states);
      }
    });
  }

  async #tryAsking(): Promise<boolean> {
    const names = this.#names.filter((name) => !this.#refused.has(name));
    if (names.length === 0 || !names.every((name) => this.#known.has(name))) return false;
    return (await this.ask(names, this.#firstReportMs)).length === names.length;
  }

  /** A subscription ends with its stream. */
  async unregister(): Promise<void> {}

  #subscribe(names: readonly string[], wanted: readonly string[]): void {
    this.#send({
      Oper: 'SL_NOTIFOP_ENABLE',
      Entries: names.map((Name) => ({
        OperationId: this.#names.indexOf(Name) + 1,
        Interface: { Name },
        States: wanted,
      })),
    });
  }

  #received(message: Message): void {
    const error = messageIn(message, 'Error');
    if (error === null) this.#heard(message);
    else for (const detail of messagesIn(error, 'Details')) this.#failed(detail);
    this.#settled();
  }

  #heard(message: Message): void {
    const notice = interfaceNotice('gen2', message);
    if (notice.kind === 'ignored') return;
    if (notice.kind === 'malformed') return this.#link.complaints.malformed(notice.what, message);
    const { name: interfaceName, known } = notice;
    if (!this.#names.includes(interfaceName)) {
      const what = 'an interface notification for an interface that is not configured';
      return this.#link.complaints.malformed(what, message);
    }
    this.#known.set(interfaceName, known);
    this.#refused.delete(interfaceName);
    this.#news({ interfaceName, known });
    for (const hear of [...this.#questions]) hear(interfaceName, known.level);
    this.#link.complaints.accepted(interfaceName);
    if (notice.unknownState) {
      this.#link.complaints.malformed('an interface in an unknown state, read as UNKNOWN', message);
    }
  }

  /** An error names the subscription it answers; one that names none is about the stream. */
  #failed(detail: Message): void {
    const error = outcomeOf(detail['ErrStatus']);
    const name = this.#subscriptionOf(detail);
    if (name === null || error.name === 'SL_NOTIF_TERM' || needsStartingOver(error)) {
      return this.#link.lose(streamErrorLoss(protos().gen2.events, error));
    }
    if (error.name === 'SL_INTF_INTERFACE_EXISTS' || error.name === 'SL_SUCCESS') {
      this.#refused.delete(name);
      return;
    }
    if (error.name === 'SL_INTF_INTERFACE_STATE_NOT_SUPPORTED' && !this.#basic.has(name)) {
      this.#basic.add(name);
      return this.#subscribe([name], basicStates);
    }
    this.#refused.add(name);
    this.#link.complaints.refused(name, error);
  }

  #subscriptionOf(detail: Message): string | null {
    const name = textIn(messageIn(detail, 'Key'), 'Name');
    if (name && this.#names.includes(name)) return name;
    const operationId = Number(detail['OperationId'] ?? 0);
    return this.#names[operationId - 1] ?? null;
  }
}
