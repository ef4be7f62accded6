/**
 * A wall clock that can be stepped under a running process, without root and without touching the machine's:
 * see wallClockPreload.cjs for what the process sees.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const preloadPath = join(__dirname, 'wallClockPreload.cjs');

export class WallClock {
  readonly #file: string;

  /** Shows the machine's time until it is stepped. The directory is the caller's to remove. */
  constructor(directory: string) {
    this.#file = join(directory, 'wall-clock-offset');
    this.setOffset(0);
  }

  /** For the environment of the processes that are to have this clock. */
  get env(): Readonly<Record<string, string>> {
    const others = process.env['NODE_OPTIONS'] ?? '';
    return { NODE_OPTIONS: `${others} --require=${preloadPath}`.trim(), LAB_WALL_CLOCK_FILE: this.#file };
  }

  /** How far it is ahead of the machine's clock from now on; negative: behind it. */
  setOffset(ms: number): void {
    // Renamed, since the clock may be read at any moment.
    writeFileSync(`${this.#file}.new`, String(ms));
    renameSync(`${this.#file}.new`, this.#file);
  }
}
