/**
 * docs/runbooks.md, typed on two real daemons: every command of the page is parsed out of it, done to the lab or asked of
 * the built program, and what comes is held against what the page says. A command that is not known here fails.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CrossAzPlan } from '../../lab/topology/crossAz';
import { reportOf } from '../../lab/demo/operator';
import { startCrossAzLab, type AnyLab, type Lab } from '../../lab/topology/topology';
import { peerOf, type RouterName } from '../../lab/topology/plan';
import type { DaemonRecord } from '../../lab/daemonProcess';
import { eventually } from '../support/eventually';
import { missingIn, readRunbooks, type Step } from '../support/runbooks';
import { openLab, role, runCommand, runOn, startPair } from './support';

jest.setTimeout(180_000);

const quick = { keepalive_s: 1, hedge_ms: 8000 } as const;
const IN_CONTAINER = 'appmgr application exec name xrv9k_aws_ha docker-exec-cmd ';

/** Of XR's own: nothing of it is here, and the daemon does not see it. */
const XR_ALONE: readonly RegExp[] = [
  /^end$/,
  /^show running-config appmgr \| file harddisk:\/ha\.cfg$/,
  /^appmgr package uninstall package xrv9k-aws-ha-[\d.]+-eXR_7\.3\.1\.x86_64$/,
  /^appmgr package install rpm \/misc\/disk1\/xrv9k-aws-ha-[\d.]+-eXR_7\.3\.1\.x86_64\.rpm$/,
  /^install package remove owner-xrv9k_aws_ha$/,
  /^install source \/harddisk:\/owner-xrv9k_aws_ha\/ all$/,
  /^copy apphost:\/appmgr\/config\/xrv9k_aws_ha\/(config\.json|hosts) harddisk:\/(config\.json|hosts|old\.json)$/,
  /^copy harddisk:\/hosts apphost:\/appmgr\/config\/xrv9k_aws_ha\/hosts$/,
];
const SCP = /^scp (?:[\w./-]+|rtr1:\/harddisk:\/ha\.cfg) (?:ha\.cfg|rtr[12]:\/harddisk:\/[\w.]*)$/;
const NEW_FILE = 'copy harddisk:/config.json apphost:/appmgr/config/xrv9k_aws_ha/config.json';

class Walk {
  readonly #lab: AnyLab;
  /** What `commit` does, on each router. */
  readonly #staged = new Map<RouterName, 'start' | 'stop'>();
  readonly #newFile: (name: RouterName) => void;

  constructor(lab: AnyLab, newFile: (name: RouterName) => void = () => {}) {
    this.#lab = lab;
    this.#newFile = newFile;
  }

  async all(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      try {
        await this.#one(step);
      } catch (error: unknown) {
        throw new Error(`docs/runbooks.md:${step.line}: ${step.where}: ${step.command}`, { cause: error });
      }
    }
  }

  async #one(step: Step): Promise<void> {
    const { where, command } = step;
    if (where === 'outside') return this.#outside(command);
    if (where === 'build') return this.#build(step);
    if (command.startsWith(IN_CONTAINER)) return this.#inContainer(where, step);
    expect(step.sees).toEqual([]);
    if (XR_ALONE.some((pattern) => pattern.test(command))) return;
    switch (command) {
      case 'configure':
        this.#staged.delete(where);
        return;
      case 'no appmgr application xrv9k_aws_ha':
        this.#staged.set(where, 'stop');
        return;
      case 'load harddisk:/ha.cfg':
        this.#staged.set(where, 'start');
        return;
      case 'commit':
        return this.#apply(where, this.#staged.get(where));
      case 'appmgr application stop name xrv9k_aws_ha':
        return this.#apply(where, 'stop');
      case 'appmgr application start name xrv9k_aws_ha':
        return this.#apply(where, 'start');
      case NEW_FILE:
        return this.#newFile(where);
      default:
        throw new Error('no such command is known');
    }
  }

  async #apply(name: RouterName, what: 'start' | 'stop' | undefined): Promise<void> {
    if (what === 'start') await this.#start(name);
    else if (what === 'stop') await this.#lab.daemon(name)?.stop();
    else throw new Error('nothing was configured');
  }

  async #outside(what: string): Promise<void> {
    const [, name] = /\b(rtr[12])\b/.exec(what) ?? [];
    const isKnown = name === 'rtr1' || name === 'rtr2';
    if (!isKnown) throw new Error('which router?');
    const hadDaemon = this.#lab.daemon(name) !== null;
    await this.#lab.killRouter(name);
    await this.#lab.bootRouter(name);
    // The container starts with its router; on a new one it has to be installed.
    if (hadDaemon && /it comes up again/.test(what)) await this.#start(name);
  }

  /** Who types this looks at the time that `show` prints: what was written before the start does not count. */
  async #start(name: RouterName): Promise<void> {
    const knows = ({ ha }: DaemonRecord) => ha === 'ACTIVE' || ha === 'STANDBY';
    await this.#lab.startDaemon(name).waitFor(knows);
  }

  async #build({ command, sees }: Step): Promise<void> {
    if (SCP.test(command)) return expect(sees).toEqual([]);
    if (command === 'node dist/main.js report rtr1/ rtr2/ --html drill.html') return this.#report(sees);
    expect(command).toBe('node dist/main.js check-config rtr1.json rtr2.json');
    const { rtr1, rtr2 } = this.#lab.routers;
    const { code, stdout, stderr } = await runCommand(['check-config', rtr1.configPath, rtr2.configPath]);
    expect({ code, missing: missingIn(stdout, sees), stderr }).toMatchObject({ code: 0, missing: null });
  }

  /** On the journals that the two daemons have written so far. */
  async #report(sees: readonly RegExp[]): Promise<void> {
    const html = join(this.#lab.directory, 'drill.html');
    const { exitCode, stdout, stderr } = await reportOf(this.#lab, html);
    const missing = missingIn(stdout, sees);
    expect({ exitCode, missing, stderr }).toMatchObject({ exitCode: 0, missing: null });
    expect(stdout).toMatch(/switched over[^]*(?:took over|taken|taking)/);
    expect(readFileSync(html, 'utf8')).toMatch(/<\/html>\n$/);
  }

  /** The command as it is typed here: with the lab's state directory, and a hold that is worth the while of a test. */
  #here(name: RouterName, command: string): string {
    const state = join(this.#lab.routers[name].directory, 'state');
    return command.replace('/var/lib/xr-aws-ha', state).replace('--hold 60s', '--hold 1s');
  }

  async #inContainer(name: RouterName, { command, sees }: Step): Promise<void> {
    const [program = '', ...args] = this.#here(name, command.slice(IN_CONTAINER.length)).split(' ');
    expect(existsSync(join(__dirname, '..', '..', 'docker', 'image', 'bin', program))).toBe(true);
    const words = program === 'xr-aws-ha' ? args : [program, ...args];
    const once = async () => {
      const { code, stdout, stderr } = await runOn(this.#lab, name, ...words);
      const missing = missingIn(stdout, sees);
      if (code !== 0 || missing !== null) throw new Error(`exit ${code}, no ${missing}: ${stdout}${stderr}`);
    };
    expect(sees).not.toEqual([]);
    // What is only shown may take its time, as the page says; an order is given once.
    if (program === 'ha') await once();
    else await eventually(once);
  }
}

const runbooks = new Map(readRunbooks().map(({ title, steps }) => [title, steps]));

function stepsOf(title: string): readonly Step[] {
  const steps = runbooks.get(title);
  if (steps === undefined || steps.length === 0)
    throw new Error(`docs/runbooks.md has no runbook '${title}'`);
  return steps;
}

const before = () => stepsOf('Runbooks');

test.each([
  // The state directory is on a mount, as the page asks for.
  ['A maintenance window', { keepState: true }],
  ['A drill', {}],
  ['Upgrade of both routers', {}],
  // A new disk.
  ['Replacing a router', { keepState: false }],
])('%s', async (title, options) => {
  const lab = await openLab({ config: quick, ...options });
  await startPair(lab);
  await new Walk(lab).all([...before(), ...stepsOf(title)]);
  expect(lab.ownsAll('rtr1')).toBe(true);
});

test('From one availability zone to two', async () => {
  const lab = await startCrossAzLab({ config: quick, fabric: { bringUpMs: 50, detectTimeMs: 100 } });
  try {
    await moveToTwoZones(lab);
  } finally {
    await lab.stop();
  }
});

async function moveToTwoZones(lab: Lab<CrossAzPlan>): Promise<void> {
  const newFile = (name: RouterName) => {
    const peer_private_ips = lab.plan.interfaces.map(({ primaryAddress }) => primaryAddress[peerOf(name)]);
    lab.writeConfig(name, { peer_private_ips });
  };
  newFile('rtr2');
  // Two zones have no subnet in common, so rtr1 alone plays the pair that was there before.
  const { networkInterfaceId, deviceIndex } = lab.plan.interfaces[1]!;
  const old = { address: '10.20.11.200', deviceIndex };
  lab.world.assign(networkInterfaceId.rtr1, [old.address]);
  lab.writeConfig('rtr1', {
    actions: undefined,
    action: {
      method: 'secondary_ip_shift',
      method_params: { intf_list: [{ secondary_ip: old.address, instance_intf_number: old.deviceIndex }] },
    },
  });
  await role(lab.startDaemon('rtr1'), 'ACTIVE');
  const both = (steps: readonly Step[]) => steps.filter(({ where }) => where !== 'build');
  const steps = stepsOf('From one availability zone to two');
  expect(steps.filter(({ where, command }) => where === 'build' && !SCP.test(command))).toHaveLength(1);
  await new Walk(lab, newFile).all(both(steps));
  await new Walk(lab).all(steps.filter(({ where }) => where === 'build'));
  expect(lab.ownsAll('rtr1')).toBe(true);
}

test('every runbook of the page is walked', () => {
  expect([...runbooks.keys()]).toEqual([
    'Runbooks',
    'A maintenance window',
    'A drill',
    'Upgrade of both routers',
    'Replacing a router',
    'From one availability zone to two',
  ]);
});
