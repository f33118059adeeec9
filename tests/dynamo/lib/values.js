// SPDX-License-Identifier: MIT
// Attribute values, as short as they can be written.

const bytes = (value) => (typeof value === "string" ? new TextEncoder().encode(value) : new Uint8Array(value));

export const S = (text) => ({ S: text });
export const N = (number) => ({ N: String(number) });
export const B = (value) => ({ B: bytes(value) });
export const BOOL = (value) => ({ BOOL: value });
export const NULL = { NULL: true };
export const L = (...values) => ({ L: values });
export const M = (members) => ({ M: members });
export const SS = (...texts) => ({ SS: texts });
export const NS = (...numbers) => ({ NS: numbers.map(String) });
export const BS = (...values) => ({ BS: values.map(bytes) });

/** A value so deep that it has this many levels. */
export function nested(levels, innermost = S("x")) {
  let value = innermost;
  for (let i = 1; i < levels; i++) value = L(value);
  return value;
}
