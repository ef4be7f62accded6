// The interfaces of one simulated router: what they are, and what the router has said about them so far.
// The two differ for the moment between a fault and its report.

export type InterfaceState = 'up' | 'down';

export interface SimInterface {
  readonly name: string;
  readonly handle: number;
  /** Whether packets pass. */
  physical: InterfaceState;
  /** What the interface service answers. */
  reported: InterfaceState;
}

/** Decoded SLInterface. */
export interface WireInterface {
  readonly Name?: string;
  readonly Handle?: number;
}

export class InterfaceTable {
  readonly #interfaces: ReadonlyMap<string, SimInterface>;

  constructor(names: readonly string[]) {
    this.#interfaces = new Map(
      names.map((name, index) => [name, { name, handle: index + 1, physical: 'up', reported: 'up' }]),
    );
  }

  /** By name, as the getter pages through them. */
  list(): readonly SimInterface[] {
    return [...this.#interfaces.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  has(name: string): boolean {
    return this.#interfaces.has(name);
  }

  /** For the control methods, where an unknown name is the caller's mistake. */
  get(name: string): SimInterface {
    const found = this.#interfaces.get(name);
    if (found === undefined) throw new Error(`no interface ${name}`);
    return found;
  }

  find(wanted: WireInterface): SimInterface | undefined {
    if (wanted.Name !== undefined) return this.#interfaces.get(wanted.Name);
    return this.list().find((candidate) => candidate.handle === wanted.Handle);
  }

  reset(): void {
    for (const each of this.#interfaces.values()) {
      each.physical = 'up';
      each.reported = 'up';
    }
  }
}
