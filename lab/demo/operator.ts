/** What an operator does on a router: asks with `show`, which is another process that reads the store. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { mainPath } from '../daemonProcess';
import type { AnyLab } from '../topology/topology';
import { routerNames, type RouterName } from '../topology/plan';

export type Shown = {
  readonly exitCode: number | null;
  /** Without empty lines; of the standard error where the command failed. */
  readonly lines: readonly string[];
};

const SHOW_DEADLINE_MS = 5000;

export function show(lab: AnyLab, name: RouterName, key: string): Promise<Shown> {
  const args = [mainPath, 'show', key, '-c', lab.routers[name].configPath];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { timeout: SHOW_DEADLINE_MS }, (error, stdout, stderr) => {
      const text = error === null ? stdout : stderr;
      const lines = text.split('\n').filter((line) => line.trim() !== '');
      resolve({ exitCode: child.exitCode, lines });
    });
  });
}

export type Reported = {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

const REPORT_DEADLINE_MS = 30_000;

/** One story of both routers, from the journals that their daemons have left; also as a page. */
export const reportOf = (lab: AnyLab, html: string): Promise<Reported> =>
  reportIn(
    routerNames.map((name) => join(lab.routers[name].directory, 'state')),
    html,
  );

/** `folders`: where the journals are. */
export function reportIn(folders: readonly string[], html: string): Promise<Reported> {
  const args = [mainPath, 'report', ...folders, '--html', html];
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      args,
      { timeout: REPORT_DEADLINE_MS },
      (_error, stdout, stderr) => resolve({ exitCode: child.exitCode, stdout, stderr }),
    );
  });
}
