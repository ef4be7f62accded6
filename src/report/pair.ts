/**
 * From journals to the routers of one pair: which belong to the same router, which groups the two have in common, and
 * whether they are a pair at all. What cannot be one story is refused with a sentence.
 */
import type { Interval } from './lanes';
import { cloudOf, type Part, type Told } from './moments';

/** One file, read. */
export type Source = Told & {
  readonly path: string;
  /** What its router is to be called, unless another file of the same instance has said so before. */
  readonly name: string;
  /** Of `journal-NAME.jsonl`; null where the daemon has one group. */
  readonly group: string | null;
};

/** The journals of one group on one router, in the order of time. */
export type GroupJournal = {
  /** The same on both routers. */
  readonly key: string;
  readonly name: string | null;
  readonly targets: readonly string[];
  readonly parts: readonly Part[];
};

export type Router = {
  readonly name: string;
  /** As a name inside a sentence. */
  readonly cloud: string;
  /** More than one where the instance was replaced; none where the cloud has never answered. */
  readonly instanceIds: readonly string[];
  readonly peerInstanceIds: readonly string[];
  readonly groups: readonly GroupJournal[];
};

export type Pair =
  | { readonly ok: true; readonly routers: readonly Router[]; readonly limits: readonly string[] }
  | { readonly ok: false; readonly problem: string };

const refused = (problem: string): Pair => ({ ok: false, problem });

/** `sources` in the order of the command line. */
export function pairOf(sources: readonly Source[]): Pair {
  const limits = sources.flatMap(({ path, limits: own }) => own.map((limit) => `${path}: ${limit}`));
  const readable = sources.filter(({ parts }) => parts.length > 0);
  const byRouter = sortedByRouter(readable);
  for (const own of byRouter) {
    const problem = sameTimeTwice(own);
    if (problem !== null) return refused(problem);
  }
  const routers = byRouter.map(routerOf);
  const [first, second, third] = routers;
  if (first === undefined) return refused(limits.join('\n') || 'there is no journal');
  if (third !== undefined)
    return refused(
      `a pair has two routers, and these are journals of ${routers.length}: ${routers.map(nameAndId).join(', ')}`,
    );
  if (second === undefined) {
    const alone = `only ${first.name} has told: what its peer saw and did, and whether it still served, is not known`;
    return { ok: true, routers, limits: [...limits, alone] };
  }
  const problem = whyNoPair(first, second) ?? whyNoPair(second, first);
  if (problem !== null)
    return refused(`${nameAndId(first)} and ${nameAndId(second)} are no pair: ${problem}`);
  const unknown = routers
    .filter(({ instanceIds }) => instanceIds.length === 0)
    .map(
      ({ name, cloud }) =>
        `in the journal of ${name} ${cloud} has never answered: that the two are a pair is not certain`,
    );
  return { ok: true, routers: [first, matched(second, first)], limits: [...limits, ...unknown] };
}

// --- Routers -------------------------------------------------------------------------------------

/** Files of one instance are of one router, and so are those of one name: its instance may have been replaced. */
function sortedByRouter(sources: readonly Source[]): readonly (readonly Source[])[] {
  const routers: Source[][] = [];
  for (const source of sources) {
    const own = routers.find((router) =>
      router.some(
        ({ name, instanceId }) =>
          (instanceId !== null && instanceId === source.instanceId) || name === source.name,
      ),
    );
    if (own === undefined) routers.push([source]);
    else own.push(source);
  }
  return routers;
}

function sameTimeTwice(sources: readonly Source[]): string | null {
  for (const [index, one] of sources.entries()) {
    for (const other of sources.slice(index + 1)) {
      if (!overlap(timeOf(one), timeOf(other))) continue;
      const isOneInstance = one.instanceId === other.instanceId;
      if (isOneInstance && targetsOf(one).some((id) => targetsOf(other).includes(id)))
        return `${one.path} and ${other.path} are both of ${one.instanceId ?? one.name}, at the same time: give the journals of its peer, too, or one of these alone`;
      if (!isOneInstance && one.instanceId !== null && other.instanceId !== null)
        return `${one.path} and ${other.path} are both called ${one.name}, and are of two instances (${one.instanceId}, ${other.instanceId}) at the same time: give each router's a name or a folder of its own`;
    }
  }
  return null;
}

function timeOf({ parts }: Source): Interval {
  const from = Math.min(...parts.map(({ wallNow }) => wallNow));
  return { from, to: Math.max(...parts.map(({ wallNow, now, until }) => wallNow + until - now)) };
}

const overlap = (a: Interval, b: Interval): boolean => a.from < b.to && b.from < a.to;

const targetsOf = ({ parts }: Source): readonly string[] =>
  parts.at(-1)?.plan.targets.map(({ id }) => id) ?? [];

function routerOf(sources: readonly Source[]): Router {
  const groups: Source[][] = [];
  for (const source of sources) {
    const own = groups.find((group) => group.every((other) => isOneGroup(source, other)));
    if (own === undefined) groups.push([source]);
    else own.push(source);
  }
  return {
    name: sources[0]?.name ?? '',
    cloud: cloudOf(sources.flatMap(({ parts }) => parts)),
    instanceIds: [...new Set(sources.flatMap(({ instanceId }) => instanceId ?? []))],
    peerInstanceIds: [...new Set(sources.flatMap(({ peerInstanceIds }) => peerInstanceIds))],
    groups: groups.map(journalOf),
  };
}

/** Two groups write at the same time, two generations of one do not. */
const isOneGroup = (one: Source, other: Source): boolean =>
  one.group === other.group && !(one.group === null && overlap(timeOf(one), timeOf(other)));

function journalOf(sources: readonly Source[]): GroupJournal {
  const parts = sources.flatMap((source) => source.parts).sort((a, b) => a.wallNow - b.wallNow);
  const targets = [...new Set(sources.flatMap(targetsOf))];
  const name = sources[0]?.group ?? null;
  return { key: name ?? targets.join('\n'), name, targets, parts };
}

// --- The two of them -----------------------------------------------------------------------------

function whyNoPair(one: Router, other: Router): string | null {
  const { peerInstanceIds: peers } = one;
  const [own, others] = [one, other].map(({ groups }) => groups.flatMap(({ targets }) => targets));
  if (!own?.some((id) => others?.includes(id)))
    return `${one.name} moves ${some(own ?? [])}, and ${other.name} ${some(others ?? [])}`;
  if (peers.length === 0 || other.instanceIds.length === 0) return null;
  if (other.instanceIds.some((id) => peers.includes(id))) return null;
  return `the peer of ${one.name} is ${peers.join(', ')}`;
}

/** The groups of `router` by the keys that the same ones have on the other. */
function matched(router: Router, other: Router): Router {
  const groups = router.groups.map((group) => {
    const twin = other.groups.find(
      ({ name, targets }) =>
        (name !== null && name === group.name) ||
        ((name === null || group.name === null) && targets.some((id) => group.targets.includes(id))),
    );
    return twin === undefined ? group : { ...group, key: twin.key };
  });
  return { ...router, groups };
}

const nameAndId = ({ name, instanceIds }: Router): string =>
  instanceIds.length === 0 ? name : `${name} (${instanceIds.join(', ')})`;

const SHOWN_MAX = 3;

function some(ids: readonly string[]): string {
  const rest = ids.length - SHOWN_MAX;
  return `${ids.slice(0, SHOWN_MAX).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
