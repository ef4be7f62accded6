/** Tables and sections of a page in Markdown. */

export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/**
 * The page with this section, which begins with its heading, in the place of the one of the same heading; at the end
 * where there is none. All else stays as it is: what a part of the bench has not measured is that of the run before.
 */
export function withSection(page: string, section: readonly string[]): string {
  const sections = page.trimEnd().split(/\n\n(?=## )/);
  const [heading = ''] = section;
  const text = section.join('\n');
  const isSame = (each: string) => each.split('\n')[0] === heading;
  const kept = sections.some(isSame)
    ? sections.map((each) => (isSame(each) ? text : each))
    : [...sections, text];
  return `${kept.join('\n\n')}\n`;
}
