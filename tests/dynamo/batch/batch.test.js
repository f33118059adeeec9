// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, makeTable, refuses } from "../lib/check.js";
import { startServer } from "../lib/server.js";

const P = "One or more parameter values were invalid: ";

describe("batches and transactions", () => {
  let server, client;
  const key = (p) => ({ p: { S: p } });
  const put = (p, more = {}) => ({ PutRequest: { Item: { ...key(p), ...more } } });
  const write = (RequestItems, more = {}) => ask(client, "BatchWriteItem", { RequestItems, ...more });
  const get = (RequestItems, more = {}) => ask(client, "BatchGetItem", { RequestItems, ...more });

  before(async () => {
    server = await startServer();
    client = server.client;
    await makeTable(client, "One");
    await makeTable(client, "Two");
  });
  after(() => server.stop());

  describe("BatchWriteItem and BatchGetItem", () => {
    it("write and read several tables", async () => {
      assert.deepEqual(await write({ One: [put("a", { v: { N: "1" } }), put("b")], Two: [put("a")] }), { UnprocessedItems: {} });
      await write({ One: [{ DeleteRequest: { Key: key("b") } }] });
      assert.deepEqual(await get({ One: { Keys: [key("a"), key("b")], ConsistentRead: true }, Two: { Keys: [key("z")] } }), {
        Responses: { One: [{ ...key("a"), v: { N: "1" } }], Two: [] }, UnprocessedKeys: {},
      });
    });
    it("project", async () => {
      await write({ One: [put("projected", { v: { M: { x: { N: "1" }, y: { N: "2" } } } })] });
      const { Responses } = await get({ One: { Keys: [key("projected")], ProjectionExpression: "#v.x", ExpressionAttributeNames: { "#v": "v" } } });
      assert.deepEqual(Responses.One, [{ v: { M: { x: { N: "1" } } } }]);
    });
    it("count what they consumed by table", async () =>
      assert.deepEqual((await get({ One: { Keys: [key("a"), key("none")] }, Two: { Keys: [key("a")], ConsistentRead: true } }, { ReturnConsumedCapacity: "TOTAL" })).ConsumedCapacity,
        [{ TableName: "One", CapacityUnits: 1 }, { TableName: "Two", CapacityUnits: 1 }]));
    it("take 100 keys and 25 writes", async () => {
      await write({ One: Array.from({ length: 25 }, (_, i) => put(`m${i}`)) });
      const { Responses } = await get({ One: { Keys: Array.from({ length: 100 }, (_, i) => key(`m${i}`)) } });
      assert.equal(Responses.One.length, 25);
    });
    it("write nothing when one is wrong", async () => {
      await refuses(client, "BatchWriteItem", { RequestItems: { One: [put("half"), { PutRequest: { Item: { x: { S: "a" } } } }] } }, "ValidationException", `${P}Missing the key p in the item`);
      assert.deepEqual(await ask(client, "GetItem", { TableName: "One", Key: key("half") }), {});
    });
    for (const [what, call, RequestItems, sentence, name] of [
      ["nothing to get", "BatchGetItem", {}, "The requestItems parameter is required for BatchGetItem"],
      ["nothing to write", "BatchWriteItem", {}, "The requestItems parameter is required for BatchWriteItem"],
      ["a key twice", "BatchGetItem", { One: { Keys: [key("a"), key("a")] } }, "Provided list of item keys contains duplicates"],
      ["put and delete of one item", "BatchWriteItem", { One: [put("a"), { DeleteRequest: { Key: key("a") } }] }, "Provided list of item keys contains duplicates"],
      ["101 keys", "BatchGetItem", { One: { Keys: Array.from({ length: 101 }, (_, i) => key(`${i}`)) } }, "1 validation error detected: Value at 'RequestItems.One.member.Keys' failed to satisfy constraint: Member must have length less than or equal to 100"],
      ["102 keys in two tables", "BatchGetItem", { One: { Keys: Array.from({ length: 51 }, (_, i) => key(`${i}`)) }, Two: { Keys: Array.from({ length: 51 }, (_, i) => key(`${i}`)) } }, "Too many items requested for the BatchGetItem call"],
      ["26 writes", "BatchWriteItem", { One: Array.from({ length: 26 }, (_, i) => put(`${i}`)) }, /at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: \[Member must have length less than or equal to 25, Member must have length greater than or equal to 1\]$/],
      ["26 writes in two tables", "BatchWriteItem", { One: Array.from({ length: 13 }, (_, i) => put(`${i}`)), Two: Array.from({ length: 13 }, (_, i) => put(`${i}`)) }, "Too many items requested for the BatchWriteItem call"],
      ["a table that is not there", "BatchGetItem", { None: { Keys: [key("a")] } }, "Requested resource not found", "ResourceNotFoundException"],
      ["a key that is none", "BatchGetItem", { One: { Keys: [{ x: { S: "a" } }] } }, "The provided key element does not match the schema"],
      ["both kinds of projection", "BatchGetItem", { One: { Keys: [key("a")], AttributesToGet: ["v"], ProjectionExpression: "v" } }, "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}"],
    ])
      it(`refuse ${what}`, () => refuses(client, call, { RequestItems }, name ?? "ValidationException", sentence));
  });

  describe("TransactWriteItems and TransactGetItems", () => {
    const transact = (...TransactItems) => ask(client, "TransactWriteItems", { TransactItems });
    const cancelled = (reasons, ...TransactItems) =>
      refuses(client, "TransactWriteItems", { TransactItems }, "TransactionCanceledException", `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons}]`);
    const Put = (p, more = {}) => ({ Put: { TableName: "One", Item: key(p), ...more } });
    const Delete = (p, more = {}) => ({ Delete: { TableName: "One", Key: key(p), ...more } });
    const Check = (p, ConditionExpression) => ({ ConditionCheck: { TableName: "One", Key: key(p), ConditionExpression } });

    it("do all of it", async () => {
      assert.deepEqual(await transact(Put("t1"), { Update: { TableName: "Two", Key: key("t1"), UpdateExpression: "SET v = :v", ExpressionAttributeValues: { ":v": { N: "1" } } } }, Check("t2", "attribute_not_exists(p)"), Delete("t3")), {});
      const { Responses } = await ask(client, "TransactGetItems", { TransactItems: [{ Get: { TableName: "One", Key: key("t1") } }, { Get: { TableName: "Two", Key: key("t1"), ProjectionExpression: "v" } }, { Get: { TableName: "One", Key: key("t2") } }] });
      assert.deepEqual(Responses, [{ Item: key("t1") }, { Item: { v: { N: "1" } } }, {}]);
    });
    it("or nothing of it", async () => {
      const error = await cancelled("None, ConditionalCheckFailed", Put("u1"), Check("u2", "attribute_exists(p)"));
      assert.deepEqual(error.CancellationReasons, [{ Code: "None" }, { Code: "ConditionalCheckFailed", Message: "The conditional request failed" }]);
      assert.deepEqual(await ask(client, "GetItem", { TableName: "One", Key: key("u1") }), {});
    });
    it("show the items that conditions met", async () => {
      await transact(Put("shown"));
      const error = await cancelled("ConditionalCheckFailed", Put("shown", { ConditionExpression: "attribute_not_exists(p)", ReturnValuesOnConditionCheckFailure: "ALL_OLD" }));
      assert.deepEqual(error.CancellationReasons[0].Item, key("shown"));
    });
    it("happen once under one token", async () => {
      const input = (n) => ({ ClientRequestToken: "token", TransactItems: [{ Update: { TableName: "One", Key: key("once"), UpdateExpression: "ADD n :n", ExpressionAttributeValues: { ":n": { N: n } } } }] });
      await ask(client, "TransactWriteItems", input("1"));
      await ask(client, "TransactWriteItems", input("1"));
      assert.equal((await ask(client, "GetItem", { TableName: "One", Key: key("once") })).Item.n.N, "1");
      await refuses(client, "TransactWriteItems", input("2"), "IdempotentParameterMismatchException");
    });
    it("count both sides of what they consumed", async () =>
      assert.deepEqual(await ask(client, "TransactWriteItems", { TransactItems: [Put("consumed")], ReturnConsumedCapacity: "TOTAL" }), {
        ConsumedCapacity: [{ TableName: "One", CapacityUnits: 2, WriteCapacityUnits: 2 }],
      }));
    it("refuse one item twice", () =>
      refuses(client, "TransactWriteItems", { TransactItems: [Put("x"), Delete("x")] }, "ValidationException", "Transaction request cannot include multiple operations on one item"));
    it("refuse two actions in one", () =>
      refuses(client, "TransactWriteItems", { TransactItems: [{ ...Put("x"), ...Delete("x") }] }, "ValidationException", "TransactItems can only contain one of Check, Put, Update or Delete"));
    it("refuse nothing at all", () =>
      refuses(client, "TransactWriteItems", { TransactItems: [] }, "ValidationException", "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1"));
    it("refuse 101 actions", () =>
      refuses(client, "TransactWriteItems", { TransactItems: Array.from({ length: 101 }, (_, i) => Put(`${i}`)) }, "ValidationException", /at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100$/));
    it("take 100 actions", () => transact(...Array.from({ length: 100 }, (_, i) => Put(`h${i}`))));
  });
});
