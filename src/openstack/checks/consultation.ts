/**
 * OpenStack asked once, for commands that look before a daemon runs. Unlike the daemon's access it gives up, and says why.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pino from 'pino';
import type { HoldersResult } from '../../cloud';
import type { OpenstackSettings } from '../../config/settings';
import type { Observation } from '../../core/state/readings';
import type { OpenstackPlan } from '../description';
import { openAccess, type Access } from '../access';
import { Known } from '../reads/known';
import { readIdentity, type Identity } from '../reads/identity';
import { Observer } from '../reads/observer';
import { askServers } from '../reads/servers';
import { startMistakes } from './startChecks';

export type Consulted = {
  readonly identity: Identity | null;
  readonly known: Known;
  readonly observation: Observation | null;
  /** What the configuration asks for and cannot be done here. */
  readonly mistakes: readonly string[];
  readonly roles: readonly string[];
  /** How Nova says that this router is; null where it is not asked. */
  readonly server: HoldersResult | null;
  /** Why not all is known; null where it is. */
  readonly problem: string | null;
};

const TOKEN_PATIENCE_MS = 10_000;
/** A person waits, and the first connection takes longer than those of a daemon. */
const TIMEOUT_MS_MIN = 5_000;

const now = (): number => performance.now();

/** Never rejects. */
export async function consultOpenstack(settings: OpenstackSettings, plan: OpenstackPlan): Promise<Consulted> {
  const log = pino({ level: 'silent' });
  const access = openAccess({ settings, log, now });
  try {
    return await consult(access, settings, plan);
  } finally {
    access.stop();
  }
}

async function consult(
  { tokens, neutron, metadata, askServer }: Access,
  settings: OpenstackSettings,
  plan: OpenstackPlan,
): Promise<Consulted> {
  const known = new Known(now);
  const nothing = { identity: null, known, observation: null, mistakes: [], roles: [], server: null };
  const patience = new AbortController();
  const gaveUp = delay(TOKEN_PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined);
  await Promise.race([tokens.ready, gaveUp]);
  patience.abort();
  const token = tokens.current();
  if (token === null)
    return { ...nothing, problem: `no token of Keystone: ${tokens.problem() ?? 'it has not answered'}` };
  const { roles } = token;
  const reading = await readIdentity(neutron, metadata, settings.ports);
  if (!reading.ok) return { ...nothing, roles, problem: reading.problem };
  const { identity } = reading;
  const mistakes = startMistakes(plan, identity);
  const timeoutMs = Math.max(settings.apiTimeoutMs, TIMEOUT_MS_MIN);
  const observer = new Observer({ neutron, plan, known, timeoutMs, now });
  const result = await observer.observe(identity, () => {});
  const server = settings.askNova ? await askServers(askServer, [identity.serverId]) : null;
  const shown = { identity, known, mistakes, roles, server };
  if (!result.ok) {
    const { code, message } = result.failure;
    return { ...shown, observation: null, problem: `Neutron: ${code}: ${message}` };
  }
  const { observation } = result;
  const unread = (observation.unread ?? []).map(
    ({ action, failure }) => `${action}: ${failure === null ? 'no answer yet' : failure.message}`,
  );
  return { ...shown, observation, problem: unread.length === 0 ? null : unread.join('; ') };
}
