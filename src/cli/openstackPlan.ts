/**
 * `plan -c FILE` where the targets are in OpenStack: the requests that a takeover by this router would make now, in their
 * order. Neutron is asked as the daemon asks it; the moves are made by the daemon's own rules and code, with a Neutron
 * that only notes what it is sent.
 */
import type { InOpenstack } from '../config/settings';
import { printable } from '../config/words';
import { previewTakeover } from '../core/moves/preview';
import { consultOpenstack } from '../openstack/checks/consultation';
import { plannedRequests } from '../openstack/moves/plannedRequests';
import type { Output } from './replay';

export async function printOpenstackPlan(
  { whole: plan, openstack }: InOpenstack,
  { out, err }: { readonly out: Output; readonly err: Output },
): Promise<number> {
  const { mistakes, observation, known, identity, problem } = await consultOpenstack(openstack, plan);
  if (mistakes.length > 0) {
    err.write('The configuration does not fit this instance:\n');
    err.write(mistakes.map((line) => `  ${printable(line)}\n`).join(''));
    return 2;
  }
  if (problem !== null) err.write(`plan: not all could be found out: ${printable(problem)}\n`);
  if (observation === null || identity === null) return 4;
  const preview = previewTakeover(plan, observation);
  const requests = await plannedRequests(plan, known, preview.moves);
  const who = `server ${identity.serverId} is ${preview.haState}`;
  const count = requests.length === 1 ? '1 request' : `${requests.length} requests`;
  const lines =
    requests.length === 0
      ? [`${who}: a takeover would make no requests now.`]
      : [
          `${who}: a takeover would make ${count} now:`,
          '',
          ...requests.map(({ method, path, body }) =>
            printable(`  ${method} ${path}${body === undefined ? '' : ` ${JSON.stringify(body)}`}`),
          ),
        ];
  const left = [...preview.left, ...preview.refused].map((line) => `Not taken: ${printable(line)}.`);
  out.write(`${[...lines, ...left].join('\n')}\n`);
  return problem === null ? 0 : 4;
}
