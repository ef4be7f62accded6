/** What the properties compare states with, and what keeps the core from changing its arguments. */

/** Quicker than Jest's, and stricter: it tells undefined, NaN, Infinity and -0 from what JSON can hold. */
export function equals(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const entries = Object.entries(one);
  if (entries.length !== Object.keys(other).length) return false;
  return entries.every(
    ([key, value]) => key in other && equals(value, (other as Record<string, unknown>)[key]),
  );
}

export function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
