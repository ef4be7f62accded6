/** Words of the reports about a configuration: values, places and suggestions, safe to print in a terminal. */

export type Path = readonly PropertyKey[];

/** A value of the document as a sentence shows it: one line, short, nothing that steers a terminal. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return printable(JSON.stringify(clipped(value, 60)));
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/** `config.bfd_sessions[0].neigh_ip`; a key that needs quotes gets them. */
export function place(path: Path): string {
  if (path.length === 0) return 'the document';
  return path
    .map((step, i) => {
      if (typeof step === 'number') return `[${step}]`;
      const key = String(step);
      if (!/^[A-Za-z0-9_$-]+$/.test(key)) return `[${shown(key)}]`;
      return i === 0 ? key : `.${key}`;
    })
    .join('');
}

/** `"a"`, `"a" and "b"`, `"a", "b" and "c"`. */
export function listed(words: readonly string[], joint: 'and' | 'or'): string {
  const quoted = words.map((word) => `"${word}"`);
  const last = quoted.pop() ?? '';
  return quoted.length === 0 ? last : `${quoted.join(', ')} ${joint} ${last}`;
}

/** The text with every character escaped that has no shape or that reorders what follows it. */
export function printable(text: string): string {
  return text.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

export function clipped(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}
