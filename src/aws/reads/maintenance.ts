/**
 * What AWS announces for an instance: the scheduled events of its metadata and of `DescribeInstanceStatus`, and what an
 * Auto Scaling group is about to do with it. Fields may be missing; what cannot be read is taken for an announcement
 * without a time, never for none.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_scheduled_events.html
 */
import type { InstanceStatusEvent } from '@aws-sdk/client-ec2';
import type { Maintenance } from '../../core/state/model';

/** This router's clocks at one moment. */
export type Clocks = { readonly now: number; readonly wallNow: number };

/** AWS says so in the description of an event that is over, for a week after it. */
const OVER = /^\[(completed|canceled|cancelled)\]/i;
const OVER_STATES = ['completed', 'canceled', 'cancelled'];

/** `events/maintenance/scheduled` of the metadata; null where it is no list. */
export function scheduledIn(text: string, clocks: Clocks): readonly Maintenance[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(value)) return null;
  return value.flatMap((each: unknown) => {
    const [code, description, state, notBefore] = ['Code', 'Description', 'State', 'NotBefore'].map((name) =>
      textOf(each, name),
    );
    if (OVER_STATES.includes((state ?? '').toLowerCase()) || OVER.test(description ?? '')) return [];
    const ms = Date.parse(notBefore ?? '');
    return [announced(code, Number.isNaN(ms) ? null : ms, clocks)];
  });
}

/** `Events` of an instance's status. */
export function scheduledOf(
  events: readonly InstanceStatusEvent[] | undefined,
  clocks: Clocks,
): readonly Maintenance[] {
  return (events ?? []).flatMap(({ Code, Description, NotBefore }) => {
    if (OVER.test(Description ?? '')) return [];
    const ms = NotBefore?.getTime() ?? NaN;
    return [announced(Code, Number.isNaN(ms) ? null : ms, clocks)];
  });
}

/** `autoscaling/target-lifecycle-state`: `Terminated` is the sign to leave. `since`: when it was first seen. */
export function endOfInstance(since: Clocks): Maintenance {
  return { code: 'autoscaling-termination', at: since.now, atWall: since.wallNow };
}

function announced(code: string | undefined, atWall: number | null, { now, wallNow }: Clocks): Maintenance {
  const name = code !== undefined && /^[\w-]{1,64}$/.test(code) ? code : 'maintenance';
  return { code: name, at: atWall === null ? null : now + atWall - wallNow, atWall };
}

function textOf(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  const found = (value as Record<string, unknown>)[name];
  return typeof found === 'string' ? found : undefined;
}
