// SPDX-License-Identifier: MIT
// Of several things that are wrong with one request, which is told.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { attribute, index, KEYS_ONLY, useServer } from "../lib/suite.js";
import { post } from "../lib/check.js";

const S = (text) => ({ S: text }), N = (number) => ({ N: String(number) });

// From what is found first to what is found last; each is a request to PutItem, to be spread over the ones before.
const JSON_TYPE = { ReturnValues: 5 };
const CONSTRAINT = { ReturnConsumedCapacity: "x" };
const MIXED = { Expected: {}, ConditionExpression: "attribute_exists(p)" };
const VALUE = { Item: { p: S("a"), v: N("x") } };
const SYNTAX = { ConditionExpression: "!" };
const TABLE = { TableName: "Missing" };
const KEY = { Item: { q: S("a") } };

describe("of what is wrong is told", () => {
  const db = useServer();
  before(async () => {
    await db.makeTable("Things", undefined, { attributes: [attribute("g")], input: { GlobalSecondaryIndexes: [index("ByG", "g", undefined, KEYS_ONLY)] } });
    await db.ask("PutItem", { TableName: "Things", Item: { p: S("a"), t: S("text") } });
  });
  const said = async (call, body) => {
    const { json } = await db.post(call, body);
    return `${json?.__type?.split("#")[1]}: ${json?.message ?? json?.Message ?? ""}`;
  };
  const put = (...parts) => said("PutItem", Object.assign({ TableName: "Things", Item: { p: S("a") } }, ...parts));

  for (const [first, then, wanted, ...parts] of [
    ["a JSON type", "a constraint", /^SerializationException: NUMBER_VALUE/, JSON_TYPE, CONSTRAINT],
    ["a JSON type", "a missing member", /^SerializationException: NUMBER_VALUE/, JSON_TYPE, { Item: null }],
    ["a JSON type", "a value", /^SerializationException: NUMBER_VALUE/, JSON_TYPE, VALUE],
    ["a JSON type", "a table's name", /^SerializationException: NUMBER_VALUE/, JSON_TYPE, { TableName: "a b" }],
    ["a table's name", "another constraint", /^ValidationException: 1 validation error detected: Value 'a b' at 'tableName'/, { TableName: "a b" }, CONSTRAINT],
    ["a constraint", "mixed parameters", /^ValidationException: 1 validation error detected: Value 'x' at 'returnConsumedCapacity'/, CONSTRAINT, MIXED],
    ["a constraint", "a value", /^ValidationException: 1 validation error detected: Value 'x' at 'returnConsumedCapacity'/, CONSTRAINT, VALUE],
    ["a constraint", "a missing table", /^ValidationException: 1 validation error detected/, CONSTRAINT, TABLE],
    ["mixed parameters", "a value", /^ValidationException: Can not use both/, MIXED, VALUE],
    ["mixed parameters", "syntax", /^ValidationException: Can not use both/, MIXED, SYNTAX],
    ["mixed parameters", "a missing table", /^ValidationException: Can not use both/, MIXED, TABLE],
    ["a value", "a missing table", /^ValidationException: The parameter cannot be converted to a numeric value: x$/, VALUE, TABLE],
    ["syntax", "a missing table", /^ValidationException: Invalid ConditionExpression: Syntax error; token: "!"/, SYNTAX, TABLE],
    ["syntax", "a wrong key", /^ValidationException: Invalid ConditionExpression: /, SYNTAX, KEY],
    ["unused values", "a missing table", /^ValidationException: Value provided in ExpressionAttributeValues unused/, TABLE, { ConditionExpression: "attribute_exists(p)", ExpressionAttributeValues: { ":v": S("x") } }],
    ["an item too large", "a missing table", /^ValidationException: Item size has exceeded the maximum allowed size$/, TABLE, { Item: { p: S("a"), v: S("x".repeat(409600)) } }],
    ["levels too deep", "a missing table", /^ValidationException: Nesting Levels have exceeded supported limits$/, TABLE, { Item: { p: S("a"), v: JSON.parse("{\"L\":[".repeat(32) + "{\"S\":\"x\"}" + "]}".repeat(32)) } }],
    ["ReturnValues that cannot be", "a missing table", /^ValidationException: ReturnValues can only be ALL_OLD or NONE$/, TABLE, { ReturnValues: "ALL_NEW" }],
    ["a missing table", "a wrong key", /^ResourceNotFoundException: Requested resource not found$/, TABLE, KEY],
    ["a missing table", "an empty key", /^ResourceNotFoundException: /, TABLE, { Item: { p: S("") } }],
    ["a wrong key", "a failed condition", /^ValidationException: One or more parameter values were invalid: Missing the key p in the item$/, KEY, { ConditionExpression: "attribute_exists(zzz)" }],
    ["an index key", "a failed condition", /^ValidationException: One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: ByG$/, { Item: { p: S("a"), g: N(1) }, ConditionExpression: "attribute_exists(zzz)" }],
    ["a wrong key", "an index key", /Missing the key p in the item$/, { Item: { g: N(1) } }],
  ])
    it(`${first} before ${then}`, async () => assert.match(await put(...parts), wanted));

  it("an unknown target before what its body says", async () => assert.equal(await said("Nonsense", "[1]"), "UnknownOperationException: "));
  it("no JSON before an unknown target", async () => assert.equal(await said("Nonsense", "{"), "SerializationException: "));
  it("an unknown target before a missing signature", async () => {
    const { json } = await post(db.endpoint, "DynamoDB_20120810.Nonsense", "{}", { authorization: "" });
    assert.match(json.__type, /#UnknownOperationException$/);
  });

  const update = (UpdateExpression, more = {}) => said("UpdateItem", { TableName: "Things", Key: { p: S("a") }, UpdateExpression, ...more });
  for (const [first, then, wanted, expression, more] of [
    ["an update's syntax", "a condition's", /^ValidationException: Invalid UpdateExpression: Syntax error/, "SET", { ConditionExpression: "!" }],
    ["a condition's syntax", "unused values", /^ValidationException: Invalid ConditionExpression: Syntax error/, "REMOVE v", { ConditionExpression: "!", ExpressionAttributeValues: { ":v": N(1) } }],
    ["unused values", "the key's attribute", /unused in expressions: keys: \{:v\}$/, "REMOVE p", { ExpressionAttributeValues: { ":v": N(1) } }],
    ["a missing table", "the key's attribute", /^ResourceNotFoundException/, "REMOVE p", { TableName: "Missing" }],
    ["the key's attribute", "a failed condition", /Cannot update attribute p\. This attribute is part of the key$/, "REMOVE p", { ConditionExpression: "attribute_exists(zzz)" }],
    ["a failed condition", "an operand", /^ConditionalCheckFailedException: The conditional request failed$/, "SET v = t + :n", { ConditionExpression: "attribute_exists(zzz)", ExpressionAttributeValues: { ":n": N(1) } }],
    ["a failed condition", "a path that leads nowhere", /^ConditionalCheckFailedException/, "SET x.y = t", { ConditionExpression: "attribute_exists(zzz)" }],
    ["a wrong key", "an operand", /^ValidationException: The provided key element does not match the schema$/, "SET v = t + :n", { Key: { q: S("a") }, ExpressionAttributeValues: { ":n": N(1) } }],
  ])
    it(`${first} before ${then}`, async () => assert.match(await update(expression, more), wanted));

  const query = (more) => said("Query", { TableName: "Things", KeyConditionExpression: "p = :p", ExpressionAttributeValues: { ":p": S("a") }, ...more });
  for (const [first, then, wanted, more] of [
    ["a limit", "a wrong expression", /at 'Limit' failed/, { Limit: 0, KeyConditionExpression: "!" }],
    ["a key condition's syntax", "a filter's", /^ValidationException: Invalid KeyConditionExpression: /, { KeyConditionExpression: "!", FilterExpression: "!" }],
    ["a key condition's syntax", "a missing table", /^ValidationException: Invalid KeyConditionExpression: Syntax error/, { KeyConditionExpression: "!", TableName: "Missing" }],
    ["what no key condition has", "a missing table", /^ValidationException: Invalid operator used in KeyConditionExpression: OR$/, { KeyConditionExpression: "p = :p OR p = :p", TableName: "Missing" }],
    ["an undefined value of a key condition", "a missing table", /^ValidationException: Invalid KeyConditionExpression: An expression attribute value used in expression is not defined; attribute value: :q$/, { KeyConditionExpression: "p = :q", TableName: "Missing" }],
    ["unused values", "a missing table", /unused in expressions: keys: \{:q\}$/, { ExpressionAttributeValues: { ":p": S("a"), ":q": S("a") }, TableName: "Missing" }],
    ["unused values", "a wrong key", /unused in expressions: keys: \{:q\}$/, { KeyConditionExpression: "zzz = :p", ExpressionAttributeValues: { ":p": S("a"), ":q": S("a") } }],
    ["a missing table", "a wrong key", /^ResourceNotFoundException/, { KeyConditionExpression: "zzz = :p", TableName: "Missing" }],
    ["a filter's syntax", "a projection's", /^ValidationException: Invalid FilterExpression: /, { FilterExpression: "!", ProjectionExpression: "!" }],
    ["a projection's syntax", "a missing table", /^ValidationException: Invalid ProjectionExpression: /, { ProjectionExpression: "!", TableName: "Missing" }],
    ["no condition at all", "a missing table", /^ValidationException: Either the KeyConditions or KeyConditionExpression parameter must be specified/, { KeyConditionExpression: undefined, ExpressionAttributeValues: undefined, TableName: "Missing" }],
    ["a missing table", "a missing index", /^ResourceNotFoundException/, { TableName: "Missing", IndexName: "Nothing" }],
    ["a missing index", "a wrong key", /^ValidationException: The table does not have the specified index: Nothing$/, { IndexName: "Nothing", KeyConditionExpression: "zzz = :p" }],
  ])
    it(`${first} before ${then}, in a query`, async () => assert.match(await query(more), wanted));

  const scan = (more) => said("Scan", { TableName: "Things", ...more });
  for (const [first, then, wanted, more] of [
    ["a segment without a total", "a missing table", /^ValidationException: The TotalSegments parameter is required but was not present in the request when Segment parameter is present$/, { Segment: 0, TableName: "Missing" }],
    ["a total without a segment", "a missing table", /^ValidationException: The Segment parameter is required but was not present in the request when parameter TotalSegments is present$/, { TotalSegments: 1, TableName: "Missing" }],
    ["a segment beyond the total", "a missing table", /Segment: 4 is not less than TotalSegments: 4$/, { Segment: 4, TotalSegments: 4, TableName: "Missing" }],
    ["a start's value", "a missing table", /^ValidationException: The parameter cannot be converted to a numeric value: x|^ValidationException: The provided starting key is invalid: The parameter cannot/, { ExclusiveStartKey: { p: N("x") }, TableName: "Missing" }],
    ["a missing table", "a start that is none", /^ResourceNotFoundException/, { ExclusiveStartKey: { q: S("x") }, TableName: "Missing" }],
  ])
    it(`${first} before ${then}, in a scan`, async () => assert.match(await scan(more), wanted));

  const batch = (RequestItems) => said("BatchWriteItem", { RequestItems });
  for (const [first, then, wanted, items] of [
    ["too many", "a missing table", /Map value must satisfy constraint/, { Missing: Array.from({ length: 26 }, (_, i) => ({ PutRequest: { Item: { p: S(`${i}`) } } })) }],
    ["a value", "a missing table", /numeric value: x$/, { Missing: [{ PutRequest: { Item: { p: N("x") } } }] }],
    ["a missing table", "a wrong key", /^ResourceNotFoundException/, { Missing: [{ PutRequest: { Item: { q: S("x") } } }] }],
    ["a missing table", "another's wrong key", /^ResourceNotFoundException|^ValidationException: The provided key element/, { Things: [{ DeleteRequest: { Key: { q: S("x") } } }], Missing: [{ PutRequest: { Item: { p: S("x") } } }] }],
  ])
    it(`${first} before ${then}, in a batch`, async () => assert.match(await batch(items), wanted));
});
