/**
 * One router as far as packages and containers go: what appmgr does, done with rpm and docker as its documentation
 * says. It has an RPM database and an {app_install_root} of its own, and a container engine in the router's network.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startEngine, type ContainerEngine, type DockerAnswer } from '../../lab/containerEngine';
import type { DaemonRecord } from '../../lab/daemonProcess';
import { outputOf, run } from '../../scripts/package/shell';
import { eventually } from '../support/eventually';

/** Generous: the machine may have other things to do. */
const DEADLINE_MS = 60_000;

export const APP = 'xrv9k_aws_ha';
/** Of rpm; named, as systems differ in where it is. */
const DATABASE = '/var/lib/rpm';
const INSTALL_ROOT = '/misc/app_host/appmgr';

export type ActivateOptions = {
  /** docker-run-opts as they stand in the configuration of XR. */
  readonly options: string;
  /** Beside them. */
  readonly extra?: readonly string[];
  readonly image?: string;
};

export async function openHost(directory: string, namespace: string): Promise<RouterHost> {
  const root = join(directory, 'root');
  mkdirSync(join(root, INSTALL_ROOT), { recursive: true });
  run('rpm', ['--root', root, '--dbpath', DATABASE, '--initdb']);
  return new RouterHost(root, await startEngine({ directory: join(directory, 'docker'), namespace }));
}

export class RouterHost {
  readonly engine: ContainerEngine;
  /** {app_install_root} */
  readonly installRoot: string;
  readonly #root: string;

  constructor(root: string, engine: ContainerEngine) {
    this.#root = root;
    this.installRoot = join(root, INSTALL_ROOT);
    this.engine = engine;
  }

  // ---- Packages ----

  /** `appmgr package install rpm`: the native kind is relocated. */
  install(rpm: string): void {
    this.#rpm('-i', '--nodeps', '--prefix', INSTALL_ROOT, rpm);
  }

  /** `install source`: an owner package stays where it says. */
  installOwner(rpm: string): void {
    this.#rpm('-i', '--nodeps', rpm);
  }

  /** `appmgr package uninstall package`, with the image that it had loaded. */
  async uninstall(nameVersionReleaseArch: string): Promise<void> {
    this.#rpm('-e', nameVersionReleaseArch);
    await this.engine.docker('rmi', `${APP}:latest`);
  }

  installed(): readonly string[] {
    return this.#rpm('-qa').split('\n').filter(Boolean);
  }

  /** Removes a package that no container was made of. */
  erase(name: string): void {
    this.#rpm('-e', name);
  }

  /** Files below the root of the router, but for the RPM database. */
  files(): readonly string[] {
    return readdirSync(this.#root, { recursive: true, encoding: 'utf8', withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.#root.length))
      .filter((path) => !path.startsWith(DATABASE))
      .sort();
  }

  path(inRoot: string): string {
    return join(this.#root, inRoot);
  }

  put(inConfig: string, text: string): void {
    const path = join(this.installRoot, 'config', APP, inConfig);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  /** What the daemon remembers, on the router's own disk. */
  memory(): object {
    return JSON.parse(readFileSync(join(this.installRoot, 'state', APP, 'decisions.json'), 'utf8')) as object;
  }

  hasState(): boolean {
    return existsSync(join(this.installRoot, 'state', APP));
  }

  /** What `rpm` says. */
  #rpm(...args: readonly string[]): string {
    return outputOf('rpm', ['--root', this.#root, '--dbpath', DATABASE, ...args]);
  }

  // ---- The application ----

  /** `appmgr application NAME activate type docker source SOURCE docker-run-opts OPTIONS`, and commit. */
  async activate({ options, extra = [], image = `${APP}:latest` }: ActivateOptions): Promise<void> {
    const archive = join(this.installRoot, 'source', APP, `${APP}.tar.gz`);
    const { status } = await this.engine.ask('image', 'inspect', image);
    if (status !== 0) await this.engine.docker('load', '-i', archive);
    const words = options.replaceAll('{app_install_root}', this.installRoot).split(' ');
    await this.engine.docker('run', ...words, ...extra, '--name', APP, image);
  }

  /** `no appmgr application NAME`, and commit. How long the stop took, in ms, and the exit code. */
  async deactivate(): Promise<{ readonly tookMs: number; readonly exitCode: number }> {
    const before = performance.now();
    await this.engine.docker('stop', APP);
    const tookMs = performance.now() - before;
    const exitCode = Number(await this.inspect('{{.State.ExitCode}}'));
    await this.engine.docker('rm', '-v', APP);
    return { tookMs, exitCode };
  }

  /** `appmgr application exec name NAME docker-exec-cmd ...` */
  exec(...words: readonly string[]): Promise<DockerAnswer> {
    return this.engine.ask('exec', APP, ...words);
  }

  inspect(format: string): Promise<string> {
    return this.engine.docker('inspect', '-f', format, APP);
  }

  /** `show appmgr application name NAME logs`, the lines that are no records among them. */
  async logLines(): Promise<readonly string[]> {
    const { out, err } = await this.engine.ask('logs', APP);
    return `${out}${err}`.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  }

  async records(): Promise<readonly DaemonRecord[]> {
    return (await this.logLines()).flatMap((line) => {
      try {
        return [JSON.parse(line) as DaemonRecord];
      } catch {
        return [];
      }
    });
  }

  /** The first record from `since` on that fits. */
  record(
    what: string,
    fits: (record: DaemonRecord) => boolean,
    { since = 0 }: { readonly since?: number } = {},
  ): Promise<DaemonRecord> {
    return eventually(async () => {
      const found = (await this.records()).slice(since).find(fits);
      if (found === undefined) throw new Error(`no ${what} among\n${await this.#lastLines()}`);
      return found;
    }, DEADLINE_MS);
  }

  /** As `show` prints it, without the line with the time. */
  shows(key: string, value: RegExp): Promise<void> {
    return eventually(async () => {
      const { out, err } = await this.exec('show', key);
      if (!value.test(out))
        throw new Error(`show ${key} is ${out}${err}, not ${value}\n${await this.#lastLines()}`);
    }, DEADLINE_MS);
  }

  async #lastLines(): Promise<string> {
    return (await this.logLines()).slice(-15).join('\n');
  }

  async stop(): Promise<void> {
    await this.engine.stop();
  }
}
