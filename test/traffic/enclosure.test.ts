/** A lab that is killed leaves nothing, and two of them do not see each other. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { eventually } from '../support/eventually';
import { startRealLab } from '../../lab/real-router/realLab';
import './support';

const held: ChildProcess[] = [];
afterEach(() => held.splice(0).forEach((child) => child.kill('SIGKILL')));

/** A second lab, as another run of the machine would have it. */
async function hold(): Promise<ChildProcess> {
  const loader = pathToFileURL(require.resolve('tsx')).href;
  const child = spawn(process.execPath, ['--import', loader, join(__dirname, 'hold.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  held.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as string[];
  expect(line).toBe('held');
  return child;
}

/** Of this process's namespaces: what runs, what interfaces and rules there are. */
const here = () => ({
  interfaces: spawnSync('ip', ['-o', 'link'], { encoding: 'utf8' }).stdout,
  rules: spawnSync('nft', ['list', 'ruleset'], { encoding: 'utf8' }).stdout,
  namespaces: readdirSync('/run/netns'),
});

const bfdds = (): readonly string[] =>
  readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes('/usr/lib/frr/bfdd'));

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

test('a lab that is killed takes its namespaces and processes along, and has touched no others', async () => {
  const before = here();
  const child = await hold();
  expect(here()).toEqual(before);
  expect(bfdds()).toHaveLength(2);
  child.kill('SIGKILL');
  await eventually(() => expect(bfdds()).toEqual([]));
  expect(here()).toEqual(before);
});

test('two labs stand side by side', async () => {
  const child = await hold();
  const real = await startRealLab();
  try {
    await real.startPair();
    expect((await real.user.report()).udp.answered).toBeGreaterThan(0);
  } finally {
    await real.stop();
  }
  expect(child.exitCode).toBeNull();
});
