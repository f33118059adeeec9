// SPDX-License-Identifier: MIT
// Random values, keys and items of a few tables, in the form that requests have.
import { ALL, attribute, HASH, index, KEYS_ONLY, RANGE } from "../lib/suite.js";

const binary = (text) => ({ B: Buffer.from(text, "latin1").toString("base64") });
const strings = ["a", "ab", "abc", "b", "é", "it's", "\"", "zz"];
const numbers = ["-2", "-1.5", "0", "1", "2", "2.50", "3", "1e1", "100"];
const bytes = ["\0", "a", "ab", "\xff"];

/** Tables by key types, with indexes of both kinds and all projections. */
export const TABLES = {
  Pairs: {
    keys: ["p", "s"],
    indexes: { ByG: { keys: ["g", "n"], global: true }, ByT: { keys: ["p", "t"] }, ByN: { keys: ["p", "n"] } },
    input: {
      AttributeDefinitions: [attribute("p"), attribute("s", "N"), attribute("g"), attribute("n", "N"), attribute("t")],
      KeySchema: [HASH("p"), RANGE("s")],
      GlobalSecondaryIndexes: [index("ByG", "g", "n", ALL)],
      LocalSecondaryIndexes: [index("ByT", "p", "t", KEYS_ONLY), index("ByN", "p", "n", { ProjectionType: "INCLUDE", NonKeyAttributes: ["m", "ss"] })],
    },
    values: { p: (c) => ({ S: c.oneOf(["a", "b"]) }), s: (c) => ({ N: c.oneOf(["1", "2.0", "-3"]) }) },
  },
  Singles: {
    keys: ["p"],
    indexes: { ByN: { keys: ["n"], global: true, holds: [] } },
    input: {
      AttributeDefinitions: [attribute("p", "B"), attribute("n", "N")],
      KeySchema: [HASH("p")],
      GlobalSecondaryIndexes: [index("ByN", "n", undefined, KEYS_ONLY)],
    },
    values: { p: (c) => binary(c.oneOf(["\0", "a", "b", "\xfe\xff"])) },
  },
  Words: {
    keys: ["p", "s"],
    indexes: { ByB: { keys: ["g", "b"], global: true, holds: ["n", "l"] } },
    input: {
      AttributeDefinitions: [attribute("p", "N"), attribute("s"), attribute("g"), attribute("b", "B")],
      KeySchema: [HASH("p"), RANGE("s")],
      GlobalSecondaryIndexes: [index("ByB", "g", "b", { ProjectionType: "INCLUDE", NonKeyAttributes: ["n", "l"] })],
    },
    values: { p: (c) => ({ N: c.oneOf(["1", "1.0", "-1e-3"]) }), s: (c) => ({ S: c.oneOf(["a", "ab", "b"]) }) },
  },
};

const INDEXED = {
  g: (c) => ({ S: c.oneOf(["x", "y"]) }),
  n: (c) => ({ N: c.oneOf(numbers) }),
  t: (c) => ({ S: c.oneOf(strings) }),
  b: (c) => binary(c.oneOf(bytes)),
};

/** Attributes that are no table's key. */
export const ATTRIBUTES = ["g", "n", "t", "b", "ss", "ns", "bs", "l", "m", "v", "a.b", "odd name"];

/** What a read may well speak of: all, or what a global index holds, and now and then what it does not. */
export function namesIn(c, table, index) {
  const all = [...TABLES[table].keys, ...ATTRIBUTES, "unset"];
  const { keys, holds } = TABLES[table].indexes[index] ?? {};
  return holds && c.percent(95) ? all.filter((name) => [...TABLES[table].keys, ...keys, ...holds].includes(name)) : all;
}

/** Key attributes of the table, or of its index. */
export const keysIn = (table, index) => TABLES[table].indexes[index]?.keys ?? TABLES[table].keys;

/** Which index is read: often none, seldom one that is not there. */
export const indexOf = (c, table) => (c.percent(40) ? c.oneOf(Object.keys(TABLES[table].indexes)) : c.percent(2) ? "Nowhere" : undefined);

/** A global index is read strongly only by mistake. */
export const consistently = (c, table, index) => c.percent(TABLES[table].indexes[index]?.global ? 3 : 25);

export function scalar(c) {
  return c.made(
    () => ({ S: c.oneOf(["", ...strings]) }),
    () => ({ N: c.oneOf(numbers) }),
    () => ({ N: c.oneOf(numbers) }),
    () => binary(c.oneOf(["", ...bytes])),
    () => ({ BOOL: c.percent(50) }),
    () => ({ NULL: true }),
  );
}

export const stringSet = (c) => ({ SS: c.some(strings, 1 + c.below(3)) });
export const numberSet = (c) => ({ NS: c.some(["-1", "0", "1", "2.0", "3"], 1 + c.below(3)) });
export const binarySet = (c) => ({ BS: c.some(bytes, 1 + c.below(3)).map((text) => binary(text).B) });
export const anySet = (c) => c.oneOf([stringSet, numberSet, binarySet])(c);
export const list = (c, depth = 1) => ({ L: Array.from({ length: c.below(4) }, () => any(c, depth - 1)) });
export const map = (c, depth = 1) => ({ M: Object.fromEntries(c.some(["x", "y", "a.b"], c.below(4)).map((name) => [name, any(c, depth - 1)])) });

/** Of any type, at most `depth` lists and maps deep. */
export function any(c, depth = 1) {
  if (depth <= 0 || c.percent(60)) return c.percent(80) ? scalar(c) : anySet(c);
  return c.oneOf([list, map])(c, depth);
}

const USUAL = { ss: stringSet, ns: numberSet, bs: binarySet, l: (c) => list(c, 2), m: (c) => map(c, 2) };

/** As the attribute usually is: keys of tables and indexes always, others mostly. */
export function like(c, table, name) {
  const make = TABLES[table].values[name] ?? INDEXED[name] ?? (c.percent(80) ? USUAL[name] : undefined);
  return make ? make(c) : any(c);
}

export const keyOf = (c, table) => Object.fromEntries(TABLES[table].keys.map((name) => [name, like(c, table, name)]));

export function itemOf(c, table) {
  const chosen = c.some(ATTRIBUTES, c.below(2) * 6 + c.below(7));
  return { ...keyOf(c, table), ...Object.fromEntries(chosen.map((name) => [name, like(c, table, name)])) };
}

/** What no request may have. */
export function impossible(c) {
  return c.oneOf([{ N: "x" }, { N: "1e126" }, { SS: [] }, { SS: ["a", "a"] }, { NS: ["1", "1.0"] }, { NULL: false }, {}]);
}

/** Not the table's key, in one way or another. */
export function wrongKey(c, table) {
  const key = keyOf(c, table);
  const name = c.oneOf(TABLES[table].keys);
  c.made(
    () => (key[name] = { BOOL: true }),
    () => (key[name] = key[name].S !== undefined ? { N: "1" } : { S: "a" }),
    () => (key[name] = key[name].B !== undefined ? { B: "" } : { S: "" }),
  );
  return key;
}
