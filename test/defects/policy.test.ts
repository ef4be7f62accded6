/** The IAM policy allows what this program calls, and nothing else; the README names the same. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { iamPolicy } from '../../src/aws/checks/iamPolicy';
import { limits } from '../adapters/aws/awsLab';
import { mixedPlan } from '../adapters/aws/targetsLab';

const root = join(__dirname, '..', '..');

/** As the table of the README names them. */
function namedActions(): readonly string[] {
  const rows = readFileSync(join(root, 'README.md'), 'utf8').match(/^\| `ec2:.*$/gm) ?? [];
  return rows.flatMap((row) => row.match(/ec2:\w+/g) ?? []);
}

function allowedActions(): readonly string[] {
  const policy = iamPolicy(
    mixedPlan,
    {
      endpointUrl: 'https://ec2.lab',
      apiTimeoutMs: 1000,
      limits,
      sourceDestCheck: 'disable',
      applicationStatusCheck: 'asc-0a1b2c3d4e5f67890',
    },
    { region: null, account: null, interfaces: [], instances: [] },
  );
  return [...new Set(policy.Statement.flatMap(({ Action }) => Action))];
}

/** The calls as the SDK names them: `new DescribeNetworkInterfacesCommand(...)`. */
function calledActions(): readonly string[] {
  // The healer runs elsewhere, with a role of its own; notifications call SNS (test/deploy/permissions.test.ts).
  const folder = join(root, 'src', 'aws');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const calls = files.flatMap((name) => [
    ...readFileSync(join(folder, name), 'utf8').matchAll(/new ([A-Z]\w+)Command\(/g),
  ]);
  return [...new Set(calls.map(([, action]) => `ec2:${action}`))];
}

test('the README names each EC2 action that is called, and no other', () => {
  expect([...namedActions()].sort()).toEqual([...calledActions()].sort());
});

test('the IAM policy for all that there is allows each action that is called, and no other', () => {
  expect([...allowedActions()].sort()).toEqual([...calledActions()].sort());
});
