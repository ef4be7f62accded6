/**
 * Plays a story of test/transcripts against the core of router A and writes down what it does. Time is
 * virtual, jitter is fixed at 0.5 (three quarters of the nominal backoff), deadlines are honoured, and the cloud's
 * reads answer by themselves. README.md of this folder has the grammar.
 */
import { violations } from '../../src/core/state/invariants';
import type { Effect, Event, Maintenance, Memory } from '../../src/core/state/model';
import type { Failure, InstanceCondition } from '../../src/core/state/readings';
import type { Plan } from '../../src/core/state/plan';
import { initialState, type State } from '../../src/core/state/state';
import { roleWords, step } from '../../src/core/step';
import { AWS, THIRD_SESSION, observationOf, type Owner, type World } from './storyWorld';

/** A read of the cloud that nothing delays. */
const READ_MS = 50;
/** What the clock on the wall says at time 0. */
const WALL_MS = Date.UTC(2026, 0, 1);
/** More steps than any story has: a story that needs them is spinning. */
const STEPS_MAX = 5_000;

type Reads = { readonly latencyMs: number; readonly failure: Failure | null };
type Planned = { readonly at: number; readonly event: Event };

export class Story {
  readonly #world: World;
  #plan: Plan;
  #state: State;
  #now = 0;
  #steps = 0;
  #hidden = false;
  #lastObserved = Infinity;
  #owners: Owner[] = ['B', 'B', 'B'];
  /** Device index of an interface that EC2 does not show on router A. */
  #detached = 0;
  #peerIsKnown = true;
  #conditions: { [instanceId: string]: InstanceCondition } = {};
  #statusFailure: Failure | null = null;
  /** What was last asked about holders and last answered: each is written down when it changes. */
  #holdersAsked = '';
  #holdersTold = '';
  /** How far the clock on the wall has been stepped. */
  #wallStepMs = 0;
  #requests = 0;
  #reads: Reads = { latencyMs: READ_MS, failure: null };
  #calls = new Map<
    string,
    { readonly to: string; readonly targets: readonly string[]; readonly sentAt: number }
  >();
  /** What is still to come without a line of its own: answers to observations. */
  #planned: Planned[] = [];
  readonly #lines: string[] = [];
  /** Times of a row of steps that only asked EC2 again: written down as one line. */
  #asking: number[] = [];

  private constructor(world: World) {
    this.#world = world;
    this.#plan = world.plan;
    this.#state = initialState(world.plan);
  }

  /** Plays the lines of a story; returns what router A did. */
  static play(lines: readonly string[], world: World = AWS): readonly string[] {
    const story = new Story(world);
    const inputs = lines.map((line) => {
      const [time = '', verb = '', ...words] = line.trim().split(/\s+/);
      return { at: Math.round(Number(time) * 1000), verb, words, line };
    });
    let isUndecided = false;
    for (const [index, { at, verb, words, line }] of inputs.entries()) {
      if (!(at >= story.#now)) throw new Error(`time goes forward only: ${line}`);
      if (at > story.#now)
        story.#advance(verb === 'stalled' ? Math.max(at - Number(words[0]), story.#now) : at);
      // Nothing runs during a stall; what fell due in it is late.
      story.#now = at;
      const steps = story.#steps;
      story.#input(verb, words, line);
      isUndecided ||= story.#steps > steps;
      if (inputs[index + 1]?.at === at || !isUndecided) continue;
      isUndecided = false;
      story.#drain();
    }
    story.#flush();
    return story.#lines;
  }

  #input(verb: string, words: readonly string[], line: string): void {
    const [first = '', second = '', third = ''] = words;
    switch (verb) {
      case 'configured':
        this.#plan = planOf(this.#world, words);
        this.#state = initialState(this.#plan);
        return;
      case 'given':
        return this.#given(words);
      case 'clock':
        this.#wallStepMs = Number(first) * 1000;
        return;
      case 'start':
        return this.#take({
          type: 'started',
          bootId: 'boot-1',
          memory: this.#memory(words),
          wallNow: this.#wallNow(),
        });
      case 'sync':
        return this.#take(this.#synchronized(words));
      case 'streams':
        return this.#take({ type: 'streamsLost', cause: words.slice(1).join(' ') });
      case 'control':
        return this.#take({ type: 'controlLost', cause: words.slice(1).join(' ') });
      case 'bfd':
        return this.#take({
          type: 'bfdSessionChanged',
          session: first,
          level: second as 'Up',
          diag: '',
          receivedAt: this.#now,
          notification: {},
        });
      case 'intf':
        return this.#take({
          type: 'interfaceChanged',
          interfaceName: first,
          level: second as 'Up',
          receivedAt: this.#now,
          notification: {},
        });
      case 'asked':
        return this.#take({
          type: 'interfacesAnswered',
          attempt: Number(first),
          interfaces: words.slice(1).map((word) => {
            const [interfaceName = '', level] = word.split('=');
            return { interfaceName, level: level as 'Up' };
          }),
        });
      case 'ec2-holds':
        this.#owners = words as Owner[];
        return;
      case 'ec2-lacks':
        if (first === 'peer') this.#peerIsKnown = false;
        else this.#detached = Number(first);
        return;
      case 'ec2-says':
        return this.#says(first, second);
      case 'ec2-reads':
        this.#reads = readsOf(first, second);
        return;
      case 'answer':
        return this.#answer(first, second, third);
      case 'stalled':
        return this.#take({ type: 'processStalled', forMs: Number(first) });
      case 'levels':
        return this.#take(this.#levels(words));
      case 'inhibit': {
        const [forMs, why] = [Number(first) * 1000, words.slice(1).join(' ')];
        const request = ++this.#requests;
        return this.#take({ type: 'inhibitRequested', request, forMs, why, wallNow: this.#wallNow() });
      }
      case 'release':
        return this.#take({ type: 'releaseRequested', request: ++this.#requests });
      case 'switchover':
        return this.#take({ type: 'switchoverRequested', request: ++this.#requests });
      case 'preview':
        return this.#take({ type: 'previewRequested', request: ++this.#requests });
      case 'schedule': {
        const [request, wallNow] = [++this.#requests, this.#wallNow()];
        return this.#take({
          type: 'scheduleRequested',
          request,
          atWall: wallNow + Number(first) * 1000,
          wallNow,
        });
      }
      case 'drill': {
        const holdMs = Number(first) * 1000;
        const unready = words.slice(1).join(' ');
        return this.#take({
          type: 'drillRequested',
          request: ++this.#requests,
          holdMs,
          unready: unready === '' ? [] : [unready],
        });
      }
      case 'cancel':
        return this.#take({ type: 'cancelRequested', request: ++this.#requests });
      case 'maintenance':
        return this.#take({
          type: 'maintenanceLearnt',
          instanceId: first === 'self' ? null : first,
          announced: second === 'fail' ? null : second === '' ? [] : [this.#maintenance(second, third)],
        });
      case 'sigterm':
        return this.#take({ type: 'shutdownRequested', cause: 'SIGTERM' });
      case 'end':
        return;
      default:
        throw new Error(`not a line of a story: ${line}`);
    }
  }

  /** `given STANDBY gen1 OPTIONS`: a router that has watched for a while; nothing of it is written down. */
  #given(words: readonly string[]): void {
    const [role, generation = 'gen1', ...options] = words;
    this.#hidden = true;
    this.#plan = planOf(this.#world, options);
    this.#state = initialState(this.#plan);
    this.#owners = this.#plan.targets.map(() => (role === 'ACTIVE' ? 'A' : 'B'));
    this.#take({ type: 'started', bootId: 'boot-1', memory: null, wallNow: WALL_MS });
    this.#take(this.#synchronized([generation]));
    this.#drain();
    this.#advance(this.#now + READ_MS);
    this.#hidden = false;
  }

  #wallNow(): number {
    return WALL_MS + this.#now + this.#wallStepMs;
  }

  /** `i-B stopped`: how the instance is from now on; `fail CODE`: EC2 does not say. */
  #says(who: string, what: string): void {
    const kind = what === 'UnauthorizedOperation' ? 'refused' : 'uncertain';
    this.#statusFailure = who === 'fail' ? { kind, code: what, message: 'no answer' } : null;
    if (who !== 'fail') this.#conditions[who] = what as InstanceCondition;
  }

  /** `rtrB-a=Down Te0=Up`; nothing where the router could not be asked. */
  #levels(words: readonly string[]): Event {
    const read = words.map((word) => word.split('=') as [string, string]);
    const isSession = (name: string): boolean => this.#plan.sessions.some(({ id }) => id === name);
    return {
      type: 'levelsRead',
      sessions: read
        .filter(([name]) => isSession(name))
        .map(([session, level]) => ({ session, level: level as 'Up' })),
      interfaces: read
        .filter(([name]) => !isSession(name))
        .map(([interfaceName, level]) => ({ interfaceName, level: level as 'Up' })),
    };
  }

  #memory(words: readonly string[]): Memory | null {
    if (words.length === 0) return null;
    const values = new Map(words.map((word) => word.split('=') as [string, string]));
    const list = (key: string): string[] => values.get(key)?.split(',') ?? [];
    const startedAt = this.#now - Number(values.get('intentAge') ?? 0) * 1000;
    return {
      bootId: values.get('boot') ?? 'boot-1',
      savedAt: this.#now - Number(values.get('age') ?? 0) * 1000,
      wasActive: values.get('was') === 'ACTIVE',
      armedSessions: list('armed'),
      intent: values.has('intent') ? { startedAt, targets: list('intent') } : null,
      beenActive: values.get('been') === 'ACTIVE',
      inhibit: this.#storedInhibit(Number(values.get('inhibit') ?? 0) * 1000),
      scheduled: this.#storedSchedule(values.get('scheduled')),
      damping: this.#storedDamping(
        Number(values.get('penalty') ?? 0),
        Number(values.get('held') ?? 0) * 1000,
      ),
      alarms: list('alarms').map((code) => {
        return { key: code, code, about: [], text: 'as the run before has said', since: this.#now };
      }),
    };
  }

  /** Ordered for half an hour, of which this much is left. */
  #maintenance(code: string, inS: string): Maintenance {
    const at = this.#now + Number(inS) * 1000;
    return { code, at, atWall: WALL_MS + at };
  }

  #storedInhibit(leftMs: number): Memory['inhibit'] {
    if (leftMs === 0) return null;
    const untilWall = WALL_MS + this.#now + leftMs;
    return { until: this.#now + leftMs, untilWall, forMs: 1_800_000, why: 'upgrade' };
  }

  /** How many seconds from now; negative: so long ago. */
  #storedSchedule(inS: string | undefined): Memory['scheduled'] {
    if (inS === undefined) return null;
    const inMs = Number(inS) * 1000;
    return { at: this.#now + inMs, atWall: WALL_MS + this.#now + inMs };
  }

  #storedDamping(penalty: number, heldMs: number): Memory['damping'] {
    if (penalty === 0) return null;
    return { penalty, at: this.#now, suppressedUntil: heldMs === 0 ? null : this.#now + heldMs };
  }

  /** `gen1 rtrB-a=Down,new Te0=Down`: what is not named is UP and survived. */
  #synchronized(words: readonly string[]): Event {
    const said = new Map(words.slice(1).map((word) => word.split('=') as [string, string]));
    return {
      type: 'streamsSynchronized',
      generation: words[0] as 'gen1',
      answersAboutInterfaces: words[0] === 'gen1',
      sessions: this.#plan.sessions.map(({ id: session }) => {
        const [level = 'Up', fresh] = said.get(session)?.split(',') ?? [];
        return {
          session,
          level: level as 'Up',
          survived: fresh === undefined,
          refused: false,
          notification: null,
        };
      }),
      interfaces: this.#plan.sessions.map(({ interfaceName }) => ({
        interfaceName,
        level: (said.get(interfaceName) ?? 'Up') as 'Up',
      })),
    };
  }

  #answer(key: string, kind: string, code: string): void {
    const [attempt = 0, call = 0, send = 0] = key.split('.').map(Number);
    const request = this.#calls.get(key);
    if (request === undefined) throw new Error(`there was no request ${key}`);
    if (kind === 'ok') {
      const owner = request.to.charAt('eni-'.length) as Owner;
      for (const id of request.targets) {
        this.#owners[this.#plan.targets.findIndex((target) => target.id === id)] = owner;
      }
    }
    const failure =
      kind === 'ok' ? null : { kind: kind as 'refused', code, message: `says ${this.#plan.cloud.name}` };
    this.#take({
      type: 'callAnswered',
      attempt,
      call,
      send,
      sentAt: request?.sentAt ?? this.#now,
      failure,
      apiRequestId: null,
    });
  }

  /** Everything that happens by itself up to this time: answers to observations, and deadlines. */
  #advance(to: number): void {
    while (this.#steps > 0) {
      const next = Math.min(this.#state.wakeAt, ...this.#planned.map(({ at }) => at));
      if (next > to) break;
      this.#now = Math.max(next, this.#now);
      const due = this.#planned.filter(({ at }) => at <= this.#now);
      this.#planned = this.#planned.filter(({ at }) => at > this.#now);
      for (const { event } of due) this.#take(event);
      this.#drain();
    }
    this.#now = to;
  }

  #drain(): void {
    this.#take({ type: 'inputDrained', jitter: 0.5 });
  }

  #take(event: Event): void {
    if (++this.#steps > STEPS_MAX) throw new Error(`the core spins at ${this.#now} ms`);
    const result = step(this.#plan, this.#state, event, this.#now);
    this.#state = result.state;
    const broken = violations(this.#plan, result.state);
    if (broken.length > 0) throw new Error(`at ${this.#now} ms: ${broken.join('; ')}`);
    const written = [
      ...result.effects.flatMap((effect) => this.#start(effect)),
      ...result.alarms.map((code) => `alarm ${code}`),
    ];
    if (result.reason === '') throw new Error(`${event.type} at ${this.#now} ms gave no reason`);
    const quiet = result.weight === 'routine' && this.#isTold(event, result.reason);
    if (this.#hidden || (quiet && written.length === 0)) return;
    if (quiet && written.join() === 'observe') {
      this.#asking.push(this.#now);
      return;
    }
    this.#flush();
    this.#lines.push(`${timeOf(this.#now)} ${roleWords(result.state.role)}: ${result.reason}`);
    for (const line of written) this.#lines.push(`        -> ${line}`);
  }

  #flush(): void {
    const [first, ...others] = this.#asking.splice(0);
    if (first === undefined) return;
    const again =
      others.length === 0 ? '' : `, and every second until ${timeOf(others.at(-1) ?? first).trim()}`;
    this.#lines.push(`${timeOf(first)} unchanged`, `        -> observe${again}`);
  }

  /** Lets the cloud answer what was asked; returns the effect in words. */
  #start(effect: Effect): readonly string[] {
    switch (effect.effect) {
      case 'observeOwnership':
        this.#observe(effect.number);
        return this.#isKeepalive() ? [] : ['observe'];
      case 'sendCall': {
        const { attempt, call, send, networkInterfaceId: to, targets, timeoutMs } = effect;
        this.#calls.set(`${attempt}.${call}.${send}`, { to, targets, sentAt: this.#now });
        const how = effect.allowReassignment ? '' : ' without reassignment';
        return [
          `send ${attempt}.${call}.${send}: ${targets.join(' ')} to ${to}${how}, deadline ${timeoutMs} ms`,
        ];
      }
      case 'prepareCall': {
        const how = effect.allowReassignment ? '' : ' without reassignment';
        return [`prepare ${effect.attempt}.${effect.call}: ${effect.targets.join(' ')}${how}`];
      }
      case 'discardPrepared':
        return [`discard what was prepared for attempt ${effect.attempt}`];
      case 'withdrawCalls':
        return [`withdraw the queued calls ${effect.calls.join(' ')} of attempt ${effect.attempt}`];
      case 'askInterfaces':
        return [`ask ${effect.interfaceNames.join(' ')}, deadline ${effect.timeoutMs} ms`];
      case 'remember': {
        const { wasActive, armedSessions, intent, inhibit, damping } = effect.memory;
        const armed = armedSessions.length === 0 ? 'none' : armedSessions.join(' ');
        const intention = intent === null ? '' : `, moving ${intent.targets.join(' ')}`;
        const inhibited = inhibit === null ? '' : `, inhibited until ${timeOf(inhibit.until).trim()}`;
        const penalty = damping === null ? '' : `, penalty ${Math.round(damping.penalty)}`;
        const activity = wasActive ? 'ACTIVE' : 'not ACTIVE';
        return [`remember: ${activity}, armed ${armed}${intention}${inhibited}${penalty}`];
      }
      case 'reportTimeline': {
        const { purpose, triggeredAt, lastUp, decidedAt, firstSentAt, lastAnsweredAt, confirmedAt } =
          effect.timeline;
        const legs = [decidedAt, firstSentAt, lastAnsweredAt, confirmedAt];
        const ms = legs.map((at) => (at === null ? '-' : `+${at - triggeredAt}`));
        return [
          `timeline: decided, sent, answered, confirmed ${ms.join(', ')} ms after the ${purpose === 'takeover' && lastUp === null ? 'DOWN' : 'decision'}`,
        ];
      }
      case 'askHolders':
        return this.#askHolders(effect.number, effect.instanceIds);
      case 'readLevels':
        return ['read levels'];
      case 'answerOperator':
        return [
          `answer ${effect.request}, ${effect.accepted ? 'accepted' : effect.begun === true ? 'undone' : 'declined'}: ${effect.sentence}`,
          ...(effect.lines ?? []).map((line) => `  ${line}`),
        ];
      case 'stop':
        return ['stop'];
    }
  }

  #isKeepalive(): boolean {
    const isKeepalive = this.#now - this.#lastObserved >= this.#plan.timing.keepaliveIntervalMs;
    this.#lastObserved = this.#now;
    return isKeepalive;
  }

  /** A read shows who holds what when it begins, and is answered later. */
  #observe(number: number): void {
    const { latencyMs, failure } = this.#reads;
    const startedAt = this.#now;
    const event: Event =
      failure === null
        ? {
            type: 'ownershipObserved',
            number,
            startedAt,
            observation: observationOf(this.#plan.targets, this.#owners, this.#detached, this.#peerIsKnown),
          }
        : { type: 'observationFailed', number, failure };
    this.#planned.push({ at: startedAt + latencyMs, event });
  }

  /** Written down when other instances are asked about than the last time. */
  #askHolders(number: number, instanceIds: readonly string[]): readonly string[] {
    const conditions = Object.fromEntries(
      instanceIds.map((id) => [id, this.#conditions[id] ?? 'running'] as const),
    );
    const failure = this.#statusFailure;
    const result = failure === null ? { ok: true as const, conditions } : { ok: false as const, failure };
    this.#planned.push({ at: this.#now + READ_MS, event: { type: 'holdersAnswered', number, result } });
    const asked = `ask how ${instanceIds.join(' ')} is`;
    if (asked === this.#holdersAsked) return [];
    this.#holdersAsked = asked;
    return [asked];
  }

  /** Routine steps whose reason has been told already, or goes without saying: what EC2 shows is in the role. */
  #isTold(event: Event, reason: string): boolean {
    if (event.type === 'holdersAnswered') {
      const isTold = reason === this.#holdersTold;
      this.#holdersTold = reason;
      return isTold;
    }
    if (event.type === 'ownershipObserved')
      return new RegExp(`^${this.#plan.cloud.name} shows [^;]* and [^;]*$`).test(reason);
    return event.type === 'inputDrained' || event.type === 'observationFailed';
  }
}

/** `any|all`, `three`, `elastic-ip`, `preferred`, `take-foreign`, `take-withdrawn`, `take-from-running SECONDS`, `before-maintenance SECONDS`, `at-shutdown`: the configuration, where not the delivered one. */
function planOf(world: World, words: readonly string[]): Plan {
  let plan: Plan = world.plan;
  for (const [index, word] of words.entries()) {
    if (word === 'any' || word === 'all') plan = { ...plan, trigger: word };
    else if (word === 'three') plan = { ...plan, sessions: [...world.plan.sessions, THIRD_SESSION] };
    else if (word === 'elastic-ip')
      plan = { ...plan, targets: [...world.plan.targets, world.restsOnAnother] };
    else if (word === 'preferred') plan = { ...plan, preferred: true };
    else if (word === 'take-foreign') plan = { ...plan, foreignHolder: 'take' };
    else if (word === 'take-withdrawn') plan = { ...plan, onPeerWithdrawn: 'take' };
    else if (word === 'at-shutdown') plan = { ...plan, handsOver: { ...plan.handsOver, atShutdown: true } };
    else if (word === 'before-maintenance') {
      const beforeMaintenanceMs = Number(words[index + 1]) * 1000;
      plan = { ...plan, handsOver: { ...plan.handsOver, beforeMaintenanceMs } };
    } else if (word === 'take-from-running') {
      const takeFromRunningAfterMs = Number(words[index + 1]) * 1000;
      plan = { ...plan, timing: { ...plan.timing, takeFromRunningAfterMs } };
    } else if (!['take-from-running', 'before-maintenance'].includes(words[index - 1] ?? ''))
      throw new Error(`not a configuration: ${word}`);
  }
  return plan;
}

function timeOf(ms: number): string {
  return (ms / 1000).toFixed(3).padStart(7);
}

function readsOf(how: string, code: string): Reads {
  switch (how) {
    case 'work':
      return { latencyMs: READ_MS, failure: null };
    case 'take':
      return { latencyMs: Number(code), failure: null };
    case 'fail':
      return { latencyMs: READ_MS, failure: { kind: 'uncertain', code, message: 'no answer' } };
    default:
      throw new Error(`ec2-reads work, take MS or fail CODE, not ${how}`);
  }
}
