// The package as XR uses it, in the order of its life: built, installed by rpm, run by a container engine with the
// documented options in the network of each router, failed over, upgraded, removed. Each test goes on from the one
// before, as a router does.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { version } from '../../package.json';
import { filesOf } from '../../scripts/package/rpm';
import { outputOf, run } from '../../scripts/package/shell';
import { eventually } from '../support/eventually';
import { build, documentedOptions, nativeRpm, ownerRpm, root, type Built } from './build';
import { APP, type RouterHost } from './host';
import { HOSTS, openPair, type Pair } from './pair';

jest.setTimeout(240_000);

const NEXT = '99.0.0';
const watching = /this router is STANDBY and watches: all sessions are UP/i;

let scratch: string;
let now: Built;
let next: Built;
let pair: Pair;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'xr-package-'));
  now = build(join(scratch, 'now'));
  next = build(join(scratch, 'next'), '--version', NEXT);
  pair = await openPair(join(scratch, 'pair'));
});

afterAll(async () => {
  await pair?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

// ---- What is built ----

describe('the build', () => {
  test('says its sizes, which keep to their limits', () => {
    expect(now.version).toBe(version);
    expect(now.image.imageBytes).toBeLessThanOrEqual(200e6);
    for (const rpm of [nativeRpm(now), ownerRpm(now)]) {
      expect(now.words).toContain(rpm);
      expect(readFileSync(rpm).length).toBeLessThanOrEqual(70e6);
    }
  });

  test('is the same a second time, to the last byte of every file', () => {
    const again = build(join(scratch, 'again'));
    expect(again.image.layers).toEqual(now.image.layers);
    const sums = ({ folder }: Built) => readFileSync(join(folder, `xr-aws-ha-${version}.sha256`), 'utf8');
    expect(sums(again)).toBe(sums(now));
    run('sha256sum', ['-c', '--quiet', `xr-aws-ha-${version}.sha256`], { cwd: again.folder });
  });

  test('of another version shares the layers that have not changed', () => {
    const layers = ({ image }: Built) => image.layers.map(({ name, diffId }) => `${name} ${diffId}`);
    expect(layers(next).slice(0, 2)).toEqual(layers(now).slice(0, 2));
    expect(layers(next)[2]).not.toBe(layers(now)[2]);
  });

  test('makes the classic format of docker save, which old engines load', () => {
    const names = outputOf('tar', ['-tzf', join(now.folder, now.image.archive)]).split('\n');
    expect(names.filter((name) => /index\.json|oci-layout|blobs/.test(name))).toEqual([]);
    expect(names.filter((name) => name.endsWith('layer.tar')).length).toBe(3);
    const manifest = JSON.parse(
      outputOf('tar', ['-xzOf', join(now.folder, now.image.archive), './manifest.json']),
    ) as readonly { readonly RepoTags: readonly string[] }[];
    expect(manifest.map(({ RepoTags }) => RepoTags)).toEqual([[`${APP}:latest`]]);
  });

  test('lists everything in the image, with licences', () => {
    const list = JSON.parse(readFileSync(join(now.folder, `xr-aws-ha-${version}.sbom.json`), 'utf8')) as {
      readonly components: readonly { readonly name: string; readonly licenses: readonly object[] }[];
    };
    const names = list.components.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'xr-aws-ha',
        'node',
        'libc6',
        'redis-tools',
        'busybox',
        'tini',
        '@grpc/grpc-js',
      ]),
    );
    expect(JSON.stringify(list)).not.toContain('"name":""');
    const texts = readFileSync(join(now.folder, `xr-aws-ha-${version}.licences.txt`), 'utf8');
    expect(
      names.filter((name) => name !== 'xr-aws-ha' && !texts.includes(name.replace(/\d[\d.-]*$/, ''))),
    ).toEqual([]);
  });

  test('signs the RPMs when it is told to', () => {
    const home = mkdtempSync(join(tmpdir(), 'gpg-'));
    const env = { ...process.env, GNUPGHOME: home };
    try {
      run(
        'gpg',
        ['--batch', '--passphrase', '', '--quick-gen-key', 'package test', 'rsa2048', 'sign', '1d'],
        { env },
      );
      const signed = join(scratch, 'signed');
      outputOf('npm', ['run', 'package', '--', '--out', signed, '--sign', 'package test'], {
        cwd: root,
        env,
      });
      const check = outputOf('rpm', [
        '-qp',
        '--qf',
        '%{RSAHEADER:pgpsig}',
        nativeRpm({ ...now, folder: signed }),
      ]);
      expect(check).toMatch(/RSA/);
      outputOf('gpgconf', ['--kill', 'all'], { env });
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});

// ---- Installed ----

describe('the RPMs', () => {
  test('put their files where appmgr looks for them, and no script runs', () => {
    const { rtr1 } = pair.hosts;
    rtr1.install(nativeRpm(now));
    expect(rtr1.installed()).toEqual([`xrv9k-aws-ha-${version}-eXR_7.3.1.x86_64`]);
    const at = '/misc/app_host/appmgr';
    expect(rtr1.files()).toEqual(
      [
        ...['config-rtr1.json', 'config-rtr2.json', 'hosts.sample', 'xr-exr.cfg', 'xr-lnt.cfg'].map(
          (name) => `${at}/config/${APP}/${name}`,
        ),
        `${at}/source/${APP}/${APP}.tar.gz`,
      ].sort(),
    );
    expect(outputOf('rpm', ['-qp', '--scripts', nativeRpm(now)])).toBe('');
  });

  test('for LNT hold the same under /opt/owner', () => {
    expect(filesOf(ownerRpm(now))).toEqual(
      expect.arrayContaining([
        `/opt/owner/${APP}/${APP}.tar.gz`,
        `/opt/owner/${APP}/config/config-rtr1.json`,
        `/opt/owner/${APP}/data`,
      ]),
    );
    const { rtr2 } = pair.hosts;
    rtr2.installOwner(ownerRpm(now));
    const sum = (path: string) => outputOf('sha256sum', [path]).split(' ')[0];
    expect(sum(rtr2.path(`/opt/owner/${APP}/${APP}.tar.gz`))).toBe(sum(join(now.folder, now.image.archive)));
    rtr2.erase(`owner-${APP}`);
    expect(rtr2.files()).toEqual([]);
    rtr2.install(nativeRpm(now));
  });

  test('come with samples that check-config accepts, and pages that say the same', () => {
    for (const name of ['config-rtr1.json', 'config-rtr2.json'])
      outputOf(process.execPath, ['dist/main.js', 'check-config', '-c', `xr-appmgr/samples/${name}`], {
        cwd: root,
      });
    const page = readFileSync(join(root, 'xr-appmgr', 'README.md'), 'utf8');
    for (const sample of ['xr-exr.cfg', 'xr-lnt.cfg'] as const)
      expect(page).toContain(documentedOptions(sample));
    const migration = readFileSync(join(root, 'docs', 'migration.md'), 'utf8');
    expect(migration).toContain(predecessorOptions);
  });
});

// ---- Running ----

/** A mount of the file alone, as with the predecessor; rtr2 has it. */
const predecessorOptions =
  `-td --net=host --restart always -v {app_install_root}/config/${APP}/config.json:/app/onbox/config.json ` +
  `-v {app_install_root}/config/${APP}/hosts:/etc/hosts -v {app_install_root}/state/${APP}:/var/lib/xr-aws-ha`;

const optionsOf = { rtr1: documentedOptions('xr-exr.cfg'), rtr2: predecessorOptions };

async function activate(name: 'rtr1' | 'rtr2'): Promise<RouterHost> {
  const host = pair.hosts[name];
  await host.activate({ options: optionsOf[name] });
  return host;
}

describe('on two routers', () => {
  test('comes up as ACTIVE and STANDBY', async () => {
    for (const name of ['rtr1', 'rtr2'] as const) {
      pair.hosts[name].put('config.json', pair.config(name));
      pair.hosts[name].put('hosts', HOSTS);
      await activate(name);
    }
    await pair.hosts.rtr1.shows('ha_state', /^ACTIVE$/m);
    await pair.hosts.rtr2.shows('ha_reason', watching);
  });

  test('says first what it stands on, and that nothing is in the way', async () => {
    for (const host of Object.values(pair.hosts)) {
      const lines = await host.logLines();
      expect(JSON.parse(lines[0] ?? '')).toMatchObject({
        event: 'self-test',
        glibc: '2.31',
        node: expect.stringMatching(/^v\d+\./) as string,
        uid: 65532,
        denied: [],
        redisPort: 6379,
      });
      const problems = (await host.records()).filter(({ event }) => event === 'self-test-problem');
      expect(problems).toEqual([]);
      expect(lines.filter((line) => !line.startsWith('{'))).toEqual([]);
    }
  });

  test('answers operators with show, sh, cat, tail and ha', async () => {
    const { rtr1, rtr2 } = pair.hosts;
    const { out } = await rtr1.exec('show', 'redundancy');
    expect((JSON.parse(out) as readonly string[]).toSorted()).toEqual(
      expect.arrayContaining(['bfd_neighbors', 'config', 'ha_interfaces', 'ha_state']),
    );
    expect((await rtr1.exec('sh', '-c', 'echo $((6 * 7))')).out).toBe('42\n');
    expect(JSON.parse((await rtr1.exec('cat', '/app/onbox/config.json')).out)).toHaveProperty('config');
    expect((await rtr1.exec('tail', '-n', '50', '/var/log/ha_app_bkp.log')).out).toMatch(
      /"event":"starting"/,
    );
    expect(await rtr2.exec('ha', 'release')).toMatchObject({ status: 0 });
    expect((await rtr2.exec('self-test')).out).toMatch(/"event":"self-test"/);
  });

  test('runs the daemon and Redis as a user of their own, below an init', async () => {
    const { out } = await pair.hosts.rtr1.exec('ps', '-o', 'pid,user,comm');
    expect(out).toMatch(/^ *1 root +tini$/m);
    expect(out).toMatch(/^ *\d+ xr-aws-h\S* +node$/m);
    expect(out).toMatch(/^ *\d+ xr-aws-h\S* +redis-server$/m);
    expect((await pair.hosts.rtr1.records()).filter(({ event }) => event === 'no-init')).toEqual([]);
    // The watchdog runs, and can write its last line to the daemon's output.
    await pair.hosts.rtr1.shows('ha_health', /"watchdog": \{\s+"state": "ok"|"watchdog": "?ok/);
    const { engine } = pair.hosts.rtr1;
    const word = `echo last words >>/proc/$(ps -o pid,comm | grep -w node | head -n 1 | grep -o '[0-9]*')/fd/1`;
    await engine.docker('exec', '-u', '65532:65532', APP, 'sh', '-c', word);
    await eventually(async () => expect(await pair.hosts.rtr1.logLines()).toContain('last words'));
  });

  test('has nothing in it that is not needed', async () => {
    const { out } = await pair.hosts.rtr1.exec(
      'sh',
      '-c',
      'ls /bin /usr/bin /sbin /usr/sbin 2>/dev/null; true',
    );
    const names = out.split('\n');
    for (const unwanted of [
      'npm',
      'npx',
      'corepack',
      'python3',
      'perl',
      'gcc',
      'apt-get',
      'dpkg',
      'bash',
      'wget',
      'nc',
    ])
      expect(names).not.toContain(unwanted);
    expect(names.filter((name) => name !== '' && !name.endsWith(':')).length).toBeLessThan(30);
  });

  test('survives the death of the daemon, of Redis and of the whole container, without a takeover', async () => {
    const { rtr1 } = pair.hosts;
    const mark = pair.mark();
    const died = async (pattern: string, event: string): Promise<void> => {
      const since = (await rtr1.records()).length;
      await rtr1.exec(
        'sh',
        '-c',
        `kill -9 $(ps -o pid,comm | grep -w ${pattern} | head -n 1 | grep -o '[0-9]*')`,
      );
      await rtr1.record(event, (record) => record.event === event, { since });
    };
    await died('redis-server', 'redis-ended');
    await rtr1.shows('ha_state', /^ACTIVE$/m);
    await died('node', 'daemon-ended');
    await eventually(async () => {
      const records = await rtr1.records();
      const lastStart = records.findLastIndex(({ event }) => event === 'starting');
      expect(records.slice(lastStart).map(({ ha }) => ha)).toContain('ACTIVE');
    });
    // The engine starts it again: `--restart always`.
    run('kill', ['-9', await rtr1.inspect('{{.State.Pid}}')]);
    await eventually(
      async () => expect(Number(await rtr1.inspect('{{.RestartCount}}'))).toBeGreaterThan(0),
      60_000,
    );
    await rtr1.shows('ha_state', /^ACTIVE$/m);
    expect(pair.writesSince(mark)).toBe(0);
    expect(pair.lab.ownsAll('rtr1')).toBe(true);
  });

  test('fails over when the active router is gone', async () => {
    const { rtr1, rtr2 } = pair.hosts;
    await rtr2.shows('ha_reason', watching);
    await rtr1.engine.docker('kill', APP);
    await pair.lab.killRouter('rtr1');
    await rtr2.shows('ha_state', /^ACTIVE$/m);
    expect(pair.lab.ownsAll('rtr2')).toBe(true);
    const timeline = await rtr2.record('timeline', ({ event }) => event === 'takeoverTimeline');
    expect(Number(timeline['firstSentMs'])).toBeGreaterThan(0);
    expect((await rtr2.exec('show', 'last_bfd_down_event')).out).toContain('DOWN');
    expect(JSON.stringify(rtr2.memory())).toContain('"beenActive":true');
  });

  test('comes back as STANDBY', async () => {
    const { rtr1 } = pair.hosts;
    await pair.lab.bootRouter('rtr1');
    await rtr1.engine.docker('start', APP);
    await rtr1.shows('ha_reason', watching);
  });

  test('goes on deciding while Redis hangs', async () => {
    const { rtr1, rtr2 } = pair.hosts;
    await rtr1.exec('sh', '-c', "kill -STOP $(ps -o pid,comm | grep -w redis-server | grep -o '[0-9]*')");
    await rtr2.engine.docker('kill', APP);
    await pair.lab.killRouter('rtr2');
    await eventually(() => expect(pair.lab.ownsAll('rtr1')).toBe(true));
    await rtr1.exec('sh', '-c', "kill -CONT $(ps -o pid,comm | grep -w redis-server | grep -o '[0-9]*')");
    await rtr1.shows('ha_state', /^ACTIVE$/m);
    await pair.lab.bootRouter('rtr2');
    await rtr2.engine.docker('start', APP);
    await rtr2.shows('ha_reason', watching);
  });
});

// ---- Upgraded ----

test('is upgraded by the documented procedure without a takeover, and no file of the operator is lost', async () => {
  const { rtr1, rtr2 } = pair.hosts;
  const mark = pair.mark();
  const config = readFileSync(join(rtr1.installRoot, 'config', APP, 'config.json'), 'utf8');
  const upgrade = async (name: 'rtr1' | 'rtr2'): Promise<void> => {
    const host = pair.hosts[name];
    const { tookMs, exitCode } = await host.deactivate();
    expect(exitCode).toBe(0);
    expect(tookMs).toBeLessThan(8_000);
    await host.uninstall(`xrv9k-aws-ha-${version}-eXR_7.3.1.x86_64`);
    host.install(nativeRpm(next));
    await activate(name);
  };
  await upgrade('rtr2');
  await rtr2.shows('ha_reason', watching);
  const inhibited = await rtr2.exec('ha', 'inhibit', '--for', '15m', '--why', 'upgrade');
  expect(inhibited).toMatchObject({ status: 0 });
  await upgrade('rtr1');
  await rtr1.shows('ha_state', /^ACTIVE$/m);
  expect(await rtr2.exec('ha', 'release')).toMatchObject({ status: 0 });
  await rtr2.shows('ha_reason', watching);
  for (const host of [rtr1, rtr2]) expect((await host.exec('xr-aws-ha', '--version')).out).toBe(`${NEXT}\n`);
  expect(pair.writesSince(mark)).toBe(0);
  expect(readFileSync(join(rtr1.installRoot, 'config', APP, 'config.json'), 'utf8')).toBe(config);
  expect(readFileSync(join(rtr1.installRoot, 'config', APP, 'hosts'), 'utf8')).toBe(HOSTS);
  expect(rtr1.memory()).toHaveProperty('bootId');
});

// ---- Under worse conditions ----

describe('the standby starts and takes its part', () => {
  /** Anew with other options; resolves when it watches. */
  async function restart(extra: readonly string[], image?: string): Promise<RouterHost> {
    const { rtr2 } = pair.hosts;
    await rtr2.deactivate();
    await rtr2.activate({ options: optionsOf.rtr2, extra, ...(image === undefined ? {} : { image }) });
    return rtr2;
  }

  /** The engine's own default, without those calls. */
  function seccompWithout(...calls: readonly string[]): string {
    const path = join(scratch, 'seccomp.json');
    const rule = { names: calls, action: 'SCMP_ACT_ERRNO', errnoRet: 1 };
    writeFileSync(path, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] }));
    return `seccomp=${path}`;
  }

  test('where clone3 is turned down, as Docker before 20.10.10 does', async () => {
    const host = await restart(['--security-opt', seccompWithout('clone3')]);
    await host.shows('ha_reason', watching);
  });

  test('where a base with a newer C library cannot, and the self-test says so', async () => {
    const newer = build(
      join(scratch, 'newer'),
      '--base',
      join(root, 'docker', 'debian-12.json'),
      '--version',
      '99.0.1',
    );
    const { rtr2 } = pair.hosts;
    await rtr2.engine.docker('tag', `${APP}:latest`, `${APP}:kept`);
    await rtr2.engine.docker('load', '-i', join(newer.folder, newer.image.archive));
    await rtr2.engine.docker('tag', `${APP}:latest`, `${APP}:newer`);
    await rtr2.engine.docker('tag', `${APP}:kept`, `${APP}:latest`);
    const host = await restart(['--security-opt', seccompWithout('clone3')], `${APP}:newer`);
    const said = await host.record('refusal', ({ event }) => event === 'self-test-problem');
    expect(said.reason).toMatch(/^Node is refused threads.*Debian 11 base/);
    // The same image is well where the engine is.
    await restart([], `${APP}:newer`);
    await host.shows('ha_reason', watching);
    await restart([]);
    await host.engine.docker('rmi', `${APP}:newer`, `${APP}:kept`);
  });

  test('with 512 MB and 12 % of a core', async () => {
    const host = await restart(['--memory', '512m', '--cpus', '0.12']);
    await host.shows('ha_reason', watching);
    expect((await host.records())[0]).toMatchObject({ memoryMiB: 512, cpuPercent: 12 });
  });

  test('with a read-only root', async () => {
    const host = await restart(['--read-only']);
    await host.shows('ha_reason', watching);
    const reasons = (await host.records()).flatMap((each) =>
      each.event === 'self-test-problem' ? [each.reason] : [],
    );
    expect(reasons.join('\n')).toMatch(/\/var\/log is on a read-only file system/);
    expect(reasons.join('\n')).toMatch(/\/run\/xr-aws-ha is on a read-only file system/);
  });

  test('with a read-only root and room for what is volatile, with all its commands', async () => {
    const host = await restart(['--read-only', '--tmpfs', '/run', '--tmpfs', '/var/log']);
    await host.shows('ha_reason', watching);
    expect(await host.exec('ha', 'release')).toMatchObject({ status: 0 });
    expect((await host.exec('tail', '-n', '1', '/var/log/ha_app_bkp.log')).out).toMatch(/^\{/);
  });

  test('with files that only root may read, as root', async () => {
    const { rtr2 } = pair.hosts;
    const path = join(rtr2.installRoot, 'config', APP, 'config.json');
    run('chmod', ['600', path]);
    await restart([]);
    await rtr2.shows('ha_reason', watching);
    expect((await rtr2.records()).map(({ event }) => event)).toContain('runs-as-root');
    run('chmod', ['644', path]);
    await restart([]);
    await rtr2.shows('ha_reason', watching);
  });

  test('without capabilities, as root', async () => {
    const host = await restart(['--cap-drop', 'ALL', '--cap-add', 'DAC_OVERRIDE']);
    await host.shows('ha_reason', watching);
    expect((await host.records()).map(({ event }) => event)).toContain('runs-as-root');
  });

  test('without DNS and without a hosts file: not, but it says why and goes on trying', async () => {
    const { rtr2 } = pair.hosts;
    await rtr2.deactivate();
    await rtr2.activate({ options: optionsOf.rtr2.replace(/ -v \S+:\/etc\/hosts/, '') });
    await rtr2.record('cause', (record) => /ENOTFOUND|EAI_AGAIN/.test(JSON.stringify(record)));
    await rtr2.shows('ha_state', /^UNKNOWN$/m);
    expect(await rtr2.inspect('{{.State.Running}}')).toBe('true');
  });

  test('without a configuration: not, but it says what is missing, and starts when it is there', async () => {
    const { rtr2 } = pair.hosts;
    const path = join(rtr2.installRoot, 'config', APP, 'config.json');
    rmSync(path);
    await rtr2.deactivate();
    await rtr2.activate({ options: documentedOptions('xr-exr.cfg') });
    const said = await rtr2.record('problem', ({ event }) => event === 'self-test-problem');
    expect(said.reason).toMatch(/^\/app\/onbox\/config\.json is not there/);
    rtr2.put('config.json', pair.config('rtr2'));
    await rtr2.shows('ha_reason', watching);
  });

  test('where the port of Redis is taken: it works, and says what to change', async () => {
    const { rtr2 } = pair.hosts;
    rtr2.put('config.json', pair.config('rtr2', { redis_port: 57777 }));
    await restart([]);
    const ended = await rtr2.record('redis-ended', ({ event }) => event === 'redis-ended');
    expect(ended.reason).toMatch(/Address already in use/);
    await rtr2.record('watching', ({ reason }) => watching.test(reason ?? ''));
    rtr2.put('config.json', pair.config('rtr2', { redis_port: 6380 }));
    await restart([]);
    await rtr2.shows('ha_reason', watching);
  });
});

// ---- Removed ----

test('stops in time even where everything hangs', async () => {
  const { rtr2 } = pair.hosts;
  await rtr2.exec(
    'sh',
    '-c',
    "kill -STOP $(ps -o pid,comm | grep -wE 'node|redis-server' | grep -o '^ *[0-9]*')",
  );
  const { tookMs } = await rtr2.deactivate();
  expect(tookMs).toBeLessThan(9_000);
  await rtr2.activate({ options: optionsOf.rtr2 });
  await rtr2.shows('ha_reason', watching);
});

test('leaves nothing behind', async () => {
  for (const host of Object.values(pair.hosts)) {
    const { exitCode, tookMs } = await host.deactivate();
    expect(exitCode).toBe(0);
    expect(tookMs).toBeLessThan(8_000);
    await host.uninstall(`xrv9k-aws-ha-${NEXT}-eXR_7.3.1.x86_64`);
    expect(host.installed()).toEqual([]);
    // What is left is the operator's, and what the page says to remove.
    const at = '/misc/app_host/appmgr';
    const own = (path: string) => path.startsWith(`${at}/state/${APP}/`);
    expect(host.files().filter((path) => !own(path))).toEqual([
      `${at}/config/${APP}/config.json`,
      `${at}/config/${APP}/hosts`,
    ]);
    expect(host.files()).toContain(`${at}/state/${APP}/decisions.json`);
    const page = readFileSync(join(root, 'xr-appmgr', 'README.md'), 'utf8');
    const [, paths = ''] = /^run rm -rf (\/misc\/app_host.*)$/m.exec(page) ?? [];
    for (const path of paths.split(' ')) rmSync(host.path(path), { recursive: true, force: true });
    expect(host.files()).toEqual([]);
    for (const [what, ...args] of [
      ['containers', 'ps', '-aq'],
      ['images', 'images', '-q'],
      ['volumes', 'volume', 'ls', '-q'],
    ])
      expect([what, await host.engine.docker(...args)]).toEqual([what, '']);
  }
});
