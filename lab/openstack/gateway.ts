/**
 * Stands before the real Neutron and lets requests through, but for what it is told to do to them: late answers, none, and
 * statuses of its own. It changes nothing of what it lets through.
 */
import { FaultTable } from '../faultRules';
import { openListener, type HttpListener, type ReceivedRequest } from '../httpListener';
import { actionOf, faulty, type NeutronFault } from '../neutron-emulator/emulator';

export class Gateway {
  readonly faults = new FaultTable<NeutronFault>();
  readonly #target: string;
  #listener: HttpListener | null = null;

  private constructor(target: string) {
    this.#target = target;
  }

  /** `target`: where Neutron is, without a path. */
  static async open(target: string): Promise<Gateway> {
    const gateway = new Gateway(target);
    gateway.#listener = await openListener({ onRequest: (request) => void gateway.#serve(request) });
    return gateway;
  }

  get url(): string {
    return this.#listener?.url ?? '';
  }

  async stop(): Promise<void> {
    await this.#listener?.stop();
  }

  async #serve({ method, url, headers, body, response }: ReceivedRequest): Promise<void> {
    const action = `${method} ${actionOf(new URL(url, 'http://neutron').pathname)}`;
    const [fault] = this.faults.take({ action, sources: [] });
    if (fault?.kind === 'silence' && !fault.done) return;
    const answer =
      fault?.kind === 'status'
        ? ownAnswer(fault)
        : await passedOn(`${this.#target}${url}`, method, headers, body);
    if (fault?.kind === 'silence') return;
    if (fault?.kind === 'delay' && !(await this.#listener?.pause(fault.ms))) return;
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  }
}

type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

function ownAnswer(fault: Extract<NeutronFault, { kind: 'status' }>): Answer {
  const { status, body } = faulty(fault);
  const isPage = typeof body === 'string';
  return {
    status,
    headers: { 'content-type': isPage ? 'text/html' : 'application/json' },
    body: isPage ? body : JSON.stringify(body),
  };
}

/** 502 where Neutron does not answer, as gateways say it. */
async function passedOn(
  url: string,
  method: string,
  headers: ReceivedRequest['headers'],
  body: Buffer,
): Promise<Answer> {
  const kept = ['x-auth-token', 'content-type', 'if-match', 'accept'] as const;
  const passed = kept.flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  try {
    const response = await fetch(url, {
      method,
      headers: Object.fromEntries(passed),
      ...(body.length === 0 ? {} : { body: body.toString('utf8') }),
    });
    const type = response.headers.get('content-type') ?? 'text/plain';
    return { status: response.status, headers: { 'content-type': type }, body: await response.text() };
  } catch (error: unknown) {
    return { status: 502, headers: { 'content-type': 'text/plain' }, body: String(error) };
  }
}
