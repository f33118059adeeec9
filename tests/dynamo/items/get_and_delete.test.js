// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, makeTable, refuses } from "../lib/check.js";
import { startServer } from "../lib/server.js";

const P = "One or more parameter values were invalid: ";

describe("GetItem and DeleteItem", () => {
  let server, client;
  const input = (p, more = {}) => ({ TableName: "Things", Key: { p: { S: p } }, ...more });
  const get = async (p, more) => ask(client, "GetItem", input(p, more));
  before(async () => {
    server = await startServer();
    client = server.client;
    await makeTable(client, "Things");
    await makeTable(client, "Sorted", "N");
    await ask(client, "PutItem", { TableName: "Things", Item: { p: { S: "a" }, v: { N: "1" }, m: { M: { x: { L: [{ S: "0" }, { M: { y: { BOOL: true } } }] } } }, "d.o.t": { S: "dots" } } });
  });
  after(() => server.stop());

  for (const [expression, names, item] of [
    ["v", undefined, { v: { N: "1" } }],
    ["p, v", undefined, { p: { S: "a" }, v: { N: "1" } }],
    ["m.x[1].y", undefined, { m: { M: { x: { L: [{ M: { y: { BOOL: true } } }] } } } }],
    ["m.x[0], m.x[1]", undefined, { m: { M: { x: { L: [{ S: "0" }, { M: { y: { BOOL: true } } }] } } } }],
    ["m.x[9], nothing", undefined, {}],
    ["#d", { "#d": "d.o.t" }, { "d.o.t": { S: "dots" } }],
    ["  m . x [ 0 ]  ", undefined, { m: { M: { x: { L: [{ S: "0" }] } } } }],
  ])
    it(`projects ${expression}`, async () =>
      assert.deepEqual(await get("a", { ProjectionExpression: expression, ExpressionAttributeNames: names }), { Item: item }));

  for (const [what, more, sentence] of [
    ["an empty projection", { ProjectionExpression: "" }, "Invalid ProjectionExpression: The expression can not be empty;"],
    ["a reserved word", { ProjectionExpression: "name" }, "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: name"],
    ["an overlap", { ProjectionExpression: "a.b, a" }, "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a]"],
    ["a conflict", { ProjectionExpression: "a.b, a[0]" }, "Invalid ProjectionExpression: Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [0]]"],
    ["a name that is not defined", { ProjectionExpression: "#a" }, "Invalid ProjectionExpression: An expression attribute name used in the document path is not defined; attribute name: #a"],
    ["names without an expression", { ExpressionAttributeNames: { "#a": "b" } }, "ExpressionAttributeNames can only be specified when using expressions"],
    ["names that are none", { ProjectionExpression: "a", ExpressionAttributeNames: { a: "b" } }, "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\""],
    ["no names", { ProjectionExpression: "a", ExpressionAttributeNames: {} }, "ExpressionAttributeNames must not be empty"],
    ["a name that is not used", { ProjectionExpression: "a", ExpressionAttributeNames: { "#a": "b" } }, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}"],
    ["a negative index", { ProjectionExpression: "a[-1]" }, /^Invalid ProjectionExpression: Syntax error; token: "-", near: /],
    ["a leading underscore", { ProjectionExpression: "_a" }, /^Invalid ProjectionExpression: Syntax error; token: "_/],
    ["a text of 4097 bytes", { ProjectionExpression: "a".repeat(4097) }, "Invalid ProjectionExpression: Expression size has exceeded the maximum allowed size; expression size: 4097"],
    ["an attribute twice", { AttributesToGet: ["a", "a"] }, `${P}Duplicate value in attribute name: a`],
    ["no attribute", { AttributesToGet: [] }, "1 validation error detected: Value '[]' at 'attributesToGet' failed to satisfy constraint: Member must have length greater than or equal to 1"],
    ["another key", { Key: { q: { S: "a" } } }, "The provided key element does not match the schema"],
    ["more than the key", { Key: { p: { S: "a" }, q: { S: "a" } } }, "The provided key element does not match the schema"],
    ["no key", { Key: {} }, "The provided key element does not match the schema"],
    ["a key of another type", { Key: { p: { N: "1" } } }, "The provided key element does not match the schema"],
    ["an empty key", { Key: { p: { S: "" } } }, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: p"],
    ["a key that is too long", { Key: { p: { S: "x".repeat(2049) } } }, `${P}Size of hashkey has exceeded the maximum size limit of2048 bytes`],
    ["half a key", { TableName: "Sorted" }, "The provided key element does not match the schema"],
  ])
    it(`GetItem refuses ${what}`, () => refuses(client, "GetItem", input("a", more), "ValidationException", sentence));

  it("counts half for an eventual read", async () => {
    assert.equal((await get("a", { ReturnConsumedCapacity: "TOTAL" })).ConsumedCapacity.CapacityUnits, 0.5);
    assert.equal((await get("a", { ReturnConsumedCapacity: "TOTAL", ConsistentRead: true })).ConsumedCapacity.CapacityUnits, 1);
    assert.deepEqual((await get("a", { ReturnConsumedCapacity: "INDEXES" })).ConsumedCapacity, { TableName: "Things", CapacityUnits: 0.5, Table: { CapacityUnits: 0.5 } });
    assert.equal((await get("none", { ReturnConsumedCapacity: "TOTAL" })).ConsumedCapacity.CapacityUnits, 0.5);
  });
  it("gets attributes in the old way, dots and all", async () =>
    assert.deepEqual(await get("a", { AttributesToGet: ["d.o.t", "none"] }), { Item: { "d.o.t": { S: "dots" } } }));

  it("deletes what is there, and what is not", async () => {
    await ask(client, "PutItem", { TableName: "Things", Item: { p: { S: "d" }, v: { N: "1" } } });
    assert.deepEqual(await ask(client, "DeleteItem", input("d", { ReturnValues: "ALL_OLD" })), { Attributes: { p: { S: "d" }, v: { N: "1" } } });
    assert.deepEqual(await ask(client, "DeleteItem", input("d", { ReturnValues: "ALL_OLD" })), {});
    assert.deepEqual(await ask(client, "DeleteItem", input("d", { ReturnConsumedCapacity: "TOTAL" })), { ConsumedCapacity: { TableName: "Things", CapacityUnits: 1 } });
  });
  it("keeps what a condition protects", () =>
    refuses(client, "DeleteItem", input("a", { ConditionExpression: "v > :v", ExpressionAttributeValues: { ":v": { N: "1" } } }), "ConditionalCheckFailedException", "The conditional request failed"));
});
