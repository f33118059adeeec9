// SPDX-License-Identifier: MIT
// Expected, AttributeUpdates and what belongs to them: how requests were written before there were expressions.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { P, useThings } from "../lib/suite.js";
import { B, BOOL, L, M, N, NS, NULL, S, SS } from "../lib/values.js";

const ITEM = { n: N(5), str: S("hello"), bin: B([1, 2]), yes: BOOL(true), nil: NULL, li: L(S("x")), ma: M({ a: N(1) }), strs: SS("a", "b"), nums: NS(1, 2) };
const op = (ComparisonOperator, ...AttributeValueList) => (AttributeValueList.length ? { ComparisonOperator, AttributeValueList } : { ComparisonOperator });
const show = (condition) => JSON.stringify(condition, (_, part) => (part instanceof Uint8Array ? [...part].join(" ") : part)).slice(0, 110);

describe("Expected", () => {
  const db = useThings();
  before(() => db.put("all", ITEM));
  const write = (Expected, more = {}) => db.ask("UpdateItem", db.things("all", { Expected, ...more }));
  const fails = (Expected, more = {}) => db.refuses("UpdateItem", db.things("all", { Expected, ...more }), "ConditionalCheckFailedException", "The conditional request failed");

  for (const Expected of [
    { n: { Value: N(5) } },
    { n: { Exists: true, Value: N("5.0") } },
    { none: { Exists: false } },
    { n: op("EQ", N(5)) },
    { ma: op("EQ", M({ a: N(1) })) },
    { strs: op("EQ", SS("b", "a")) },
    { n: op("NE", N(6)) },
    { n: op("NE", S("5")) },
    { none: op("NE", N(5)) },
    { n: op("LT", N(6)) },
    { n: op("LE", N(5)) },
    { n: op("GT", N(4)) },
    { n: op("GE", N(5)) },
    { str: op("GT", S("hell")) },
    { bin: op("LT", B([2])) },
    { n: op("BETWEEN", N(5), N(6)) },
    { n: op("IN", N(1), N(5)) },
    { str: op("BEGINS_WITH", S("he")) },
    { bin: op("BEGINS_WITH", B([1])) },
    { str: op("CONTAINS", S("ell")) },
    { strs: op("CONTAINS", S("a")) },
    { nums: op("CONTAINS", N(2)) },
    { li: op("CONTAINS", S("x")) },
    { str: op("NOT_CONTAINS", S("z")) },
    { strs: op("NOT_CONTAINS", S("z")) },
    { none: op("NULL") },
    { nil: op("NOT_NULL") },
    { n: op("NOT_NULL") },
    { n: op("EQ", N(5)), str: op("EQ", S("hello")) },
  ])
    it(`holds: ${show(Expected)}`, () => write(Expected));

  for (const Expected of [
    { n: { Value: N(6) } },
    { n: { Value: S("5") } },
    { n: { Exists: false } },
    { none: { Value: N(5) } },
    { n: op("EQ", S("5")) },
    { none: op("EQ", N(5)) },
    { n: op("NE", N("5.0")) },
    { n: op("LT", N(5)) },
    { n: op("LT", S("9")) },
    { none: op("LT", N(5)) },
    { n: op("BETWEEN", N(6), N(7)) },
    { n: op("IN", N(1), N(2)) },
    { str: op("BEGINS_WITH", S("ello")) },
    { n: op("BEGINS_WITH", S("5")) },
    { str: op("CONTAINS", S("z")) },
    { str: op("CONTAINS", N(5)) },
    { ma: op("CONTAINS", S("a")) },
    { str: op("NOT_CONTAINS", S("ell")) },
    { none: op("NOT_CONTAINS", S("z")) },
    { nil: op("NULL") },
    { none: op("NOT_NULL") },
    { n: op("EQ", N(5)), str: op("EQ", S("x")) },
  ])
    it(`does not hold: ${show(Expected)}`, () => fails(Expected));

  it("is met by one of several with OR", () => write({ n: op("EQ", N(6)), str: op("EQ", S("hello")) }, { ConditionalOperator: "OR" }));
  it("is met by none of several with OR", () => fails({ n: op("EQ", N(6)), str: op("EQ", S("x")) }, { ConditionalOperator: "OR" }));
  it("is met by all with AND", () => write({ n: op("EQ", N(5)), str: op("EQ", S("hello")) }, { ConditionalOperator: "AND" }));
  it("guards a put", () =>
    db.refuses("PutItem", { TableName: "Things", Item: { p: S("all") }, Expected: { p: { Exists: false } } }, "ConditionalCheckFailedException", "The conditional request failed"));

  for (const [what, Expected, sentence, more] of [
    ["a value and a list", { a: { Value: N(1), AttributeValueList: [N(1)], ComparisonOperator: "EQ" } }, `${P}Value and AttributeValueList cannot be used together for Attribute: a`],
    ["Exists and an operator", { a: { Exists: true, ComparisonOperator: "EQ", AttributeValueList: [N(1)] } }, `${P}Exists and ComparisonOperator cannot be used together for Attribute: a`],
    ["an operator without values", { a: { ComparisonOperator: "EQ" } }, `${P}Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: a`],
    ["values without an operator", { a: { AttributeValueList: [N(1)] } }, `${P}AttributeValueList can only be used with a ComparisonOperator for Attribute: a`],
    ["Exists: true without a value", { a: { Exists: true } }, `${P}Value must be provided when Exists is true for Attribute: a`],
    ["nothing", { a: {} }, `${P}Value must be provided when Exists is null for Attribute: a`],
    ["Exists: false with a value", { a: { Exists: false, Value: N(1) } }, `${P}Value cannot be used when Exists is false for Attribute: a`],
    ["EQ of two", { a: op("EQ", N(1), N(2)) }, `${P}Invalid number of argument(s) for the EQ ComparisonOperator`],
    ["BETWEEN of one", { a: op("BETWEEN", N(1)) }, `${P}Invalid number of argument(s) for the BETWEEN ComparisonOperator`],
    ["NULL of one", { a: op("NULL", N(1)) }, `${P}Invalid number of argument(s) for the NULL ComparisonOperator`],
    ["BETWEEN the wrong way round", { a: op("BETWEEN", N(2), N(1)) }, "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"],
    ["values of two types", { a: op("BETWEEN", N(1), S("2")) }, `${P}AttributeValues inside AttributeValueList must be of same type`],
    ["IN of two types", { a: op("IN", N(1), S("2")) }, `${P}AttributeValues inside AttributeValueList must be of same type`],
    ["LT of a set", { a: op("LT", SS("a")) }, `${P}ComparisonOperator LT is not valid for SS AttributeValue type`],
    ["BEGINS_WITH of a number", { a: op("BEGINS_WITH", N(1)) }, `${P}ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type`],
    ["CONTAINS of a list", { a: op("CONTAINS", L()) }, `${P}ComparisonOperator CONTAINS is not valid for L AttributeValue type`],
    ["GE of a boolean", { a: op("GE", BOOL(true)) }, `${P}ComparisonOperator GE is not valid for BOOL AttributeValue type`],
    ["an operator that is none", { a: op("LIKE", S("x")) }, /failed to satisfy constraint: Member must satisfy enum value set: \[IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS\]$/],
    ["no conditions and AND", undefined, /ConditionalOperator/, { ConditionalOperator: "AND" }],
    ["empty conditions and OR", {}, /ConditionalOperator/, { ConditionalOperator: "OR" }],
    ["a condition of the new kind beside it", { a: op("NULL") }, "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}", { ConditionExpression: "attribute_exists(a)" }],
    ["an update of the new kind beside it", { a: op("NULL") }, "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {Expected} Expression parameters: {UpdateExpression}", { UpdateExpression: "SET a = b" }],
  ])
    it(`is refused for ${what}`, () => db.invalid("UpdateItem", db.things("all", { Expected, ...more }), sentence));
});

describe("AttributeUpdates", () => {
  const db = useThings();
  const change = (p, AttributeUpdates, more = {}) => db.ask("UpdateItem", db.things(p, { AttributeUpdates, ...more }));
  let serial = 0;

  for (const [what, item, updates, after] of [
    ["PUT replaces", { a: N(1) }, { a: { Action: "PUT", Value: S("x") } }, { a: S("x") }],
    ["PUT is what is done unsaid", {}, { a: { Value: L(N(1)) } }, { a: L(N(1)) }],
    ["DELETE takes away", { a: N(1), b: N(2) }, { a: { Action: "DELETE" } }, { b: N(2) }],
    ["DELETE of nothing does nothing", { b: N(2) }, { a: { Action: "DELETE" } }, { b: N(2) }],
    ["DELETE takes from a set", { a: SS("x", "y") }, { a: { Action: "DELETE", Value: SS("x", "z") } }, { a: SS("y") }],
    ["DELETE of a whole set takes it away", { a: NS(1) }, { a: { Action: "DELETE", Value: NS("1.0") } }, {}],
    ["ADD counts", { a: N(1) }, { a: { Action: "ADD", Value: N("1.5") } }, { a: N("2.5") }],
    ["ADD begins with 0", {}, { a: { Action: "ADD", Value: N(3) } }, { a: N(3) }],
    ["ADD joins sets", { a: SS("x") }, { a: { Action: "ADD", Value: SS("y") } }, { a: SS("x", "y") }],
    ["ADD makes a set", {}, { a: { Action: "ADD", Value: NS(1) } }, { a: NS(1) }],
    ["ADD appends to a list", { a: L(N(1)) }, { a: { Action: "ADD", Value: L(N(2)) } }, { a: L(N(1), N(2)) }],
    ["names with dots and of reserved words are names", {}, { "a.b": { Value: N(1) }, size: { Value: N(2) } }, { "a.b": N(1), size: N(2) }],
  ])
    it(what, async () => {
      const p = `u${serial++}`;
      await db.put(p, item);
      await change(p, updates);
      assert.deepEqual(await db.get(p), after);
    });

  it("returns the updated attributes", async () => {
    await db.put("r", { a: N(1), b: N(2) });
    assert.deepEqual(await change("r", { a: { Value: N(5) }, c: { Value: N(6) } }, { ReturnValues: "UPDATED_NEW" }), { Attributes: { a: N(5), c: N(6) } });
    assert.deepEqual(await change("r", { a: { Action: "DELETE" }, d: { Value: N(7) } }, { ReturnValues: "UPDATED_OLD" }), { Attributes: { a: N(5) } });
  });
  it("makes an item", async () => {
    await change("made", { a: { Value: N(1) } });
    assert.deepEqual(await db.get("made"), { a: N(1) });
  });
  it("makes no item by DELETE alone", async () => {
    await change("unmade", { a: { Action: "DELETE" } });
    assert.equal(await db.get("unmade"), undefined);
  });

  for (const [what, updates, sentence] of [
    ["PUT without a value", { a: { Action: "PUT" } }, `${P}Only DELETE action is allowed when no attribute value is specified`],
    ["ADD without a value", { a: { Action: "ADD" } }, `${P}Only DELETE action is allowed when no attribute value is specified`],
    ["DELETE of a string", { a: { Action: "DELETE", Value: S("x") } }, `${P}DELETE action with value is not supported for the type S`],
    ["DELETE of a number", { a: { Action: "DELETE", Value: N(1) } }, `${P}DELETE action with value is not supported for the type N`],
    ["DELETE of a map", { a: { Action: "DELETE", Value: M({}) } }, `${P}DELETE action with value is not supported for the type M`],
    ["ADD of a string", { a: { Action: "ADD", Value: S("x") } }, `${P}ADD action is not supported for the type S`],
    ["ADD of a boolean", { a: { Action: "ADD", Value: BOOL(true) } }, `${P}ADD action is not supported for the type BOOL`],
    ["ADD of a map", { a: { Action: "ADD", Value: M({}) } }, `${P}ADD action is not supported for the type M`],
    ["an action that is none", { a: { Action: "SWAP", Value: S("x") } }, /failed to satisfy constraint: Member must satisfy enum value set: \[/],
    ["an empty set", { a: { Value: SS() } }, `${P}An string set  may not be empty`],
    ["a part of the key", { p: { Action: "DELETE" } }, `${P}Cannot update attribute p. This attribute is part of the key`],
  ])
    it(`refuses ${what}`, () => db.invalid("UpdateItem", db.things("x", { AttributeUpdates: updates }), sentence));

  for (const [what, item, updates] of [
    ["a number to a string", { a: S("x") }, { a: { Action: "ADD", Value: N(1) } }],
    ["strings to numbers", { a: NS(1) }, { a: { Action: "ADD", Value: SS("x") } }],
    ["numbers from strings", { a: SS("x") }, { a: { Action: "DELETE", Value: NS(1) } }],
  ])
    it(`does not add or take ${what}`, async () => {
      const p = `m${serial++}`;
      await db.put(p, item);
      await db.invalid("UpdateItem", db.things(p, { AttributeUpdates: updates }), "Type mismatch for attribute to update");
      assert.deepEqual(await db.get(p), item);
    });
});
