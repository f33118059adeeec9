// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, makeTable, refuses } from "../lib/check.js";
import { startServer } from "../lib/server.js";

describe("a global index of several key attributes", () => {
  let server, client;
  before(async () => {
    server = await startServer();
    client = server.client;
    await makeTable(client, "Places", undefined, {
      attributes: [["country", "S"], ["city", "S"], ["street", "S"], ["nr", "N"]].map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
      input: {
        GlobalSecondaryIndexes: [{
          IndexName: "ByPlace", Projection: { ProjectionType: "ALL" },
          KeySchema: [{ AttributeName: "country", KeyType: "HASH" }, { AttributeName: "city", KeyType: "HASH" }, { AttributeName: "street", KeyType: "RANGE" }, { AttributeName: "nr", KeyType: "RANGE" }],
        }],
      },
    });
    for (const city of ["x", "y"])
      for (const street of ["a", "ab", "b"])
        for (const nr of [1, 2, 10])
          await ask(client, "PutItem", { TableName: "Places", Item: { p: { S: `${city}${street}${nr}` }, country: { S: "c" }, city: { S: city }, street: { S: street }, nr: { N: `${nr}` } } });
    await ask(client, "PutItem", { TableName: "Places", Item: { p: { S: "sparse" }, country: { S: "c" }, city: { S: "x" }, street: { S: "a" } } });
  });
  after(() => server.stop());

  const VALUES = { ":c": { S: "c" }, ":x": { S: "x" }, ":a": { S: "a" }, ":n": { N: "2" }, ":m": { N: "10" } };
  const input = (KeyConditionExpression, more = {}) => ({
    TableName: "Places", IndexName: "ByPlace", KeyConditionExpression,
    ExpressionAttributeValues: Object.fromEntries([...new Set(KeyConditionExpression.match(/:\w/g))].map((name) => [name, VALUES[name]])), ...more,
  });
  const keys = (page) => page.Items.map((item) => item.p.S);

  for (const [condition, wanted] of [
    ["country = :c AND city = :x", ["xa1", "xa2", "xa10", "xab1", "xab2", "xab10", "xb1", "xb2", "xb10"]],
    ["city = :x AND country = :c AND street = :a", ["xa1", "xa2", "xa10"]],
    ["country = :c AND city = :x AND begins_with(street, :a)", ["xa1", "xa2", "xa10", "xab1", "xab2", "xab10"]],
    ["country = :c AND city = :x AND street > :a", ["xab1", "xab2", "xab10", "xb1", "xb2", "xb10"]],
    ["country = :c AND city = :x AND street = :a AND nr >= :n", ["xa2", "xa10"]],
    ["country = :c AND city = :x AND street = :a AND nr BETWEEN :n AND :m", ["xa2", "xa10"]],
    ["nr = :n AND country = :c AND city = :x AND street = :a", ["xa2"]],
  ])
    it(`finds ${condition}`, async () => assert.deepEqual(keys(await ask(client, "Query", input(condition))), wanted));

  it("pages with all its keys", async () => {
    const seen = [];
    let ExclusiveStartKey;
    do {
      const page = await ask(client, "Query", input("country = :c AND city = :x", { Limit: 2, ExclusiveStartKey, ScanIndexForward: false }));
      seen.push(...keys(page));
      ExclusiveStartKey = page.LastEvaluatedKey;
      if (ExclusiveStartKey) assert.deepEqual(Object.keys(ExclusiveStartKey).sort(), ["city", "country", "nr", "p", "street"]);
    } while (ExclusiveStartKey);
    assert.deepEqual(seen, ["xb10", "xb2", "xb1", "xab10", "xab2", "xab1", "xa10", "xa2", "xa1"]);
  });
  it("wants every partition key attribute", () =>
    refuses(client, "Query", input("country = :c"), "ValidationException", "Query condition missed key schema element: city"));
  it("allows no gap", () =>
    refuses(client, "Query", input("country = :c AND city = :x AND nr = :n"), "ValidationException", "Query condition missed key schema element: street"));
  it("filters none of its keys", () =>
    refuses(client, "Query", { ...input("country = :c AND city = :x"), FilterExpression: "nr > :n", ExpressionAttributeValues: { ":c": VALUES[":c"], ":x": VALUES[":x"], ":n": VALUES[":n"] } },
      "ValidationException", "Filter Expression can only contain non-primary key attributes: Primary key attribute: nr"));
  it("is described with all of them", async () => {
    const [index] = (await ask(client, "DescribeTable", { TableName: "Places" })).Table.GlobalSecondaryIndexes;
    assert.deepEqual(index.KeySchema.map((key) => `${key.AttributeName} ${key.KeyType}`), ["country HASH", "city HASH", "street RANGE", "nr RANGE"]);
    assert.equal(index.ItemCount, 18);
  });
});
