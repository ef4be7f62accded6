/** What the configuration asks for and cannot be done on this router, one sentence each; found before anything moves. */
import { listOf } from '../../config/kinds';
import type { OpenstackPlan } from '../description';
import { problemOn } from '../kinds';
import type { Identity } from '../reads/identity';

export function startMistakes(plan: OpenstackPlan, { ports, serverId }: Identity): readonly string[] {
  return plan.targets.flatMap((target) => {
    const port = ports[target.deviceIndex];
    const problem =
      port === undefined
        ? `server ${serverId} has ${ports.length} port(s), so there is no instance_intf_number ${target.deviceIndex}: give 0 to ${ports.length - 1}.`
        : problemOn(plan, target, port);
    return problem === null ? [] : [`${listOf(target)} (${target.id}): ${problem}`];
  });
}
