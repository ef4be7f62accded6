/**
 * What the demo writes and how: colours and a live line in a terminal; without either the same words as plain
 * UTF-8 text. Nothing is wider than 80 columns.
 */
import { performance } from 'node:perf_hooks';

export const WIDTH = 80;

/** ESC [ codes: https://ecma-international.org/publications-and-standards/standards/ecma-48/ */
const CODES = {
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
} as const;
export type Style = keyof typeof CODES;
/** Puts a text into styles, or leaves it as it is. */
export type Paint = (text: string, ...styles: readonly Style[]) => string;

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 80;
const CLEAR_LINE = '\r\u001b[K';

export class Screen {
  readonly isLive: boolean;
  readonly paint: Paint;
  readonly #out: NodeJS.WriteStream;
  #timer: NodeJS.Timeout | null = null;

  /** NO_COLOR as in https://no-color.org. */
  constructor(out: NodeJS.WriteStream, env: NodeJS.ProcessEnv) {
    this.#out = out;
    this.isLive = out.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
    this.paint = this.isLive ? paintWithCodes : (text) => text;
  }

  line(text = ''): void {
    this.#clear();
    this.#out.write(`${text.trimEnd()}\n`);
  }

  lines(texts: readonly string[]): void {
    for (const text of texts) this.line(text);
  }

  chapter(title: string): void {
    const rule = '─'.repeat(Math.max(WIDTH - title.length - 6, 0));
    this.line();
    this.line(`${this.paint('──', 'dim')} ${this.paint(title, 'bold')} ${this.paint(rule, 'dim')}`);
    this.line();
  }

  /** Shows what is waited for, and for how long already, until the promise settles. */
  async during<T>(words: string, work: Promise<T>): Promise<T> {
    const startedAtMs = performance.now();
    const draw = () => {
      const elapsedMs = performance.now() - startedAtMs;
      const frame = SPINNER[Math.floor(elapsedMs / FRAME_MS) % SPINNER.length];
      const text = `  ${frame} ${words} … ${(elapsedMs / 1000).toFixed(1)} s`;
      // A line that wraps could not be taken back.
      this.#out.write(`${CLEAR_LINE}${this.paint(text.slice(0, this.#out.columns - 1), 'dim')}`);
    };
    if (this.isLive) {
      draw();
      this.#timer = setInterval(draw, FRAME_MS);
    }
    try {
      return await work;
    } finally {
      this.#clear();
    }
  }

  #clear(): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#out.write(CLEAR_LINE);
  }
}

function paintWithCodes(text: string, ...styles: readonly Style[]): string {
  const codes = styles.map((style) => CODES[style]).join(';');
  return codes === '' || text === '' ? text : `\u001b[${codes}m${text}\u001b[0m`;
}

/** Breaks a sentence at blanks so that no line is longer than `width`. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length > width && line !== '') {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}
