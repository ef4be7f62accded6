/**
 * A storm, folded: the first few notifications of a kind within a minute go out as they come; of the others only the
 * last one does, when the minute is over, and says how many were left out. What is left out stands in the history.
 */
import { kindOf, type Notification } from './notification';
import type { Timer } from './timer';

const WINDOW_MS = 60_000;
const AT_ONCE = 5;

type Window = { passed: number; held: Notification | null; leftOut: number; readonly cancel: () => void };

export class Folding {
  readonly #timer: Timer;
  readonly #pass: (notification: Notification) => void;
  readonly #windows = new Map<string, Window>();

  constructor(timer: Timer, pass: (notification: Notification) => void) {
    this.#timer = timer;
    this.#pass = pass;
  }

  put(notification: Notification): void {
    const kind = kindOf(notification);
    const window = this.#windows.get(kind) ?? this.#open(kind);
    if (window.passed < AT_ONCE) {
      window.passed += 1;
      return this.#pass(notification);
    }
    if (window.held !== null) window.leftOut += 1;
    window.held = notification;
  }

  /** What is held back goes out. */
  flush(): void {
    for (const [kind, window] of this.#windows) {
      window.cancel();
      this.#end(kind, window);
    }
  }

  #open(kind: string): Window {
    const cancel = this.#timer.after(WINDOW_MS, () => this.#end(kind, window));
    const window: Window = { passed: 0, held: null, leftOut: 0, cancel };
    this.#windows.set(kind, window);
    return window;
  }

  #end(kind: string, { held, leftOut }: Window): void {
    this.#windows.delete(kind);
    if (held === null) return;
    // While it goes on, one a minute is enough.
    const next = this.#open(kind);
    next.passed = AT_ONCE;
    this.#pass({ ...held, folded: leftOut });
  }
}
