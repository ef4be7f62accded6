// What the role may do, asked in the background: each answer in a sentence, and nothing that a takeover would feel.
import type { Ec2FaultInput } from '../../../lab/ec2-emulator/faults';
import { isDryRun } from '../../../lab/ec2-emulator/requestLog';
import { observeOwnership } from '../../../src/aws/reads/observe';
import { Pacer } from '../../../src/aws/moves/pacer';
import { PermissionProof } from '../../../src/aws/checks/permissionProof';
import { eniOf, limits, memoryLog, now, openAwsLab, plan, until, type AwsLab } from './awsLab';
import { ALLOCATION, mixedPlan, newTargetsWorld, TABLE, TAGGED } from './targetsLab';

let lab: AwsLab;
let proof: PermissionProof;
let pacer: Pacer;
beforeEach(async () => {
  lab = await openAwsLab({ world: newTargetsWorld() });
  pacer = new Pacer(limits, now);
});
afterEach(async () => {
  proof.stop();
  pacer.stop();
  await lab.close();
});

const all = [
  `ReplaceRoute on ${TABLE}`,
  `CreateRoute on ${TABLE}`,
  `ReplaceRoute on ${TAGGED}`,
  `CreateRoute on ${TAGGED}`,
  `AssociateAddress on ${ALLOCATION} to ${eniOf(1, 1)}`,
  `AssociateAddress on ${ALLOCATION} to ${eniOf(2, 1)}`,
];
const dryRuns = () => lab.emulator.requests().filter(isDryRun);

/** Observes as a daemon does at its start: the second time begins it, the third changes nothing. */
async function start({ of = mixedPlan, isAtRest = (): boolean => true, observations = 3 } = {}) {
  const { log, logged } = memoryLog();
  const settings = {
    endpointUrl: '',
    apiTimeoutMs: 300,
    limits,
    sourceDestCheck: 'report',
    applicationStatusCheck: null,
  } as const;
  let tables: ReadonlyMap<string, string> = new Map();
  const tableOf = (id: string) => tables.get(id) ?? null;
  proof = new PermissionProof({ plan: of, settings, pacer, tableOf, isAtRest, log });
  for (let keepalive = 1; keepalive <= observations; keepalive += 1) {
    const { ec2, identity } = lab;
    const result = await observeOwnership({ ec2, plan: of, identity, timeoutMs: 2_000, now });
    if (!result.ok) throw new Error(`${keepalive}: ${result.failure.message}`);
    tables = result.tables;
    proof.observed(ec2, result.observation);
  }
  return () => logged().map(({ level, event, reason }) => ({ level, event, reason }));
}

test('all is permitted: one line, one question each, nothing changed', async () => {
  const before = lab.world.model;
  const said = await start();
  await until('it is said', () => said().length > 0);
  expect(said()).toEqual([
    {
      level: 30,
      event: 'permissions-proven',
      reason: `EC2 permits what it can be asked about ahead: ${all.join(', ')}`,
    },
  ]);
  expect(dryRuns()).toHaveLength(all.length);
  expect(lab.world.model).toBe(before);
});

test('nothing is asked before the second observation: a takeover right after the start has all for itself', async () => {
  const said = await start({ observations: 1 });
  await new Promise((done) => setTimeout(done, 600));
  expect(dryRuns()).toEqual([]);
  expect(said()).toEqual([]);
});

test('what is denied has a sentence of its own, with what mends it', async () => {
  lab.emulator.addFault({ kind: 'error', code: 'UnauthorizedOperation', action: 'AssociateAddress' });
  const said = await start();
  await until('both are said', () => said().length === 2);
  expect(said()).toEqual(
    all.slice(4).map((what) => ({
      level: 50,
      event: 'permission-denied',
      reason: `EC2 would deny ${what}, which a takeover may need: allow ec2:AssociateAddress in the policy of the role (iam-policy prints it) and of the VPC endpoint. EC2 says UnauthorizedOperation: Made by a fault rule.`,
    })),
  );
});

test('an AuthFailure of one action is a denial in the words of EC2, and not told as wrong credentials', async () => {
  const message = 'You do not have permission to access the specified resource.';
  lab.emulator.addFault({
    kind: 'error',
    code: 'AuthFailure',
    message,
    status: 400,
    action: 'AssociateAddress',
  });
  const said = await start();
  await until('both are said', () => said().length === 2);
  expect(said()).toEqual(
    all.slice(4).map((what) => ({
      level: 50,
      event: 'permission-denied',
      reason: `EC2 would deny ${what}, which a takeover may need: no policy of the role mends this: see whose it is, and what manages it. EC2 says AuthFailure: ${message} (EC2 accepts the same credentials for other calls)`,
    })),
  );
});

test.each<readonly [string, Ec2FaultInput]>([
  ['RequestLimitExceeded', { kind: 'throttle', action: 'CreateRoute' }],
  ['Timeout', { kind: 'blackHole', action: 'CreateRoute' }],
  ['ECONNRESET', { kind: 'reset', action: 'CreateRoute' }],
])('%s is no denial', async (code, fault) => {
  lab.emulator.addFault(fault);
  const said = await start();
  await until('both are said', () => said().length === 2);
  expect(said()).toEqual(
    [all[1], all[3]].map((what) => ({
      level: 40,
      event: 'permission-unknown',
      reason: expect.stringMatching(
        new RegExp(`^EC2 does not say whether it permits ${what} \\(${code}: .*\\): check-config --online`),
      ) as string,
    })),
  );
});

test('nothing is asked before the role is known and while something moves', async () => {
  let atRest = false;
  const said = await start({ isAtRest: () => atRest });
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(dryRuns()).toEqual([]);
  atRest = true;
  await until('the first is asked', () => dryRuns().length > 0);
  atRest = false;
  await until('it is answered', () => dryRuns()[0]?.endedAt !== null);
  const asked = dryRuns().length;
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(dryRuns().length).toBeLessThanOrEqual(asked + 1);
  atRest = true;
  await until('all is said', () => said().length > 0);
  expect(dryRuns()).toHaveLength(all.length);
});

test('the connections of a takeover are not used, and tokens are left to it', async () => {
  for (let taken = 0; taken < 5; taken += 1)
    pacer.enter({ action: 'AssociateAddress', group: '', rank: 0 }, () => {});
  const said = await start();
  await until('the routes have been asked about', () => dryRuns().length === 4);
  // Five tokens at five a second.
  expect(dryRuns().filter(({ action }) => action === 'AssociateAddress')).toEqual([]);
  await until('all is said', () => said().length > 0);
  const connections = (requests: ReturnType<typeof dryRuns>) =>
    new Set(requests.map(({ connectionId }) => connectionId));
  const others = lab.emulator.requests().filter((request) => !dryRuns().includes(request));
  expect([...connections(dryRuns())].filter((id) => connections(others).has(id))).toEqual([]);
});

test('addresses alone: there is nothing to ask, and nothing is said', async () => {
  const said = await start({ of: plan });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect([said(), dryRuns()]).toEqual([[], []]);
});
