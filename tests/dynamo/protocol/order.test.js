// SPDX-License-Identifier: MIT
// Of several things that are wrong, which one is told: types, then constraints, then what is wrong in the request alone, then
// the table, its keys, and at last what depends on the item.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { P, attribute, index, useServer } from "../lib/suite.js";
import { N, S } from "../lib/values.js";

const EXPRESSION = /^Invalid (Condition|Update|Projection|KeyCondition|Filter)Expression: /;
const NUMBER = "The parameter cannot be converted to a numeric value: x";
const TYPE = `${P}Type mismatch for key p expected: S actual: N`;
const MISMATCH = "The provided key element does not match the schema";

describe("of two faults", () => {
  const db = useServer();
  before(async () => {
    await db.makeTable("Things", undefined, { attributes: [attribute("g")], input: { GlobalSecondaryIndexes: [index("ByG", "g")] } });
    await db.ask("PutItem", { TableName: "Things", Item: { p: S("there"), v: S("x") } });
  });
  const NOWHERE = { TableName: "Nowhere" };
  const BAD = { ConditionExpression: "!" };
  const missing = { name: "ResourceNotFoundException", sentence: "Requested resource not found" };

  for (const [what, call, input, wanted] of [
    ["a bad table's name and a missing item", "PutItem", { TableName: "a!", Item: undefined }, /at 'tableName' failed to satisfy constraint/],
    ["a bad word and a bad number: the word", "PutItem", { Item: { p: N("x") }, ReturnValues: "x" }, /at 'returnValues' failed to satisfy constraint/],
    ["a bad word and a bad expression: the word", "PutItem", { Item: { p: S("a") }, ReturnValues: "x", ...BAD }, /at 'returnValues' failed to satisfy constraint/],
    ["old and new parameters and a bad expression: both kinds", "PutItem", { Item: { p: S("a") }, Expected: {}, ...BAD }, /^Can not use both expression and non-expression parameters/],
    ["a bad number and a bad expression: the number", "PutItem", { Item: { p: N("x") }, ...BAD }, NUMBER],
    ["a bad number and a missing table: the number", "PutItem", { ...NOWHERE, Item: { p: N("x") } }, NUMBER],
    ["ReturnValues that do not fit and a missing table: the words", "PutItem", { ...NOWHERE, Item: { p: S("a") }, ReturnValues: "ALL_NEW" }, "ReturnValues can only be ALL_OLD or NONE"],
    ["a bad expression and a missing table: the expression", "PutItem", { ...NOWHERE, Item: { p: S("a") }, ...BAD }, EXPRESSION],
    ["an item that is too large and a missing table: the size", "PutItem", { ...NOWHERE, Item: { p: S("x".repeat(409_700)) } }, "Item size has exceeded the maximum allowed size"],
    ["a missing table and a wrong key: the table", "PutItem", { ...NOWHERE, Item: { p: N(1) } }, missing],
    ["a bad expression and a wrong key: the expression", "PutItem", { Item: { p: N(1) }, ...BAD }, EXPRESSION],
    ["an unused value and a wrong key: the value", "PutItem", { Item: { p: N(1) }, ConditionExpression: "attribute_exists(p)", ExpressionAttributeValues: { ":v": N(1) } }, /unused in expressions/],
    ["a wrong key and a wrong key of an index: the key", "PutItem", { Item: { p: N(1), g: N(1) } }, TYPE],
    ["a wrong key of an index and a condition that fails: the key", "PutItem", { Item: { p: S("there"), g: N(1) }, ConditionExpression: "attribute_not_exists(p)" }, /^One or more parameter values were invalid: Type mismatch for Index Key g/],
    ["a condition that fails, alone", "PutItem", { Item: { p: S("there") }, ConditionExpression: "attribute_not_exists(p)" }, { name: "ConditionalCheckFailedException", sentence: "The conditional request failed" }],
    ["a wrong key and a condition that fails: the key", "DeleteItem", { Key: { p: S("there"), q: S("x") }, ConditionExpression: "attribute_not_exists(p)" }, MISMATCH],
    ["an update of the key and a wrong key: the key", "UpdateItem", { Key: { p: N(1) }, UpdateExpression: "SET p = :v", ExpressionAttributeValues: { ":v": S("x") } }, MISMATCH],
    ["a condition that fails and an update that cannot be: the condition", "UpdateItem", { Key: { p: S("there") }, UpdateExpression: "SET v = v + :n", ConditionExpression: "attribute_not_exists(p)", ExpressionAttributeValues: { ":n": N(1) } }, { name: "ConditionalCheckFailedException", sentence: "The conditional request failed" }],
    ["an update that cannot be, and an index's key of a wrong type: the type", "UpdateItem", { Key: { p: S("there") }, UpdateExpression: "SET v = v + :n, g = :n", ExpressionAttributeValues: { ":n": N(1) } }, /Type mismatch for Index Key g/],
    ["a bad projection and a wrong key: the projection", "GetItem", { Key: { p: N(1) }, ProjectionExpression: "a,a" }, EXPRESSION],
    ["a bad number in a key and a missing table: the number", "GetItem", { ...NOWHERE, Key: { p: N("x") } }, NUMBER],
    ["a wrong key and a missing table behind it in a batch: the table", "BatchGetItem", { RequestItems: { Things: { Keys: [{ p: N(1) }] }, Nowhere: { Keys: [{ p: S("a") }] } } }, missing],
    ["a wrong item and a missing table behind it in a batch: the table", "BatchWriteItem", { RequestItems: { Things: [{ PutRequest: { Item: { p: N(1) } } }], Nowhere: [{ PutRequest: { Item: { p: S("a") } } }] } }, missing],
    ["a missing table and an item behind it in a batch that is too large: the size", "BatchWriteItem", { RequestItems: { Nowhere: [{ PutRequest: { Item: { p: S("a") } } }], Things: [{ PutRequest: { Item: { p: S("x".repeat(409_700)) } } }] } }, "Item size has exceeded the maximum allowed size"],
    ["a missing table and a missing index: the table", "Query", { ...NOWHERE, IndexName: "None", KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": S("a") } }, missing],
    ["a missing index and a key condition for another: the index", "Query", { IndexName: "None", KeyConditionExpression: "q = :p", ExpressionAttributeValues: { ":p": S("a") } }, "The table does not have the specified index: None"],
    ["no key condition and a missing table: the condition", "Query", NOWHERE, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."],
    ["a bad filter and a missing table: the filter", "Query", { ...NOWHERE, KeyConditionExpression: "p = :p", FilterExpression: "!", ExpressionAttributeValues: { ":p": S("a") } }, EXPRESSION],
    ["a bad key condition and a bad filter: the key condition", "Query", { KeyConditionExpression: "!", FilterExpression: "?" }, /^Invalid KeyConditionExpression: /],
    ["a bad filter and a bad projection: the filter", "Query", { KeyConditionExpression: "p = :p", ProjectionExpression: "!", FilterExpression: "?", ExpressionAttributeValues: { ":p": S("a") } }, /^Invalid FilterExpression: /],
    ["a filter on a key and a key of a wrong type: the type", "Query", { KeyConditionExpression: "p = :p", FilterExpression: "p = :p", ExpressionAttributeValues: { ":p": N(1) } }, /Condition parameter type does not match schema type|Filter Expression can only contain/],
    ["a segment that is none and a missing table: the segment", "Scan", { ...NOWHERE, Segment: 5, TotalSegments: 2 }, /^The Segment parameter is zero-based/],
    ["a limit of 0 and a bad filter: the limit", "Scan", { Limit: 0, FilterExpression: "!" }, /at 'limit' failed to satisfy constraint/],
  ])
    it(what, () => {
      const { name, sentence } = typeof wanted === "string" || wanted instanceof RegExp ? { name: "ValidationException", sentence: wanted } : wanted;
      return db.refuses(call, { TableName: "Things", ...input }, name, sentence);
    });

  it("nothing has been written by any of them", async () => {
    const { Items } = await db.ask("Scan", { TableName: "Things" });
    assert.deepEqual(Items, [{ p: S("there"), v: S("x") }]);
  });
});
