/** Sentences about two files: the place in each, and what each says there. */
import type { Config } from './schema';
import { place, printable, shown, type Path } from './words';

/** `name` is how the sentences call the file. Both are configurations that were accepted. */
export type Side = { readonly name: string; readonly config: Config };

/** `rtr1.json config.keepalive_s` */
export function at({ name }: Side, path: Path): string {
  return `${printable(name)} ${place(path)}`;
}

/** At most one sentence; a key that is not written has its default. */
export function unlike(
  one: Side,
  path: Path,
  value: unknown,
  other: Side,
  otherPath: Path,
  otherValue: unknown,
): readonly string[] {
  if (value === otherValue) return [];
  const word = (each: unknown) => (each === undefined ? 'not set' : shown(each));
  return [
    `${at(one, path)} is ${word(value)} and ${at(other, otherPath)} is ${word(otherValue)}: write the same in both`,
  ];
}
