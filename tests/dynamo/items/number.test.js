// SPDX-License-Identifier: MIT
// Numbers: how they are written, compared and added, wherever they stand.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { useThings } from "../lib/suite.js";
import { L, M, N, NS, S } from "../lib/values.js";

const zeros = (n) => "0".repeat(n);
const LARGEST = `${"9".repeat(38)}${zeros(88)}`;

describe("a number", () => {
  const db = useThings();

  for (const [given, kept] of [
    ["000.000", "0"], ["-0.00", "0"], ["0e99", "0"], ["-00012.3400", "-12.34"], ["1.", "1"], ["+.5", "0.5"], ["-.5e1", "-5"],
    ["100", "100"], ["1E+2", "100"], ["12e-1", "1.2"], ["0.000e10", "0"], ["123456789.987654321", "123456789.987654321"],
    ["1e-130", `0.${zeros(129)}1`], ["-1e-130", `-0.${zeros(129)}1`], [LARGEST, LARGEST], [`-${LARGEST}`, `-${LARGEST}`],
    ["0.1e126", `1${zeros(125)}`], ["10e-131", `0.${zeros(129)}1`],
    [`1${zeros(37)}.0`, `1${zeros(37)}`], [`0.${"123456789".repeat(4)}12`, `0.${"123456789".repeat(4)}12`],
    ["0.0e126", "0"], [`${zeros(100)}7`, "7"], [`7.${zeros(100)}`, "7"],
  ])
    it(`${given.length > 30 ? `${given.slice(0, 12)}...` : given} is written plainly: in the item, in a list, in a map and in a set`, async () => {
      await db.put("n", { v: N(given), l: L(N(given)), m: M({ x: N(given) }), s: NS(given) });
      assert.deepEqual(await db.get("n"), { v: N(kept), l: L(N(kept)), m: M({ x: N(kept) }), s: NS(kept) });
    });

  for (const given of ["1e", "e1", ".", "-", "+", "--1", "1.2.3", "1,5", "0x1", "Infinity", "-Infinity", "nan", " 1", "1 ", "1_000", "１", "1e1.5", "1e+", "true", "null"])
    it(`"${given}" is none`, () =>
      db.invalid("PutItem", { TableName: "Things", Item: { p: S("n"), v: N(given) } }, `The parameter cannot be converted to a numeric value: ${given}`));

  for (const [what, value] of [["in a list", L(N("x"))], ["in a map", M({ a: N("x") })], ["in a set", NS("x")], ["deep down", L(M({ a: L(NS("x")) }))]])
    it(`is one ${what} too`, () => db.invalid("PutItem", { TableName: "Things", Item: { p: S("n"), v: value } }, "The parameter cannot be converted to a numeric value: x"));

  for (const [given, sentence] of [
    ["1e126", /^Number overflow/], ["-1e126", /^Number overflow/], ["10e125", /^Number overflow/], ["1e999999999999", /^Number overflow/],
    ["9.99999999999999999999999999999999999999e125", /^Attempting to store more than 38 significant digits in a Number$|^Number overflow/],
    ["1e-131", /^Number underflow/], ["-1e-131", /^Number underflow/], ["0.1e-130", /^Number underflow/], ["1e-999999999999", /^Number underflow/],
    [`1${zeros(37)}1`, /^Attempting to store more than 38 significant digits in a Number$/],
    [`0.${"1".repeat(39)}`, /^Attempting to store more than 38 significant digits in a Number$/],
  ])
    it(`${given.length > 30 ? `${given.slice(0, 12)}...` : given} is refused`, () => db.invalid("PutItem", { TableName: "Things", Item: { p: S("n"), v: N(given) } }, sentence));

  for (const [a, sign, b, sum] of [
    ["0.1", "+", "0.2", "0.3"], ["1", "-", "1", "0"], ["-5", "+", "3", "-2"], ["1e20", "+", "1", "100000000000000000001"],
    ["1", "-", "1e-37", `0.${"9".repeat(37)}`], ["99999999999999999999999999999999999999", "+", "1", `1${zeros(38)}`],
    ["1e125", "-", "1e125", "0"], ["0", "-", "0.5", "-0.5"], ["123.456", "+", "876.544", "1000"], ["1e-130", "+", "1e-130", `0.${zeros(129)}2`],
    ["9007199254740993", "+", "9007199254740993", "18014398509481986"], ["-1.5", "-", "-1.5", "0"],
  ])
    it(`${a} ${sign} ${b} is exact`, async () => {
      await db.put("sum", { a: N(a), b: N(b) });
      const { Attributes } = await db.update("sum", `SET c = a ${sign} b`, undefined, { ReturnValues: "UPDATED_NEW" });
      assert.deepEqual(Attributes, { c: N(sum) });
      if (sign === "+") assert.deepEqual((await db.update("sum", "ADD a :b", { ":b": N(b) }, { ReturnValues: "UPDATED_NEW" })).Attributes, { a: N(sum) });
    });

  it("twice in a set is refused, however it is written", () =>
    db.invalid("PutItem", { TableName: "Things", Item: { p: S("n"), v: NS("1000", "1e3") } }, "Input collection contains duplicates"));
  it("sorts by its value", async () => {
    await db.makeTable("Sorted", "N");
    const order = ["-1E125", "-10", "-9.5", "-1", "-0.1", "-1e-130", "0", "1e-130", "0.09", "0.1", "1", "1.5", "2", "10", "99", "100", "1e38", "1E125"];
    for (const s of [...order].reverse()) await db.ask("PutItem", { TableName: "Sorted", Item: { p: S("a"), s: N(s), given: S(s) } });
    const { Items } = await db.ask("Query", { TableName: "Sorted", KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": S("a") } });
    assert.deepEqual(Items.map((one) => one.given.S), order);
  });

  describe("counts in an item's size as DynamoDB counts it:", () => {
    // An item is 409600 bytes at most; what else is in it fills it up to the last byte.
    for (const [number, bytes] of [
      ["0", 1], ["1", 2], ["12", 2], ["123", 3], ["100", 2], ["1010", 3], ["1.5", 3], ["3.14159", 5], ["100.5", 4], ["0.15", 2], ["-42", 3], ["1E125", 2],
      ["12345678901234567890123456789012345678", 20],
    ])
      it(`${number} has ${bytes}`, async () => {
        const Item = (fill) => ({ p: S("s"), n: N(number), f: S("x".repeat(fill)) });
        const rest = 409600 - (1 + 1) - (1 + bytes) - 1;
        await db.ask("PutItem", { TableName: "Things", Item: Item(rest) });
        await db.invalid("PutItem", { TableName: "Things", Item: Item(rest + 1) }, "Item size has exceeded the maximum allowed size");
      });
  });
});
