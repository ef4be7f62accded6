/**
 * What this router knows of AWS beside the readings that decide: for readiness and metrics alone. Nothing is asked for it.
 */
import type { Standing } from '../cloud';
import type { MovingAction } from '../config/settings';
import type { CloudClock, Observation } from '../core/state/readings';
import { interfaceFor } from '../core/levels/ownership';
import type { AwsPlan } from './description';
import type { Judgement, Reading } from '../wellness';
import type { Permission } from './checks/permissions';
import type { AddressStanding } from '../transport/endpointAddresses';
import { lacksRoom } from './kinds/addresses';

export type AwsStanding = Omit<Standing, 'conditions'> & {
  readonly credentials: {
    readonly reading: Reading;
    /** ISO 8601; null while there are none. */
    readonly expiresAt: string | null;
    readonly problem: string | null;
  };
  /** What EC2 has said to DryRuns; null before it was asked. */
  readonly permissions: readonly Permission[] | null;
  /** Interfaces of this router that cannot forward. */
  readonly sourceDestCheckOn: readonly string[];
  /** Actions that EC2 has throttled lately. */
  readonly slowed: readonly MovingAction[];
  readonly clock: CloudClock | null;
  readonly endpointAddresses: readonly AddressStanding[];
  /** Of the application status check; null where the configuration names none. */
  readonly applicationCheck: Judgement | null;
};

export function targetsWithoutRoom({ targets }: AwsPlan, known: Observation | null): readonly string[] {
  if (known === null) return [];
  return targets.flatMap((target) => {
    const own = interfaceFor(known, target)?.networkInterfaceId ?? '';
    return lacksRoom(known.refusals?.[target.id]?.[own] ?? '') ? [target.id] : [];
  });
}
