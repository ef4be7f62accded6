// The older interface service (XR 7.3.x): registration, per-interface enabling, a getter that answers for
// enabled interfaces only.
import { maxInterfaceNameLength } from './bfdRules';
import type { InterfaceTable, SimInterface, WireInterface } from './interfaces';
import { status, type Errno, type WireStatus } from './wire';

export interface NotifOpRequest {
  readonly Oper: string | number;
  readonly Entries: readonly WireInterface[];
}

export interface NotifOpReply {
  readonly StatusSummary: WireStatus;
  readonly Results?: readonly { readonly ErrStatus: WireStatus; readonly Key: WireInterface }[];
}

export interface InterfaceGetRequest {
  readonly Key: WireInterface | null;
  readonly EntriesCount: number;
  readonly GetNext: boolean;
}

export class InterfaceServiceGen1 {
  registered = false;
  readonly maxInterfacesPerBatch: number;
  readonly #table: InterfaceTable;
  /** Enabled interfaces; true: from before the latest REGISTER and not enabled again since. */
  readonly #enabled = new Map<string, boolean>();
  readonly #seqNums = new Map<string, number>();
  #seqNum = 0;

  constructor(table: InterfaceTable, maxInterfacesPerBatch: number) {
    this.#table = table;
    this.maxInterfacesPerBatch = maxInterfacesPerBatch;
  }

  enabled(name: string): boolean {
    return this.#enabled.has(name);
  }

  regOp(oper: string | number): Errno {
    switch (oper) {
      case 'SL_REGOP_REGISTER':
        this.registered = true;
        for (const name of this.#enabled.keys()) this.#enabled.set(name, true);
        return 'SL_SUCCESS';
      case 'SL_REGOP_EOF':
        if (!this.registered) return 'SL_RPC_INTF_API_CLIENT_NOT_REGISTERED';
        for (const [name, stale] of this.#enabled) if (stale) this.#enabled.delete(name);
        return 'SL_SUCCESS';
      case 'SL_REGOP_UNREGISTER':
        if (!this.registered) return 'SL_RPC_INTF_API_CLIENT_NOT_REGISTERED';
        this.registered = false;
        this.#enabled.clear();
        return 'SL_SUCCESS';
      default:
        return 'SL_EINVAL';
    }
  }

  globals(): object {
    return this.registered
      ? { ErrStatus: {}, MaxInterfacesPerBatch: this.maxInterfacesPerBatch }
      : { ErrStatus: status('SL_RPC_INTF_API_CLIENT_NOT_REGISTERED') };
  }

  stats(): object {
    return { ErrStatus: {}, SeqNum: this.#seqNum, InterfaceNotifCount: this.#enabled.size };
  }

  /** `enabled` is told of each interface that this request switched on. */
  notifOp(request: NotifOpRequest, enabled: (one: SimInterface) => void): NotifOpReply {
    if (!this.registered) return { StatusSummary: status('SL_RPC_INTF_API_CLIENT_NOT_REGISTERED') };
    if (request.Entries.length > this.maxInterfacesPerBatch)
      return { StatusSummary: status('SL_RPC_INTF_TOO_MANY_INTERFACES') };
    const enable = request.Oper === 'SL_NOTIFOP_ENABLE';
    if (!enable && request.Oper !== 'SL_NOTIFOP_DISABLE') return { StatusSummary: status('SL_EINVAL') };
    const results = request.Entries.map((entry) => ({
      errno: enable ? this.#enable(entry, enabled) : this.#disable(entry),
      key: entry,
    }));
    if (results.every((result) => result.errno === 'SL_SUCCESS')) return { StatusSummary: {} };
    return {
      StatusSummary: status('SL_SOME_ERR'),
      Results: results.map((result) => ({ ErrStatus: status(result.errno), Key: result.key })),
    };
  }

  get(request: InterfaceGetRequest): object {
    if (!this.registered) return { ErrStatus: status('SL_RPC_INTF_API_CLIENT_NOT_REGISTERED') };
    const known = this.#table.list().filter((one) => this.#enabled.has(one.name));
    const key = request.Key;
    if (key === null) return this.#page(known, request.EntriesCount);
    const exact = this.#table.find(key);
    if (request.GetNext) {
      const after = exact?.name ?? key.Name ?? '';
      return this.#page(
        known.filter((one) => one.name.localeCompare(after) > 0),
        request.EntriesCount,
      );
    }
    // Unlike the BFD getter this one refuses a key that is unknown or not enabled.
    if (exact === undefined || !this.#enabled.has(exact.name))
      return { ErrStatus: status('SL_INTF_INTERFACE_NOT_FOUND') };
    return this.#page(
      known.filter((one) => one.name.localeCompare(exact.name) >= 0),
      request.EntriesCount,
    );
  }

  /** Counts a change of state, so that the getter and the event carry the same number. */
  changed(one: SimInterface): void {
    this.#seqNum += 1;
    this.#seqNums.set(one.name, this.#seqNum);
  }

  notification(one: SimInterface): object {
    return { EventType: 'SL_INTERFACE_EVENT_TYPE_INTERFACE_INFO', Info: this.#info(one) };
  }

  clear(): void {
    this.registered = false;
    this.#enabled.clear();
    this.#seqNums.clear();
    this.#seqNum = 0;
  }

  #enable(entry: WireInterface, enabled: (one: SimInterface) => void): Errno {
    const found = this.#find(entry);
    if (typeof found === 'string') return found;
    if (this.#enabled.get(found.name) === false) return 'SL_INTF_INTERFACE_EXISTS';
    this.#enabled.set(found.name, false);
    enabled(found);
    return 'SL_SUCCESS';
  }

  #disable(entry: WireInterface): Errno {
    const found = this.#find(entry);
    if (typeof found === 'string') return found;
    return this.#enabled.delete(found.name) ? 'SL_SUCCESS' : 'SL_INTF_INTERFACE_NOT_FOUND';
  }

  #find(
    entry: WireInterface,
  ):
    | SimInterface
    | 'SL_INTF_INTERFACE_NAME_MISSING'
    | 'SL_INTF_INTERFACE_NAME_TOOLONG'
    | 'SL_INTF_INTERFACE_NOT_FOUND' {
    if (!entry.Name && !entry.Handle) return 'SL_INTF_INTERFACE_NAME_MISSING';
    if ((entry.Name ?? '').length > maxInterfaceNameLength) return 'SL_INTF_INTERFACE_NAME_TOOLONG';
    return this.#table.find(entry) ?? 'SL_INTF_INTERFACE_NOT_FOUND';
  }

  #page(from: readonly SimInterface[], count: number): object {
    if (count === 0) return { ErrStatus: status('SL_EINVAL') };
    const page = from.slice(0, count);
    return { Eof: page.length < count, ErrStatus: {}, Entries: page.map((one) => this.#info(one)) };
  }

  #info(one: SimInterface): object {
    return {
      SLIfInfo: { Name: one.name },
      IfState: one.reported === 'up' ? 'SL_IF_STATE_UP' : 'SL_IF_STATE_DOWN',
      SeqNum: this.#seqNums.get(one.name) ?? 0,
    };
  }
}
