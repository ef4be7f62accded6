// The application status check as evidence: only a fresh word about the right check, and only while it passes here.
import type { CheckResult } from '../../../lab/ec2-emulator/applicationChecks';
import type { Ec2FaultInput } from '../../../lab/ec2-emulator/faults';
import { connectAws } from '../../../src/aws/aws';
import { ApplicationCheck } from '../../../src/aws/checks/applicationCheck';
import { limits, memoryLog, now, openAwsLab, plan, ROUTER_1, ROUTER_2, until, type AwsLab } from './awsLab';

const CHECK = 'asc-0123456789abcdef0';
const PASSED: CheckResult = { status: 'passed', reason: 'ResponseCodeMatched' };
const FAILED: CheckResult = { status: 'failed', reason: 'ConnectionTimeout' };
const RUNNING = { [ROUTER_2]: 'running' } as const;

let lab: AwsLab;
beforeEach(async () => {
  lab = await openAwsLab();
});
afterEach(() => lab.close());

const opened = (at: () => number = now) => {
  const { log, logged } = memoryLog();
  return { check: new ApplicationCheck({ checkId: CHECK, now: at, log }), logged };
};
const finds = (own: CheckResult | null, peers: CheckResult | null, checkId = CHECK): void => {
  if (own !== null) lab.world.setApplicationCheck(checkId, ROUTER_1, own);
  if (peers !== null) lab.world.setApplicationCheck(checkId, ROUTER_2, peers);
};
const asked = () =>
  lab.emulator.requests().filter(({ params }) => params['Action'] === 'DescribeApplicationStatus');

describe('whether the peer that runs is unresponsive', () => {
  test.each<[string, CheckResult | null, CheckResult | null, 'unresponsive' | 'running', string, RegExp]>([
    [
      'it fails, and passes here',
      PASSED,
      FAILED,
      'unresponsive',
      'ok',
      /000001a passed \(\w+\) and \S+2b failed/,
    ],
    ['it passes', PASSED, PASSED, 'running', 'ok', /2b passed/],
    [
      'it fails here too: then it is the check',
      FAILED,
      FAILED,
      'running',
      'failing',
      /fails for this router/,
    ],
    [
      'here it has not passed yet',
      { status: 'initializing' },
      FAILED,
      'running',
      'unknown',
      /until it has passed/,
    ],
    [
      'not associated with this router',
      null,
      FAILED,
      'running',
      'failing',
      /not associated with i-0000000000000001a$/,
    ],
    [
      'not associated with the peer',
      PASSED,
      null,
      'running',
      'failing',
      /not associated with i-0000000000000002b$/,
    ],
    ['no such check', null, null, 'running', 'failing', /not associated with .* and /],
    ['no data', PASSED, { status: 'insufficient-data' }, 'running', 'ok', /insufficient-data/],
    ['it begins', PASSED, { status: 'initializing' }, 'running', 'ok', /initializing/],
    ['it does not apply', PASSED, { status: 'not-applicable' }, 'running', 'ok', /not-applicable/],
    ['old news', PASSED, { ...FAILED, saidAgoMs: 200_000 }, 'running', 'unknown', /within 180 s/],
    [
      'old news of this router',
      { ...PASSED, saidAgoMs: 200_000 },
      FAILED,
      'running',
      'unknown',
      /within 180 s/,
    ],
    ['of a time to come', PASSED, { ...FAILED, saidAgoMs: -200_000 }, 'running', 'unknown', /within 180 s/],
    ['minutes old', PASSED, { ...FAILED, saidAgoMs: 100_000 }, 'unresponsive', 'ok', /failed/],
  ])('%s', async (_what, own, peers, condition, standing, words) => {
    finds(own, peers);
    const { check } = opened();
    expect(await check.refined(lab.ec2, ROUTER_1, RUNNING)).toEqual({ [ROUTER_2]: condition });
    expect(check.standing).toMatchObject({ state: standing });
    expect(check.standing.text).toMatch(words);
  });

  test('another check that fails says nothing', async () => {
    finds(PASSED, PASSED);
    finds(null, FAILED, 'asc-0fffffffffffffff0');
    expect(await opened().check.refined(lab.ec2, ROUTER_1, RUNNING)).toEqual(RUNNING);
  });

  test('only one that runs is asked about; what EC2 knows better stays as it is', async () => {
    finds(PASSED, FAILED);
    const { check } = opened();
    const stopped = { [ROUTER_2]: 'stopped' } as const;
    expect(await check.refined(lab.ec2, ROUTER_1, stopped)).toEqual(stopped);
    expect(asked()).toEqual([]);
  });

  const without = (...elements: string[]): Ec2FaultInput => ({
    kind: 'malformed',
    how: { as: 'withoutElements', elements },
  });
  const replaced = (element: string, text: string): Ec2FaultInput => ({
    kind: 'malformed',
    how: { as: 'replacedText', element, text },
  });
  test.each<[string, Ec2FaultInput, string]>([
    ['no permission', { kind: 'error', code: 'UnauthorizedOperation' }, 'failing'],
    ['an EC2 that does not know the action', { kind: 'error', code: 'InvalidAction' }, 'failing'],
    ['throttled', { kind: 'throttle' }, 'unknown'],
    ['reset', { kind: 'reset' }, 'unknown'],
    ['nothing in the answer', without('applicationStatusesResponseType'), 'failing'],
    ['no times', without('statusTimeStamp'), 'unknown'],
    ['a time that is none', replaced('statusTimeStamp', 'soon'), 'unknown'],
    ['a status that nobody knows', replaced('status', 'exploded'), 'unknown'],
    ['one instance twice', replaced('instanceId', ROUTER_2), 'unknown'],
    ['an instance that nobody asked about', replaced('instanceId', 'i-00000000000000fff'), 'unknown'],
  ])('%s is no evidence', async (_what, fault, standing) => {
    finds(PASSED, FAILED);
    lab.emulator.addFault(fault);
    const { check } = opened();
    expect(await check.refined(lab.ec2, ROUTER_1, RUNNING)).toEqual(RUNNING);
    expect(check.standing.state).toBe(standing);
  });
});

test('at rest it is looked at now and then, and what it says is told when it changes', async () => {
  let time = 1_000_000;
  const { check, logged } = opened(() => time);
  expect(check.standing).toMatchObject({ state: 'unknown', text: 'EC2 has not been asked yet' });
  const look = async (calls: number): Promise<void> => {
    check.atRest(lab.ec2, ROUTER_1, [ROUTER_2]);
    check.atRest(lab.ec2, ROUTER_1, [ROUTER_2]);
    await until('EC2 has answered', () => asked().length === calls && check.standing.ageMs === 0);
  };
  finds(PASSED, PASSED);
  await look(1);
  time += 299_000;
  check.atRest(lab.ec2, ROUTER_1, [ROUTER_2]);
  expect(check.standing.ageMs).toBe(299_000);
  time += 1_000;
  await look(2);
  finds(PASSED, FAILED);
  time += 300_000;
  await look(3);
  await until('it is told', () => logged().length === 2);
  expect(logged().map(({ event, reason }) => [event, reason])).toEqual([
    ['application-status', expect.stringMatching(/2b passed/) as unknown],
    ['application-status', expect.stringMatching(/2b failed/) as unknown],
  ]);
});

test('through the whole of AWS: named in the configuration it refines, not named nobody asks', async () => {
  const endpoint = process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
  process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = lab.imdsEmulator.url;
  finds(PASSED, FAILED);
  try {
    for (const applicationStatusCheck of [null, CHECK]) {
      const settings = {
        endpointUrl: lab.emulator.url,
        apiTimeoutMs: 1_000,
        sourceDestCheck: 'report' as const,
        applicationStatusCheck,
        limits,
      };
      const groups = [{ name: 'default', plan }];
      const { log } = memoryLog();
      const aws = connectAws({ settings, groups, plan, log, now, isAtRest: () => false });
      try {
        expect(await aws.observe(() => {})).toMatchObject({ ok: true });
        expect(await aws.askHolders([ROUTER_2])).toEqual({
          ok: true,
          conditions: { [ROUTER_2]: applicationStatusCheck === null ? 'running' : 'unresponsive' },
        });
        const lines = aws.standing().conditions.map(({ condition }) => condition);
        expect(lines.includes('application_status_check')).toBe(applicationStatusCheck !== null);
        expect(asked()).toHaveLength(applicationStatusCheck === null ? 0 : 1);
      } finally {
        aws.stop();
      }
    }
  } finally {
    if (endpoint === undefined) delete process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
    else process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = endpoint;
  }
});
