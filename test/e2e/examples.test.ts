/** The examples of config/examples, each as it is, on routers that fit it. */
import { readdirSync } from 'node:fs';
import type { AnyLab } from '../../lab/topology/topology';
import { peerOf, routerNames, type RouterName } from '../../lab/topology/plan';
import { eventually } from '../support/eventually';
import { examples, startExample, type ExampleLab } from './exampleWorlds';
import { endsWithTest, shownState } from './support';

const kinds = [...new Set(readdirSync(examples).map((file) => file.replace(/-rtr[12]\.json$/, '')))];

test.each(kinds)(
  '%s: each router is what its file says, and has everything when the other one dies',
  async (kind) => {
    const { lab, owners } = await startExample(kind);
    endsWithTest(lab);
    for (const name of routerNames) lab.startDaemon(name);
    await roles({ lab, owners });
    for (const name of routerNames)
      if (Object.values(owners).includes(peerOf(name))) await watches(lab, name);

    await lab.killRouter('rtr1');
    await hasEverything(lab, 'rtr2', owners);

    await lab.bootRouter('rtr1');
    lab.startDaemon('rtr1');
    await watches(lab, 'rtr1');
    await lab.killRouter('rtr2');
    await hasEverything(lab, 'rtr1', owners);
  },
);

/** By group, as of the daemon's latest word about each. */
function rolesOf(lab: AnyLab, name: RouterName): Readonly<Record<string, string>> {
  const said = (lab.daemon(name)?.records ?? []).flatMap(({ ha, group = 'default' }) =>
    ha === undefined ? [] : [[String(group), ha] as const],
  );
  return Object.fromEntries(said);
}

async function roles({ lab, owners }: ExampleLab): Promise<void> {
  await eventually(() => {
    for (const name of routerNames)
      expect(rolesOf(lab, name)).toEqual(mapped(owners, (owner) => (owner === name ? 'ACTIVE' : 'STANDBY')));
  });
}

async function watches(lab: AnyLab, name: RouterName): Promise<void> {
  await lab
    .daemon(name)
    ?.waitFor(({ reason }) => /STANDBY and watches: all sessions are UP/.test(reason ?? ''), {
      since: 0,
    });
}

async function hasEverything(lab: AnyLab, name: RouterName, owners: ExampleLab['owners']): Promise<void> {
  await eventually(() => {
    expect(lab.ownsAll(name)).toBe(true);
    expect(rolesOf(lab, name)).toEqual(mapped(owners, () => 'ACTIVE'));
  });
  expect(await shownState(lab, name, 'ACTIVE')).toBe('ACTIVE');
}

function mapped(
  owners: ExampleLab['owners'],
  role: (owner: RouterName) => string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(owners).map(([group, owner]) => [group, role(owner)]));
}
