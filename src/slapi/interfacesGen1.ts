/**
 * Interfaces on routers up to about XR 24.2: register, open the stream, enable each interface, EOF; their
 * states can be asked for at any time.
 */
import type { InterfaceLevel } from '../core/state/model';
import { needsStartingOver, outcomeOf, succeeded } from './errors';
import { interfaceNotice, type InterfaceFeed, type InterfaceNews, type InterfaceReading } from './interfaces';
import { Levels } from './levels';
import type { Link } from './link';
import { asMessage, messageIn, messagesIn, textIn, uint32In, type Message } from './message';
import { StepFailure, refusalOf, runBatch } from './operations';
import type { Order } from './order';
import { protos } from './protos';
import { openStream, streamErrorLoss } from './streams';

export class Gen1Interfaces implements InterfaceFeed {
  readonly generation = 'gen1';
  readonly #link: Link;
  readonly #names: readonly string[];
  readonly #news: (news: InterfaceNews) => void;
  readonly #found: (news: InterfaceNews) => void;
  readonly #outdated: () => void;
  readonly #levels = new Levels<InterfaceLevel>();
  #refused: readonly string[] = [];
  #perRequest = 0;

  /** `news` comes from the stream, `found` from a reading; `outdated` as in bfd.ts. */
  constructor(
    link: Link,
    names: readonly string[],
    on: {
      news: (news: InterfaceNews) => void;
      found: (news: InterfaceNews) => void;
      outdated: () => void;
    },
  ) {
    this.#link = link;
    this.#names = names;
    this.#news = on.news;
    this.#found = on.found;
    this.#outdated = on.outdated;
  }

  /** Usually the registration comes first. */
  async open(order: Order['interfaces']): Promise<void> {
    const { gen1 } = protos();
    const listen = () => openStream(this.#link, gen1.events, {}, (message) => this.#received(message));
    if (order === 'other') listen();
    await this.#register('REGISTER');
    if (order === 'usual') listen();
    const limits = await this.#link.operations.run(gen1.limits, {});
    this.#perRequest = uint32In(limits, 'MaxInterfacesPerBatch') ?? 0;
    await this.#enable(this.#names);
    await this.#register('EOF');
  }

  settle(): Promise<void> {
    return this.#read(this.#enabled());
  }

  level(interfaceName: string): InterfaceLevel {
    return this.#levels.get(interfaceName)?.level ?? 'Unknown';
  }

  hasRefused(): boolean {
    return this.#refused.length > 0;
  }

  async retryRefused(): Promise<void> {
    const refusedBefore = this.#refused;
    await this.#enable(refusedBefore);
    await this.#read(refusedBefore.filter((name) => !this.#refused.includes(name)));
  }

  /** It has a getter. */
  answers(): boolean {
    return true;
  }

  /** Past the queue: a takeover waits for the answer, and reading changes nothing. */
  async ask(interfaceNames: readonly string[], timeoutMs: number): Promise<readonly InterfaceReading[]> {
    const { read } = protos().gen1;
    const answers = await Promise.all(
      interfaceNames.map(async (interfaceName) => {
        const reply = await this.#link.channel.unary(read, getRequest(interfaceName), timeoutMs);
        if (!reply.ok) return [];
        const known = entryFor(interfaceName, asMessage(reply.message) ?? {});
        return known === null ? [] : [{ interfaceName, level: known.level }];
      }),
    );
    return answers.flat();
  }

  unregister(): Promise<void> {
    return this.#link.operations.withdraw(protos().gen1.register, { Oper: 'SL_REGOP_UNREGISTER' });
  }

  async #register(operation: 'REGISTER' | 'EOF'): Promise<void> {
    await this.#link.operations.runChecked(protos().gen1.register, { Oper: `SL_REGOP_${operation}` });
  }

  async #enable(names: readonly string[]): Promise<void> {
    const refused = await runBatch(this.#link.operations, {
      method: protos().gen1.enable,
      items: names,
      size: this.#perRequest,
      request: (items) => ({ Oper: 'SL_NOTIFOP_ENABLE', Entries: items.map((Name) => ({ Name })) }),
      matches: (key, name) => textIn(key, 'Name') === name,
    });
    const failed = refused.filter(({ error }) => error.name !== 'SL_INTF_INTERFACE_EXISTS');
    for (const { item, error } of failed) this.#link.complaints.refused(item, error);
    this.#refused = failed.map(({ item }) => item);
    for (const name of names) if (!this.#refused.includes(name)) this.#link.complaints.accepted(name);
  }

  #enabled(): readonly string[] {
    return this.#names.filter((name) => !this.#refused.includes(name));
  }

  async #read(names: readonly string[]): Promise<void> {
    const { read } = protos().gen1;
    for (const name of names) {
      const asked = this.#levels.ask();
      const reply = await this.#link.operations.run(read, getRequest(name));
      const outcome = outcomeOf(reply['ErrStatus']);
      if (needsStartingOver(outcome)) throw new StepFailure(refusalOf(read, outcome));
      const known = entryFor(name, reply);
      if (known === null) this.#link.complaints.malformed('an interface state that does not answer', reply);
      else if (this.#levels.read(name, known, asked)) this.#found({ interfaceName: name, known });
    }
  }

  #received(message: Message): void {
    switch (message['EventType']) {
      case 'SL_INTERFACE_EVENT_TYPE_INTERFACE_INFO':
        return this.#heard(message);
      case 'SL_INTERFACE_EVENT_TYPE_ERROR':
        return this.#link.lose(streamErrorLoss(protos().gen1.events, outcomeOf(message['ErrStatus'])));
      default:
        return this.#link.complaints.malformed('an interface notification of an unknown type', message);
    }
  }

  #heard(message: Message): void {
    const notice = interfaceNotice('gen1', message);
    if (notice.kind === 'ignored') return;
    if (notice.kind === 'malformed') return this.#link.complaints.malformed(notice.what, message);
    const { name, known } = notice;
    if (!this.#names.includes(name)) {
      const what = 'an interface notification for an interface that is not configured';
      return this.#link.complaints.malformed(what, message);
    }
    const verdict = this.#levels.heard(name, known);
    if (verdict === 'news') this.#news({ interfaceName: name, known });
    if (verdict === 'outdated') this.#outdated();
    if (notice.unknownState) {
      this.#link.complaints.malformed('an interface in an unknown state, read as UNKNOWN', message);
    }
  }
}

function getRequest(name: string): object {
  return { Key: { Name: name }, EntriesCount: 1 };
}

/** Compared by name: a Get may answer with the next interface where there is no such one. */
function entryFor(name: string, reply: Message) {
  if (!succeeded(outcomeOf(reply['ErrStatus']))) return null;
  const info = messagesIn(reply, 'Entries')[0];
  if (textIn(messageIn(info ?? null, 'SLIfInfo'), 'Name') !== name) return null;
  const notice = interfaceNotice('gen1', {
    EventType: 'SL_INTERFACE_EVENT_TYPE_INTERFACE_INFO',
    Info: info,
  });
  return notice.kind === 'interface' ? notice.known : null;
}
