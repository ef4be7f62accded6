/** The adapter and the lab's emulator of Neutron: what test/openstack runs against the real services. */
import { startEmulatedPair, type EmulatedPair } from '../../../lab/openstack/emulated';
import { behavesAsNeutron, openTenant, type Tenant } from '../../openstack/behaviour';

let pair: EmulatedPair;
let tenant: Tenant;

beforeAll(async () => {
  pair = await startEmulatedPair({ latencyMs: 8 });
  tenant = await openTenant(pair);
});

afterAll(async () => {
  tenant.stop();
  await pair.neutron.stop();
});

behavesAsNeutron(() => tenant);
