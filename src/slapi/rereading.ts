/**
 * Reading the levels again while an attachment stands: one reading at a time, and who asks during one is served
 * by another that follows it, as the first may be older than the question. Must not know what is read.
 */
export class Rereading<Answer> {
  readonly #read: () => Promise<void>;
  readonly #answer: () => Answer;
  #open = false;
  #asked = false;
  #running = false;
  #waiting: ((answer: Answer) => void)[] = [];

  /** `read` must not reject; `answer` says what is known when a reading has ended, be it well or not. */
  constructor(read: () => Promise<void>, answer: () => Answer) {
    this.#read = read;
    this.#answer = answer;
  }

  /** Somebody waits for an answer, which will hold whatever is read until then. */
  get isAwaited(): boolean {
    return this.#waiting.length > 0;
  }

  /** Until this is called requests are kept. */
  open(): void {
    this.#open = true;
    void this.#run();
  }

  /** The levels are in doubt, and nobody waits for them. */
  request(): void {
    this.#asked = true;
    void this.#run();
  }

  /** What is known after a reading that began after this call. Never rejects. */
  ask(): Promise<Answer> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.request();
    });
  }

  async #run(): Promise<void> {
    if (this.#running || !this.#open) return;
    this.#running = true;
    while (this.#asked) {
      this.#asked = false;
      const asking = this.#waiting.length;
      await this.#read();
      // Within one step of the event loop: nothing can be told between the answer and its being taken away.
      for (const answerTo of this.#waiting.splice(0, asking)) answerTo(this.#answer());
    }
    this.#running = false;
  }
}
