/** Two daemons of the built product with the real Keystone and Neutron: a failover, and what goes on without either service. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOpenstackLab, type OpenstackLab } from '../../lab/openstack/lab';
import { PAIR } from '../../lab/openstack/pair';
import { startRealPair, type RealPair } from '../../lab/openstack/real';
import { openTenant, type Tenant } from './behaviour';
import { becomes, failOver, isReady, run, startPair } from './story';

const START_MS = 300_000;
const STORY_MS = 600_000;
const directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-services-'));
let pair: RealPair | null = null;
let tenant: Tenant | null = null;
let lab: OpenstackLab | null = null;

beforeAll(async () => {
  pair = await startRealPair(directory);
  tenant = await openTenant(pair);
  lab = await startOpenstackLab(pair, { config: { api_timeout_s: 5, role_ttl_s: 60 } });
}, START_MS);

afterAll(async () => {
  await lab?.stop();
  tenant?.stop();
  await pair?.services.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function floatingIpIsAt(name: 'rtr1' | 'rtr2'): Promise<void> {
  if (tenant === null || pair === null) throw new Error('not open');
  const { body } = await tenant.call('GET', `/floatingips/${pair.floatingIpId}`);
  expect(body).toMatchObject({
    floatingip: { port_id: pair.portId[name], fixed_ip_address: PAIR.address[name] },
  });
}

test(
  'a floating IP of the real Neutron: claimed, taken over, given back by an operator, and taken over without Keystone',
  async () => {
    if (lab === null || pair === null) throw new Error('not open');
    await startPair(lab);
    await floatingIpIsAt('rtr1');
    expect(await run(lab, 'rtr2', 'check-config', '--online')).toMatchObject({ code: 0 });

    await failOver(lab, 'rtr1', 'rtr2');
    await floatingIpIsAt('rtr2');

    const alone = lab.daemon('rtr2')?.mark();
    await lab.bootRouter('rtr1');
    const booted = lab.startDaemon('rtr1').mark();
    await becomes(lab, 'rtr1', 'STANDBY', booted);
    await isReady(lab, 'rtr1', booted);
    await isReady(lab, 'rtr2', alone);
    expect(await run(lab, 'rtr2', 'ha', 'switchover')).toMatchObject({ code: 0 });
    await becomes(lab, 'rtr1', 'ACTIVE', booted);
    await floatingIpIsAt('rtr1');

    // Neutron restarts: the daemons lose sight, and have it again. Then it is taken over while Keystone is away.
    const restarted = lab.daemon('rtr2')?.mark() ?? 0;
    await pair.services.halt('neutron');
    await lab.daemon('rtr2')?.waitFor(({ event }) => event === 'observationFailed', {
      since: restarted,
      deadlineMs: 120_000,
    });
    await pair.services.launch('neutron');
    await lab.daemon('rtr2')?.waitFor(({ reason }) => /Neutron answers again/.test(reason ?? ''), {
      since: restarted,
      deadlineMs: 120_000,
    });
    await pair.services.halt('keystone');
    await failOver(lab, 'rtr1', 'rtr2');
    await pair.services.launch('keystone');
    await floatingIpIsAt('rtr2');
  },
  STORY_MS,
);
