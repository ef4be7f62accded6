/**
 * AWS asked once, for commands that look before a daemon runs: who this router is, its credentials, a client. Unlike
 * the daemon's access it gives up, and says why.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Ec2Settings } from '../../config/settings';
import type { AwsPlan } from '../description';
import { askRoom } from './room';
import { startCredentials } from '../transport/credentials';
import { openEc2, type Ec2 } from '../transport/ec2';
import { openImds, type Imds } from '../transport/imds';
import { readIdentity, type InstanceIdentity } from '../reads/instanceIdentity';
import { observeOwnership, type ObservationResult } from '../reads/observe';

export type Consultation = {
  readonly imds: Imds;
  readonly identity: InstanceIdentity;
  readonly ec2: Ec2;
  readonly timeoutMs: number;
  /** `roomUnknown`: why it is not known whether the interfaces have room for all addresses; null where it is. */
  readonly observe: (plan: AwsPlan) => Promise<ObservationResult & { readonly roomUnknown: string | null }>;
  readonly stop: () => void;
};

export type Consulted =
  | ({ readonly ok: true } & Consultation)
  /** `identity`: where IMDS has said that much. */
  | { readonly ok: false; readonly problem: string; readonly identity: InstanceIdentity | null };

const CREDENTIALS_PATIENCE_MS = 5_000;
/** A person waits, and the first connection takes longer than those of a daemon. */
const TIMEOUT_MS_MIN = 5_000;

const now = (): number => performance.now();

/** Never rejects. */
export async function consult(settings: Ec2Settings, log: Logger): Promise<Consulted> {
  const imds = openImds();
  const reading = await readIdentity(imds);
  if (!reading.ok) return { ok: false, problem: reading.problem, identity: null };
  const { identity } = reading;
  const credentials = startCredentials({ imds, log });
  const patience = new AbortController();
  const isReady = await Promise.race([
    credentials.ready.then(() => true),
    delay(CREDENTIALS_PATIENCE_MS, false, { signal: patience.signal }).catch(() => false),
  ]);
  patience.abort();
  if (!isReady) {
    credentials.stop();
    const problem = credentials.ageInfo().problem ?? 'IMDS gives out no credentials';
    return { ok: false, problem, identity };
  }
  const { endpointUrl } = settings;
  const ec2 = openEc2({ endpointUrl, region: identity.region, credentials, log, now });
  const timeoutMs = Math.max(settings.apiTimeoutMs, TIMEOUT_MS_MIN);
  return {
    ok: true,
    imds,
    identity,
    ec2,
    timeoutMs,
    observe: async (plan) => {
      const room = askRoom({ imds, ec2, timeoutMs }, plan);
      const limits = room.then((known) => known.limits);
      const result = await observeOwnership({ ec2, plan, identity, timeoutMs, now, limits });
      return { ...result, roomUnknown: (await room).unknown };
    },
    stop: () => {
      credentials.stop();
      ec2.stop();
    },
  };
}
