/** docs/status.md says what there is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AWS_CONDITIONS } from '../../src/aws/conditions';
import { EC2 } from '../../src/aws/description';
import { OPENSTACK_CONDITIONS } from '../../src/openstack/checks/conditions';
import { conditionsOf } from '../../src/runtime/readiness';
import { metricFamilies } from '../../src/status/metrics';
import { statusRoutes } from '../../src/status/routes';
import { Snapshot } from '../../src/status/snapshot';
import { Token } from '../../src/status/token';
import { recordingLogger } from '../support/logRecords';
import { sourcesOf, statusWorld } from '../support/statusWorld';

const page = readFileSync(join(__dirname, '..', '..', 'docs', 'status.md'), 'utf8');

test('each request has its row, and each row its request', () => {
  const snapshot = new Snapshot(sourcesOf(statusWorld()));
  const routes = statusRoutes(snapshot, new Token(null, () => 0, recordingLogger().log));
  const rows = [...page.matchAll(/^\| `(GET \/\w+)` \|/gm)].map(([, request]) => request);
  expect(rows).toEqual(Object.keys(routes));
});

test('each metric has its row, with its type, labels and help', () => {
  const rows = [...page.matchAll(/^\| `((?:xr_aws_ha|process)_\w+)` \| (\w+) \| (.*) \|$/gm)].map(
    ([, ...cells]) => cells,
  );
  const families = metricFamilies(new Snapshot(sourcesOf(statusWorld())));
  expect(rows).toEqual(families.map(({ name, type, help }) => [name, type, help]));
});

test('each condition has its row, in the order in which it is shown', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| (.*\?) \| (.*) \|$/gm)].map(([, ...cells]) => cells);
  const who = { ACTIVE: 'the ACTIVE router', notActive: 'a router that is not ACTIVE' };
  const where = (name: string): string => {
    if (name in AWS_CONDITIONS) return ', in AWS';
    return name in OPENSTACK_CONDITIONS ? ', in OpenStack' : '';
  };
  const all = conditionsOf(EC2, { ...AWS_CONDITIONS, ...OPENSTACK_CONDITIONS });
  expect(rows).toEqual(
    Object.entries(all).map(([name, { asks, only }]) => [
      name,
      asks,
      (only === undefined ? 'every router' : who[only]) + where(name),
    ]),
  );
});
