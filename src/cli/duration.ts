/** Durations as operators write them: `90s`, `30m`, `2h`, `1h30m`, `7d`. */

const unitsMs = [86_400_000, 3_600_000, 60_000, 1_000] as const;

/** Milliseconds; null for what is no duration. Whether it is sensible is for the caller to say. */
export function parseDuration(text: string): number | null {
  const parts = /^(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?$/.exec(
    text.trim().toLowerCase(),
  );
  if (parts === null || parts[0] === '') return null;
  return unitsMs.reduce((sum, unitMs, i) => sum + Number(parts[i + 1] ?? 0) * unitMs, 0);
}
