/** The daemon has nothing of the healer: neither in its files, nor in what it asks AWS to allow. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './support';

const dist = join(__dirname, '..', '..', 'dist');
const textOf = (name: string): string => readFileSync(join(dist, name), 'utf8');
/** Names that the clients of Auto Scaling and SNS bring along. */
const HEALERS =
  /CompleteLifecycleAction|RecordLifecycleActionHeartbeat|AutoScalingGroupName|SNSClient|AutoScalingClient/;

test('the files of the daemon have nothing of Auto Scaling and SNS, that of the healer has', () => {
  const files = ['main.js', ...readdirSync(join(dist, 'chunks')).map((name) => join('chunks', name))];
  expect(files.length).toBeGreaterThan(1);
  // Notifications have a client of SNS, in a file that is loaded only where a topic is configured.
  const others = files.filter((name) => name !== join('chunks', 'sns.js'));
  expect(others).toHaveLength(files.length - 1);
  for (const name of others) expect([name, HEALERS.exec(textOf(name))?.[0]]).toEqual([name, undefined]);
  for (const name of ['main.js', join('chunks', 'daemon.js')])
    expect(textOf(name)).not.toMatch(/require\("\.\/(chunks\/)?sns\.js"\)[;,]/);
  expect(textOf('heal.js')).toMatch(HEALERS);
});

test('the policy of the daemon is about EC2 alone', async () => {
  const path = join(__dirname, '..', '..', 'config', 'examples', 'active-active-rtr1.json');
  const { code, stdout } = await runCommand(['iam-policy', '-c', path]);
  expect(code).toBe(0);
  const actions = [...stdout.matchAll(/"([a-z0-9]+):[A-Za-z*]+"/g)].map(([, service]) => service);
  expect(actions.length).toBeGreaterThan(0);
  expect(new Set(actions)).toEqual(new Set(['ec2']));
});
