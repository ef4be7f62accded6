/** The adapter and the real Keystone and Neutron. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRealPair, type RealPair } from '../../lab/openstack/real';
import { behavesAsNeutron, openTenant, type Tenant } from './behaviour';

const START_MS = 300_000;
const directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-services-'));
let pair: RealPair | null = null;
let tenant: Tenant;

beforeAll(async () => {
  pair = await startRealPair(directory);
  tenant = await openTenant(pair);
}, START_MS);

afterAll(async () => {
  tenant.stop();
  await pair?.services.stop();
  rmSync(directory, { recursive: true, force: true });
});

behavesAsNeutron(() => tenant);
