/** How long to wait before something that goes on failing is tried again: the one formula of the core and of all adapters. */

/** In ms: the first pause, which doubles with each failure, and the longest one. */
export type PauseRange = { readonly firstMs: number; readonly lastMs: number };

/** `failures`: before this one. `random`: in [0, 1). From half to all of the pause, so that two routers never keep in step. */
export function pauseMs({ firstMs, lastMs }: PauseRange, failures: number, random: number): number {
  return Math.min(firstMs * 2 ** Math.min(failures, 30), lastMs) * (0.5 + random / 2);
}
