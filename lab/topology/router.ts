/**
 * One router of the lab at its start: the simulated router with its interfaces, and the metadata service of
 * its instance. What becomes of it is told in topology.ts.
 */
import { join } from 'node:path';
import type { CredentialRegistry } from '../ec2-emulator/credentials';
import type { Ec2World } from '../ec2-emulator/world';
import { startImdsEmulator, type ImdsEmulator } from '../imds-emulator/emulator';
import { imdsInstance } from '../imds-emulator/instance';
import type { RoleCredentialOptions } from '../imds-emulator/roleCredentials';
import type { SimRouterOptions } from '../slapi-sim/options';
import { SimRouter } from '../slapi-sim/router';
import type { Generation } from '../slapi-sim/wire';
import { configPathIn } from './config';
import type { LabPlan, RouterName } from './plan';

/** `mixed`: gen1 on rtr1 and gen2 on rtr2, as in the middle of an XR upgrade. */
export type LabGeneration = Generation | 'mixed';
export const labGenerations: readonly LabGeneration[] = ['gen1', 'gen2', 'mixed'];

export type LabRouterOptions = {
  /** Default gen1. */
  readonly generation?: LabGeneration;
  readonly sim?: Partial<Omit<SimRouterOptions, 'name' | 'generation' | 'interfaces' | 'listen'>>;
  readonly credentials?: Partial<RoleCredentialOptions>;
};

export type LabRouter = {
  readonly name: RouterName;
  /** The one that it is now. */
  readonly instanceId: string;
  readonly sim: SimRouter;
  readonly imds: ImdsEmulator;
  /** For AWS_EC2_METADATA_SERVICE_ENDPOINT; the same for the life of the lab. */
  readonly imdsUrl: string;
  /** Holds config.json, ha_app_bkp.log, show.json and state/. */
  readonly directory: string;
  readonly configPath: string;
};

const HOUR_MS = 3_600_000;
export const labRole = 'xrv9k-ha';
const defaultCredentials: RoleCredentialOptions = {
  role: labRole,
  lifetimeMs: 6 * HOUR_MS,
  rotateBeforeMs: 5 * 60_000,
};

export type RouterSurroundings = {
  readonly options: LabRouterOptions;
  readonly plan: LabPlan;
  readonly world: Ec2World;
  readonly credentials: CredentialRegistry;
  readonly directory: string;
};

export async function startRouter(name: RouterName, around: RouterSurroundings): Promise<LabRouter> {
  const { options, plan, world, credentials } = around;
  const { generation = 'gen1' } = options;
  const sim = new SimRouter({
    ...options.sim,
    name,
    generation: generation === 'mixed' ? (name === 'rtr1' ? 'gen1' : 'gen2') : generation,
    interfaces: plan.routerInterfaces,
  });
  await sim.start();
  const imds = await startImdsEmulator({
    instance: (ageMs) => imdsInstance(world, plan.instanceId[name], ageMs),
    credentials: { ...defaultCredentials, ...options.credentials },
    onIssued: (set) => credentials.register(set),
  });
  const directory = join(around.directory, name);
  const configPath = configPathIn(directory);
  return {
    name,
    get instanceId() {
      return plan.instanceId[name];
    },
    sim,
    imds,
    imdsUrl: imds.url,
    directory,
    configPath,
  };
}
