/** How Nova says that a server is, and what of it the rules are told: only one that is surely off is stopped. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmulatedPair, type EmulatedPair } from '../../../lab/openstack/emulated';
import { PAIR } from '../../../lab/openstack/pair';
import type { EmulatedServer, NeutronFault } from '../../../lab/neutron-emulator/emulator';
import type { Cloud, HoldersResult } from '../../../src/cloud';
import { neutronRights } from '../../../src/openstack/checks/rights';
import { OPENSTACK } from '../../../src/openstack/description';
import { connectOpenstack } from '../../../src/openstack/openstack';
import { refusal } from '../../../src/openstack/transport/failure';
import { planOf } from '../../support/coreWorld';
import { memoryLog } from '../aws/awsLab';

const PEER = PAIR.serverId.rtr2;
const directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-openstack-'));
const credentialsFile = join(directory, 'credential.json');
const plan = { ...planOf({ peerAddresses: [PAIR.address.rtr2] }), targets: [], cloud: OPENSTACK };
let pair: EmulatedPair;
let cloud: Cloud;

beforeAll(async () => {
  pair = await startEmulatedPair();
  writeFileSync(credentialsFile, JSON.stringify(pair.credential));
  cloud = open({});
  await cloud.instanceId;
});

afterAll(async () => {
  cloud.stop();
  await pair.neutron.stop();
  rmSync(directory, { recursive: true });
});

beforeEach(() => {
  pair.neutron.faults.clear();
  pair.neutron.servers.clear();
});

function open({ askNova = true, region = null }: { askNova?: boolean; region?: string | null }): Cloud {
  return connectOpenstack({
    settings: {
      authUrl: pair.authUrl,
      credentialsFile,
      caFile: null,
      networkUrl: pair.neutron.url,
      region,
      visibility: 'public',
      metadataUrl: pair.neutron.url,
      ports: [pair.portId.rtr1],
      askNova,
      apiTimeoutMs: 2_000,
    },
    groups: [{ name: 'default', plan }],
    plan,
    log: memoryLog().log,
    now: () => performance.now(),
  });
}

const asked = (of: Cloud = cloud): Promise<HoldersResult> => of.askHolders([PEER]);

test.each<[EmulatedServer, string]>([
  [{ status: 'ACTIVE', powerState: 1, taskState: null }, 'running'],
  [{ status: 'ACTIVE', powerState: 4, taskState: null }, 'running'],
  [{ status: 'SHUTOFF', powerState: 4, taskState: null }, 'stopped'],
  [{ status: 'SHUTOFF', powerState: 4, taskState: 'powering-on' }, 'pending'],
  [{ status: 'SHUTOFF', powerState: 1, taskState: null }, 'pending'],
  [{ status: 'SHELVED_OFFLOADED', powerState: 4, taskState: null }, 'stopped'],
  [{ status: 'SOFT_DELETED', powerState: 4, taskState: null }, 'stopped'],
  [{ status: 'PAUSED', powerState: 3, taskState: null }, 'pending'],
  [{ status: 'SUSPENDED', powerState: 7, taskState: null }, 'pending'],
  [{ status: 'ERROR', powerState: 0, taskState: null }, 'pending'],
  [{ status: 'REBOOT', powerState: 4, taskState: 'rebooting' }, 'pending'],
])('%j is %s', async (server, condition) => {
  pair.neutron.servers.set(PEER, server);
  expect(await asked()).toEqual({ ok: true, conditions: { [PEER]: condition } });
});

test('a server that Nova does not show is gone, which proves nothing', async () => {
  expect(await asked()).toEqual({ ok: true, conditions: { [PEER]: 'gone' } });
});

test.each<[string, NeutronFault, object]>([
  ['401', { kind: 'status', status: 401 }, { kind: 'refused', code: 'Unauthorized' }],
  ['403', { kind: 'status', status: 403 }, { kind: 'refused' }],
  ['500', { kind: 'status', status: 500 }, { kind: 'uncertain' }],
])('an answer of %s says nothing of the server, and has no token renewed', async (_name, fault, failure) => {
  const tokens = () => pair.neutron.requests().filter(({ action }) => action === 'POST auth/tokens').length;
  const before = tokens();
  pair.neutron.faults.add({ ...fault, action: 'GET servers' });
  expect(await asked()).toMatchObject({ ok: false, failure });
  expect(tokens()).toBe(before);
});

test("Nova's own words are told where it refuses", () => {
  const message = "Policy doesn't allow os_compute_api:servers:show to be performed.";
  expect(refusal(403, JSON.stringify({ forbidden: { code: 403, message } }), [])).toEqual({
    kind: 'refused',
    code: 'forbidden',
    message,
  });
});

test('a catalogue without Nova in this region is said, with what to do', async () => {
  const elsewhere = open({ region: 'r2' });
  await elsewhere.instanceId;
  expect(await asked(elsewhere)).toMatchObject({
    ok: false,
    failure: {
      kind: 'refused',
      message:
        'the catalogue of Keystone has no public endpoint of the type compute in the region r2: take ask_nova out',
    },
  });
  elsewhere.stop();
});

test('without the right to ask, nothing is asked', async () => {
  const silent = open({ askNova: false });
  await silent.instanceId;
  const servers = () => pair.neutron.requests().filter(({ action }) => action === 'GET servers').length;
  const before = servers();
  expect(await asked(silent)).toMatchObject({ ok: false, failure: { kind: 'refused', code: 'NotAsked' } });
  expect(servers()).toBe(before);
  silent.stop();
});

test.each([
  [true, true],
  [false, false],
])('the right to show servers is asked for where ask_nova is %s', (askNova, isThere) => {
  const { policy_rules: rules, access_rules: access } = neutronRights(plan, { askNova });
  expect(rules.includes('os_compute_api:servers:show')).toBe(isThere);
  expect(access.some(({ service }) => service === 'compute')).toBe(isThere);
});

test('each server is asked about by itself', async () => {
  pair.neutron.servers.set(PEER, { status: 'SHUTOFF', powerState: 4, taskState: null });
  expect(await cloud.askHolders([PEER, PAIR.serverId.rtr1])).toEqual({
    ok: true,
    conditions: { [PEER]: 'stopped', [PAIR.serverId.rtr1]: 'gone' },
  });
});
