/** A section of docs/benchmarks.md that one part of the bench writes and the others keep, between two comments. */
import { readFileSync } from 'node:fs';

export type Part = {
  /** `npm run bench -- NAME` writes it. */
  readonly name: string;
  /** The file to change in its stead. */
  readonly source: string;
};

const beginOf = ({ name, source }: Part): string =>
  `<!-- Written by \`npm run bench -- ${name}\`: change ${source}, not this section. -->`;
const endOf = ({ name }: Part): string => `<!-- End of what \`npm run bench -- ${name}\` has written. -->`;

/** Heading and text between its comments. */
export const framed = (part: Part, section: readonly string[]): readonly string[] => [
  beginOf(part),
  '',
  ...section,
  '',
  endOf(part),
];

/** The section that a page holds; a word in its place where it holds none. */
export function partOf(page: string, part: Part): readonly string[] {
  const from = page.indexOf(beginOf(part));
  const to = page.indexOf(endOf(part));
  if (from === -1 || to === -1) return framed(part, [`Not measured yet: \`npm run bench -- ${part.name}\`.`]);
  return page.slice(from, to + endOf(part).length).split('\n');
}

export function withPart(page: string, part: Part, section: readonly string[]): string {
  const before = partOf(page, part).join('\n');
  return page.includes(before)
    ? page.replace(before, () => section.join('\n'))
    : `${page}\n${section.join('\n')}\n`;
}

export function readPage(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
