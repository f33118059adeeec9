// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { makeTable, post } from "../lib/check.js";
import { startServer } from "../lib/server.js";

const SERIALIZATION = "com.amazon.coral.service#SerializationException";

describe("a request that no SDK would send", () => {
  let server;
  const send = (call, body) => post(server.endpoint, `DynamoDB_20120810.${call}`, typeof body === "string" ? body : JSON.stringify(body));

  before(async () => {
    server = await startServer();
    await makeTable(server.client, "Things");
  });
  after(() => server.stop());

  for (const [what, body] of [["no JSON", "{"], ["a list", "[]"], ["a text", "\"x\""], ["two values", "{} {}"], ["nothing", ""]])
    it(`is refused without a word when its body is ${what}`, async () => {
      const { status, json } = await send("GetItem", body);
      assert.equal(status, 400);
      assert.deepEqual(json, { __type: SERIALIZATION });
    });

  for (const target of ["DynamoDB_20120810.Moon", "DynamoDB_20111205.GetItem", "GetItem", ""])
    it(`is unknown with the target "${target}"`, async () => {
      const { status, json } = await post(server.endpoint, target, "{}");
      assert.equal(status, 400);
      assert.deepEqual(json, { __type: "com.amazon.coral.service#UnknownOperationException" });
    });

  for (const [body, sentence] of [
    [{ TableName: true }, "TRUE_VALUE cannot be converted to String"],
    [{ TableName: false }, "FALSE_VALUE cannot be converted to String"],
    [{ TableName: 1 }, "NUMBER_VALUE cannot be converted to String"],
    [{ TableName: 1.5 }, "DECIMAL_VALUE cannot be converted to String"],
    [{ TableName: [] }, "Unrecognized collection type class java.lang.String"],
    [{ TableName: {} }, "Start of structure or map found where not expected"],
    [{ ConsistentRead: 1 }, "NUMBER_VALUE cannot be converted to Boolean"],
    [{ ConsistentRead: "maybe" }, "Unexpected token received from parser"],
    [{ ConsistentRead: [] }, "Unrecognized collection type class java.lang.Boolean"],
    [{ AttributesToGet: "x" }, "Unexpected field type"],
    [{ AttributesToGet: {} }, "Start of structure or map found where not expected"],
    [{ AttributesToGet: [1] }, "NUMBER_VALUE cannot be converted to String"],
    [{ Key: "x" }, "Unexpected field type"],
    [{ Key: [] }, "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"],
    [{ Key: { a: "x" } }, "Unexpected value type in payload"],
    [{ Key: { a: [] } }, "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"],
    [{ Key: { a: { S: 1 } } }, "NUMBER_VALUE cannot be converted to String"],
    [{ Key: { a: { N: 3 } } }, "NUMBER_VALUE cannot be converted to String"],
    [{ Key: { a: { B: true } } }, "only base-64-encoded strings are convertible to bytes"],
    [{ Key: { a: { B: "abc" } } }, "Base64 encoded length is expected a multiple of 4 bytes but found: 3"],
    [{ Key: { a: { B: [] } } }, "Unrecognized collection type class java.nio.ByteBuffer"],
    [{ Key: { a: { SS: "x" } } }, "Unexpected field type"],
    [{ Key: { a: { L: ["x"] } } }, "Unexpected value type in payload"],
    [{ Key: { a: { M: [] } } }, "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"],
    [{ Key: { a: { N: "x" } }, ConsistentRead: 1 }, "NUMBER_VALUE cannot be converted to Boolean"],
    [{ Key: { a: { N: "x" }, b: { S: 1 } } }, "NUMBER_VALUE cannot be converted to String"],
    [{ ExpressionAttributeNames: [] }, "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>"],
  ])
    it(`is refused for ${JSON.stringify(body)}`, async () => {
      const { status, json } = await send("GetItem", body);
      assert.equal(status, 400);
      assert.deepEqual(json, { __type: SERIALIZATION, Message: sentence });
    });

  it("may have a limit with a fraction, and a boolean in words", async () => {
    const { status, json } = await send("Scan", { TableName: "Things", Limit: 1.9, ConsistentRead: "Yes" });
    assert.equal(status, 200);
    assert.deepEqual(json, { Items: [], Count: 0, ScannedCount: 0 });
  });

  it("is refused for its limit before its values", async () => {
    const { json } = await send("Scan", { TableName: "Things", Limit: 0, ExclusiveStartKey: { p: { N: "x" } } });
    assert.match(json.message, /^1 validation error detected: Value '0' at 'limit'/);
  });

  it("is told of a table's bad name alone", async () => {
    const { json } = await send("GetItem", { TableName: "a;", ReturnConsumedCapacity: "x" });
    assert.equal(json.__type, "com.amazon.coral.validate#ValidationException");
    assert.match(json.message, /^2 validation errors detected: Value 'a;' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: \[a-zA-Z0-9_.-\]\+; Value 'a;' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3$/);
  });

  it("is told of everything that is missing", async () => {
    const { json } = await send("GetItem", {});
    assert.equal(json.message, "2 validation errors detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null; Value null at 'key' failed to satisfy constraint: Member must not be null");
  });
});
