/** The IAM policy that the README gives allows what this program calls, and nothing else. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

type Statement = { readonly Effect: string; readonly Action: string | readonly string[] };
type Policy = { readonly Statement: readonly Statement[] };

function allowedActions(): readonly string[] {
  const blocks = readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```json\n(.*?)```/gs);
  const policies = [...blocks]
    .map(([, text = '']): unknown => JSON.parse(text))
    .filter((value): value is Policy => typeof value === 'object' && value !== null && 'Statement' in value);
  return policies.flatMap(({ Statement }) => Statement.flatMap(({ Action }) => Action));
}

/** The calls as the SDK names them: `new DescribeNetworkInterfacesCommand(...)`. */
function calledActions(): readonly string[] {
  const folder = join(root, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const calls = files.flatMap((name) => [
    ...readFileSync(join(folder, name), 'utf8').matchAll(/new ([A-Z]\w+)Command\(/g),
  ]);
  return [...new Set(calls.map(([, action]) => `ec2:${action}`))];
}

test('the IAM policy of the README names each EC2 action that is called, and no other', () => {
  const allowed = allowedActions();
  expect(allowed.join()).not.toContain('*');
  expect([...allowed].sort()).toEqual([...calledActions()].sort());
});
