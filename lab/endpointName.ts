/**
 * A name for the EC2 endpoint that one daemon can resolve, without root and without the machine's DNS: see
 * endpointNamePreload.cjs for what the process sees. The daemon asks again every fifth of a second.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const preloadPath = join(__dirname, 'endpointNamePreload.cjs');

export class EndpointName {
  readonly name: string;
  readonly #file: string;

  /** The directory is the caller's to remove. `name`: one that the endpoint's certificate has, where it has one. */
  constructor(directory: string, addresses: readonly string[], name = 'ec2.lab.internal') {
    this.name = name;
    this.#file = join(directory, 'endpoint-addresses');
    this.resolvesTo(addresses);
  }

  /** For the environment of the processes that are to know the name. */
  get env(): Readonly<Record<string, string>> {
    const others = process.env['NODE_OPTIONS'] ?? '';
    return {
      NODE_OPTIONS: `${others} --require=${preloadPath}`.trim(),
      LAB_ENDPOINT_NAME: this.name,
      LAB_ENDPOINT_FILE: this.#file,
    };
  }

  /** In this order; with none, DNS does not know the name. */
  resolvesTo(addresses: readonly string[]): void {
    // Renamed, since it may be read at any moment.
    writeFileSync(`${this.#file}.new`, JSON.stringify(addresses));
    renameSync(`${this.#file}.new`, this.#file);
  }
}
