// SPDX-License-Identifier: MIT
// The SDK's own document client and paginators: plain values of JavaScript, there and back.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { paginateListTables } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument, paginateQuery, paginateScan } from "@aws-sdk/lib-dynamodb";
import { useServer } from "../lib/suite.js";

describe("the document client", () => {
  const db = useServer();
  let document;
  before(async () => {
    await db.makeTable("Documents", "N");
    document = DynamoDBDocument.from(db.client, { marshallOptions: { removeUndefinedValues: true } });
  });
  const TableName = "Documents";

  for (const [what, v] of Object.entries({
    "a text": "é漢\u{1F600}\u0000", "an empty text": "", "a number": -1.5e-7, "a large number": 9007199254740991, "true": true, "null": null,
    "a list": [1, "two", [3], { four: 4 }], "a map": { a: { b: { c: [] } } }, "a set of texts": new Set(["a", "b"]), "a set of numbers": new Set([1, 2.5]),
    "bytes": new Uint8Array([0, 1, 255]), "an empty map": {},
  }))
    it(`keeps ${what}`, async () => {
      await document.put({ TableName, Item: { p: what, s: 1, v } });
      assert.deepEqual((await document.get({ TableName, Key: { p: what, s: 1 } })).Item, { p: what, s: 1, v });
    });
  it("updates and returns plain values", async () => {
    await document.put({ TableName, Item: { p: "u", s: 1, n: 1, l: ["a"] } });
    const { Attributes } = await document.update({
      TableName, Key: { p: "u", s: 1 }, UpdateExpression: "SET n = n + :n, l = list_append(l, :l)", ExpressionAttributeValues: { ":n": 0.5, ":l": ["b"] }, ReturnValues: "UPDATED_NEW",
    });
    assert.deepEqual(Attributes, { n: 1.5, l: ["a", "b"] });
  });
  it("pages through a query and a scan", async () => {
    await document.batchWrite({ RequestItems: { Documents: Array.from({ length: 25 }, (_, s) => ({ PutRequest: { Item: { p: "many", s } } })) } });
    const seen = [];
    for await (const page of paginateQuery({ client: document, pageSize: 4 }, { TableName, KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": "many" } })) seen.push(...page.Items.map((one) => one.s));
    assert.deepEqual(seen, Array.from({ length: 25 }, (_, s) => s));
    let count = 0;
    for await (const page of paginateScan({ client: document, pageSize: 7 }, { TableName, FilterExpression: "p = :p", ExpressionAttributeValues: { ":p": "many" } })) count += page.Count;
    assert.equal(count, 25);
  });
  it("lists tables page by page", async () => {
    await db.makeTable("Another");
    const names = [];
    for await (const page of paginateListTables({ client: db.client, pageSize: 1 }, {})) names.push(...page.TableNames);
    assert.deepEqual(names, ["Another", "Documents"]);
  });
  it("shows the item of a cancelled transaction", async () => {
    await document.put({ TableName, Item: { p: "t", s: 1, v: "kept" } });
    const error = await document.transactWrite({ TransactItems: [{ Put: { TableName, Item: { p: "t", s: 1 }, ConditionExpression: "attribute_not_exists(p)", ReturnValuesOnConditionCheckFailure: "ALL_OLD" } }] }).catch((caught) => caught);
    assert.equal(error.name, "TransactionCanceledException");
    assert.equal(error.CancellationReasons[0].Code, "ConditionalCheckFailed");
  });
});
