/**
 * Reading what EC2 has answered, field by field. Nothing is taken on trust: a value that is missing, or not of its
 * form, makes the answer malformed as a whole.
 */

/** Thrown by these functions, and caught by whoever reads an answer; never leaves aws/. */
export class Malformed extends Error {}

export function field(of: unknown, key: string): unknown {
  if (typeof of !== 'object' || of === null) return undefined;
  return Object.getOwnPropertyDescriptor(of, key)?.value;
}

/** `name`: what the field belongs to, for the sentence. */
export function text(of: unknown, key: string, form: RegExp, name: string): string {
  const value = field(of, key);
  if (typeof value !== 'string' || !form.test(value)) throw new Malformed(`${name} has no valid ${key}`);
  return value;
}

/** Null where there is none; EC2 leaves out what does not apply. */
export function optionalText(of: unknown, key: string, form: RegExp, name: string): string | null {
  const value = field(of, key);
  return value === undefined || value === null || value === '' ? null : text(of, key, form, name);
}

export function index(of: unknown, key: string, name: string): number {
  const value = field(of, key);
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 255) {
    throw new Malformed(`${name} has no valid ${key}`);
  }
  return value;
}

export const NETWORK_INTERFACE_ID = /^eni-[0-9a-f]{8,17}$/;
export const INSTANCE_ID = /^i-[0-9a-f]{8,17}$/;
export const VPC_ID = /^vpc-[0-9a-f]{8,17}$/;
