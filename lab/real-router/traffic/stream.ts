/**
 * What became of a numbered stream and its answers, packet by packet: silences, losses on either way, what came twice
 * or in another order. Plain bookkeeping; times are monotonic milliseconds.
 */

export type Silence = {
  /** The last answer before, and the first one after. */
  readonly fromMs: number;
  readonly untilMs: number;
};

export type StreamReport = {
  readonly sent: number;
  readonly answered: number;
  /** Requests that the server never got, and answers that the user never got. */
  readonly lostOnTheWayThere: number;
  readonly lostOnTheWayBack: number;
  readonly duplicates: number;
  readonly reordered: number;
  /** Between two answers. */
  readonly longestSilenceMs: number;
  /** The long ones, oldest first. One that lasts still ends at the time of the report. */
  readonly silences: readonly Silence[];
};

/** A shorter one is the machine's own unrest. */
export const SILENCE_MIN_MS = 25;
const SILENCES_KEPT = 1000;

export class StreamRecord {
  #sent = 0;
  #lastSequence = 0;
  #lastAnswerNumber: number | null = null;
  #answersNumbered = 0;
  #lastAtMs: number | null = null;
  #duplicates = 0;
  #reordered = 0;
  #answered = new Set<number>();
  #silences: Silence[] = [];
  #longestSilenceMs = 0;
  #first = 0;

  /** From here on: packets sent before count no more, but a silence that lasts goes on. */
  begin(nextSequence: number): void {
    this.#first = nextSequence;
    this.#sent = 0;
    this.#answersNumbered = 0;
    this.#duplicates = 0;
    this.#reordered = 0;
    this.#answered = new Set();
    this.#silences = [];
    this.#longestSilenceMs = 0;
  }

  sent(): void {
    this.#sent += 1;
  }

  answer(sequence: number, answerNumber: number, atMs: number): void {
    if (this.#lastAtMs !== null) this.#note({ fromMs: this.#lastAtMs, untilMs: atMs });
    this.#lastAtMs = atMs;
    const before = this.#lastAnswerNumber ?? answerNumber - 1;
    this.#answersNumbered += Math.max(0, answerNumber - before);
    this.#lastAnswerNumber = Math.max(answerNumber, before);
    if (sequence < this.#first) {
      this.#answersNumbered -= 1;
      return;
    }
    if (this.#answered.has(sequence)) this.#duplicates += 1;
    else if (sequence < this.#lastSequence) this.#reordered += 1;
    this.#answered.add(sequence);
    this.#lastSequence = Math.max(sequence, this.#lastSequence);
  }

  report(atMs: number): StreamReport {
    const silence = { fromMs: this.#lastAtMs ?? atMs, untilMs: atMs };
    const lasting = silence.untilMs - silence.fromMs >= SILENCE_MIN_MS ? [silence] : [];
    const lost = Math.max(0, this.#sent - this.#answered.size);
    const lostOnTheWayBack = Math.min(
      lost,
      Math.max(0, this.#answersNumbered - this.#answered.size - this.#duplicates),
    );
    return {
      sent: this.#sent,
      answered: this.#answered.size,
      lostOnTheWayThere: lost - lostOnTheWayBack,
      lostOnTheWayBack,
      duplicates: this.#duplicates,
      reordered: this.#reordered,
      longestSilenceMs: Math.max(this.#longestSilenceMs, silence.untilMs - silence.fromMs),
      silences: [...this.#silences, ...lasting],
    };
  }

  #note(silence: Silence): void {
    this.#longestSilenceMs = Math.max(this.#longestSilenceMs, silence.untilMs - silence.fromMs);
    if (silence.untilMs - silence.fromMs < SILENCE_MIN_MS) return;
    this.#silences.push(silence);
    if (this.#silences.length > SILENCES_KEPT) this.#silences.shift();
  }
}
