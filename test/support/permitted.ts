/** Whether the policy that `iam-policy` prints lets through what a router of the lab has asked EC2 for. */
import type { LoggedRequest } from '../../lab/ec2-emulator/requestLog';
import type { AnyLab } from '../../lab/topology/topology';
import { routerNames, type RouterName } from '../../lab/topology/plan';
import { printPolicy } from '../../src/cli/iamPolicy';
import { loadConfig } from '../../src/config/load';
import type { Settings } from '../../src/config/settings';
import { ACCOUNT, askedBy, isAllowed, REGION, type Asked, type Call, type StatementLike } from './iam';

export type Policy = { readonly Statement: readonly StatementLike[] };

export function settingsOf(lab: AnyLab, name: RouterName): Settings {
  const loaded = loadConfig(lab.routers[name].configPath);
  if (!loaded.ok) throw new Error(loaded.report);
  return loaded.settings;
}

/** The interfaces that hold targets, and the instances, of both routers. */
export function placesOf(lab: AnyLab) {
  const interfaces = routerNames.flatMap((name) => {
    const slots = settingsOf(lab, name).whole.targets.map(({ deviceIndex }) => deviceIndex);
    return lab.world.model.networkInterfaces.flatMap(({ networkInterfaceId, attachment }) =>
      attachment?.instanceId === lab.plan.instanceId[name] && slots.includes(attachment.deviceIndex)
        ? [networkInterfaceId]
        : [],
    );
  });
  return { interfaces, instances: Object.values(lab.plan.instanceId) };
}

/** As `iam-policy` prints it for this router's configuration, with all that narrows it. */
export function printedPolicy(lab: AnyLab, name: RouterName): Policy {
  const written = { out: '', err: '' };
  const options = { region: REGION, account: ACCOUNT, ...placesOf(lab) };
  const output = {
    out: { write: (text: string) => (written.out += text) },
    err: { write: (text: string) => (written.err += text) },
  };
  if (printPolicy(lab.routers[name].configPath, options, output) !== 0) throw new Error(written.err);
  return JSON.parse(written.out) as Policy;
}

/** What these requests need permission for, each once. */
export async function askedIn(lab: AnyLab, requests: readonly LoggedRequest[]): Promise<readonly Asked[]> {
  const known = { idsOf: instanceOf(lab), tagsOf: tagsIn(lab) };
  const asked = await Promise.all(requests.map((request) => askedBy(callOf(request), known)));
  return [...new Map(asked.flat().map((each) => [JSON.stringify(each), each])).values()];
}

const callOf = ({ action, params }: LoggedRequest): Call => ({ service: 'ec2', action, params });

/** An Elastic IP is associated with an instance too where its interface is attached to one. */
const instanceOf =
  ({ world }: AnyLab) =>
  (type: string, { action, params }: Call): readonly string[] => {
    if (type !== 'instance' || action !== 'AssociateAddress') return [];
    const found = world.model.networkInterfaces.find(
      ({ networkInterfaceId }) => networkInterfaceId === params['NetworkInterfaceId'],
    );
    return [found?.attachment?.instanceId ?? []].flat();
  };

const tagsIn =
  ({ world }: AnyLab) =>
  (type: string, id: string) =>
    (type === 'route-table'
      ? world.model.routeTables.find(({ routeTableId }) => routeTableId === id)
      : undefined
    )?.tags ?? {};

/** What EC2 may say of the attribute that is changed: AWS documents both forms. */
export const CHANGES_THE_CHECK = [
  { 'ec2:Attribute/SourceDestCheck': 'false' },
  { 'ec2:Attribute': 'SourceDestCheck' },
];

/** Those that the policy does not let through, each with its resource. */
export async function denied(
  policies: Parameters<typeof isAllowed>[0],
  asked: readonly Asked[],
  more: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const verdicts = await Promise.all(asked.map((each) => isAllowed(policies, each, more)));
  return asked.flatMap(({ action, arn }, place) => (verdicts[place] === true ? [] : [`${action} on ${arn}`]));
}

/** What the routers' daemons have asked EC2 for and their policies do not let through. Other software is its own affair. */
export async function deniedIn(lab: AnyLab): Promise<readonly string[]> {
  const ofEach = routerNames.map(async (name) => {
    const requests = lab.ec2.requests().filter(({ instanceId }) => instanceId === lab.plan.instanceId[name]);
    if (requests.length === 0 || !lab.hasHadDaemon(name)) return [];
    const [attribute] = CHANGES_THE_CHECK;
    return denied({ role: printedPolicy(lab, name) }, await askedIn(lab, requests), attribute);
  });
  return (await Promise.all(ofEach)).flat();
}
