/**
 * The temporary credentials that exist in the lab: the IMDS emulators issue them, the EC2 emulator believes
 * in them until they expire. Wall clock, because that is what an expiration is written in.
 */

export interface CredentialSet {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly role: string;
  /** The instance they were issued to: tells two routers of one role apart. */
  readonly instanceId: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

const SETS_KEPT = 10_000;

export class CredentialRegistry {
  readonly #sets = new Map<string, CredentialSet>();

  /** Also replaces a set of the same access key id. */
  register(set: CredentialSet): void {
    this.#sets.set(set.accessKeyId, set);
    const [oldest] = this.#sets.keys();
    if (this.#sets.size > SETS_KEPT && oldest !== undefined) this.#sets.delete(oldest);
  }

  find(accessKeyId: string): CredentialSet | undefined {
    return this.#sets.get(accessKeyId);
  }

  /** Ends the life of a set at once, as if its time had come: EC2 answers RequestExpired from now on. */
  expire(accessKeyId: string): void {
    const set = this.#sets.get(accessKeyId);
    if (set !== undefined)
      this.#sets.set(accessKeyId, { ...set, expiresAt: Math.min(set.expiresAt, Date.now()) });
  }

  /** Access key ids and roles of all sets. */
  names(): readonly string[] {
    return [...new Set([...this.#sets.values()].flatMap(({ accessKeyId, role }) => [accessKeyId, role]))];
  }

  /** Every set that was issued to an instance, oldest first. */
  issuedTo(instanceId: string): readonly CredentialSet[] {
    return [...this.#sets.values()].filter((set) => set.instanceId === instanceId);
  }
}
