/**
 * Two routers that ask for the same at the same moment, with Neutron's two API workers on MariaDB, where such requests meet:
 * one has it in the end, and both see who. `RACES` says how many of each; a few by default.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRealPair, type RealPair } from '../../lab/openstack/real';
import { openTenant, race, type RacedTarget, type Tenant } from './behaviour';

const RACES = Number(process.env['RACES'] ?? 5);
const START_MS = 300_000;
const RACE_MS = 60_000;
const directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-services-'));
let pair: RealPair | null = null;
let tenant: Tenant | null = null;

beforeAll(async () => {
  pair = await startRealPair(directory, { database: 'mariadb' });
  tenant = await openTenant(pair);
}, START_MS);

afterAll(async () => {
  tenant?.stop();
  await pair?.services.stop();
  rmSync(directory, { recursive: true, force: true });
});

test.each<['claim' | 'takeover', RacedTarget]>([
  ['claim', 'floatingIp'],
  ['takeover', 'floatingIp'],
  ['claim', 'extraRoute'],
  ['takeover', 'extraRoute'],
  ['claim', 'fixedAddress'],
])(
  `two simultaneous requests, ${RACES} times: a %s of a %s`,
  async (how, target) => {
    if (tenant === null) throw new Error('not open');
    const told = new Map<string, number>();
    for (let count = 0; count < RACES; count += 1) {
      const { owner, told: winners } = await race(tenant, how, target);
      const what = winners.length === 1 && winners[0] !== owner ? 'only the other' : `${winners.length}`;
      told.set(what, (told.get(what) ?? 0) + 1);
    }
    process.stdout.write(`${how} of ${target}: told that they have it: ${JSON.stringify([...told])}\n`);
    // What is unique is told to one alone.
    if (target === 'fixedAddress') expect([...told.keys()]).toEqual(['1']);
  },
  START_MS + RACES * RACE_MS,
);
