/**
 * Two daemons of the built product and their simulated routers, whose targets are in OpenStack: the emulator (test/e2e) or the
 * real services (test/openstack). Nobody waits for less than a busy machine takes.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { mainPath } from '../../lab/daemonProcess';
import type { OpenstackLab } from '../../lab/openstack/lab';
import type { RouterName } from '../../lab/topology/plan';

const DEADLINE_MS = 120_000;

export const isActive = ({ ha }: { readonly ha?: string }): boolean => ha === 'ACTIVE';

/** The next record, from `since` on, by which the router knows this role. */
export async function becomes(lab: OpenstackLab, name: RouterName, role: string, since = 0): Promise<void> {
  const daemon = lab.daemon(name);
  if (daemon === null) throw new Error(`${name} runs no daemon`);
  await daemon.waitFor(({ ha }) => ha === role, { since, deadlineMs: DEADLINE_MS });
}

/** A failover of the other would work. */
export async function isReady(lab: OpenstackLab, name: RouterName, since = 0): Promise<void> {
  const daemon = lab.daemon(name);
  if (daemon === null) throw new Error(`${name} runs no daemon`);
  await daemon.waitFor(({ event, reason }) => event === 'readiness' && /^ready/.test(reason ?? ''), {
    since,
    deadlineMs: DEADLINE_MS,
  });
}

/** rtr1 claims what nobody has, and rtr2 stands by. */
export async function startPair(lab: OpenstackLab): Promise<void> {
  lab.startDaemon('rtr1');
  await becomes(lab, 'rtr1', 'ACTIVE');
  lab.startDaemon('rtr2');
  await becomes(lab, 'rtr2', 'STANDBY');
  await isReady(lab, 'rtr2');
}

/** The peer dies; the other has everything in the end. */
export async function failOver(lab: OpenstackLab, victim: RouterName, survivor: RouterName): Promise<void> {
  const since = lab.daemon(survivor)?.mark() ?? 0;
  await lab.killRouter(victim);
  await becomes(lab, survivor, 'ACTIVE', since);
}

export type Ran = { readonly code: number; readonly out: string };

/** A command of the product, with the configuration of this router. */
export async function run(lab: OpenstackLab, name: RouterName, ...args: readonly string[]): Promise<Ran> {
  const all = [mainPath, ...args, '-c', lab.configPath(name)];
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, all, { timeout: DEADLINE_MS });
    return { code: 0, out: stdout + stderr };
  } catch (error: unknown) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout + stderr };
  }
}
