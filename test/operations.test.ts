/** docs/operations.md, walked as the operator does who has been woken: what stands in each row is so, and can be typed. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AWS_ALARMS } from '../src/aws/alarms';
import { EC2 } from '../src/aws/description';
import { alarmsIn, alarmsPage } from '../src/cli/showAlarms';
import { OPENSTACK_ALARMS } from '../src/openstack/alarms';
import { OPENSTACK } from '../src/openstack/description';
import type { AlarmCode } from '../src/core/state/alarms';
import type { JsonObject } from '../src/core/state/json';
import { initialState, type State } from '../src/core/state/state';
import { HISTORY_KEY } from '../src/history/entry';
import { History } from '../src/history/history';
import { notificationOf } from '../src/notify/notification';
import { AlarmRegistry } from '../src/runtime/alarms';
import { alarmTable, allAlarms, type AlarmTable } from '../src/runtime/alarmTable';
import { AlarmsView } from '../src/runtime/alarmsView';
import { isStoreKey, storeEntry } from '../src/store/entry';
import { planOf } from './support/coreWorld';

const root = resolve(__dirname, '..');
const page = readFileSync(join(root, 'docs/operations.md'), 'utf8');
/** Commands may be broken over lines. */
const asOneLine = (text: string): string => text.replace(/\s+/g, ' ');
const usage = readFileSync(join(root, 'src/main.ts'), 'utf8');
/** Keys of the configuration, and their values. */
const schema = readFileSync(join(root, 'config/schema.json'), 'utf8');
const WALL = Date.parse('2026-11-30T03:10:41Z');

const aws = alarmTable(EC2, AWS_ALARMS);
const openstack = alarmTable(OPENSTACK, OPENSTACK_ALARMS);
const entries = allAlarms(aws);
const ofOpenstack = { ...OPENSTACK_ALARMS.ofCore, ...OPENSTACK_ALARMS.ofParts };
const BY_CORE = '`alarm ... is over`';
const BY_RESTART = 'a restart that finds it mended';

type Row = {
  readonly code: string;
  readonly severity: string;
  readonly act: string;
  readonly over: string;
  readonly table: AlarmTable;
};
const rowsIn = (part: string, table: AlarmTable): readonly Row[] =>
  [...part.matchAll(/^\| `([a-z0-9-]+)` \| (critical|major|minor|warning) \| .* \| (.*) \| (.*) \|$/gm)].map(
    ([, code = '', severity = '', act = '', over = '']) => ({ code, severity, act, over, table }),
  );

const [awsPart = '', openstackPart = ''] = page.split('<!-- alarms of OpenStack: ');
const inAws = rowsIn(awsPart, aws);
const inOpenstack = rowsIn(openstackPart, openstack);
const named = [
  ...inAws.map((row) => [row.code, row] as const),
  ...inOpenstack.map((row) => [`in OpenStack, ${row.code}`, row] as const),
];

/** Typed in XR, or in a shell of the container; the rest is ours. */
const OF_OTHERS = [
  /^show (bfd session( detail)?|grpc status|interfaces|appmgr application-table|clock|ntp status)$/,
  /^(df -h|ls -ld)$/,
  /^aws ec2 modify-network-interface-attribute --no-source-dest-check --network-interface-id ENI$/,
];

function canBeTyped(command: string): boolean {
  if (OF_OTHERS.some((form) => form.test(command))) return true;
  const [, key] = /^show (\w+)(?: --json| --last N)?$/.exec(command) ?? [];
  if (key !== undefined) return isStoreKey(key) || key === HISTORY_KEY || key === 'redundancy';
  const [, ours] = /^(?:xr-aws-ha )?((?:ha |notify )?[a-z-]+)(?: --[a-z-]+)*$/.exec(command) ?? [];
  return ours !== undefined && new RegExp(`^ +${ours}\\b`, 'm').test(usage);
}

test('each alarm has its row, the worst first', () => {
  expect(inAws.map(({ code }) => code).sort()).toEqual(Object.keys(entries).sort());
  expect(inOpenstack.map(({ code }) => code).sort()).toEqual(Object.keys(ofOpenstack).sort());
  const order = ['critical', 'major', 'minor', 'warning'];
  for (const rows of [inAws, inOpenstack]) {
    const places = rows.map(({ severity }) => order.indexOf(severity));
    expect(places).toEqual([...places].sort());
  }
});

test.each(named)('%s: what to type can be typed', (_code, { act }) => {
  const typed = [...act.matchAll(/`([^`]+)`/g)].map(([, words = '']) => words);
  // A key, a value of one, another alarm, or what one writes into the configuration of XR.
  const isNamed = (words: string) =>
    schema.includes(`"${words.replace(/^cloud\./, '')}"`) ||
    words in entries ||
    ['service-layer', 'grpc', '/etc/hosts'].includes(words);
  expect(typed.filter((words) => !canBeTyped(words) && !isNamed(words))).toEqual([]);
});

/** The daemon's ways to people, without a daemon. */
function world(table: AlarmTable) {
  let shown: JsonObject = {};
  const told: string[] = [];
  const plan = planOf();
  const groups = [{ name: 'default', plan }];
  const alarms = new AlarmRegistry({ table, wallNow: () => WALL, isNamed: false });
  const history = new History({
    groups,
    router: 'rtr2',
    version: '1',
    bootId: 'boot',
    wallNow: () => WALL,
    now: () => 0,
    newId: () => `id${told.length}`,
    kept: null,
    touch: () => {},
    tell: (entry, change) => {
      const { type, severity } = notificationOf(entry, change, { id: 'n', at: WALL, router: 'rtr2' });
      told.push(`${type} ${entry.what} ${severity}`);
    },
  });
  alarms.onChange(() => history.alarms(alarms.standing()));
  const log = { router: 'rtr2', level: 'info', file: '', syslog: null } as const;
  new AlarmsView({ alarms, settings: { groups, log }, put: (value) => (shown = value) });
  const core = (standing: State['alarms']): void => {
    const before = initialState(plan);
    const step = {
      state: { ...before, alarms: standing },
      effects: [],
      alarms: [],
      reason: '',
      weight: 'routine',
    } as const;
    alarms.update([{ now: 0, group: 'default', event: { type: 'inputDrained', jitter: 0 }, before, step }]);
  };
  const printed = () => {
    const entry = storeEntry(shown, new Date(WALL));
    return alarmsPage(entry, alarmsIn(entry) ?? []);
  };
  const lineOf = (code: string) => history.kept().entries.findLast(({ what }) => what === code);
  return { alarms, core, printed, lineOf, told };
}

test.each(named)(
  '%s: it is shown, kept and told while it stands, and ends as its row says',
  (_name, { code, severity, over, table }) => {
    const { alarms, core, printed, lineOf, told } = world(table);
    const part = table.parts[code];
    const concerned = Object.fromEntries((part?.about ?? []).map((field) => [field, 'x']));
    const about = part === undefined ? [] : Object.values(concerned);
    if (part === undefined)
      core({ [code]: { code: code as AlarmCode, about: [], text: 'because', since: 0, lastAt: 0 } });
    else alarms.heard({ event: code, reason: 'because', ...concerned }, 'said');

    expect(printed()).toContain(`${severity.toUpperCase().padEnd(10)}${code} since 2026-11-30T03:10:41`);
    expect(printed()).toContain('because');
    expect(lineOf(code)).toMatchObject({ outcome: 'under way', cause: 'because', about });
    expect(told.at(-1)).toBe(`alarm.raised ${code} ${severity}`);

    if (over === BY_RESTART) return expect(part?.over).toEqual([]);
    if (over === BY_CORE) core({});
    else alarms.heard({ event: over.replaceAll('`', ''), ...concerned }, 'said');
    expect(printed()).toContain('No alarm stands');
    expect(lineOf(code)).toMatchObject({ outcome: 'over' });
    expect(told.at(-1)).toBe(`alarm.cleared ${code} info`);
  },
);

test('the commands of the page are there, and so are the words with which a line of the history ends', () => {
  const prose = page.slice(page.indexOf('<!-- end of alarms -->'));
  const shown = [...page.matchAll(/`(show [^`]+)`/g)].map(([, command = '']) => asOneLine(command));
  expect(shown.filter((command) => !canBeTyped(command))).toEqual([]);
  for (const word of [
    'done',
    'partial',
    'dropped',
    'lost',
    'over',
    'ready again',
    'released',
    'stopped',
    'ended',
  ])
    expect(prose).toContain(`\`${word}\``);
});
