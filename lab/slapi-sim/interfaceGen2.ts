// The newer interface service (XR 24.4.1 and later): subscriptions arrive on the stream that reports the
// states. They live as long as their stream.
import { maxInterfaceNameLength } from './bfdRules';
import type { InterfaceTable, SimInterface, WireInterface } from './interfaces';
import { status, type Errno } from './wire';

interface WireEntry {
  readonly OperationId: number;
  readonly Regex: boolean;
  readonly Interface: WireInterface | null;
  readonly States: readonly (string | number)[];
}

export interface SubscribeRequest {
  readonly Oper: string | number;
  readonly Entries: readonly WireEntry[];
}

interface Subscription {
  readonly pattern: string;
  readonly matches: (name: string) => boolean;
  /** Empty: all states. What a real router makes of an empty list is not documented. */
  readonly states: readonly (string | number)[];
}

/** Told of each interface that a subscription selects, and whether it was subscribed before. */
type Enabled = (one: SimInterface, again: boolean) => void;

const stateName = (one: SimInterface): string =>
  one.reported === 'up' ? 'SL_IF_STATE_UP' : 'SL_IF_STATE_DOWN';

export class InterfaceServiceGen2 {
  readonly #table: InterfaceTable;
  #subscriptions: Subscription[] = [];

  constructor(table: InterfaceTable) {
    this.#table = table;
  }

  /** Whether the present state of this interface is to be reported. */
  wants(one: SimInterface): boolean {
    return this.#subscriptions.some((each) => selects(each, one));
  }

  subscribed(name: string): boolean {
    return this.#subscriptions.some((each) => each.matches(name));
  }

  /** The error to send back, or null; `enabled` gets each interface that a subscription selects. */
  request(request: SubscribeRequest, enabled: Enabled): object | null {
    const refused = request.Entries.flatMap((entry) => {
      const errno = this.#apply(request.Oper, entry, enabled);
      if (errno === 'SL_SUCCESS') return [];
      return [{ OperationId: entry.OperationId, ErrStatus: status(errno), Key: entry.Interface }];
    });
    return refused.length === 0 ? null : { Error: { Details: refused } };
  }

  notification(one: SimInterface): object {
    return {
      Info: { SLIfInfo: { Name: one.name }, IfState: stateName(one), Timestamp: Date.now() * 1000 },
    };
  }

  clear(): void {
    this.#subscriptions = [];
  }

  #apply(oper: string | number, entry: WireEntry, enabled: Enabled): Errno {
    const name = entry.Interface?.Name;
    if (entry.Interface?.Handle !== undefined) return 'SL_EINVAL';
    if (!name) return 'SL_INTF_INTERFACE_NAME_MISSING';
    if (name.length > maxInterfaceNameLength) return 'SL_INTF_INTERFACE_NAME_TOOLONG';
    switch (oper) {
      case 'SL_NOTIFOP_ENABLE':
        return this.#enable(name, entry, enabled);
      case 'SL_NOTIFOP_DISABLE':
        this.#subscriptions = this.#subscriptions.filter((each) => each.pattern !== name);
        return 'SL_SUCCESS';
      default:
        return 'SL_EINVAL';
    }
  }

  #enable(name: string, entry: WireEntry, enabled: Enabled): Errno {
    const matches = matcher(name, entry.Regex);
    if (matches === null) return 'SL_EINVAL';
    if (!entry.Regex && !this.#table.has(name)) return 'SL_INTF_INTERFACE_NOT_FOUND';
    const subscription: Subscription = { pattern: name, matches, states: entry.States };
    const others = this.#subscriptions.filter((each) => each.pattern !== name);
    const again = others.length < this.#subscriptions.length;
    this.#subscriptions = [...others, subscription];
    for (const one of this.#table.list()) if (selects(subscription, one)) enabled(one, again);
    return 'SL_SUCCESS';
  }
}

function selects(subscription: Subscription, one: SimInterface): boolean {
  const { matches, states } = subscription;
  return matches(one.name) && (states.length === 0 || states.includes(stateName(one)));
}

function matcher(name: string, regex: boolean): ((candidate: string) => boolean) | null {
  if (!regex) return (candidate) => candidate === name;
  try {
    const expression = new RegExp(`^(?:${name})$`);
    return (candidate) => expression.test(candidate);
  } catch {
    return null;
  }
}
