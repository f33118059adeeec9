// SPDX-License-Identifier: MIT
// Random choices that a seed repeats.

/** One sequence of choices. */
export function chanceOf(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count) => Math.floor(next() * count);
  const percent = (odds) => below(100) < odds;
  const oneOf = (list) => list[below(list.length)];
  return {
    below,
    percent,
    oneOf,
    /** What is made by one of these functions. */
    made: (...makers) => oneOf(makers)(),
    /** `count` different ones, or all there are. */
    some(list, count) {
      const rest = [...list];
      const chosen = [];
      while (chosen.length < count && rest.length > 0) chosen.push(...rest.splice(below(rest.length), 1));
      return chosen;
    },
  };
}
