// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, makeTable, refuses } from "../lib/check.js";
import { startServer } from "../lib/server.js";

const P = "One or more parameter values were invalid: ";

describe("UpdateItem", () => {
  let server, client;
  const input = (p, UpdateExpression, values, more = {}) => ({
    TableName: "Things",
    Key: { p: { S: p } },
    UpdateExpression,
    ...(values ? { ExpressionAttributeValues: values } : {}),
    ...more,
  });
  const update = async (...args) => (await ask(client, "UpdateItem", input(...args))).Attributes;
  const updateFails = (sentence, ...args) => refuses(client, "UpdateItem", input(...args), "ValidationException", sentence);
  const put = (Item) => ask(client, "PutItem", { TableName: "Things", Item });

  before(async () => {
    server = await startServer();
    client = server.client;
    await makeTable(client, "Things");
  });
  after(() => server.stop());

  it("makes an item that was not there", async () =>
    assert.deepEqual(await update("new", "SET a = :a", { ":a": { N: "1" } }, { ReturnValues: "ALL_NEW" }), {
      p: { S: "new" }, a: { N: "1" },
    }));
  it("makes an item of nothing but its key", async () => {
    await ask(client, "UpdateItem", { TableName: "Things", Key: { p: { S: "bare" } } });
    assert.deepEqual((await ask(client, "GetItem", { TableName: "Things", Key: { p: { S: "bare" } } })).Item, { p: { S: "bare" } });
  });
  it("makes none by REMOVE alone", async () => {
    assert.equal(await update("gone", "REMOVE a.b", undefined, { ReturnValues: "ALL_NEW" }), undefined);
    assert.deepEqual(await ask(client, "GetItem", { TableName: "Things", Key: { p: { S: "gone" } } }), {});
  });
  it("returns the old and the new at nested paths", async () => {
    await put({ p: { S: "nested" }, a: { M: { b: { N: "1" }, c: { L: [{ S: "x" }, { S: "y" }] } } } });
    assert.deepEqual(await update("nested", "SET a.b = :n, a.c[1] = :n", { ":n": { N: "2" } }, { ReturnValues: "UPDATED_OLD" }), {
      a: { M: { b: { N: "1" }, c: { L: [{ S: "y" }] } } },
    });
    assert.deepEqual(await update("nested", "SET a.b = :n REMOVE a.c[0]", { ":n": { N: "3" } }, { ReturnValues: "UPDATED_NEW" }), {
      a: { M: { b: { N: "3" }, c: { L: [{ N: "2" }] } } },
    });
  });
  it("returns nothing where nothing was", async () =>
    assert.equal(await update("fresh", "SET a = :a", { ":a": { N: "1" } }, { ReturnValues: "UPDATED_OLD" }), undefined));
  it("copies from before the update", async () => {
    await put({ p: { S: "swap" }, a: { N: "1" }, b: { N: "2" } });
    assert.deepEqual(await update("swap", "SET a = b, b = a", undefined, { ReturnValues: "UPDATED_NEW" }), { a: { N: "2" }, b: { N: "1" } });
  });
  it("adds to numbers and sets, and takes from sets", async () => {
    await put({ p: { S: "sets" }, n: { N: "1" }, s: { SS: ["a", "b"] } });
    assert.deepEqual(
      await update("sets", "ADD n :n, t :t DELETE s :s", { ":n": { N: "0.5" }, ":t": { NS: ["1"] }, ":s": { SS: ["a", "b"] } }, { ReturnValues: "ALL_NEW" }),
      { p: { S: "sets" }, n: { N: "1.5" }, t: { NS: ["1"] } });
  });
  for (const [what, sentence, expression, values, more] of [
    ["the key", `${P}Cannot update attribute p. This attribute is part of the key`, "SET p = :a", { ":a": { S: "x" } }],
    ["below the key", "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: p", "SET p.x = :a", { ":a": { S: "x" } }],
    ["a path that leads nowhere", "The document path provided in the update expression is invalid for update", "SET x.y = :a", { ":a": { S: "x" } }],
    ["from an attribute that is not there", "The provided expression refers to an attribute that does not exist in the item", "SET a = zz", undefined],
    ["a constant that cannot be added", "Invalid UpdateExpression: Incorrect operand type for operator or function; operator or function: +, operand type: S", "SET a = n + :a", { ":a": { S: "x" } }],
    ["an attribute that cannot be added to", "An operand in the update expression has an incorrect data type", "SET a = p + :a", { ":a": { N: "1" } }],
    ["an overlap", "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]", "SET a = :a, a.b = :a", { ":a": { S: "x" } }],
    ["a conflict", "Invalid UpdateExpression: Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [1]]", "SET a.b = :a, a[1] = :a", { ":a": { S: "x" } }],
    ["twice the same section", "Invalid UpdateExpression: The \"SET\" section can only be used once in an update expression;", "SET a = :a SET b = :a", { ":a": { S: "x" } }],
    ["a reserved word", "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: size", "SET size = :a", { ":a": { S: "x" } }],
    ["an unknown value", "Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :b", "SET a = :b", { ":a": { S: "x" } }],
    ["an unknown name", "Invalid UpdateExpression: An expression attribute name used in the document path is not defined; attribute name: #a", "SET #a = :a", { ":a": { S: "x" } }],
    ["a string added", "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: STRING", "ADD a :a", { ":a": { S: "x" } }],
    ["an unused value", "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}", "SET a = :a", { ":a": { S: "x" }, ":b": { S: "x" } }],
    ["nothing at all", "Invalid UpdateExpression: The expression can not be empty;", "", undefined],
    ["an unknown function", "Invalid UpdateExpression: Invalid function name; function: moon", "SET a = moon(:a)", { ":a": { S: "x" } }],
    ["an unknown section", "Invalid UpdateExpression: Syntax error; token: \"INVALID\", near: \"INVALID SYNTAX\"", "INVALID SYNTAX", undefined],
  ])
    it(`refuses ${what}`, async () => {
      await put({ p: { S: "bad" }, n: { N: "1" } });
      await updateFails(sentence, "bad", expression, values, more);
    });
  it("refuses a key that is not the table's", () =>
    refuses(client, "UpdateItem", { TableName: "Things", Key: { x: { S: "a" } } }, "ValidationException", "The provided key element does not match the schema"));
  it("refuses what becomes too large", async () => {
    await put({ p: { S: "large" }, v: { S: "x".repeat(409000) } });
    await updateFails("Item size to update has exceeded the maximum allowed size", "large", "SET w = :w", { ":w": { S: "x".repeat(1000) } });
  });

  describe("with AttributeUpdates", () => {
    const old = (AttributeUpdates, more = {}) => ({ TableName: "Things", Key: { p: { S: "legacy" } }, AttributeUpdates, ...more });
    it("puts, adds and deletes", async () => {
      await put({ p: { S: "legacy" }, n: { N: "1" }, s: { SS: ["a", "b"] }, gone: { S: "x" } });
      const said = await ask(client, "UpdateItem", old({
        n: { Action: "ADD", Value: { N: "2" } }, s: { Action: "DELETE", Value: { SS: ["a"] } }, gone: { Action: "DELETE" },
        l: { Action: "ADD", Value: { L: [{ S: "x" }] } }, v: { Value: { S: "y" } },
      }, { ReturnValues: "ALL_NEW" }));
      assert.deepEqual(said.Attributes, { p: { S: "legacy" }, n: { N: "3" }, s: { SS: ["b"] }, l: { L: [{ S: "x" }] }, v: { S: "y" } });
    });
    it("refuses a type that does not fit what is stored", () =>
      refuses(client, "UpdateItem", old({ v: { Action: "ADD", Value: { N: "1" } } }), "ValidationException", "Type mismatch for attribute to update"));
    it("refuses an expression beside it", () =>
      refuses(client, "UpdateItem", old({}, { UpdateExpression: "SET a = b" }), "ValidationException",
        "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributeUpdates} Expression parameters: {UpdateExpression}"));
  });
});
