/** One network namespace of the real-router lab, and what is done in it. It ends with the enclosure. */
import { execFile, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { promisify } from 'node:util';
import { run } from './commands';

export class Namespace {
  readonly name: string;

  /** Forwards packets where asked to. */
  constructor(name: string, { forwards = false }: { readonly forwards?: boolean } = {}) {
    this.name = name;
    run('ip', ['netns', 'add', name]);
    this.settings({
      'ipv4/conf/all/rp_filter': 0,
      'ipv4/conf/default/rp_filter': 0,
      'ipv4/conf/all/forwarding': forwards ? 1 : 0,
      'ipv4/conf/default/forwarding': forwards ? 1 : 0,
      // A packet that goes out of the interface that it came in by is no reason to tell hosts of a better way.
      'ipv4/conf/all/send_redirects': 0,
      'ipv4/conf/default/send_redirects': 0,
      'ipv6/conf/all/disable_ipv6': 1,
      'ipv6/conf/default/disable_ipv6': 1,
    });
    this.ip(['link set lo up']);
  }

  /** With its interfaces; its processes have to be gone. */
  remove(): void {
    run('ip', ['netns', 'del', this.name]);
  }

  /** In front of a program that is to run in it. The process stays the same: signals reach the program. */
  get enter(): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.name}`];
  }

  /** Commands of `ip`, all or an error. */
  ip(commands: readonly string[]): void {
    run('ip', ['-n', this.name, '-batch', '-'], `${commands.join('\n')}\n`);
  }

  nft(ruleset: string): void {
    this.run('nft', ['-f', '-'], ruleset);
  }

  run(program: string, args: readonly string[], input = ''): string {
    const [enter = '', ...rest] = this.enter;
    return run(enter, [...rest, program, ...args], input);
  }

  /** As `run`, while everything else goes on. */
  async answer(program: string, args: readonly string[]): Promise<string> {
    const [enter = '', ...rest] = this.enter;
    return (await promisify(execFile)(enter, [...rest, program, ...args])).stdout;
  }

  spawn(command: readonly string[], options: SpawnOptions): ChildProcess {
    const [enter = '', ...rest] = this.enter;
    return spawn(enter, [...rest, ...command], options);
  }

  /** Below /proc/sys/net. What the kernel does not have is left as it is. */
  settings(values: Readonly<Record<string, number>>): void {
    const script = Object.entries(values).map(
      ([path, value]) => `[ ! -e /proc/sys/net/${path} ] || echo ${value} > /proc/sys/net/${path}`,
    );
    this.run('sh', ['-c', `set -e\n${script.join('\n')}`]);
  }
}
