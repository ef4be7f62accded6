/**
 * What both generations of the router's interface service are to the rest of the daemon, and the pure
 * translation of an interface's state. A state is decoded with the root of the generation that sent it.
 */
import type { InterfaceGeneration, InterfaceLevel } from '../core/state/model';
import type { Known } from './levels';
import { messageIn, protoJson, textIn, uint64In, type Message } from './message';
import type { Order } from './order';
import { interfaceLevel } from './vocabulary';

export type InterfaceReading = { readonly interfaceName: string; readonly level: InterfaceLevel };
export type InterfaceNews = { readonly interfaceName: string; readonly known: Known<InterfaceLevel> };

/** The interfaces of one attachment; two implementations, interfacesGen1.ts and interfacesGen2.ts. */
export type InterfaceFeed = {
  readonly generation: InterfaceGeneration;
  /** Opens the stream and subscribes, in the order that the router wants. */
  readonly open: (order: Order['interfaces']) => Promise<void>;
  /** Returns when as many levels are known as can be known now. */
  readonly settle: () => Promise<void>;
  readonly level: (interfaceName: string) => InterfaceLevel;
  /** Whether the router refused a subscription. */
  readonly hasRefused: () => boolean;
  readonly retryRefused: () => Promise<void>;
  /** Whether the router says the present state when it is asked. */
  readonly answers: () => boolean;
  /** The levels that the router answers within the time; none where it cannot be asked. */
  readonly ask: (
    interfaceNames: readonly string[],
    timeoutMs: number,
  ) => Promise<readonly InterfaceReading[]>;
  readonly unregister: () => Promise<void>;
};

export type InterfaceNotice =
  | {
      readonly kind: 'interface';
      readonly name: string;
      readonly known: Known<InterfaceLevel>;
      /** Whether the state is a number that the .proto file does not name; it was read as Unknown. */
      readonly unknownState: boolean;
    }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'malformed'; readonly what: string };

/** Of a decoded SLInterfaceNotif that holds an SLInterfaceInfoMsg. */
export function interfaceNotice(generation: InterfaceGeneration, notification: Message): InterfaceNotice {
  const info = messageIn(notification, 'Info');
  const name = textIn(messageIn(info, 'SLIfInfo'), 'Name');
  if (info === null) return { kind: 'malformed', what: 'an interface notification without information' };
  if (!name) return { kind: 'malformed', what: 'an interface notification without a name' };
  const level = interfaceLevel(generation, info['IfState']);
  if (level === 'ignored') return { kind: 'ignored' };
  const known = {
    level: level ?? ('Unknown' as const),
    // The second generation has a time stamp in the field's place and a name of its own for it.
    seqNum: uint64In(info, 'SeqNum'),
    diag: '',
    notification: protoJson(notification),
  };
  return { kind: 'interface', name, known, unknownState: level === null };
}
