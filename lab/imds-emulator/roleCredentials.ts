/** The role credentials of one instance: made when asked for, replaced some time before they expire. */
import { randomBytes } from 'node:crypto';
import type { CredentialSet } from '../ec2-emulator/credentials';

export interface RoleCredentialOptions {
  readonly role: string;
  /** How long a set is good for, at least 1000; an expiration is written in whole seconds and rounded down. */
  readonly lifetimeMs: number;
  /** How long before a set expires the next one shows up. EC2 promises at least 5 minutes. */
  readonly rotateBeforeMs: number;
}

export class RoleCredentials {
  readonly #options: RoleCredentialOptions;
  readonly #instanceId: () => string;
  readonly #onIssued: (set: CredentialSet) => void;
  #current: CredentialSet | null = null;
  #expired: CredentialSet | null = null;

  /** `onIssued` hears of every set before anybody is given it. */
  constructor(
    options: RoleCredentialOptions,
    instanceId: () => string,
    onIssued: (set: CredentialSet) => void,
  ) {
    this.#options = options;
    this.#instanceId = instanceId;
    this.#onIssued = onIssued;
  }

  current(): CredentialSet {
    const due =
      this.#current === null || Date.now() >= this.#current.expiresAt - this.#options.rotateBeforeMs;
    return due || this.#current === null ? this.rotate() : this.#current;
  }

  /** A new set takes the place of the current one, which stays good until it expires. */
  rotate(): CredentialSet {
    this.#current = this.#issue(Date.now() + this.#options.lifetimeMs);
    return this.#current;
  }

  /** The set that a broken metadata service goes on serving: its time is over. Always the same one. */
  expired(): CredentialSet {
    this.#expired ??= this.#issue(Date.now() - 60_000);
    return this.#expired;
  }

  #issue(expiresAt: number): CredentialSet {
    const set: CredentialSet = {
      accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(600).toString('base64'),
      role: this.#options.role,
      instanceId: this.#instanceId(),
      expiresAt: Math.floor(expiresAt / 1000) * 1000,
    };
    this.#onIssued(set);
    return set;
  }
}

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html */
export function credentialDocument(set: CredentialSet): string {
  const toSecond = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
  const document = {
    Code: 'Success',
    LastUpdated: toSecond(Date.now()),
    Type: 'AWS-HMAC',
    AccessKeyId: set.accessKeyId,
    SecretAccessKey: set.secretAccessKey,
    Token: set.sessionToken,
    Expiration: toSecond(set.expiresAt),
  };
  return JSON.stringify(document, null, 2);
}
