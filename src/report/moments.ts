/**
 * One journal as a report needs it: what changed and what was decided, each with its time on the clock of the daemon,
 * and how far it can be trusted. Each run and each generation stands for itself, so damage costs what follows it up to
 * the next header, and nothing else; what cannot be replayed is told in the words of the journal.
 */
import type { AlarmCode } from '../core/state/alarms';
import type { Event, HaState, InterfaceLevel, SessionLevel, Timeline } from '../core/state/model';
import type { CloudClock, Failure, Holder, Observation } from '../core/state/readings';
import type { CloudDescription, Plan } from '../core/state/plan';
import type { Ownership, State } from '../core/state/state';
import type { Weight } from '../core/state/turn';
import type { JournalEntry, JournalHeader } from '../runtime/journal';
import { readLine, replay } from '../runtime/replay';

/** `at`: monotonic milliseconds of the boot that the part is of. */
export type Moment = { readonly at: number } & (
  | { readonly kind: 'session'; readonly session: string; readonly level: SessionLevel }
  | { readonly kind: 'interface'; readonly interfaceName: string; readonly level: InterfaceLevel }
  /** Null: from here on it cannot be told. */
  | { readonly kind: 'role'; readonly haState: HaState | null; readonly why: string | null }
  /** What the cloud said of a target: it is so by then at the latest. */
  | { readonly kind: 'holder'; readonly target: string; readonly holder: Held }
  | {
      readonly kind: 'asked';
      readonly request: string;
      readonly targets: readonly string[];
      readonly networkInterfaceId: string;
    }
  | {
      readonly kind: 'answered';
      readonly request: string;
      readonly sentAt: number;
      readonly failure: Failure | null;
      readonly apiRequestId: string | null;
    }
  | {
      readonly kind: 'told';
      readonly event: Event['type'];
      readonly weight: Exclude<Weight, 'routine'>;
      readonly reason: string;
      readonly alarms: readonly AlarmCode[];
    }
  | { readonly kind: 'takeover'; readonly timeline: Timeline }
);

/** An instance, nobody, or in words what else has it. */
export type Held =
  | { readonly on: 'instance'; readonly instanceId: string }
  | { readonly on: 'nobody' }
  | { readonly on: 'else'; readonly words: string };

/** From one header to the next. */
export type Part = {
  readonly line: number;
  readonly version: string;
  readonly bootId: string;
  readonly now: number;
  readonly wallNow: number;
  readonly plan: Plan;
  /** The daemon has started here; otherwise a generation or, after a gap, the same run goes on. */
  readonly isStart: boolean;
  /** Of the last line. */
  readonly until: number;
  readonly moments: readonly Moment[];
  readonly clocks: readonly CloudClock[];
};

export type Told = {
  readonly parts: readonly Part[];
  /** Of this router and its peers, where the cloud has said it. */
  readonly instanceId: string | null;
  readonly peerInstanceIds: readonly string[];
  readonly steps: number;
  /** What is missing or not as it was, a sentence each. */
  readonly limits: readonly string[];
};

const HEADER = '{"journal":';

/** Never throws. */
export function momentsOf(text: string): Told {
  const limits: string[] = [];
  const parts: Part[] = [];
  const identity = new Identity();
  let steps = 0;
  for (const { line, content } of sections(text)) {
    const reader = new PartReader(line, identity, limits);
    reader.read(content);
    steps += reader.steps;
    if (reader.part !== null) parts.push(reader.part);
  }
  const { instanceId, peers } = identity;
  return { parts, instanceId, peerInstanceIds: [...peers], steps, limits };
}

/** Cut before each header; what stands before the first one cannot be understood. */
function* sections(text: string): Generator<{ readonly line: number; readonly content: string }> {
  let line = 1;
  for (let from = 0; from < text.length;) {
    const next = text.indexOf(`\n${HEADER}`, from);
    const end = next === -1 ? text.length : next + 1;
    const content = text.slice(from, end);
    yield { line, content };
    line += content.split('\n').length - 1;
    from = end;
  }
}

class Identity {
  instanceId: string | null = null;
  readonly peers = new Set<string>();

  learn(observation: Observation | undefined): void {
    if (observation === undefined) return;
    this.instanceId ??= observation.instanceId;
    for (const { instanceId } of Object.values(observation.peers)) {
      if (instanceId !== null) this.peers.add(instanceId);
    }
  }
}

class PartReader {
  part: Part | null = null;
  steps = 0;
  readonly #line: number;
  readonly #identity: Identity;
  readonly #limits: string[];
  readonly #moments: Moment[] = [];
  readonly #clocks: CloudClock[] = [];
  readonly #holders = new Map<string, string>();
  readonly #levels = new Map<string, string>();
  #lastClock = NaN;

  constructor(line: number, identity: Identity, limits: string[]) {
    this.#line = line;
    this.#identity = identity;
    this.#limits = limits;
  }

  read(content: string): void {
    for (const each of replay(content)) {
      const line = this.#line + each.line - 1;
      switch (each.kind) {
        case 'header':
          this.#begin(each.header, line);
          break;
        case 'step':
          this.#step(each.entry, each.before, each.step.state);
          break;
        case 'cutOff':
          break;
        case 'difference': {
          const what = `this version decides otherwise than ${each.header.version}, which wrote it`;
          this.#untold(line, what, content, each.line);
          return;
        }
        case 'fault':
          this.#untold(line, each.problem, content, each.line);
          return;
      }
    }
  }

  #begin(header: JournalHeader, line: number): void {
    const { version, bootId, now, wallNow, plan, state, lostLines } = header;
    const isStart = state.bootId === '';
    const moments = this.#moments;
    this.part = {
      line,
      version,
      bootId,
      now,
      wallNow,
      plan,
      isStart,
      until: now,
      moments,
      clocks: this.#clocks,
    };
    if (lostLines > 0)
      this.#limits.push(`line ${line}: ${lostLines} lines before this one could not be written`);
    this.#identity.learn(state.ownership?.observation);
    this.#noteLevels(now, state);
    this.#moments.push({ at: now, kind: 'role', haState: state.role.haState, why: state.role.why });
    this.#noteHolders(now, state.ownership);
  }

  #step(entry: JournalEntry, before: State, after: State): void {
    this.#noteEntry(entry);
    const { now, event } = entry;
    if (after.sessions !== before.sessions || after.interfaces !== before.interfaces)
      this.#noteLevels(now, after);
    const { haState, why } = after.role;
    if (haState !== before.role.haState || why !== before.role.why)
      this.#moments.push({ at: now, kind: 'role', haState, why });
    if (after.ownership === before.ownership) return;
    this.#identity.learn(after.ownership?.observation);
    // An answer of a reading says how it was when it was asked, or a moment later.
    this.#noteHolders(event.type === 'ownershipObserved' ? event.startedAt : now, after.ownership);
  }

  #noteEntry({ now, event, reason, weight, effects, alarms }: JournalEntry): void {
    this.steps += 1;
    if (this.part !== null) this.part = { ...this.part, until: now };
    const at = now;
    if (weight !== 'routine')
      this.#moments.push({ at, kind: 'told', event: event.type, weight, reason, alarms });
    for (const effect of effects) {
      if (effect.effect === 'sendCall') {
        const { attempt, call, send, targets, networkInterfaceId } = effect;
        const request = `${attempt}.${call}.${send}`;
        this.#moments.push({ at, kind: 'asked', request, targets, networkInterfaceId });
      } else if (effect.effect === 'reportTimeline')
        this.#moments.push({ at, kind: 'takeover', timeline: effect.timeline });
    }
    if (event.type === 'callAnswered') {
      const { attempt, call, send, sentAt, failure, apiRequestId } = event;
      const request = `${attempt}.${call}.${send}`;
      this.#moments.push({ at, kind: 'answered', request, sentAt, failure, apiRequestId });
    } else if (event.type === 'ownershipObserved' && event.clock !== undefined) {
      // The same answer is told to each reading until there is another one.
      if (event.clock.receivedAt !== this.#lastClock) this.#clocks.push(event.clock);
      this.#lastClock = event.clock.receivedAt;
    }
  }

  #noteLevels(at: number, { sessions, interfaces }: State): void {
    for (const [session, { level }] of Object.entries(sessions)) {
      if (this.#isNew(`session ${session}`, level))
        this.#moments.push({ at, kind: 'session', session, level });
    }
    for (const [interfaceName, { level }] of Object.entries(interfaces)) {
      if (this.#isNew(`interface ${interfaceName}`, level))
        this.#moments.push({ at, kind: 'interface', interfaceName, level });
    }
  }

  #isNew(what: string, level: string): boolean {
    const isNew = this.#levels.get(what) !== level;
    this.#levels.set(what, level);
    return isNew;
  }

  #noteHolders(at: number, known: Pick<Ownership, 'observation' | 'holders'> | null): void {
    if (known === null || this.part === null) return;
    const { cloud } = this.part.plan;
    const own = known.observation.instanceId;
    for (const [target, holder] of Object.entries(known.holders)) {
      const held = heldBy(cloud, holder, own);
      const key = held.on === 'instance' ? held.instanceId : held.on === 'else' ? held.words : '';
      if (this.#holders.get(target) === key) continue;
      this.#holders.set(target, key);
      this.#moments.push({ at, kind: 'holder', target, holder: held });
    }
  }

  /** From here on there is no state: what the lines say by themselves is all. */
  #untold(line: number, problem: string, content: string, from: number): void {
    if (this.part === null) {
      this.#limits.push(`line ${line}: ${problem}: nothing up to the next header can be told`);
      return;
    }
    const at = this.part.until;
    this.#limits.push(`line ${line}: ${problem}: up to the next header the role is not known`);
    this.#moments.push({ at, kind: 'role', haState: null, why: null });
    for (const each of content.split('\n').slice(from - 1)) {
      const read = readLine(each);
      if (read.kind !== 'entry') continue;
      try {
        this.#noteEntry(read.entry);
        this.#noteEvent(read.entry);
      } catch {
        // A line that is one by its form, and has not the parts of one.
      }
    }
  }

  #noteEvent({ now: at, event }: JournalEntry): void {
    if (event.type === 'bfdSessionChanged') {
      const { session, level } = event;
      this.#moments.push({ at, kind: 'session', session, level });
    } else if (event.type === 'interfaceChanged') {
      const { interfaceName, level } = event;
      this.#moments.push({ at, kind: 'interface', interfaceName, level });
    } else if (event.type === 'ownershipObserved') {
      // Absent, it is as the last one that was written.
      const observation = event.observation as Observation | undefined;
      this.#identity.learn(observation);
      if (observation !== undefined)
        this.#noteHolders(event.startedAt, { observation, holders: observation.holders });
    }
  }
}

/** The name of the cloud that a router is in. */
export const cloudOf = (parts: readonly Part[]): string => parts.at(-1)?.plan.cloud.name ?? 'the cloud';

function heldBy(cloud: CloudDescription, holder: Holder | null, own: string): Held {
  if (holder === null) return { on: 'nobody' };
  if (holder.kind === 'gateway') return { on: 'else', words: holder.gatewayId };
  if (holder.kind === 'nowhere') return { on: 'nobody' };
  const { attachment, mine, networkInterfaceId } = holder;
  if (mine) return { on: 'instance', instanceId: own };
  switch (attachment.to) {
    case 'instance':
      if (attachment.instanceId === own) return { on: 'else', words: `${networkInterfaceId} of ${own}` };
      return { on: 'instance', instanceId: attachment.instanceId };
    case 'service':
      return { on: 'else', words: `${networkInterfaceId} of ${attachment.name ?? cloud.service}` };
    case 'nothing':
      return { on: 'else', words: `${networkInterfaceId}, which is detached` };
  }
}
