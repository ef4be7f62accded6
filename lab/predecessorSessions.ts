/**
 * The predecessor at its own router: programs the lab's BFD sessions, hears of them and of the interfaces, and
 * says when a session goes DOWN whose interface is not. See predecessorPeer.ts.
 */
import { Client, credentials } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import { once } from 'node:events';
import { toNumber } from './slapi-sim/address';
import { services } from './slapi-sim/wire';
import type { Lab } from './topology/topology';
import { labBfd } from './topology/config';
import { peerOf, type RouterName } from './topology/plan';

type Method = MethodDefinition<object, object>;

type BfdEvent = {
  readonly Session?: {
    readonly Key?: { readonly Interface?: { readonly Name?: string } | null } | null;
    readonly State?: { readonly Status?: string | number } | null;
  } | null;
};
type InterfaceEvent = {
  readonly Info?: {
    readonly SLIfInfo?: { readonly Name?: string } | null;
    readonly IfState?: string | number;
  } | null;
};

const CALL_TIMEOUT_MS = 5_000;
/** The lab puts sessions on its first interfaces; this many, as in what it writes for the daemons. */
const SESSIONS = 2;

export class PredecessorSessions {
  readonly #lab: Lab;
  readonly #name: RouterName;
  readonly #wentDown: () => void;
  readonly #client: Client;
  readonly #streams: { cancel(): void }[] = [];
  readonly #downInterfaces = new Set<string>();

  constructor(lab: Lab, name: RouterName, wentDown: () => void) {
    this.#lab = lab;
    this.#name = name;
    this.#wentDown = wentDown;
    this.#client = new Client(lab.routers[name].sim.target, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  async program(): Promise<void> {
    const { global, bfd, interfaces } = services('gen1');
    const version = { MajorVer: 0, MinorVer: 3, SubVer: 0 };
    await once(
      this.#listen(global['SLGlobalInitNotif'], version, () => undefined),
      'data',
    );
    for (const Oper of ['SL_REGOP_REGISTER', 'SL_REGOP_EOF']) {
      await this.#call(bfd['SLBfdv4RegOp'], { Oper });
      await this.#call(interfaces['SLInterfaceGlobalsRegOp'], { Oper });
    }
    for (const Key of this.#keys()) {
      const Config = {
        DesiredTxIntUsec: labBfd.intervalMs * 1000,
        DetectMultiplier: labBfd.multiplier,
      };
      await this.#call(bfd['SLBfdv4SessionOp'], { Oper: 'SL_OBJOP_UPDATE', Sessions: [{ Key, Config }] });
    }
    this.#listen(interfaces['SLInterfaceGetNotifStream'], {}, (event) => this.#interfaceEvent(event));
    await this.#call(interfaces['SLInterfaceNotifOp'], {
      Oper: 'SL_NOTIFOP_ENABLE',
      Entries: this.#keys().map(({ Interface }) => Interface),
    });
    this.#listen(bfd['SLBfdv4GetNotifStream'], {}, (event) => this.#bfdEvent(event));
    // Answered after the router has seen the stream: from here on no event is lost.
    await this.#call(bfd['SLBfdv4GetStats'], {});
  }

  async withdraw(): Promise<void> {
    const { bfd, interfaces } = services('gen1');
    const Oper = 'SL_REGOP_UNREGISTER';
    await this.#call(bfd['SLBfdv4RegOp'], { Oper });
    await this.#call(interfaces['SLInterfaceGlobalsRegOp'], { Oper });
  }

  close(): void {
    for (const stream of this.#streams) stream.cancel();
    this.#client.close();
  }

  #keys() {
    return this.#lab.plan.interfaces.slice(0, SESSIONS).map(({ name, primaryAddress }) => ({
      Type: 'SL_BFD_SINGLE_HOP',
      VrfName: 'default',
      NbrAddr: toNumber(primaryAddress[peerOf(this.#name)]),
      Interface: { Name: name },
    }));
  }

  #bfdEvent({ Session }: BfdEvent): void {
    const name = Session?.Key?.Interface?.Name ?? '';
    if (Session?.State?.Status === 'SL_BFD_SESSION_DOWN' && !this.#downInterfaces.has(name)) this.#wentDown();
  }

  #interfaceEvent({ Info }: InterfaceEvent): void {
    const name = Info?.SLIfInfo?.Name ?? '';
    if (Info?.IfState === 'SL_IF_STATE_DOWN') this.#downInterfaces.add(name);
    else this.#downInterfaces.delete(name);
  }

  #call(method: Method | undefined, request: object): Promise<object> {
    if (method === undefined) throw new Error('the simulated router has no such method');
    const { path, requestSerialize, responseDeserialize } = method;
    const options = { deadline: Date.now() + CALL_TIMEOUT_MS };
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        options,
        (error, reply) => {
          if (error === null) resolve(reply ?? {});
          else reject(error);
        },
      );
    });
  }

  /** Its end goes unnoticed, as in the predecessor. */
  #listen(method: Method | undefined, request: object, heard: (message: object) => void) {
    if (method === undefined) throw new Error('the simulated router has no such method');
    const { path, requestSerialize, responseDeserialize } = method;
    const call = this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
    this.#streams.push(call);
    call.on('data', heard);
    call.on('error', () => undefined);
    return call;
  }
}
