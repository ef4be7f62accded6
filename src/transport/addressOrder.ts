/**
 * Which address of an endpoint is used first. An address may complete TCP, or TLS, and then say nothing, so
 * connecting proves nothing: one that has left a request without an answer goes behind all others, until it has
 * answered again. Where every address is in doubt, the one whose turn was longest ago comes first.
 */
export class AddressOrder {
  /** When each doubtful one last left a request without an answer. */
  readonly #doubtedAt = new Map<string, number>();
  readonly #answeredAt = new Map<string, number>();

  /** `avoid`: those that a request of the same content is waiting on: they come last. */
  sorted<Item extends { readonly address: string }>(
    items: readonly Item[],
    avoid: ReadonlySet<string> = new Set(),
  ): readonly Item[] {
    const turnOf = (address: string) => this.#doubtedAt.get(address) ?? -Infinity;
    return [...items].sort(
      ({ address: a }, { address: b }) =>
        Number(avoid.has(a)) - Number(avoid.has(b)) || (turnOf(a) === turnOf(b) ? 0 : turnOf(a) - turnOf(b)),
    );
  }

  isDoubtful(address: string): boolean {
    return this.#doubtedAt.has(address);
  }

  /** Returns whether this is news. */
  answered(address: string, at: number): boolean {
    this.#answeredAt.set(address, at);
    return this.#doubtedAt.delete(address);
  }

  /**
   * A request that was sent then has had no answer until now. It says nothing of an address that has answered
   * another one since: then it is the action that is slow. Returns whether this is news.
   */
  unanswered(address: string, sentAt: number, at: number): boolean {
    if ((this.#answeredAt.get(address) ?? -Infinity) >= sentAt) return false;
    const isNews = !this.#doubtedAt.has(address);
    this.#doubtedAt.set(address, at);
    return isNews;
  }
}
