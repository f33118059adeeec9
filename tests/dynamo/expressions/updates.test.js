// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, makeTable, refuses } from "../lib/check.js";
import { startServer } from "../lib/server.js";

const N = (n) => ({ N: `${n}` });
const S = (s) => ({ S: s });
const L = (...values) => ({ L: values });
const M = (values) => ({ M: values });
const SS = (...values) => ({ SS: values });
const NS = (...values) => ({ NS: values.map(String) });

describe("updates", () => {
  let server, client;
  before(async () => {
    server = await startServer();
    client = server.client;
    await makeTable(client, "Things");
  });
  after(() => server.stop());

  const apply = async (before, UpdateExpression, values, more = {}) => {
    const Key = { p: S("u") };
    await ask(client, "DeleteItem", { TableName: "Things", Key });
    if (before) await ask(client, "PutItem", { TableName: "Things", Item: { ...Key, ...before } });
    const input = { TableName: "Things", Key, UpdateExpression, ...(values ? { ExpressionAttributeValues: values } : {}), ReturnValues: "ALL_NEW", ...more };
    const { Attributes } = await ask(client, "UpdateItem", input);
    if (!Attributes) return undefined;
    const { p, ...rest } = Attributes;
    return rest;
  };

  for (const [what, before, expression, values, wanted] of [
    ["SET a new attribute", { a: N(1) }, "SET b = :b", { ":b": S("x") }, { a: N(1), b: S("x") }],
    ["SET over another type", { a: N(1) }, "SET a = :a", { ":a": L() }, { a: L() }],
    ["SET several", {}, "SET a = :a, b = :b", { ":a": N(1), ":b": N(2) }, { a: N(1), b: N(2) }],
    ["SET below a map", { m: M({ x: N(1) }) }, "SET m.y = :v", { ":v": N(2) }, { m: M({ x: N(1), y: N(2) }) }],
    ["SET an element", { l: L(N(1), N(2)) }, "SET l[0] = :v", { ":v": N(9) }, { l: L(N(9), N(2)) }],
    ["SET beyond the end", { l: L(N(1)) }, "SET l[7] = :v", { ":v": N(9) }, { l: L(N(1), N(9)) }],
    ["SET several beyond the end, in the order of indexes", { l: L() }, "SET l[9] = :b, l[5] = :a", { ":a": S("a"), ":b": S("b") }, { l: L(S("a"), S("b")) }],
    ["SET deep in lists and maps", { l: L(M({ x: L(N(1)) })) }, "SET l[0].x[0] = :v", { ":v": N(2) }, { l: L(M({ x: L(N(2)) })) }],
    ["add", { a: N(1) }, "SET a = a + :v", { ":v": N("0.1") }, { a: N("1.1") }],
    ["subtract", { a: N(1) }, "SET a = a - :v", { ":v": N(3) }, { a: N(-2) }],
    ["add two attributes", { a: N(1), b: N(2) }, "SET c = a + b", undefined, { a: N(1), b: N(2), c: N(3) }],
    ["add in brackets", { a: N(1) }, "SET a = (a + :v)", { ":v": N(1) }, { a: N(2) }],
    ["add without losing a digit", { a: N("12345678901234567890123456789012345678") }, "SET a = a - :v", { ":v": N(1) }, { a: N("12345678901234567890123456789012345677") }],
    ["if_not_exists of what is there", { a: N(1) }, "SET a = if_not_exists(a, :v)", { ":v": N(9) }, { a: N(1) }],
    ["if_not_exists of what is not", {}, "SET a = if_not_exists(a, :v) + :v", { ":v": N(9) }, { a: N(18) }],
    ["if_not_exists of another", { b: N(2) }, "SET a = if_not_exists(zz, b)", undefined, { a: N(2), b: N(2) }],
    ["list_append behind", { l: L(N(1)) }, "SET l = list_append(l, :v)", { ":v": L(N(2)) }, { l: L(N(1), N(2)) }],
    ["list_append before", { l: L(N(1)) }, "SET l = list_append(:v, l)", { ":v": L(N(2)) }, { l: L(N(2), N(1)) }],
    ["list_append to nothing", {}, "SET l = list_append(if_not_exists(l, :e), :v)", { ":e": L(), ":v": L(N(2)) }, { l: L(N(2)) }],
    ["REMOVE", { a: N(1), b: N(2) }, "REMOVE a", undefined, { b: N(2) }],
    ["REMOVE what is not there", { b: N(2) }, "REMOVE a", undefined, { b: N(2) }],
    ["REMOVE below a map", { m: M({ x: N(1), y: N(2) }) }, "REMOVE m.x", undefined, { m: M({ y: N(2) }) }],
    ["REMOVE elements, as they were", { l: L(N(0), N(1), N(2), N(3)) }, "REMOVE l[0], l[2]", undefined, { l: L(N(1), N(3)) }],
    ["REMOVE an element that is not there", { l: L(N(0)) }, "REMOVE l[5]", undefined, { l: L(N(0)) }],
    ["SET and REMOVE in one list", { l: L(N(0), N(1), N(2)) }, "SET l[2] = :v REMOVE l[0]", { ":v": N(9) }, { l: L(N(1), N(9)) }],
    ["REMOVE and copy", { a: N(1) }, "REMOVE a SET b = a", undefined, { b: N(1) }],
    ["ADD to a number", { a: N(1) }, "ADD a :v", { ":v": N(-3) }, { a: N(-2) }],
    ["ADD to nothing", {}, "ADD a :v", { ":v": N(5) }, { a: N(5) }],
    ["ADD to a set", { s: SS("a") }, "ADD s :v", { ":v": SS("b", "a") }, { s: SS("a", "b") }],
    ["ADD numbers by value", { s: NS(1) }, "ADD s :v", { ":v": { NS: ["1.0", "2"] } }, { s: NS(1, 2) }],
    ["ADD a set to nothing", {}, "ADD s :v", { ":v": SS("a") }, { s: SS("a") }],
    ["ADD below a map", { m: M({ n: N(1) }) }, "ADD m.n :v", { ":v": N(1) }, { m: M({ n: N(2) }) }],
    ["DELETE from a set", { s: SS("a", "b") }, "DELETE s :v", { ":v": SS("a", "z") }, { s: SS("b") }],
    ["DELETE all of a set", { s: SS("a"), b: N(1) }, "DELETE s :v", { ":v": SS("a") }, { b: N(1) }],
    ["DELETE from nothing", { b: N(1) }, "DELETE s :v", { ":v": SS("a") }, { b: N(1) }],
    ["all four at once", { a: N(1), b: N(1), c: N(1), s: SS("a", "b") }, "set a = :v remove b add c :v delete s :s", { ":v": N(5), ":s": SS("a") }, { a: N(5), c: N(6), s: SS("b") }],
    ["SET an attribute named by an alias with dots", {}, "SET #d = :v", { ":v": N(1) }, { "a.b": N(1) }],
    ["nothing there, REMOVE deep", undefined, "REMOVE a.b.c", undefined, undefined],
    ["nothing there, SET", undefined, "SET a = :v", { ":v": N(1) }, { a: N(1) }],
  ])
    it(what, async () =>
      assert.deepEqual(await apply(before, expression, values, expression.includes("#d") ? { ExpressionAttributeNames: { "#d": "a.b" } } : {}), wanted));

  const TYPE = "An operand in the update expression has an incorrect data type";
  const PATH = "The document path provided in the update expression is invalid for update";
  const MISSING = "The provided expression refers to an attribute that does not exist in the item";
  for (const [what, before, expression, values, sentence] of [
    ["below a string", { a: S("x") }, "SET a.b = :v", { ":v": N(1) }, PATH],
    ["an element of a map", { a: M({}) }, "SET a[0] = :v", { ":v": N(1) }, PATH],
    ["below what is not there", {}, "SET a.b = :v", { ":v": N(1) }, PATH],
    ["REMOVE below what is not there", {}, "REMOVE a.b", undefined, PATH],
    ["SET deep where there is no item", undefined, "SET a.b = :v", { ":v": N(1) }, PATH],
    ["a sum with what is missing", {}, "SET a = zz + :v", { ":v": N(1) }, MISSING],
    ["a copy of what was only set now", {}, "SET a = :v, b = a", { ":v": N(1) }, MISSING],
    ["a sum with a string", { a: S("x") }, "SET a = a + :v", { ":v": N(1) }, TYPE],
    ["list_append to a string", { a: S("x") }, "SET a = list_append(a, :v)", { ":v": L() }, TYPE],
    ["ADD a number to a string", { a: S("x") }, "ADD a :v", { ":v": N(1) }, TYPE],
    ["ADD strings to numbers", { a: NS(1) }, "ADD a :v", { ":v": SS("x") }, TYPE],
    ["DELETE strings from a list", { a: L() }, "DELETE a :v", { ":v": SS("x") }, TYPE],
    ["ADD a list", {}, "ADD a :v", { ":v": L() }, "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: LIST"],
    ["DELETE a number", {}, "DELETE a :v", { ":v": N(1) }, "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER"],
    ["ADD a boolean", {}, "ADD a :v", { ":v": { BOOL: true } }, "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: BOOLEAN"],
    ["too large a sum", { a: N("9.9e125") }, "SET a = a + :v", { ":v": N("9.9e125") }, "Number overflow. Attempting to store a number with magnitude larger than supported range"],
    ["a path twice", {}, "SET a = :v, a = :v", { ":v": N(1) }, "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]"],
    ["a path twice by alias", {}, "SET a = :v REMOVE #a", { ":v": N(1) }, /Two document paths overlap with each other/],
    ["attribute_exists as a value", {}, "SET a = attribute_exists(b)", undefined, /^Invalid UpdateExpression: /],
    ["a sum of three", { a: N(1) }, "SET a = a + :v + :v", { ":v": N(1) }, /^Invalid UpdateExpression: Syntax error; token: "\+"/],
    ["a comma too many", {}, "SET a = :v,", { ":v": N(1) }, /^Invalid UpdateExpression: Syntax error; token: "<EOF>"/],
    ["a list_append in a list_append", { a: L() }, "SET a = list_append(list_append(a, :v), :v)", { ":v": L() }, "Invalid UpdateExpression: The function is not allowed to be used this way in an expression; function: list_append"],
    ["one operand", {}, "SET a = if_not_exists(a)", undefined, "Invalid UpdateExpression: Incorrect number of operands for operator or function; operator or function: if_not_exists, number of operands: 1"],
    ["if_not_exists of a value", {}, "SET a = if_not_exists(:v, :v)", { ":v": N(1) }, "Invalid UpdateExpression: Operator or function requires a document path; operator or function: if_not_exists"],
  ])
    it(`refuses ${what}`, async () => {
      const more = expression.includes("#a") ? { ExpressionAttributeNames: { "#a": "a" } } : {};
      await assert.rejects(apply(before, expression, values, more), (error) => {
        assert.equal(error.name, "ValidationException", error.message);
        if (typeof sentence === "string") assert.equal(error.message, sentence);
        else assert.match(error.message, sentence);
        return true;
      });
    });

  it("refuses to touch index keys with what can be none", async () => {
    await makeTable(client, "Indexed", undefined, {
      attributes: [{ AttributeName: "g", AttributeType: "S" }],
      input: { GlobalSecondaryIndexes: [{ IndexName: "ByG", KeySchema: [{ AttributeName: "g", KeyType: "HASH" }], Projection: { ProjectionType: "ALL" } }] },
    });
    const input = (UpdateExpression, values) => ({ TableName: "Indexed", Key: { p: S("a") }, UpdateExpression, ExpressionAttributeValues: values });
    await refuses(client, "UpdateItem", input("SET g = :v", { ":v": N(1) }), "ValidationException", "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: ByG");
    await refuses(client, "UpdateItem", input("SET g.x = :v", { ":v": N(1) }), "ValidationException", "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: g");
    await refuses(client, "UpdateItem", input("SET g = if_not_exists(g, :v)", { ":v": N(1) }), "ValidationException", "The update expression attempted to update the secondary index key to unsupported type");
    await refuses(client, "UpdateItem", input("SET g = :v", { ":v": S("") }), "ValidationException",
      "One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty string value.");
    await refuses(client, "UpdateItem", input("SET g = :v", { ":v": S("x".repeat(2049)) }), "ValidationException", "The update expression attempted to update the secondary index key beyond allowed size limits");
  });
});
