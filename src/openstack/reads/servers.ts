/**
 * How the servers are that hold the targets, as Nova says, where the operator has allowed the question (`cloud.ask_nova`).
 * Only a server that is switched off, as Nova has seen it, with nothing under way that would start it, counts as stopped.
 * Of a compute host that died Nova goes on to say ACTIVE, which proves nothing; nor does a server that it does not show.
 * https://docs.openstack.org/api-ref/compute/#show-server-details
 */
import { z } from 'zod';
import type { HoldersResult } from '../../cloud';
import type { InstanceCondition } from '../../core/state/readings';
import { malformed } from '../transport/failure';
import type { ServiceAnswer } from '../transport/service';

/** Never rejects. */
export type AskServer = (serverId: string, timeoutMs: number) => Promise<ServiceAnswer>;

/** The core asks every second while it needs an answer. */
const TIMEOUT_MS = 5_000;

const SERVER = z.object({
  server: z.object({
    id: z.string(),
    status: z.string(),
    'OS-EXT-STS:power_state': z.int().optional(),
    'OS-EXT-STS:task_state': z.string().nullable().optional(),
  }),
});

/** `SHUTDOWN` of https://docs.openstack.org/nova/latest/reference/vm-states.html, as the API writes it. */
const POWERED_OFF = 4;
const OFF: readonly string[] = ['SHUTOFF', 'SHELVED', 'SHELVED_OFFLOADED', 'SOFT_DELETED'];

export async function askServers(ask: AskServer, serverIds: readonly string[]): Promise<HoldersResult> {
  const answers = await Promise.all(serverIds.map(async (id) => [id, await ask(id, TIMEOUT_MS)] as const));
  const conditions: Record<string, InstanceCondition> = {};
  for (const [id, answer] of answers) {
    const condition = conditionOf(id, answer);
    if (typeof condition !== 'string') return { ok: false, failure: condition };
    conditions[id] = condition;
  }
  return { ok: true, conditions };
}

/** What is refused is asked again with the next keepalive, anything else soon. */
function conditionOf(id: string, answer: ServiceAnswer) {
  if (!answer.ok) {
    // Deleted, of another project, or of another cloud.
    if (answer.status === 404) return 'gone';
    // Neutron's answers tell whether the token has ended; here an access rule may be in the way.
    return answer.status === 401 ? { ...answer.failure, kind: 'refused' as const } : answer.failure;
  }
  const { success, data } = SERVER.safeParse(answer.body);
  if (!success || data.server.id !== id) return malformed(`what Nova has answered is not the server ${id}`);
  return stateOf(data.server);
}

function stateOf(server: z.infer<typeof SERVER>['server']): InstanceCondition {
  const { status, 'OS-EXT-STS:power_state': power, 'OS-EXT-STS:task_state': task } = server;
  if (OFF.includes(status) && power === POWERED_OFF && task === null) return 'stopped';
  // All else may come back at any moment as it was, or runs in some way: paused, rebooting, migrating, in error.
  return status === 'ACTIVE' ? 'running' : 'pending';
}
