// SPDX-License-Identifier: MIT
// What an update makes of an item, clause by clause.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { useThings } from "../lib/suite.js";
import { B, BS, L, M, N, NS, S, SS } from "../lib/values.js";

const LIST = L(N(0), N(1), N(2));

describe("UpdateItem", () => {
  const db = useThings();
  let serial = 0;

  describe("makes of an item", () => {
    for (const [what, before, expression, values, after] of [
      ["SET puts a value in the place of any other", { a: S("x") }, "SET a = :v", { ":v": L() }, { a: L() }],
      ["SET adds an attribute", { a: S("x") }, "SET b = :v", { ":v": N(1) }, { a: S("x"), b: N(1) }],
      ["SET writes into a map", { m: M({ x: N(1) }) }, "SET m.y = :v", { ":v": N(2) }, { m: M({ x: N(1), y: N(2) }) }],
      ["SET writes deep down", { m: M({ x: L(M({ y: N(1) })) }) }, "SET m.x[0].y = :v", { ":v": N(2) }, { m: M({ x: L(M({ y: N(2) })) }) }],
      ["SET replaces an element", { l: LIST }, "SET l[1] = :v", { ":v": S("x") }, { l: L(N(0), S("x"), N(2)) }],
      ["SET appends past the end", { l: LIST }, "SET l[3] = :v", { ":v": S("x") }, { l: L(N(0), N(1), N(2), S("x")) }],
      ["SET appends far past the end", { l: LIST }, "SET l[900] = :v", { ":v": S("x") }, { l: L(N(0), N(1), N(2), S("x")) }],
      ["SET appends in the order of the numbers", { l: LIST }, "SET l[9] = :b, l[5] = :a", { ":a": S("a"), ":b": S("b") }, { l: L(N(0), N(1), N(2), S("a"), S("b")) }],
      ["SET adds numbers", { n: N(5) }, "SET n = n + :v", { ":v": N("0.5") }, { n: N("5.5") }],
      ["SET subtracts numbers", { n: N(5) }, "SET n = n - :v", { ":v": N(7) }, { n: N(-2) }],
      ["SET subtracts from a constant", { n: N(5) }, "SET m = :v - n", { ":v": N(7) }, { n: N(5), m: N(2) }],
      ["SET adds two constants", {}, "SET n = :v + :w", { ":v": N("0.1"), ":w": N("0.2") }, { n: N("0.3") }],
      ["SET in parentheses", { n: N(5) }, "SET n = (n + :v)", { ":v": N(1) }, { n: N(6) }],
      ["SET copies an attribute", { a: M({ x: SS("s") }) }, "SET b = a.x", undefined, { a: M({ x: SS("s") }), b: SS("s") }],
      ["SET reads what was there before", { a: N(1) }, "SET a = :v, b = a", { ":v": N(2) }, { a: N(2), b: N(1) }],
      ["SET reads what REMOVE takes away", { a: N(1) }, "REMOVE a SET b = a", undefined, { b: N(1) }],
      ["if_not_exists takes what is there", { a: N(1) }, "SET a = if_not_exists(a, :v)", { ":v": N(2) }, { a: N(1) }],
      ["if_not_exists takes the other when nothing is", {}, "SET a = if_not_exists(a, :v)", { ":v": N(2) }, { a: N(2) }],
      ["if_not_exists looks elsewhere", { b: N(3) }, "SET a = if_not_exists(b, :v)", { ":v": N(2) }, { a: N(3), b: N(3) }],
      ["if_not_exists counts", {}, "SET c = if_not_exists(c, :z) + :v", { ":v": N(2), ":z": N(40) }, { c: N(42) }],
      ["if_not_exists in itself", { b: N(3) }, "SET a = if_not_exists(a, if_not_exists(b, :v))", { ":v": N(2) }, { a: N(3), b: N(3) }],
      ["list_append behind", { l: L(N(1)) }, "SET l = list_append(l, :v)", { ":v": L(N(2), N(3)) }, { l: L(N(1), N(2), N(3)) }],
      ["list_append before", { l: L(N(1)) }, "SET l = list_append(:v, l)", { ":v": L(N(0)) }, { l: L(N(0), N(1)) }],
      ["list_append of a list to itself", { l: L(N(1)) }, "SET l = list_append(l, l)", undefined, { l: L(N(1), N(1)) }],
      ["list_append of what is not there", {}, "SET l = list_append(if_not_exists(l, :e), :v)", { ":e": L(), ":v": L(N(1)) }, { l: L(N(1)) }],
      ["REMOVE takes away an attribute", { a: N(1), b: N(2) }, "REMOVE a", undefined, { b: N(2) }],
      ["REMOVE of nothing does nothing", { a: N(1) }, "REMOVE b, c", undefined, { a: N(1) }],
      ["REMOVE takes a member of a map", { m: M({ x: N(1), y: N(2) }) }, "REMOVE m.x", undefined, { m: M({ y: N(2) }) }],
      ["REMOVE leaves an empty map", { m: M({ x: N(1) }) }, "REMOVE m.x", undefined, { m: M({}) }],
      ["REMOVE of a missing member does nothing", { m: M({ x: N(1) }) }, "REMOVE m.y", undefined, { m: M({ x: N(1) }) }],
      ["REMOVE takes an element, the others move up", { l: LIST }, "REMOVE l[0]", undefined, { l: L(N(1), N(2)) }],
      ["REMOVE takes several elements by their old numbers", { l: LIST }, "REMOVE l[0], l[2]", undefined, { l: L(N(1)) }],
      ["REMOVE past the end does nothing", { l: LIST }, "REMOVE l[7]", undefined, { l: LIST }],
      ["REMOVE and SET of one list use old numbers", { l: LIST }, "REMOVE l[0] SET l[1] = :v", { ":v": S("x") }, { l: L(S("x"), N(2)) }],
      ["ADD makes a number", {}, "ADD n :v", { ":v": N(3) }, { n: N(3) }],
      ["ADD adds to a number", { n: N(3) }, "ADD n :v", { ":v": N(-4) }, { n: N(-1) }],
      ["ADD adds deep down", { m: M({ n: N(3) }) }, "ADD m.n :v", { ":v": N(1) }, { m: M({ n: N(4) }) }],
      ["ADD makes a set", {}, "ADD s :v", { ":v": SS("a") }, { s: SS("a") }],
      ["ADD joins string sets", { s: SS("a", "b") }, "ADD s :v", { ":v": SS("b", "c") }, { s: SS("a", "b", "c") }],
      ["ADD joins number sets by value", { s: NS(1, 2) }, "ADD s :v", { ":v": NS("2.0", 3) }, { s: NS(1, 2, 3) }],
      ["ADD joins binary sets", { s: BS([1]) }, "ADD s :v", { ":v": BS([2]) }, { s: BS([1], [2]) }],
      ["DELETE takes from a set", { s: SS("a", "b", "c") }, "DELETE s :v", { ":v": SS("b", "z") }, { s: SS("a", "c") }],
      ["DELETE takes numbers by value", { s: NS(1, 2) }, "DELETE s :v", { ":v": NS("1.00") }, { s: NS(2) }],
      ["DELETE of all takes the attribute", { s: SS("a") }, "DELETE s :v", { ":v": SS("a") }, {}],
      ["DELETE from nothing does nothing", { a: N(1) }, "DELETE s :v", { ":v": SS("a") }, { a: N(1) }],
      ["DELETE takes from a set in a map", { m: M({ s: SS("a", "b") }) }, "DELETE m.s :v", { ":v": SS("a") }, { m: M({ s: SS("b") }) }],
      ["all four clauses in any order", { d: SS("x", "y"), r: N(1), a: N(1) }, "DELETE d :d REMOVE r ADD a :n SET s = :n", { ":d": SS("x"), ":n": N(1) }, { d: SS("y"), a: N(2), s: N(1) }],
      ["keywords in any case", { n: N(1) }, "set a = n remove n", undefined, { a: N(1) }],
    ])
      it(what, async () => {
        const p = `v${serial++}`;
        await db.put(p, before);
        await db.update(p, expression, values);
        assert.deepEqual(await db.get(p), after);
      });
  });

  describe("cannot be done to an item:", () => {
    const PATH = "The document path provided in the update expression is invalid for update";
    const TYPE = "An operand in the update expression has an incorrect data type";
    const MISSING = "The provided expression refers to an attribute that does not exist in the item";
    for (const [what, before, expression, values, sentence] of [
      ["SET into what is no map", { a: N(1) }, "SET a.b = :v", { ":v": N(1) }, PATH],
      ["SET into a list by name", { a: L() }, "SET a.b = :v", { ":v": N(1) }, PATH],
      ["SET into a map by number", { a: M({}) }, "SET a[0] = :v", { ":v": N(1) }, PATH],
      ["SET into what is not there", {}, "SET a.b = :v", { ":v": N(1) }, PATH],
      ["SET into a list that is not there", {}, "SET a[0] = :v", { ":v": N(1) }, PATH],
      ["SET two levels below a map", { a: M({}) }, "SET a.b.c = :v", { ":v": N(1) }, PATH],
      ["REMOVE below what is no map", { a: N(1) }, "REMOVE a.b", undefined, PATH],
      ["REMOVE below what is not there", {}, "REMOVE a.b", undefined, PATH],
      ["SET of what is not there", {}, "SET a = b", undefined, MISSING],
      ["SET of what the same update sets", {}, "SET b = :v, a = b", { ":v": N(1) }, MISSING],
      ["SET + of what is not there", {}, "SET a = a + :v", { ":v": N(1) }, MISSING],
      ["list_append to what is not there", {}, "SET a = list_append(a, :v)", { ":v": L() }, MISSING],
      ["SET + of a string", { a: S("1") }, "SET a = a + :v", { ":v": N(1) }, TYPE],
      ["SET - of a list", { a: L() }, "SET a = a - :v", { ":v": N(1) }, TYPE],
      ["list_append to a set", { a: SS("x") }, "SET a = list_append(a, :v)", { ":v": L() }, TYPE],
      ["ADD of a number to a string", { a: S("1") }, "ADD a :v", { ":v": N(1) }, TYPE],
      ["ADD of a number to a set", { a: NS(1) }, "ADD a :v", { ":v": N(1) }, TYPE],
      ["ADD of a set to a set of another type", { a: NS(1) }, "ADD a :v", { ":v": SS("1") }, TYPE],
      ["ADD of a set to a list", { a: L() }, "ADD a :v", { ":v": SS("1") }, TYPE],
      ["DELETE of a set from a number", { a: N(1) }, "DELETE a :v", { ":v": NS(1) }, TYPE],
      ["DELETE of a set of another type", { a: SS("1") }, "DELETE a :v", { ":v": NS(1) }, TYPE],
      ["a sum that is too large", { a: N(`99${"0".repeat(124)}`) }, "ADD a :v", { ":v": N("9.9e125") }, "Number overflow. Attempting to store a number with magnitude larger than supported range"],
      ["a sum with more than 38 digits", { a: N(`1${"0".repeat(50)}`) }, "ADD a :v", { ":v": N(1) }, "Number overflow. Attempting to store a number with magnitude larger than supported range"],
    ])
      it(what, async () => {
        const p = `f${serial++}`;
        await db.put(p, before);
        await db.invalid("UpdateItem", db.things(p, { UpdateExpression: expression, ExpressionAttributeValues: values }), sentence);
        assert.deepEqual(await db.get(p), before, "it has changed all the same");
      });
  });

  describe("where no item is", () => {
    for (const [what, expression, values, made] of [
      ["SET makes one", "SET a = :v", { ":v": N(1) }, { a: N(1) }],
      ["ADD makes one", "ADD a :v", { ":v": N(1) }, { a: N(1) }],
      ["REMOVE makes none", "REMOVE a", undefined, undefined],
      ["REMOVE of a nested path makes none", "REMOVE a.b[0]", undefined, undefined],
      ["DELETE makes none", "DELETE a :v", { ":v": SS("x") }, undefined],
      ["no update at all makes one", undefined, undefined, {}],
      ["REMOVE beside SET makes one", "REMOVE a SET b = :v", { ":v": B([0]) }, { b: B([0]) }],
    ])
      it(what, async () => {
        const p = `n${serial++}`;
        await db.update(p, expression, values);
        assert.deepEqual(await db.get(p), made);
      });
    it("a failed condition makes none", async () => {
      await db.refuses("UpdateItem", db.things("failed", { UpdateExpression: "SET a = :v", ConditionExpression: "attribute_exists(p)", ExpressionAttributeValues: { ":v": N(1) } }),
        "ConditionalCheckFailedException", "The conditional request failed");
      assert.equal(await db.get("failed"), undefined);
    });
    it("SET below nothing is refused, and makes none", async () => {
      await db.invalid("UpdateItem", db.things("below", { UpdateExpression: "SET a.b = :v", ExpressionAttributeValues: { ":v": N(1) } }), "The document path provided in the update expression is invalid for update");
      assert.equal(await db.get("below"), undefined);
    });
  });
});
