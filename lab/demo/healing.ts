/**
 * `npm run demo -- heal`: the active router dies, the other takes over; its group brings a new instance, and the healer makes
 * that the router which was lost. Then the pair is a pair again: the other router may die, too.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { DaemonProcess, DaemonRecord } from '../daemonProcess';
import { findInstance, findInterface } from '../ec2-emulator/model';
import { isWrite } from '../ec2-emulator/requestLog';
import type { PairLab } from '../heal/pairLab';
import type { RouterName } from '../topology/plan';
import { drawHolders } from './drawing';
import { wrap, WIDTH, type Paint, type Style } from './screen';
import {
  breathe,
  end,
  failOverAndShow,
  isWatching,
  open,
  quote,
  showHaState,
  start,
  type Stage,
} from './story';

type HealStage = Stage & { readonly pair: PairLab };

/** Something that happened, by the clock of the lab. */
type Happening = {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
  readonly styles?: readonly Style[];
};

const HEALING_DEADLINE_MS = 60_000;
const INDENT = 19;

/** @throws Error when something that has to happen does not; what happens otherwise than it should is in `checks`. */
export async function tellHealing(stage: HealStage): Promise<void> {
  open(stage);
  const healer = stage.pair.startHealer();
  await start(stage);
  const whole = await stage.screen.during('the healer looks at the pair', untilWhole(healer));
  quote(stage.screen, 'healer', { reason: whole.msg ?? '' });
  const first = await failOverAndShow(stage, 'rtr1');
  await healAndShow(stage, healer, 'rtr1');
  const second = await failOverAndShow(stage, 'rtr2');
  await end(stage, [first, second]);
}

async function healAndShow(stage: HealStage, healer: DaemonProcess, name: RouterName): Promise<void> {
  const { pair, lab, screen, checks } = stage;
  const { paint } = screen;
  screen.chapter(`A new instance becomes ${name}`);
  await breathe(screen, `in a moment EC2 finds ${name} impaired`);
  const old = lab.plan.instanceId[name];
  const since = { atMs: nowMs(), record: healer.mark(), request: lab.ec2.requests().at(-1)?.number ?? 0 };
  const watched = watch(stage, name);
  pair.impair(name);
  const standby = await screen
    .during('its group replaces it, and the healer heals', healed(stage, healer, { name, old }))
    .finally(() => watched.stop());
  const happenings = [...watched.seen, ...healer.recordsSince(since.record).flatMap(stepOf)];
  screen.line(`  ${paint('s since EC2 found the old instance impaired', 'dim')}`);
  for (const each of happenings.sort((a, b) => a.atMs - b.atMs))
    screen.lines(drawHappening(each, since.atMs, paint));
  screen.line();
  screen.lines(drawHolders(lab, { rtr1: 'STANDBY', rtr2: 'ACTIVE' }, paint));
  screen.line();
  quote(screen, name, standby);
  screen.line();
  await showHaState(stage, name, 'STANDBY');

  const expect = (holds: boolean, sentence: string) =>
    checks.expect(holds, `healing of ${name}: ${sentence}`);
  const writes = lab.ec2.requests().filter((each) => each.number > since.request && isWrite(each));
  const byHealer = writes.filter(({ instanceId }) => instanceId === 'healer').map(({ action }) => action);
  expect(lab.plan.instanceId[name] !== old, 'the router is another instance than before');
  expect(lab.ownsAll('rtr2'), 'rtr2 keeps all that floats');
  expect(
    byHealer.filter((action) => action === 'AttachNetworkInterface').length === lab.plan.interfaces.length,
    `each interface is attached once, not ${byHealer.join(', ')}`,
  );
  expect(
    byHealer.every((action) => !/Assign|Associate|Route|Reboot/.test(action)),
    `the healer moves nothing that floats and reboots nothing, not ${byHealer.join(', ')}`,
  );
  const told = pair.topics.published.map(({ subject }) => subject).join(', ');
  expect(
    told === `${name}: healing-began, ${name}: healing-ended`,
    `people are told of its beginning and its end, not ${told}`,
  );
}

// ---- Waiting ----

const untilWhole = (healer: DaemonProcess): Promise<DaemonRecord> =>
  healer.waitFor(({ msg }) => / is whole: /.test(msg ?? ''), { deadlineMs: HEALING_DEADLINE_MS });

/** In service, told of, and STANDBY with all sessions UP: what its daemon says then. */
async function healed(
  { pair, lab }: HealStage,
  healer: DaemonProcess,
  { name, old }: { readonly name: RouterName; readonly old: string },
): Promise<DaemonRecord> {
  const deadline = performance.now() + HEALING_DEADLINE_MS;
  const standby = (): DaemonRecord | undefined => {
    const now = pair.instanceOf(name);
    const isTold = pair.topics.published.some(({ subject }) => subject === `${name}: healing-ended`);
    return now !== null && now.instanceId !== old && now.isInService && isTold
      ? lab.daemon(name)?.records.find(isWatching)
      : undefined;
  };
  for (;;) {
    const found = standby();
    if (found !== undefined) return found;
    if (performance.now() > deadline)
      throw new Error(`${name} is not healed after ${HEALING_DEADLINE_MS / 1000} s:\n${healer.tail()}`);
    await delay(20);
  }
}

// ---- Watching ----

/** What EC2 and Auto Scaling do. */
function watch(
  { pair, lab }: HealStage,
  name: RouterName,
): { readonly seen: readonly Happening[]; readonly stop: () => void } {
  const seen: Happening[] = [];
  const add = (who: string, what: string, ...styles: readonly Style[]): void =>
    void seen.push({ atMs: nowMs(), who, what, styles });
  let lifecycle = new Map<string, string>();
  const groupChanged = (): void => {
    const members = pair.scaling.group(name)?.members ?? [];
    const next = new Map(members.map(({ instanceId, lifecycleState }) => [instanceId, lifecycleState]));
    for (const [id, state] of next)
      if (lifecycle.get(id) !== state && /Wait|InService/.test(state))
        add('group', `${id} is ${state}`, ...(state === 'InService' ? (['green', 'bold'] as const) : []));
    lifecycle = next;
  };
  lifecycle = new Map(
    (pair.scaling.group(name)?.members ?? []).map((each) => [each.instanceId, each.lifecycleState]),
  );
  const off = lab.world.onChange((before, after) => {
    for (const { instanceId, state, instanceStatus, systemStatus } of after.instances) {
      const was = findInstance(before, instanceId);
      if (was?.state !== state) add('EC2', `${instanceId} is ${state}`);
      if (was?.systemStatus !== systemStatus && systemStatus === 'impaired')
        add('EC2', `${instanceId} is impaired`, 'red');
      else if (was?.instanceStatus !== instanceStatus && instanceStatus === 'ok')
        add('EC2', `${instanceId} has booted: its status checks are ok`);
    }
    for (const { networkInterfaceId: id, attachment } of after.networkInterfaces) {
      const was = findInterface(before, id)?.attachment;
      if (attachment?.status === 'attached' && was?.status === 'attaching' && attachment.deviceIndex > 0)
        add('EC2', `→ ${id} is attached to ${attachment.instanceId}`, 'magenta');
    }
  });
  const timer = setInterval(groupChanged, 5);
  return {
    seen,
    stop: () => {
      off();
      clearInterval(timer);
      groupChanged();
    },
  };
}

/** A call of the healer, in its own words. */
function stepOf({ event, msg = '', receivedAtMs, level }: DaemonRecord): readonly Happening[] {
  if (event !== 'step') return [];
  const styles: readonly Style[] = level === 'info' ? ['yellow'] : ['red'];
  return [{ atMs: receivedAtMs, who: 'healer', what: msg, styles }];
}

function drawHappening({ atMs, who, what, styles = [] }: Happening, zeroMs: number, paint: Paint): string[] {
  const [first = '', ...more] = wrap(what, WIDTH - INDENT);
  const time = ((atMs - zeroMs) / 1000).toFixed(2).padStart(7);
  const actor = paint(who.padEnd(6), 'bold');
  return [
    `  ${paint(time, 'bold')}  ${actor}  ${paint(first, ...styles)}`,
    ...more.map((text) => `${' '.repeat(INDENT)}${paint(text, ...styles)}`),
  ];
}

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;
