/**
 * `check-config --online -c FILE`: does the configuration fit this instance, this VPC and this role? Everything that is
 * wrong at once, what is permitted, and plainly what cannot be proven before a takeover.
 */
import pino from 'pino';
import { consult, type Consultation } from '../aws/checks/consultation';
import { askApplicationStatus } from '../aws/reads/applicationStatus';
import { askHolders } from '../aws/reads/instanceStatus';
import type { Findings } from '../aws/reads/observe';
import {
  denialWords,
  dryRunReads,
  dryRunWrites,
  proveWrites,
  type Permission,
} from '../aws/checks/permissions';
import { awsKindsOf } from '../aws/kinds';
import { forwardingInterfaces } from '../aws/checks/sourceDestCheck';
import { regionMistakes, startMistakes } from '../aws/checks/startChecks';
import { loadConfig } from '../config/load';
import type { InAws, InOpenstack } from '../config/settings';
import { printable } from '../config/words';
import type { Observation } from '../core/state/readings';
import type { AwsPlan } from '../aws/description';
import { consultOpenstack, type Consulted } from '../openstack/checks/consultation';
import { previewTakeover } from '../core/moves/preview';
import type { Output } from './replay';

export const onlineExitCodes = { fits: 0, mistaken: 2, unreachable: 4 } as const;

type Report = { readonly mistakes: string[]; readonly lines: string[]; unreachable: string | null };

/** Returns the exit code; never throws. `prove`: write what is there already. */
export async function checkOnline(
  configPath: string,
  { prove }: { readonly prove: boolean },
  { out, err }: { readonly out: Output; readonly err: Output },
): Promise<number> {
  const loaded = loadConfig(configPath);
  if (!loaded.ok) {
    err.write(`${loaded.report}\n`);
    return onlineExitCodes.mistaken;
  }
  const { settings } = loaded;
  const report: Report = { mistakes: [], lines: [], unreachable: null };
  report.lines.push(...settings.warnings.map((warning) => `warning: ${warning}`));
  const { cloud } = settings;
  await (cloud.type === 'aws' ? look(cloud, prove, report) : lookAtOpenstack(cloud, report));
  out.write(report.lines.map((line) => `${printable(line)}\n`).join(''));
  if (report.mistakes.length > 0) {
    err.write('The configuration does not fit this instance:\n');
    err.write(report.mistakes.map((line) => `  ${printable(line)}\n`).join(''));
  }
  if (report.unreachable !== null) {
    err.write(`check-config: not all could be checked: ${printable(report.unreachable)}\n`);
    return onlineExitCodes.unreachable;
  }
  if (report.mistakes.length > 0) return onlineExitCodes.mistaken;
  out.write('OK\n');
  return onlineExitCodes.fits;
}

async function look(settings: InAws, prove: boolean, report: Report): Promise<void> {
  const { whole: plan, ec2: ec2Settings } = settings;
  const consulted = await consult(ec2Settings, pino({ level: 'silent' }));
  const { identity } = consulted;
  if (identity !== null) {
    report.mistakes.push(
      ...regionMistakes(ec2Settings.endpointUrl, identity),
      ...startMistakes(plan, identity),
    );
  }
  if (!consulted.ok) {
    report.unreachable = consulted.problem;
    return;
  }
  const result = await consulted.observe(plan);
  if (result.ok) await judge(settings, consulted, result, prove, report);
  else if (result.failure.code === 'UnauthorizedOperation')
    tell(await dryRunReads({ ec2: consulted.ec2, plan, timeoutMs: consulted.timeoutMs }), report);
  else report.unreachable = `EC2: ${result.failure.code}: ${result.failure.message}`;
  consulted.stop();
}

async function judge(
  { whole: plan, ec2: settings }: InAws,
  consultation: Consultation,
  {
    observation,
    checked,
    tables,
    mistakes,
    roomUnknown,
  }: Findings & { readonly observation: Observation; readonly roomUnknown: string | null },
  prove: boolean,
  report: Report,
): Promise<void> {
  const { ec2, identity, timeoutMs } = consultation;
  const { haState, left, refused } = previewTakeover(plan, observation);
  report.mistakes.push(...mistakes, ...refused.map((line) => `${line}.`));
  const vpcs = [...new Set(identity.interfaces.map(({ vpcId }) => vpcId))].join(', ');
  report.lines.push(
    `this router is ${identity.instanceId} in ${identity.availabilityZone}, ${vpcs}: ${haState}`,
  );
  report.lines.push(...left.map((line) => `warning: ${line}`));
  for (const address of plan.peerAddresses)
    if (observation.peers[address] === undefined)
      report.lines.push(
        `warning: EC2 shows no interface of another instance with ${address}: the peer is not recognised by it; see peer_private_ips`,
      );
  for (const id of forwardingInterfaces(plan, observation).filter((each) => checked.includes(each))) {
    const found = `the source/destination check of ${id} is on, so EC2 drops what this router forwards there`;
    if (settings.sourceDestCheck === 'disable')
      report.lines.push(`warning: ${found}: the daemon switches it off`);
    else
      report.mistakes.push(
        `config.source_dest_check: ${found}: switch it off, or set source_dest_check to "disable".`,
      );
  }
  if (roomUnknown !== null)
    report.lines.push(
      `not checked: room for all addresses: ${roomUnknown}; ec2:DescribeInstanceTypes would tell, or see EC2's documentation`,
    );
  const asking = { ec2, plan, timeoutMs };
  tell(await dryRunWrites(asking, settings, observation, (id) => tables.get(id) ?? null), report);
  const status = await askHolders(ec2, [identity.instanceId], timeoutMs);
  if (!status.ok)
    report.lines.push(
      `warning: DescribeInstanceStatus, which is optional: ${status.failure.code}: ${status.failure.message}`,
    );
  const { applicationStatusCheck: checkId } = settings;
  if (checkId !== null) {
    const said = await askApplicationStatus(ec2, checkId, [identity.instanceId], timeoutMs);
    const { code, message } = said.ok ? { code: '', message: '' } : said.failure;
    if (!said.ok)
      report.lines.push(`warning: DescribeApplicationStatus, which is optional: ${code}: ${message}`);
    else if (said.results.get(identity.instanceId) === null)
      report.lines.push(
        `warning: application_status_check: ${checkId} is not associated with ${identity.instanceId}, so it is no evidence`,
      );
  }
  const isActive = haState === 'ACTIVE';
  if (prove && isActive) tell(await proveWrites(asking, observation), report);
  if (prove && !isActive) report.lines.push('not proven: writes, because not all targets are on this router');
  report.lines.push(...unprovable(plan, prove && isActive));
}

/** Neutron has no way to ask whether it would do something: what is sent is done. */
async function lookAtOpenstack({ whole: plan, openstack }: InOpenstack, report: Report): Promise<void> {
  const { identity, mistakes, observation, problem, roles, server } = await consultOpenstack(openstack, plan);
  report.mistakes.push(...mistakes);
  report.unreachable = problem;
  if (identity === null || observation === null) return;
  const { haState, left, refused } = previewTakeover(plan, observation);
  report.mistakes.push(...refused.map((line) => `${line}.`));
  const ports = identity.ports.map(({ id }, number) => `${number} is ${id}`).join(', ');
  report.lines.push(`this router is server ${identity.serverId}, port ${ports}: ${haState}`);
  report.lines.push(...left.map((line) => `warning: ${line}`));
  for (const address of plan.peerAddresses)
    if (observation.peers[address] === undefined)
      report.lines.push(
        `warning: Neutron shows no port of another server with ${address}: the peer is not recognised by it; see peer_private_ips`,
      );
  report.lines.push(
    `the token has the roles ${roles.join(', ')}`,
    'cannot be proven ahead: that the role may move what is to move; iam-policy says what it needs',
    novaLine(server, identity.serverId),
  );
  for (const role of ['member', 'reader'])
    if (!roles.includes(role))
      report.lines.push(`warning: the application credential has no role ${role}: see docs/openstack.md`);
}

function novaLine(server: Consulted['server'], serverId: string): string {
  if (server === null)
    return 'not asked: how a server is that holds the targets; without BFD nothing is taken from it (docs/openstack.md)';
  if (!server.ok)
    return `warning: Nova, which ask_nova is about: ${server.failure.code}: ${server.failure.message}`;
  const condition = server.conditions[serverId];
  return condition === 'gone'
    ? `warning: Nova shows no server ${serverId}: it is of another project or cloud, so Nova does not say how it is`
    : `Nova says that ${serverId} is ${condition}`;
}

function tell(permissions: readonly Permission[], report: Report): void {
  for (const permission of permissions) {
    const { action, on, verdict, detail } = permission;
    switch (verdict) {
      case 'permitted':
        report.lines.push(`permitted: ${action} on ${on}`);
        break;
      case 'unknown':
        report.lines.push(`not known: ${action} on ${on}: ${detail}`);
        break;
      case 'denied':
        report.mistakes.push(`EC2 denies ${action} on ${on}: ${denialWords(permission)}.`);
        break;
    }
  }
}

function unprovable({ targets }: AwsPlan, proven: boolean): readonly string[] {
  const kinds = awsKindsOf(targets).map(({ kind }) => kind);
  const assigns = kinds.flatMap(({ provenBy }) => provenBy ?? []);
  return [
    ...(assigns.length === 0 || proven
      ? []
      : [
          `cannot be proven ahead: ${assigns.join(' and ')}, which have no DryRun; on the ACTIVE router --prove-writes writes what is there already`,
        ]),
    ...(assigns.length === 0
      ? []
      : [
          "cannot be proven ahead: that the role may write addresses to the peer's interfaces (ha switchover, giving back)",
        ]),
    ...kinds.flatMap(({ neverProven }) =>
      neverProven === null ? [] : [`cannot be proven ahead: ${neverProven}`],
    ),
  ];
}
