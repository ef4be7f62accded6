/** One table of alarms: held against the core, against what the source logs, and against the commands that it names. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlarmCode } from '../../src/core/rules/alarms';
import { isStoreKey } from '../../src/store/entry';
import { AWS_ALARMS } from '../../src/aws/alarms';
import { EC2 } from '../../src/aws/description';
import { OPENSTACK_ALARMS } from '../../src/openstack/alarms';
import { OPENSTACK } from '../../src/openstack/description';
import { alarmTable, allAlarms } from '../../src/runtime/alarmTable';

const aws = alarmTable(EC2, AWS_ALARMS);
const openstack = alarmTable(OPENSTACK, OPENSTACK_ALARMS);
/** Of any cloud. */
const table = { core: aws.core, parts: { ...openstack.parts, ...aws.parts } };
const folder = join(__dirname, '..', '..', 'src');
const source = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter(
    (path) => path.endsWith('.ts') && !path.startsWith('heal') && !/(alarmTable|alarms)\.ts$/.test(path),
  )
  .map((path) => readFileSync(join(folder, path), 'utf8'))
  .join('\n');

/** What is logged as a warning or worse and is no alarm: it is over when it is said, or ends the daemon. */
const NO_ALARMS: { readonly [event: string]: string } = {
  readiness: 'what fails is a line of show ha_ready, and what wants a person an alarm besides',
  'config-warning': 'said once by each start, and by check-config',
  'config-impossible': 'an alarm while the daemon runs; at its start it ends it',
  'loop-stalled': 'the daemon ends',
  crashed: 'the daemon ends',
  'place-in-use': 'the daemon does not start',
  'control-failed': 'a fault of ours, answered to the operator',
  'interfaces-changed': 'has happened; what does not fit is config-impossible',
  'slapi-contested': 'alarm control-lost of the core stands for it',
  'slapi-malformed': 'a message was ignored',
  'slapi-generation': 'the router is taken at its deeds',
  'slapi-pings': 'mended by itself',
  'store-unreadable': 'the file is replaced',
  'memory-unreadable': 'the start went on without it, and it is written anew',
  'notification-dropped': 'alarm notification-failing stands meanwhile, and the receiver is told',
  'history-unreadable': 'the start went on without it, and it is written anew',
  'memory-of-another': 'the start went on without it, and it is written anew',
  'syslog-unreachable': 'UDP knows no end of it; the other places of the log have all records',
};

const eventsAfter = (opening: RegExp): string[] =>
  [...source.matchAll(opening)].flatMap((match) => {
    const [, name] = /event: '([^']+)'/.exec(source.slice(match.index, match.index + 300)) ?? [];
    return name === undefined ? [] : [name];
  });

test('each alarm of the core stands in it, and nothing else', () => {
  expect(Object.keys(table.core).filter((code) => !isAlarmCode(code))).toEqual([]);
});

test('nothing that is logged as a warning or worse bypasses the table', () => {
  const logged = eventsAfter(/[lL]og(?:\[level\])?\.?(?:warn|error|fatal)?\(/g).filter((event) =>
    new RegExp(`(?:warn|error|fatal|\\[level\\])\\(\\s*\\{[^}]*event: '${event}'`).test(source),
  );
  expect(logged.length).toBeGreaterThan(20);
  const untold = logged.filter((event) => !(event in table.parts) && !(event in NO_ALARMS));
  expect([...new Set(untold)]).toEqual([]);
});

test('each alarm of a part, and what ends it, is logged somewhere', () => {
  const words = Object.entries(table.parts).flatMap(([code, { over }]) => [code, ...over]);
  const made = [
    'memory-unwritable',
    'memory-writable',
    'store-unwritable',
    'store-writable',
    'history-unwritable',
    'history-writable',
    'notifications-unwritable',
    'notifications-writable',
  ];
  const missing = words.filter((event) => !source.includes(`'${event}'`) && !made.includes(event));
  expect(missing).toEqual([]);
  expect(source).toContain('event: `${words.event}-unwritable`');
  expect(source).toContain('event: `${words.event}-writable`');
});

test.each(Object.entries(allAlarms(table)))(
  '%s says what to type, with commands that there are',
  (_code, entry) => {
    const { means, cause, act } = entry;
    for (const text of [means, cause, act]) expect(text).toMatch(/^\S.{9,}[^.]$/);
    const commands = [...act.matchAll(/`([^`]+)`/g)].map(([, command = '']) => command);
    const shown = commands.flatMap((command) => /^show ((?:ha_|last_|config)\w*)/.exec(command)?.[1] ?? []);
    expect(shown.filter((key) => !isStoreKey(key))).toEqual([]);
    for (const command of commands.filter((each) => /^(ha|xr-aws-ha) /.test(each)))
      expect(command).toMatch(
        /^(ha (release|switchover|switchover --dry-run)|xr-aws-ha (check-config --online|iam-policy|self-test|plan|notify test))$/,
      );
  },
);
