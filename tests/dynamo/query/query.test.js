// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, makeTable, refuses } from "../lib/check.js";
import { startServer } from "../lib/server.js";

const P = "One or more parameter values were invalid: ";
const AMOUNT = 40;

describe("Query and Scan", () => {
  let server, client;
  before(async () => {
    server = await startServer();
    client = server.client;
    for (const type of ["S", "N", "B"]) {
      await makeTable(client, `By${type}`, type, {
        attributes: [{ AttributeName: "g", AttributeType: "S" }, { AttributeName: "l", AttributeType: "N" }],
        input: {
          GlobalSecondaryIndexes: [{ IndexName: "Global", KeySchema: [{ AttributeName: "g", KeyType: "HASH" }, { AttributeName: "l", KeyType: "RANGE" }], Projection: { ProjectionType: "KEYS_ONLY" } }],
          LocalSecondaryIndexes: [{ IndexName: "Local", KeySchema: [{ AttributeName: "p", KeyType: "HASH" }, { AttributeName: "l", KeyType: "RANGE" }], Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["v"] } }],
        },
      });
      for (let i = 0; i < AMOUNT; i += 20)
        await ask(client, "BatchWriteItem", {
          RequestItems: { [`By${type}`]: Array.from({ length: 20 }, (_, n) => ({ PutRequest: { Item: item(type, i + n) } })) },
        });
    }
  });
  after(() => server.stop());

  const text = (i) => String(i).padStart(3, "0");
  const sortKey = (type, i) => (type === "N" ? { N: `${i - 10}` } : type === "S" ? { S: text(i) } : { B: new TextEncoder().encode(text(i)) });
  const item = (type, i) => ({ p: { S: "a" }, s: sortKey(type, i), g: { S: i % 2 ? "odd" : "even" }, l: { N: `${AMOUNT - i}` }, v: { N: `${i % 5}` }, w: { S: "w" } });
  const query = (more) => ask(client, "Query", { TableName: "ByN", KeyConditionExpression: "p = :p", ...more, ExpressionAttributeValues: { ":p": { S: "a" }, ...more.ExpressionAttributeValues } });

  for (const type of ["S", "N", "B"])
    for (const ScanIndexForward of [true, false])
      for (const Limit of [1, 7, AMOUNT, 1000])
        it(`pages through sort keys of type ${type}, ${Limit} at a time, ${ScanIndexForward ? "up" : "down"}`, async () => {
          const seen = [];
          let ExclusiveStartKey;
          do {
            const page = await query({ TableName: `By${type}`, ScanIndexForward, Limit, ExclusiveStartKey });
            assert.ok(page.Items.length <= Limit);
            seen.push(...page.Items);
            ExclusiveStartKey = page.LastEvaluatedKey;
          } while (ExclusiveStartKey);
          const wanted = Array.from({ length: AMOUNT }, (_, i) => item(type, i));
          assert.deepEqual(seen, ScanIndexForward ? wanted : wanted.reverse());
        });

  for (const [condition, values, first, last] of [
    ["s = :a", { ":a": { N: "0" } }, 0, 0],
    ["s < :a", { ":a": { N: "0" } }, -10, -1],
    ["s <= :a", { ":a": { N: "0" } }, -10, 0],
    ["s > :a", { ":a": { N: "0" } }, 1, 29],
    [":a < s", { ":a": { N: "0" } }, 1, 29],
    ["s >= :a", { ":a": { N: "0.0" } }, 0, 29],
    ["s BETWEEN :a AND :b", { ":a": { N: "-2" }, ":b": { N: "2" } }, -2, 2],
  ])
    it(`finds ${condition}`, async () => {
      const { Items } = await query({ KeyConditionExpression: `p = :p AND ${condition}`, ExpressionAttributeValues: values });
      assert.deepEqual([+Items[0].s.N, +Items.at(-1).s.N], [first, last]);
    });
  it("finds begins_with", async () => {
    const { Count } = await query({ TableName: "ByS", KeyConditionExpression: "p = :p AND begins_with(s, :a)", ExpressionAttributeValues: { ":a": { S: "01" } } });
    assert.equal(Count, 10);
  });
  it("filters after the limit", async () => {
    const page = await query({ Limit: 5, FilterExpression: "v = :v", ExpressionAttributeValues: { ":v": { N: "9" } } });
    assert.equal(page.Count, 0);
    assert.equal(page.ScannedCount, 5);
    assert.deepEqual(page.LastEvaluatedKey, { p: { S: "a" }, s: { N: "-6" } });
  });
  it("counts", async () => assert.deepEqual(await query({ Select: "COUNT" }), { Count: AMOUNT, ScannedCount: AMOUNT }));
  it("projects", async () => {
    const { Items } = await query({ Limit: 1, ProjectionExpression: "v, nothing" });
    assert.deepEqual(Items, [{ v: { N: "0" } }]);
  });
  it("gives the keys of a global index", async () => {
    const page = await ask(client, "Query", { TableName: "ByN", IndexName: "Global", Limit: 1, KeyConditionExpression: "g = :g AND l < :l", ExpressionAttributeValues: { ":g": { S: "odd" }, ":l": { N: "10" } } });
    assert.deepEqual(page.Items, [{ p: { S: "a" }, s: { N: "29" }, g: { S: "odd" }, l: { N: "1" } }]);
    assert.deepEqual(page.LastEvaluatedKey, page.Items[0]);
  });
  it("fetches for a local index what it does not hold", async () => {
    const { Items } = await query({ IndexName: "Local", Limit: 1, Select: "ALL_ATTRIBUTES", ReturnConsumedCapacity: "INDEXES" });
    assert.deepEqual(Items, [item("N", AMOUNT - 1)]);
  });
  it("ends a page at 1 MB", async () => {
    await makeTable(client, "Large", "N");
    for (let i = 0; i < 4; i++) await ask(client, "PutItem", { TableName: "Large", Item: { p: { S: "a" }, s: { N: `${i}` }, v: { S: "x".repeat(400000) } } });
    const page = await query({ TableName: "Large" });
    assert.equal(page.Count, 3);
    assert.deepEqual(page.LastEvaluatedKey, { p: { S: "a" }, s: { N: "2" } });
  });

  for (const [what, more, sentence] of [
    ["no key condition", { KeyConditionExpression: undefined, ExpressionAttributeValues: undefined }, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."],
    ["a partition key that is not equal", { KeyConditionExpression: "p > :p" }, "Query key condition not supported"],
    ["a missing partition key", { KeyConditionExpression: "s = :p" }, "Query condition missed key schema element: p"],
    ["two conditions on one key", { KeyConditionExpression: "p = :p AND s > :n AND s < :n", ExpressionAttributeValues: { ":n": { N: "1" } } }, "KeyConditionExpressions must only contain one condition per key"],
    ["OR", { KeyConditionExpression: "p = :p OR s = :n", ExpressionAttributeValues: { ":n": { N: "1" } } }, "Invalid operator used in KeyConditionExpression: OR"],
    ["<>", { KeyConditionExpression: "p = :p AND s <> :n", ExpressionAttributeValues: { ":n": { N: "1" } } }, "Invalid operator used in KeyConditionExpression: <>"],
    ["contains", { KeyConditionExpression: "p = :p AND contains(s, :n)", ExpressionAttributeValues: { ":n": { S: "1" } } }, "Invalid operator used in KeyConditionExpression: contains"],
    ["a nested path", { KeyConditionExpression: "p = :p AND s.x = :n", ExpressionAttributeValues: { ":n": { N: "1" } } }, "KeyConditionExpressions cannot have conditions on nested attributes"],
    ["a wrong type", { KeyConditionExpression: "p = :p AND s = :n", ExpressionAttributeValues: { ":n": { S: "1" } } }, `${P}Condition parameter type does not match schema type`],
    ["a filter on a key", { FilterExpression: "s = :n", ExpressionAttributeValues: { ":n": { N: "1" } } }, "Filter Expression can only contain non-primary key attributes: Primary key attribute: s"],
    ["an index that is not there", { IndexName: "None" }, "The table does not have the specified index: None"],
    ["a strong read of a global index", { IndexName: "Global", KeyConditionExpression: "g = :p", ConsistentRead: true }, "Consistent reads are not supported on global secondary indexes"],
    ["what a global index does not hold", { IndexName: "Global", KeyConditionExpression: "g = :p", ProjectionExpression: "v" }, `${P}Global secondary index Global does not project [v]`],
    ["all of a global index that has not all", { IndexName: "Global", KeyConditionExpression: "g = :p", Select: "ALL_ATTRIBUTES" }, `${P}Select type ALL_ATTRIBUTES is not supported for global secondary index Global because its projection type is not ALL`],
    ["a limit of 0", { Limit: 0 }, "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1"],
    ["a start in another partition", { ExclusiveStartKey: { p: { S: "b" }, s: { N: "1" } } }, "The provided starting key is outside query boundaries based on provided conditions"],
    ["a start outside the range", { KeyConditionExpression: "p = :p AND s > :n", ExpressionAttributeValues: { ":n": { N: "5" } }, ExclusiveStartKey: { p: { S: "a" }, s: { N: "1" } } }, "The provided starting key does not match the range key predicate"],
    ["half a start", { ExclusiveStartKey: { p: { S: "a" } } }, "The provided starting key is invalid"],
  ])
    it(`refuses ${what}`, () =>
      refuses(client, "Query", {
        TableName: "ByN", KeyConditionExpression: "p = :p", ...more,
        ExpressionAttributeValues: "ExpressionAttributeValues" in more && !more.ExpressionAttributeValues ? undefined
          : /:p/.test(more.KeyConditionExpression ?? ":p") ? { ":p": { S: "a" }, ...more.ExpressionAttributeValues } : more.ExpressionAttributeValues,
      }, "ValidationException", sentence));

  it("scans in segments that share nothing and miss nothing", async () => {
    await makeTable(client, "Wide");
    for (let i = 0; i < 100; i += 25)
      await ask(client, "BatchWriteItem", { RequestItems: { Wide: Array.from({ length: 25 }, (_, n) => ({ PutRequest: { Item: { p: { S: `k${i + n}` } } } })) } });
    const seen = [];
    for (let Segment = 0; Segment < 7; Segment++) {
      let ExclusiveStartKey;
      do {
        const page = await ask(client, "Scan", { TableName: "Wide", Segment, TotalSegments: 7, Limit: 4, ExclusiveStartKey });
        seen.push(...page.Items.map((one) => one.p.S));
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey);
    }
    assert.equal(seen.length, 100);
    assert.equal(new Set(seen).size, 100);
  });
  it("scans with a filter on keys", async () => {
    const { Count } = await ask(client, "Scan", { TableName: "ByN", FilterExpression: "s < :n", ExpressionAttributeValues: { ":n": { N: "0" } } });
    assert.equal(Count, 10);
  });

  describe("with the old parameters", () => {
    const conditions = (more) => ({ TableName: "ByN", KeyConditions: { p: { ComparisonOperator: "EQ", AttributeValueList: [{ S: "a" }] }, ...more } });
    for (const [ComparisonOperator, AttributeValueList, count] of [
      ["EQ", [{ N: "0" }], 1], ["LT", [{ N: "0" }], 10], ["LE", [{ N: "0" }], 11], ["GT", [{ N: "0" }], 29], ["GE", [{ N: "0" }], 30], ["BETWEEN", [{ N: "0" }, { N: "4" }], 5],
    ])
      it(`queries ${ComparisonOperator}`, async () =>
        assert.equal((await ask(client, "Query", conditions({ s: { ComparisonOperator, AttributeValueList } }))).Count, count));
    for (const ComparisonOperator of ["NE", "IN", "CONTAINS", "NOT_CONTAINS"])
      it(`cannot query ${ComparisonOperator}`, () =>
        refuses(client, "Query", conditions({ s: { ComparisonOperator, AttributeValueList: [{ N: "0" }] } }), "ValidationException", "Attempted conditional constraint is not an indexable operation"));
    for (const [condition, count] of [
      [{ ComparisonOperator: "EQ", AttributeValueList: [{ N: "1" }] }, 8], [{ ComparisonOperator: "NE", AttributeValueList: [{ N: "1" }] }, 32],
      [{ ComparisonOperator: "IN", AttributeValueList: [{ N: "1" }, { N: "2" }] }, 16], [{ ComparisonOperator: "LE", AttributeValueList: [{ N: "1" }] }, 16],
      [{ ComparisonOperator: "NULL" }, 0], [{ ComparisonOperator: "NOT_NULL" }, 40], [{ ComparisonOperator: "BETWEEN", AttributeValueList: [{ N: "1" }, { N: "3" }] }, 24],
    ])
      it(`filters by ${condition.ComparisonOperator}`, async () =>
        assert.equal((await ask(client, "Query", { ...conditions(), QueryFilter: { v: condition } })).Count, count));
  });
});
