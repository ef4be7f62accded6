/**
 * Where everything of the real-router lab happens: namespaces of its own for network, mounts and processes, which
 * the kernel takes away with their first process. So nothing is left behind however a run ends, two runs do not see
 * each other, and no interface, address, rule or file of the machine is touched. Needs root on Linux.
 */
import { spawn, type ChildProcess } from 'node:child_process';

const MARK = 'XR_AWS_HA_ENCLOSED';

/**
 * Two routers, a cloud and a user are one machine here. What else runs on it waits, or it would be measured, too. The
 * kernel keeps a share of the CPU for it, and the processes inside are as equal among themselves as ever.
 */
const REALTIME = ['chrt', '--rr', '1'];

/** `/run` (namespaces by name, FRR's sockets) and the places for temporary files are its own as well. */
const PREPARE = [
  'set -e',
  'mount -t tmpfs none /run',
  'mount -t tmpfs none /var/tmp',
  'mkdir /run/netns /run/frr /run/tmp',
  'ip link set lo up',
  'exec "$@"',
].join('; ');

export const isEnclosed = (): boolean => process.env[MARK] === '1';

/**
 * Runs a command inside; resolves with its exit code. All that it has started ends with it, and it ends when this
 * process does, by whatever signal.
 */
export async function runEnclosed(command: readonly string[]): Promise<number> {
  const child = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', ...REALTIME, 'unshare'],
      ...['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
      ...['sh', '-c', PREPARE, 'sh', ...command],
    ],
    { stdio: 'inherit', env: { ...process.env, [MARK]: '1', TMPDIR: '/run/tmp' } },
  );
  return exitCodeOf(child);
}

/** The program that runs now, with its arguments and more of them, once more and inside. */
export const runSelfEnclosed = (more: readonly string[] = []): Promise<number> =>
  runEnclosed([process.execPath, ...process.execArgv, ...process.argv.slice(1), ...more]);

function exitCodeOf(child: ChildProcess): Promise<number> {
  const end = (): void => void child.kill('SIGKILL');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 130));
  });
}
