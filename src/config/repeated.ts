/** The entries that equal an earlier one, each with the first of its kind. */
export function repeated(
  values: readonly (string | undefined)[],
): readonly { readonly index: number; readonly first: number }[] {
  return values.flatMap((value, index) => {
    const first = value === undefined ? index : values.indexOf(value);
    return first === index ? [] : [{ index, first }];
  });
}
