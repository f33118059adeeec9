// SPDX-License-Identifier: MIT
// What the generic validator says: all that is wrong with a request's members, at once.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { useServer } from "../lib/suite.js";

const TYPE = "com.amazon.coral.validate#ValidationException";
const at = (value, path, constraint) => `Value ${value === null ? "null" : `'${value}'`} at '${path}' failed to satisfy constraint: ${constraint}`;
const missing = (path) => at(null, path, "Member must not be null");
const words = (value, path, set) => at(value, path, `Member must satisfy enum value set: [${set}]`);
const shorter = (value, path, n) => at(value, path, `Member must have length less than or equal to ${n}`);
const longer = (value, path, n) => at(value, path, `Member must have length greater than or equal to ${n}`);
const least = (value, path, n) => at(value, path, `Member must have value greater than or equal to ${n}`);
const most = (value, path, n) => at(value, path, `Member must have value less than or equal to ${n}`);
const pattern = (value, path) => at(value, path, "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");

const CAPACITY = "INDEXES, TOTAL, NONE", METRICS = "SIZE, NONE", OPERATORS = "IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS";
const RETURNS = "ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW", SELECT = "SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES";
const T = { TableName: "Things" }, Key = { p: { S: "a" } };

describe("a constraint", () => {
  const db = useServer();
  before(() => db.makeTable("Things"));
  const check = async (call, body, ...violations) => {
    const { status, json } = await db.post(call, body);
    assert.deepEqual([status, json.__type], [400, TYPE], JSON.stringify(json));
    const [, count, , rest] = /^(\d+) validation error(s?) detected: (.*)$/s.exec(json.message) ?? [];
    assert.ok(count, json.message);
    assert.deepEqual(rest.split("; ").sort(), [...violations].sort());
    assert.equal(json.message, `${violations.length} validation error${violations.length > 1 ? "s" : ""} detected: ${rest}`);
  };

  for (const [call, body, ...violations] of [
    ["GetItem", { Key }, missing("tableName")],
    ["GetItem", T, missing("key")],
    ["PutItem", T, missing("item")],
    ["PutItem", {}, missing("tableName"), missing("item")],
    ["UpdateItem", T, missing("key")],
    ["DeleteItem", {}, missing("tableName"), missing("key")],
    ["Query", {}, missing("tableName")],
    ["Scan", {}, missing("tableName")],
    ["BatchGetItem", {}, missing("requestItems")],
    ["BatchWriteItem", {}, missing("requestItems")],
    ["TransactWriteItems", {}, missing("transactItems")],
    ["TransactGetItems", {}, missing("transactItems")],
    ["UpdateTimeToLive", T, missing("timeToLiveSpecification")],
    ["UpdateTimeToLive", { ...T, TimeToLiveSpecification: {} }, missing("timeToLiveSpecification.enabled"), missing("timeToLiveSpecification.attributeName")],
    ["TagResource", {}, missing("resourceArn"), missing("tags")],
    ["UntagResource", {}, missing("resourceArn"), missing("tagKeys")],
    ["ListTagsOfResource", {}, missing("resourceArn")],
    ["ExecuteStatement", {}, missing("statement")],
    ["BatchExecuteStatement", {}, missing("statements")],
    ["ExecuteTransaction", {}, missing("transactStatements")],

    ["GetItem", { ...T, Key, ReturnConsumedCapacity: "ALL" }, words("ALL", "returnConsumedCapacity", CAPACITY)],
    ["GetItem", { ...T, Key, ReturnConsumedCapacity: "" }, words("", "returnConsumedCapacity", CAPACITY)],
    ["PutItem", { ...T, Item: Key, ReturnValues: "all_old" }, words("all_old", "returnValues", RETURNS)],
    ["PutItem", { ...T, Item: Key, ReturnItemCollectionMetrics: "YES", ReturnConsumedCapacity: "YES" }, words("YES", "returnConsumedCapacity", CAPACITY), words("YES", "returnItemCollectionMetrics", METRICS)],
    ["PutItem", { ...T, Item: Key, ConditionalOperator: "NOR" }, words("NOR", "conditionalOperator", "OR, AND")],
    ["PutItem", { ...T, Item: Key, Expected: { a: { ComparisonOperator: "IS" } } }, words("IS", "expected.a.member.comparisonOperator", OPERATORS)],
    ["DeleteItem", { ...T, ReturnValues: "X" }, missing("key"), words("X", "returnValues", RETURNS)],
    ["Query", { ...T, Select: "ALL" }, words("ALL", "select", SELECT)],
    ["Query", { ...T, KeyConditions: { p: { AttributeValueList: [] } } }, missing("keyConditions.p.member.comparisonOperator")],
    ["Scan", { ...T, Select: "count", ReturnConsumedCapacity: "x" }, words("count", "select", SELECT), words("x", "returnConsumedCapacity", CAPACITY)],
    ["Scan", { ...T, Limit: 0 }, least("0", "limit", 1)],
    ["Scan", { ...T, Limit: -5 }, least("-5", "limit", 1)],
    ["Scan", { ...T, Segment: -1, TotalSegments: 0 }, least("0", "totalSegments", 1), least("-1", "segment", 0)],
    ["Scan", { ...T, Segment: 1000000, TotalSegments: 1000001 }, most("1000001", "totalSegments", 1000000), most("1000000", "segment", 999999)],
    ["Scan", { ...T, AttributesToGet: [] }, longer("[]", "attributesToGet", 1)],
    ["Scan", { ...T, IndexName: "ab" }, longer("ab", "indexName", 3)],
    ["Scan", { ...T, IndexName: "a b c" }, pattern("a b c", "indexName")],
    ["Scan", { ...T, IndexName: "x".repeat(256) }, shorter("x".repeat(256), "indexName", 255)],

    ["ListTables", { Limit: 0 }, least("0", "limit", 1)],
    ["ListTables", { Limit: 101 }, most("101", "limit", 100)],
    ["ListTables", { ExclusiveStartTableName: "a" }, longer("a", "exclusiveStartTableName", 3)],
    ["ListTables", { ExclusiveStartTableName: "a b", Limit: 0 }, pattern("a b", "exclusiveStartTableName")],
    ["TransactGetItems", { TransactItems: [] }, longer("[]", "transactItems", 1)],
    ["TransactWriteItems", { TransactItems: [] }, longer("[]", "transactItems", 1)],
    ["TransactWriteItems", { TransactItems: [{ Put: { Item: Key } }] }, missing("transactItems.1.member.put.tableName")],
    ["TransactWriteItems", { TransactItems: [{ Put: { ...T, Item: Key } }, { ConditionCheck: { ...T, Key } }] }, missing("transactItems.2.member.conditionCheck.conditionExpression")],
    ["TransactWriteItems", { TransactItems: [{ Update: { ...T, Key } }] }, missing("transactItems.1.member.update.updateExpression")],
    ["TransactWriteItems", { TransactItems: [{ Delete: T }] }, missing("transactItems.1.member.delete.key")],
    ["TransactWriteItems", { TransactItems: [{ Put: { ...T, Item: Key, ReturnValuesOnConditionCheckFailure: "YES" } }] }, words("YES", "transactItems.1.member.put.returnValuesOnConditionCheckFailure", "ALL_OLD, NONE")],
    ["TransactWriteItems", { TransactItems: [{ Put: { ...T, Item: Key } }], ClientRequestToken: "" }, longer("", "clientRequestToken", 1)],
    ["TransactWriteItems", { TransactItems: [{ Put: { ...T, Item: Key } }], ClientRequestToken: "x".repeat(37) }, shorter("x".repeat(37), "clientRequestToken", 36)],
    ["BatchGetItem", { RequestItems: { Things: {} } }, missing("requestItems.Things.member.keys")],
    ["BatchGetItem", { RequestItems: { Things: { Keys: [Key], AttributesToGet: [] } } }, longer("[]", "requestItems.Things.member.attributesToGet", 1)],
    ["BatchWriteItem", { RequestItems: { Things: [{ PutRequest: {} }] } }, missing("requestItems.Things.member.1.member.putRequest.item")],
    ["BatchWriteItem", { RequestItems: { Things: [{ PutRequest: { Item: Key } }, { DeleteRequest: {} }] } }, missing("requestItems.Things.member.2.member.deleteRequest.key")],
    ["UpdateTimeToLive", { ...T, TimeToLiveSpecification: { Enabled: true, AttributeName: "" } }, longer("", "timeToLiveSpecification.attributeName", 1)],
    ["UpdateTimeToLive", { ...T, TimeToLiveSpecification: { Enabled: true, AttributeName: "x".repeat(256) } }, shorter("x".repeat(256), "timeToLiveSpecification.attributeName", 255)],
    ["TagResource", { ResourceArn: "", Tags: [] }, longer("", "resourceArn", 1)],
    ["ExecuteStatement", { Statement: "" }, longer("", "statement", 1)],
    ["ExecuteTransaction", { TransactStatements: [{ Statement: "" }, {}] }, longer("", "transactStatements.1.member.statement", 1), missing("transactStatements.2.member.statement")],

    ["GetItem", { TableName: "ab", Key }, longer("ab", "tableName", 3)],
    ["GetItem", { TableName: "a b", Key }, pattern("a b", "tableName")],
    ["GetItem", { TableName: "täble", Key }, pattern("täble", "tableName")],
    ["GetItem", { TableName: "x".repeat(256), Key }, shorter("x".repeat(256), "tableName", 255)],
    ["GetItem", { TableName: "", Key }, pattern("", "tableName"), longer("", "tableName", 3)],
    ["GetItem", { TableName: "a;" }, pattern("a;", "tableName"), longer("a;", "tableName", 3)],
    ["PutItem", { TableName: "a b", ReturnValues: "x", ReturnConsumedCapacity: "x" }, pattern("a b", "tableName")],
    ["Query", { TableName: "ab", Select: "x", Limit: -1 }, longer("ab", "tableName", 3)],
    ["DescribeTable", { TableName: "a/b" }, pattern("a/b", "tableName")],
  ])
    it(`of ${call}: ${violations.map((one) => one.slice(0, 90)).join("; ")}`.slice(0, 170), () => check(call, body, ...violations));

  it("is told in the newer form for a query's limit", async () => {
    for (const Limit of [0, -1])
      assert.equal((await db.post("Query", { ...T, Limit })).json.message, "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1");
  });
  it("is told of ten times at most", async () => {
    const { json } = await db.post("TransactWriteItems", { TransactItems: Array.from({ length: 20 }, () => ({ Put: { Item: Key } })) });
    assert.match(json.message, /^10 validation errors detected: /);
    assert.equal(json.message.split("; ").length, 10);
  });
  for (const call of ["DescribeTable", "DeleteTable", "UpdateTable"])
    it(`has words of its own for ${call} without a table`, async () =>
      assert.equal((await db.post(call, {})).json.message, "The parameter 'TableName' is required but was not present in the request"));

  describe("of CreateTable:", () => {
    const table = (more) => ({ TableName: "Fresh", BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: [{ AttributeName: "p", AttributeType: "S" }], KeySchema: [{ AttributeName: "p", KeyType: "HASH" }], ...more });
    for (const [body, ...violations] of [
      [table({ BillingMode: "FREE" }), words("FREE", "billingMode", "PROVISIONED, PAY_PER_REQUEST")],
      [table({ AttributeDefinitions: [{ AttributeName: "p", AttributeType: "SS" }] }), words("SS", "attributeDefinitions.1.member.attributeType", "B, N, S")],
      [table({ AttributeDefinitions: [{ AttributeType: "S" }] }), missing("attributeDefinitions.1.member.attributeName")],
      [table({ KeySchema: [{ AttributeName: "p", KeyType: "SORT" }] }), words("SORT", "keySchema.1.member.keyType", "HASH, RANGE")],
      [table({ KeySchema: [{ KeyType: "HASH" }] }), missing("keySchema.1.member.attributeName")],
      [table({ KeySchema: [{ AttributeName: "", KeyType: "HASH" }] }), longer("", "keySchema.1.member.attributeName", 1)],
      [table({ GlobalSecondaryIndexes: [{ IndexName: "abc", KeySchema: [{ AttributeName: "p", KeyType: "HASH" }] }] }), missing("globalSecondaryIndexes.1.member.projection")],
      [table({ GlobalSecondaryIndexes: [{ KeySchema: [{ AttributeName: "p", KeyType: "HASH" }], Projection: { ProjectionType: "SOME" } }] }),
        missing("globalSecondaryIndexes.1.member.indexName"), words("SOME", "globalSecondaryIndexes.1.member.projection.projectionType", "ALL, INCLUDE, KEYS_ONLY")],
      [table({ GlobalSecondaryIndexes: [{ IndexName: "h;", KeySchema: [{ AttributeName: "p", KeyType: "HASH" }], Projection: { ProjectionType: "ALL" } }] }),
        pattern("h;", "globalSecondaryIndexes.1.member.indexName"), longer("h;", "globalSecondaryIndexes.1.member.indexName", 3)],
      [table({ BillingMode: "PROVISIONED", ProvisionedThroughput: { ReadCapacityUnits: 0, WriteCapacityUnits: -1 } }),
        least("0", "provisionedThroughput.readCapacityUnits", 1), least("-1", "provisionedThroughput.writeCapacityUnits", 1)],
      [table({ BillingMode: "PROVISIONED", ProvisionedThroughput: {} }), missing("provisionedThroughput.readCapacityUnits"), missing("provisionedThroughput.writeCapacityUnits")],
    ])
      it(violations.map((one) => one.slice(0, 110)).join("; "), () => check("CreateTable", body, ...violations));
  });
});
